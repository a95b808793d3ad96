-- Nights and folds of random small states come to what a slow model makes of them, record by record and byte by byte:
-- several audiences, operations that are open, ids that come twice, exclusions, refresh, and both modes.
local core = require "scope3.core"
local model = require "spec.mirror.model"
local seed = require "spec.support.seed"
local spool_files = require "spec.support.spool_files"
local world = require "spec.support.world"

local KEY = "sixteen bytes..."
local CONTENTS = { { "a@example.org", "1" }, { "a@example.org1", "" }, { false, "a@example.org1" } }
local MEMBERS = { ("m"):rep(8), ("n"):rep(8), ("o"):rep(8) }
local IDS = {}
for i = 1, 14 do
  IDS[i] = i == 13 and ("long"):rep(100) or i == 14 and ("x"):rep(255) or "id-" .. i
end

-- The hash of each id's cells, as a night of nobody's gives it.
local function learn_cells()
  local cells = {}
  for number, content in ipairs(CONTENTS) do
    local night = assert(core.mirror.night { key = KEY, parts = 1, version = "v" })
    cells[number] = {}
    for i, id in ipairs(IDS) do
      assert(night:row(id, content, 1, i, 0, 0))
    end
    assert(night:merge(0, nil))
    for i = 1, #IDS do
      local _, hash = night:candidate()
      cells[number][IDS[i]] = hash
    end
    night:close()
  end
  return cells
end

local function chance(n)
  return math.random(n) == 1
end

