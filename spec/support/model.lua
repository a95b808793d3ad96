-- What a random history of operations is to leave behind, and whether it did.
local model = {}

--- A generator of our own: the same histories on every Lua.
function model.dice(seed)
  local state = seed
  return function(n)
    state = state * 48271 % 2147483647
    return state % n + 1
  end
end

--- Random operations of one audience, { id, hash or nil to remove, row }, and for each id the last of them.
function model.history(roll, steps, ids)
  local operations, left = {}, {}
  for i = 1, steps do
    local id = "id" .. roll(ids)
    local hash = roll(10) > 4 and ("%064x"):format(roll(1000000) * 1000 + i) or nil
    operations[i] = { id = id, hash = hash, row = i }
    left[id] = operations[i]
  end
  return operations, left
end

--- The operations as a CSV file's text; `model.member` reads it.
function model.csv(operations)
  local lines = { "id,hash" }
  for _, one in ipairs(operations) do
    lines[#lines + 1] = one.id .. "," .. (one.hash or "")
  end
  return table.concat(lines, "\n") .. "\n"
end

--- `member` of a script for such a file.
function model.member(row)
  return { external_id = row.id, hashed_email = row.hash ~= "" and row.hash or nil, remove = row.hash == "" }
end

-- Rows that the result says are not in the audience.
local function missing_rows(res)
  local missing = {}
  for _, request in ipairs(res.requests) do
    if request.state == "failed" and not request.sent_again or request.state == "unknown"
      or request.state == "not sent" then
      for row = request.rows.first, request.rows.last do
        missing[row] = true
      end
    end
  end
  return missing
end

--- Compares an audience with its model, but for ids whose last row the result says is missing.
--- Gives the number of those.
function model.compare(sandbox, audience, expected, res)
  local kept, missing, unsure = res.accepted > 0 and sandbox:members(audience) or {}, missing_rows(res), 0
  for id, last in pairs(expected) do
    local there = kept[id] and kept[id].hashedEmail
    if missing[last.row] or last.row > res.rows then -- a job that stopped has not read further
      unsure = unsure + 1
    else
      assert(there == last.hash, ("audience %s: row %d is not what is left (%s)"):format(audience, last.row,
        there and "another member" or "no member"))
    end
    kept[id] = nil
  end
  assert(next(kept) == nil, audience .. " has members that nobody added")
  return unsure
end

return model
