-- Nights of files for several audiences: each row goes to the audiences that take it. A service and a state are kept as
-- tables here, and every chunk is taken to have been applied.
local core = require "scope3.core"
local nights = require "spec.support.night_of_files"
local json = require "scope3.util.json"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

local KEY = "sixteen bytes..."
local PARTS = 4
local MAP = { { "external_id", 1 }, { "email", 2 } }
-- Of the first audience by a condition, of the second by a function; the third takes every row.
local CONDITIONS = { { "eq", 3, { "yes" } }, { "eq", 4, { "1" }, audience = 1 },
  { "present", 2, {}, audience = 1 } }
local WHERES = { [2] = function(row) return row.second == "1" end }

local function several(n, make)
  local list = {}
  for i = 1, n do
    list[i] = make()
  end
  return list
end

local function parts_of(limits)
  local function payload()
    return core.payload { max_members = limits.members, max_bytes = limits.bytes }
  end
  local function chunk()
    return core.mirror.chunk(1)
  end
  return several(3, payload), several(3, chunk), chunk()
end

-- Sends what payloads have to the service, and keeps their chunks. Checks that they fit into one request.
local function cut(season, payloads, chunks, limits)
  local members, bytes = 0, 0
  for i, payload in ipairs(payloads) do
    local of = season.service[i]
    assert.equal(payload:count(), chunks[i]:count())
    members, bytes = members + payload:count(), bytes + payload:bytes()
    for j = 1, payload:count() do
      local add, remove = payload:text("add", j, j), payload:text("remove", j, j)
      local member = json.decode(add .. remove)
      local id = member.externalId or member.external_id
      assert.is_true(remove ~= "" and of[id] ~= nil or remove == "" and of[id] ~= add, "sent in vain: " .. id)
      of[id] = remove == "" and add or nil
    end
    season.chunks[#season.chunks + 1] = assert(chunks[i]:blob())
  end
  assert.is_true(members <= limits.members and bytes <= limits.bytes, "more than one request may have")
end

-- No row is noted twice.
local function keep_notes(season, blob)
  for _, entry in ipairs(nights.entries(blob)) do
    assert.is_nil(season.noted[entry.hash])
    season.noted[entry.hash] = entry.op
  end
  season.chunks[#season.chunks + 1] = blob
end

-- Which audiences of a state have it for certain after chunks with that outcome; the others may.
local function fold(season, outcome_of)
  local made = assert(core.mirror.fold { parts = PARTS, audiences = 3 })
  for i, blob in ipairs(season.chunks) do
    assert(made:chunk(blob, { { first = 1, last = 2 ^ 31, outcome = outcome_of and outcome_of(i) or "applied" } }))
  end
  for part = 0, PARTS - 1 do
    season.state[part] = made:part(part, season.state[part]) or season.state[part]
  end
end

local function run(season, text, limits, outcome_of)
  local night = assert(core.mirror.night { key = KEY, parts = PARTS, audiences = 3 })
  local builder = core.builder { max_member = 200, map = MAP, conditions = CONDITIONS, wheres = WHERES }
  local path = world.file(text)
  season.chunks, season.noted = {}, {}
  local function source()
    return assert(core.source { format = "csv", path = path })
  end
  assert.equal("end", builder:survey(night, source(), 0, 1e6, 60))
  for part = 0, PARTS - 1 do
    assert(night:merge(part, season.state[part]))
  end
  local payloads, chunks, notes = parts_of(limits)
  local src = source()
  local said
  repeat
    said = builder:build(payloads, src, night, chunks, notes, 0, 1e6, 60)
    keep_notes(season, assert(notes:blob()))
    cut(season, payloads, chunks, limits)
    payloads, chunks, notes = parts_of(limits)
  until said ~= "full"
  assert.equal("end", said)
  repeat
    said = builder:leave(payloads, night, chunks)
    cut(season, payloads, chunks, limits)
    payloads, chunks = parts_of(limits)
  until said ~= "full"
  assert.equal("end", said)
  fold(season, outcome_of)
  return builder, night
end

local function season_of()
  return { service = { {}, {}, {} }, state = {} }
end

local LARGE = { members = 1000, bytes = 100000 }

local function csv(rows)
  return "id,mail,keep,first,second\n" .. table.concat(rows, "\n") .. "\n"
end

local function ids(of)
  local list = {}
  for id in pairs(of) do
    list[#list + 1] = id
  end
  table.sort(list)
  return table.concat(list, " ")
end

local function there(season)
  return { ids(season.service[1]), ids(season.service[2]), ids(season.service[3]) }
end

describe("a night of several audiences", function()
  it("puts each row into the audiences that take it, and counts it for each", function()
    local season = season_of()
    local builder, night = run(season, csv { "a,a@example.org,yes,1,0", "b,b@example.org,yes,1,1",
      "c,c@example.org,no,1,1", "d,d@example.org,yes,0,0" }, LARGE)
    assert.same({ "a b", "b", "a b d" }, there(season))
    local counts = builder:counts()
    assert.same({ 4, 1, 3, 6 }, { counts.rows, counts.skipped, counts.used_rows, counts.members })
    assert.same({ 4, 1 }, { counts.conditions[1].seen, counts.conditions[1].skipped })
    assert.same({ 3, 1 }, { counts.conditions[2].seen, counts.conditions[2].skipped })
    assert.same({ 2, 0 }, { counts.conditions[3].seen, counts.conditions[3].skipped })
    assert.same({ 2, 1, 3 }, { builder:wanted(1), builder:wanted(2), builder:wanted(3) })
    assert.same({ 2, 1, 3 }, { night:counts()[1].added, night:counts()[2].added, night:counts()[3].added })
    assert.same({ 6, 2, 1, 3 }, { builder:built().add, builder:built(1).add, builder:built(2).add,
      builder:built(3).add })
  end)

  it("moves whoever changes segments, and sends the others of the row nothing", function()
    local season = season_of()
    run(season, csv { "a,a@example.org,yes,1,0", "b,b@example.org,yes,0,1" }, LARGE)
    local builder = run(season, csv { "a,a@example.org,yes,0,1", "b,b@example.org,yes,0,1" }, LARGE)
    assert.same({ "", "a b", "a b" }, there(season))
    assert.same({ 0, 1, 0 }, { builder:built(1).add, builder:built(2).add, builder:built(3).add })
    assert.same({ 1, 0, 0 }, { builder:built(1).remove, builder:built(2).remove, builder:built(3).remove })
  end)

  it("notes a row that is only written otherwise once, and adds it where it is new", function()
    local season = season_of()
    run(season, csv { "a,a@example.org,yes,1,0" }, LARGE)
    local before = csv { "z,z@example.org,yes,0,0", "a, A@Example.ORG ,yes,1,1" }
    local builder = run(season, before, { members = 1, bytes = 1000 }) -- no request has room for the second row
    assert.same({ "a", "a", "a z" }, there(season))
    assert.same({ 1, 0, 1 }, { builder:built(1).note, builder:built(2).note, builder:built(3).note })
    assert.same({ 0, 1, 1 }, { builder:built(1).add, builder:built(2).add, builder:built(3).add })
    builder = run(season, before, LARGE)
    assert.same({ 0, 0 }, { builder:built().note, builder:built().add })
  end)

  it("sends a member again to an audience that may lack it, where another is known to have it", function()
    local season = season_of()
    local list = 0
    run(season, csv { "a,a@example.org,yes,1,1" }, LARGE, function(i)
      list = i
      return i == 3 and "unsure" or "applied" -- the chunk of the second audience: the first has notes
    end)
    assert.equal(7, list)
    season.service[2] = {}
    local builder = run(season, csv { "a,a@example.org,yes,1,1" }, LARGE)
    assert.same({ 0, 1, 0 }, { builder:built(1).add, builder:built(2).add, builder:built(3).add })
    assert.equal(0, builder:built().note)
  end)

  it("takes rows of JSON by functions of audiences that look at any key", function()
    local builder = core.builder { max_member = 200, map = { { "external_id", "id" }, { "email", "mail" } },
      wheres = { [2] = function(row) return row.tier == "gold" end } }
    local night = assert(core.mirror.night { key = KEY, parts = 1, audiences = 2 })
    local source = core.source { format = "jsonl" }
    source:feed '{"id":"a","mail":"a@example.org","tier":"gold"}\n{"id":"b","mail":"b@example.org","tier":"tin"}\n'
    source:finish()
    assert.equal("end", builder:survey(night, source, 0, 1e6, 60))
    assert.same({ 2, 1 }, { builder:wanted(1), builder:wanted(2) })
  end)

  it("takes a row that gives no member any more out of every audience where it stood, and rejects it once", function()
    local season = season_of()
    run(season, csv { "a,a@example.org,yes,1,0", "b,b@example.org,yes,1,1" }, LARGE)
    local builder = run(season, csv { "a,broken,yes,1,1", "b,b@example.org,yes,1,1" }, LARGE)
    assert.same({ "b", "b", "b" }, there(season))
    assert.same({ 1, 2 }, { builder:built().rejected, builder:built().remove })
    local night
    builder, night = run(season, csv { "a,broken,yes,1,1", "b,b@example.org,yes,1,1" }, LARGE)
    assert.same({ 0, 0 }, { builder:built().rejected, builder:built().remove })
    assert.same({ 1, 1, 1 }, { night:counts()[1].rejected_before, night:counts()[2].rejected_before,
      night:counts()[3].rejected_before })
  end)

  it("lets the last row of an id that any audience takes count for all of them", function()
    local builder = core.builder { max_member = 200, map = MAP,
      conditions = { { "eq", 4, { "1" }, audience = 1 }, { "eq", 5, { "1" }, audience = 2 } } }
    local night = assert(core.mirror.night { key = KEY, parts = 1, audiences = 2 })
    local source = core.source { format = "csv" }
    source:feed(csv { "a,one@example.org,yes,1,0", "a,two@example.org,yes,0,1", "a,three@example.org,yes,0,0" })
    source:finish()
    assert.equal("end", builder:survey(night, source, 0, 1e6, 60))
    assert(night:merge(0))
    local _, _, _, mask, _, _, row = night:candidate()
    assert.same({ 2, 2 }, { mask, row })
    assert.equal(1, builder:counts().skipped)
  end)

  it("ends a survey at the error of an audience's function, and names the audience", function()
    for _, case in ipairs {
      { function() error "no" end, "no %(where of audience 2%)$" },
      { function() return "yes" end, "^where%(%) must give true, false or nil.*%(where of audience 2%)$" },
    } do
      local builder = core.builder { max_member = 200, map = MAP, wheres = { [2] = case[1] } }
      local night = assert(core.mirror.night { key = KEY, parts = 1, audiences = 2 })
      local source = core.source { format = "csv" }
      source:feed(csv { "a,one@example.org,yes,1,0" })
      source:finish()
      local said, message, row, line = builder:survey(night, source, 0, 1e6, 60)
      assert.same({ "script", 1, 2 }, { said, row, line })
      assert.truthy(message:find(case[2]), message)
    end
  end)

  it("takes only lists with an object of its own for each audience", function()
    local night = assert(core.mirror.night { key = KEY, parts = 1, audiences = 2 })
    local builder = core.builder { max_member = 200, map = MAP }
    local source = core.source { format = "csv" }
    source:feed(csv { "a,a@example.org,yes,1,0" })
    source:finish()
    assert.equal("end", builder:survey(night, source, 0, 1e6, 60))
    assert(night:merge(0))
    local function payload()
      return core.payload { max_members = 10, max_bytes = 1000 }
    end
    local function chunk()
      return core.mirror.chunk(1)
    end
    local notes, twice, chunks = chunk(), payload(), { chunk(), chunk() }
    local function build(payloads, others, aside)
      return function()
        builder:build(payloads, source, night, others, aside or notes, 0, 1e6, 1)
      end
    end
    local one_each = "each audience has a payload and a chunk of its own"
    assert.has_error(build(payload(), chunk()), "a night of several audiences takes a list with one for each")
    assert.has_error(build({ payload() }, chunks), "a list has another length than the night has audiences")
    assert.has_error(build({ twice, twice }, chunks), one_each)
    assert.has_error(build({ payload(), payload() }, { notes, notes }, chunk()), one_each)
    assert.has_error(build({ payload(), payload() }, chunks, chunks[2]), "notes go into a chunk of their own")
    assert.has_error(build({ payload(), notes }, chunks))
    assert.has_error(function()
      builder:build_again({ payload(), payload() }, source, night, { core.mirror.list() }, 0, 1e6, 1)
    end, "a list has another length than the night has audiences")
    local list = core.mirror.list()
    assert.has_error(function()
      builder:build_again({ payload(), payload() }, source, night, { list, list }, 0, 1e6, 1)
    end, one_each)
  end)

  it("refuses conditions of audiences that it has not, and those where there is no night", function()
    local night = assert(core.mirror.night { key = KEY, parts = 1, audiences = 2 })
    local fewer = "the night has fewer audiences than the builder has conditions for"
    for _, more in ipairs { { conditions = { { "present", 1, {}, audience = 3 } } },
      { wheres = { [3] = function() end } } } do
      local builder = core.builder { max_member = 200, map = MAP, conditions = more.conditions, wheres = more.wheres }
      local source = core.source { format = "csv" }
      assert.has_error(function() builder:survey(night, source, 0, 1e6, 1) end, fewer)
      assert.has_error(function() builder:fill(core.payload { max_members = 9, max_bytes = 999 }, source, 1e6, 1) end,
        "conditions of single audiences are for a night")
    end
    assert.has_error(function()
      core.builder { max_member = 200, map = MAP, conditions = { { "present", 1, {}, audience = 1 },
        { "present", 1, {} } } }
    end)
    assert.has_error(function() core.builder { max_member = 200, map = MAP, wheres = { 1 } } end)
  end)

  it("brings every audience to its rows in random nights of any size of request, and doubles nothing", function()
    local dice = math.random
    local function is(share)
      return dice(100) <= share
    end
    print("   seed " .. seed)
    math.randomseed(seed)
    local season, people = season_of(), {}
    for i = 1, 60 do
      people[i] = { id = "p" .. i }
    end
    for _ = 1, 12 do
      local rows, wanted = {}, { {}, {}, {} }
      for i = 60, 2, -1 do
        local j = dice(i)
        people[i], people[j] = people[j], people[i]
      end
      for _, person in ipairs(people) do
        if not person.version or is(20) then
          person.version, person.first, person.second = dice(3), is(50) and 1 or 0, is(50) and 1 or 0
          person.gone, person.keep, person.form = is(15), is(90) and "yes" or "no", dice(2)
          person.broken = is(15)
        end
        if not person.gone then
          local mail = ("v%d.%s@example.org"):format(person.version, person.id)
          mail = person.broken and "nobody" or person.form == 1 and mail or mail:upper()
          rows[#rows + 1] = ("%s,%s,%s,%d,%d"):format(person.id, mail, person.keep, person.first, person.second)
          local hash = not person.broken and person.keep == "yes" and require("scope3").email.hash(mail:lower()) or nil
          for i, takes in ipairs { person.first == 1, person.second == 1, true } do
            wanted[i][person.id] = takes and hash or nil
          end
        end
      end
      run(season, csv(rows), { members = dice(9), bytes = 200 + dice(900) })
      for i = 1, 3 do
        local has = {}
        for id, member in pairs(season.service[i]) do
          has[id] = json.decode(member).hashedEmail
        end
        assert.same(wanted[i], has)
      end
    end
  end)
end)