local function one_of(list)
  return list[math.random(#list)]
end

local OPS = { "add", "add", "add", "remove", "note", "rejected", "refused" }
local ENDED = { "none", "applied", "applied", "unsure" }

local function random_chunk(world_of, may_be_open)
  local chunk = { run = math.random(6), entries = {}, outcomes = {} }
  for number = 1, math.random(0, 12) do
    local id = one_of(IDS)
    chunk.entries[number] = { op = one_of(OPS), audience = math.random(0, world_of.audiences - 1), id = id,
      hash = core.mirror.key_hash(KEY, id), cells = one_of(world_of.cells)[id], member = one_of(MEMBERS) }
  end
  local number = 1
  while number <= #chunk.entries do
    local last = math.min(#chunk.entries, number + math.random(0, 5))
    if not chance(6) then -- else it had no try
      local outcome = may_be_open and chance(3) and "open" or one_of(ENDED)
      table.insert(chunk.outcomes,
        { first = number, last = last, outcome = outcome, refused = outcome ~= "open" and chance(6),
          again = outcome == "open" and chance(2) })
    end
    number = last + 1
  end
  return chunk
end

local function blob_of(chunk)
  local made = core.mirror.chunk(chunk.run)
  for number, e in ipairs(chunk.entries) do
    assert.equal(number, made:add(e.op, e.audience, e.id, e.hash, e.cells, e.member))
  end
  local blob = made:blob()
  local entries, bytes = made:size()
  made:close()
  assert.equal(model.pack_chunk(chunk), blob:sub(1, -5))
  assert.same({ #chunk.entries, #chunk.entries > 0 and #blob - 4 or 9 }, { entries, bytes })
  return blob
end

local function random_rows(world_of)
  local rows, row, file = {}, 0, 0
  for i = 1, math.random(0, 20) do
    local id, content = one_of(IDS), math.random(#CONTENTS)
    local same = chance(8) and rows[i - 1] and rows[i - 1].id ~= id -- two members of one row
    row = same and row or row + math.random(1, 3)
    if chance(10) and not same then
      row, file = math.random(0, 2), file + 1
    end
    rows[i] = { id = id, hash = core.mirror.key_hash(KEY, id), content = content, cells = world_of.cells[content][id],
      row = row, offset = math.random(0, 2 ^ 40), file = file, audiences = {}, mask = 0 }
    for audience = 0, world_of.audiences - 1 do
      if not chance(3) then
        rows[i].audiences[audience], rows[i].mask = true, rows[i].mask + 2 ^ audience
      end
    end
  end
  return rows
end

local function taken_out(night)
  local candidates, leavers = {}, {}
  while true do
    local hash, cells, member, mask, known, unsure, row, offset, file, _, asked = night:candidate()
    if not hash then
      break
    end
    candidates[#candidates + 1] = { hash = hash, cells = cells, member = member, mask = mask, known = known,
      unsure = unsure, row = row, offset = offset, file = file, asked = asked }
    local before = candidates[#candidates - 1]
    assert.is_true(not before or before.file < file or before.file == file and before.row <= row, "out of order")
  end
  for id, hash, mask in night.leaver, night do
    assert.equal(core.mirror.key_hash(KEY, id), hash)
    assert.is_nil(leavers[id])
    leavers[id] = mask
  end
  table.sort(candidates, model.is_before)
  return candidates, leavers, night:counts()
end

-- Each id of the night or the state counts once in each audience that wants it or has it.
local function check_sums(counts, state, chunks, rows, audiences)
  local last, after = {}, model.fold(state, chunks)
  for _, row in ipairs(rows) do
    last[row.id] = row
  end
  local open = {}
  for _, chunk in ipairs(chunks) do
    for _, range in ipairs(chunk.outcomes) do
      for number = range.first, range.outcome == "open" and range.last or 0 do
        local e = chunk.entries[number]
        if e.op == "add" or e.op == "remove" then
          open[e.id] = open[e.id] or {}
          open[e.id][e.audience] = true
        end
      end
    end
  end
  for audience = 0, audiences - 1 do
    local count, expected = counts[audience + 1], 0
    local sum = -count.leavers - count.leavers_rejected - count.leavers_excluded - count.again - count.leavers_again
      - count.before - count.known
    for _, id in ipairs(IDS) do
      if last[id] and last[id].audiences[audience] or after[id] and after[id].standing[audience]
        or open[id] and open[id][audience] then
        expected = expected + 1
      end
    end
    for _, n in pairs(count) do
      sum = sum + n
    end
    assert.equal(expected, sum)
  end
end

local function run_night(world_of, state, blobs)
  local options = { audiences = world_of.audiences, refresh = chance(2) and 0 or math.random(0, 6),
    mode = chance(4) and "upsert" or chance(4) and "remove" or "mirror" }
  options.all = options.mode ~= "remove" and chance(3) or nil
  local chunks, rows, exclusions = {}, random_rows(world_of), {}
  local night = assert(core.mirror.night { key = KEY, version = "v", parts = world_of.parts,
    audiences = options.audiences, refresh = options.refresh, mode = options.mode })
  -- What comes in comes in any order, but chunks and rows in their own.
  local steps = {
    function()
      for i = 1, math.random(0, 3) do
        chunks[i] = random_chunk(world_of, true)
        assert(night:chunk(blob_of(chunks[i]), chunks[i].outcomes, i))
      end
    end,
    function()
      for i = 1, chance(3) and math.random(4) or 0 do
        exclusions[i] = one_of(IDS)
        assert(night:exclude(exclusions[i]))
      end
    end,
    function()
      for _, row in ipairs(rows) do
        assert(night:row(row.id, CONTENTS[row.content], row.mask, row.row, row.offset, row.file))
      end
    end,
  }
  if options.all then
    assert(night:look_at_all())
  end
  while #steps > 0 do
    table.remove(steps, math.random(#steps))()
  end
  for part = 0, world_of.parts - 1 do
    assert(night:merge(part, blobs[part]))
  end
  local candidates, leavers, counts = taken_out(night)
  local samples = night:samples()
  night:close()
  local expected, leaving, expected_counts, expected_samples = model.night(options, state, chunks, rows, exclusions)
  assert.same(expected_counts, counts)
  assert.same(leaving, leavers)
  assert.same(expected_samples, samples)
  assert.same(expected, candidates)
  check_sums(counts, state, chunks, rows, options.audiences)
end

-- Folds chunks into the blobs, which stay where no entry is of them. The model's records are the new state.
local function run_fold(world_of, state, blobs)
  local chunks = {}
  local fold = assert(core.mirror.fold { parts = world_of.parts, audiences = world_of.audiences })
  for i = 1, math.random(3) do
    chunks[i] = random_chunk(world_of, false)
    assert(fold:chunk(blob_of(chunks[i]), chunks[i].outcomes))
  end
  local after = model.fold(state, chunks)
  for part = 0, world_of.parts - 1 do
    local blob, records = fold:part(part, blobs[part])
    local expected, count = model.pack(after, part, world_of.bits, world_of.audiences)
    assert.is_true(blob ~= nil, records)
    if blob then
      blobs[part] = blob
      assert.equal(count, records)
    end
    if blob or blobs[part] and blobs[part]:byte(2) == world_of.audiences then
      assert.equal(expected, blobs[part]:sub(1, -5))
    elseif not blobs[part] then
      assert.equal(0, count)
    end
    if blob and chance(20) then
      assert.equal(spool_files.to_u32(spool_files.crc32c(expected)), blob:sub(-4))
    end
  end
  fold:close()
  return after
end

local function run_world(cells)
  local bits = math.random(0, 3)
  local world_of = { audiences = chance(10) and 16 or math.random(4), bits = bits, parts = 2 ^ bits, cells = cells }
  local state, blobs = {}, {}
  for _ = 1, 8 do
    state = run_fold(world_of, state, blobs)
    run_night(world_of, state, blobs)
    if chance(8) and world_of.audiences < 16 then -- a state may get more audiences, and its old blobs are read
      world_of.audiences = world_of.audiences + 1
    end
  end
end

describe("nights of a mirror", function()
  teardown(world.clean)

  it("come to what a slow model makes of them", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    local cells = learn_cells()
    for _ = 1, world.thorough and 400 or 60 do
      run_world(cells)
    end
  end)
end)
