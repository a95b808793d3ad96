-- What a night of a mirror costs beside sending a whole file: in processor time, or in instructions by callgrind.
--   lua5.4 bench/night.lua FILE            every way in turn, seven times: medians of what it costs beside `fill`
--   lua5.4 bench/night.lua FILE survey     that way once
-- FILE is of bench/make_data.lua. `fill` makes payloads of all rows. `survey` gives all rows to a night. `same` is a
-- night on which nothing has changed, `changed` one on which 1 % has, and `first` one on which all rows are new.
local core = require "scope3.core"

local PATH, WAY = arg[1], arg[2]
local KEY, PARTS, ROUNDS = ("k"):rep(16), 256, 7
local MAP = { { "external_id", 1 }, { "email", 9 }, { "phone", 7 }, { "region", 6 } }

local function kit()
  return core.builder { max_member = 1e6, map = MAP }, core.payload { max_members = 100000, max_bytes = 8e6 },
    assert(core.source { format = "csv", path = PATH })
end

local function fill()
  local builder, payload, source = kit()
  local state
  repeat
    state = builder:fill(payload, source, 1e6, 1)
    if state == "full" then
      payload:reset()
    end
  until state ~= "more" and state ~= "full"
  assert(state == "end", state)
  source:close()
end

local function survey(version)
  local night = assert(core.mirror.night { key = KEY, parts = PARTS, version = version })
  local builder, _, source = kit()
  local state
  repeat
    state = builder:survey(night, source, 0, 1e6, 1)
  until state ~= "more"
  assert(state == "end", state)
  source:close()
  return night, builder
end

-- The chunks of a night with that state.
local function build(state, version)
  local night, builder = survey(version)
  for part = 0, PARTS - 1 do
    assert(night:merge(part, state[part]))
  end
  local _, payload, source = kit()
  local blobs, chunk, notes = {}, core.mirror.chunk(1), core.mirror.chunk(1)
  local said
  repeat
    said = builder:build(payload, source, night, chunk, notes, 0, 1e6, 1)
    if said ~= "more" then
      blobs[#blobs + 1], chunk, notes = chunk:blob(), core.mirror.chunk(1), core.mirror.chunk(1)
      payload:reset()
    end
  until said ~= "more" and said ~= "full"
  assert(said == "end", said)
  source:close()
  night:close()
  return blobs
end

-- The state after a night, in which every hundredth member was refused where `some` is wanted.
local function fold(blobs, some)
  local work, state = assert(core.mirror.fold { parts = PARTS }), {}
  for _, blob in ipairs(blobs) do
    local outcomes = {}
    local count = blob:byte(6) + blob:byte(7) * 256 + blob:byte(8) * 65536
    for first = 1, count, 100 do
      local last = math.min(count, first + (some and 98 or 99))
      outcomes[#outcomes + 1] = { first = first, last = last, outcome = "applied" }
    end
    assert(work:chunk(blob, outcomes))
  end
  for part = 0, PARTS - 1 do
    state[part] = work:part(part, nil) or nil
  end
  return state
end

local whole, most
if not WAY or WAY == "same" or WAY == "changed" then
  local blobs = build({})
  whole, most = fold(blobs), fold(blobs, true)
end

local ways = {
  fill = fill,
  survey = function() survey():close() end,
  same = function() build(whole) end,
  changed = function() build(most) end,
  first = function() build({}) end,
}

if WAY then
  ways[WAY]()
  return
end

local function seconds(way)
  collectgarbage()
  local began = os.clock()
  ways[way]()
  return os.clock() - began
end

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

seconds "fill"
for _, way in ipairs { "survey", "same", "changed", "first" } do
  local ratios, mine = {}, {}
  for round = 1, ROUNDS do
    local whole_file = seconds "fill"
    mine[round] = seconds(way)
    ratios[round] = mine[round] / whole_file
  end
  print(("%-8s %6.2f of fill   %.3f s"):format(way, median(ratios), median(mine)))
end
