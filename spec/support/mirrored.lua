-- A fold, a night and a view of one mirror, of so many people that they spill to their temporary files. Specs run it
-- where memory, disks and calls of the system fail.
local mirrored = {}

local KEY = "0123456789abcdef"
local PARTS = 2

local function cells_of(i)
  return { ("p%d@example.org"):format(i % 5 == 0 and -i or i), false, "DE" }
end

-- A chunk that adds people 1 to n as they are, and its outcomes.
local function chunk_of(core, n, cells, hold)
  local chunk = hold(core.mirror.chunk(7))
  for i = 1, n do
    local id = "person-" .. i
    assert(chunk:add("add", 0, id, core.mirror.key_hash(KEY, id), cells[i] or ("c"):rep(8), ("m"):rep(8)))
  end
  return assert(chunk:blob()), { { first = 1, last = n, outcome = "applied" } }
end

local function night_of(core, folder, hold)
  return hold(assert(core.mirror.night { key = KEY, parts = PARTS, folder = folder, audiences = 2, version = "1" }))
end

local function give_rows(night, n)
  for i = 1, n do
    if i % 7 ~= 0 then
      assert(night:row("person-" .. i, cells_of(i), i % 3 == 0 and 3 or 1, i, i * 100, 0))
    end
  end
end

local function read_all(night)
  local rows, leavers = {}, {}
  local hash, cells, why, mask, row, _
  repeat
    hash, cells, why, mask, _, _, row = night:candidate()
    if hash then
      rows[#rows + 1] = row .. ":" .. mask
    end
  until not hash
  assert(cells == nil, cells)
  assert(why == nil)
  assert(night:leave("one more", 1))
  local id, message
  repeat
    id, message, mask = night:leaver()
    leavers[#leavers + 1] = id and id .. ":" .. mask
  until not id
  assert(message == nil, message)
  table.sort(leavers)
  local counts = night:counts()
  return table.concat(rows, " ") .. "\n" .. table.concat(leavers, " ") .. "\n" .. counts.rows .. " "
    .. counts[1].unchanged .. " " .. counts[2].added
end

-- Who is seen in partitions with a chunk, when some of them were forgotten.
local function see_all(core, folder, parts, chunk, outcomes, hold)
  local view = hold(assert(core.mirror.view { parts = PARTS, folder = folder, audiences = 2 }))
  local gone = core.mirror.key_hash(KEY, "person-3") .. core.mirror.key_hash(KEY, "person-4")
  local without, seen = hold(core.mirror.without { parts = PARTS, audiences = 2, hashes = gone }), {}
  local rest, message = without:chunk(chunk)
  assert(view:chunk(assert(rest, message), outcomes))
  for part = 0, PARTS - 1 do
    local left, why = without:members(part, parts[part])
    assert(left ~= nil, why)
    assert(view:part(part, left or parts[part]))
    local id, standing, run
    repeat
      id, standing, run = view:next()
      seen[#seen + 1] = id and id .. standing .. run
    until not id
    assert(standing == nil, standing)
  end
  return ("\n%d seen: %s"):format(#seen, core.sha256(table.concat(seen)):sub(1, 8))
end

--- What a first night has to build, what the next one has after a fold, who leaves, and who is seen: one text. Raises
--- the message of whatever fails.
---@param core table  scope3.core
---@param folder string  of the temporary files
---@param n integer  people
---@param hold fun(object: table): table  takes each object, to close it
---@return string
function mirrored.run(core, folder, n, hold)
  local cells = {}
  local first = night_of(core, folder, hold)
  give_rows(first, n)
  for part = 0, PARTS - 1 do
    assert(first:merge(part, nil))
  end
  local hash, hashed, _, row
  repeat
    hash, hashed, _, _, _, _, row = first:candidate()
    if hash and row % 4 ~= 0 then
      cells[row] = hashed
    end
  until not hash
  assert(hashed == nil, hashed)
  local fold = hold(assert(core.mirror.fold { parts = PARTS, audiences = 2, folder = folder }))
  local blob, outcomes = chunk_of(core, n, cells, hold)
  assert(fold:chunk(blob, outcomes))
  local second = night_of(core, folder, hold)
  assert(second:exclude "person-1")
  assert(second:chunk(chunk_of(core, 3, cells, hold), { { first = 2, last = 3, outcome = "open" } }))
  give_rows(second, n)
  local parts = {}
  for part = 0, PARTS - 1 do
    local members, why = fold:part(part, nil)
    parts[part] = assert(members, why)
    assert(second:merge(part, members))
  end
  return read_all(second) .. see_all(core, folder, parts, blob, { { first = 1, last = n, outcome = "open" } }, hold)
end

return mirrored
