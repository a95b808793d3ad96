-- What a job is given: operations on members of one audience. Every added row has a hash that tells its number.
local rows = {}

-- No identifier of the library's own looks like these: where one is found in a text, a person was named.
rows.ID_MARK, rows.HASH_MARK = "zq%d+x", ("0"):rep(24)

function rows.id(audience, n)
  return ("zq%dx%d"):format(audience, tonumber(n))
end

function rows.hash(audience, row)
  return ("%064x"):format(audience * 65536 + row)
end

--- The row of a hash.
function rows.row_of(hash)
  return tonumber(hash:sub(-8), 16) % 65536
end

-- How the operations follow each other. Each gives the number of an id and whether row `i` of `n` adds.
local patterns = {}

function patterns.adds(_, i)
  return i, true
end

function patterns.repeats(dice, _, _, ids)
  return dice:whole(1, ids), true
end

function patterns.removes(_, i)
  return i, false
end

function patterns.adds_then_removes(_, i, n)
  return i > n / 2 and i - math.floor(n / 2) or i, i <= n / 2
end

function patterns.removes_then_adds(_, i, n)
  return i > n / 2 and i - math.floor(n / 2) or i, i > n / 2
end

function patterns.mixed(dice, i, _, ids)
  if i <= 2 then -- both kinds, whatever follows
    return i, i == 1
  end
  return dice:whole(1, ids), dice:happens(0.6)
end

rows.PATTERNS = { "adds", "repeats", "repeats", "removes", "adds_then_removes", "removes_then_adds", "mixed",
  "mixed", "mixed" }

--- Makes the operations of an audience: { id, hash or nil to remove, row, invalid }.
function rows.make(dice, audience, pattern, n)
  local list, ids = {}, dice:whole(2, math.max(3, n))
  local invalid = dice:happens(0.3) and 0.1 or 0
  for i = 1, n do
    local id, adds = patterns[pattern](dice, i, n, ids)
    list[i] = { id = rows.id(audience, id), row = i, hash = adds and rows.hash(audience, i) or nil,
      invalid = i > 2 and dice:happens(invalid) or nil }
  end
  return list
end

-- The fields of a row as the library gets them. One that is invalid has no id.
local function member_of(operation)
  return { external_id = not operation.invalid and operation.id or nil, hashed_email = operation.hash }
end

rows.member_of = member_of

--- The operations as the text of a CSV file.
function rows.csv(list)
  local lines = { "id,hash,note" }
  for _, one in ipairs(list) do
    lines[#lines + 1] = (one.invalid and "" or one.id) .. "," .. (one.hash or "") .. ",x"
  end
  return table.concat(lines, "\n") .. "\n"
end

--- `member` of a script for such a file.
function rows.read(row)
  return { external_id = row.id ~= "" and row.id or nil, hashed_email = row.hash ~= "" and row.hash or nil,
    remove = row.hash == "" }
end

return rows
