-- Entries that a night before left open go again exactly as they were, where they bring what is wanted, and in no other
-- way: which chunk and entry each member is, in the order of the payload.
local core = require "scope3.core"
local nights = require "spec.support.night_of_files"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

local HEAD = "id,email,phone,region,keep\n"

local function row(i, email)
  return ("p%d,%s,,US,yes"):format(i, email or ("p%d@example.org"):format(i))
end

local function input_of(rows)
  local text = HEAD .. table.concat(rows, "\n") .. "\n"
  return { text = text, path = world.file(text) }
end

local function rows_of(first, last, change)
  local rows = {}
  for i = first, last do
    rows[#rows + 1] = change and change[i] or row(i)
  end
  return rows
end

-- A chunk of a night before, as a crash left it.
local function left(blob, number, outcomes)
  return { blob = blob, number = number,
    outcomes = outcomes or { { first = 1, last = 1e6, outcome = "open", again = true } } }
end

-- The members of payloads, one by one.
local function members_of(texts)
  local list = {}
  for _, text in ipairs(texts) do
    for member in text:gmatch '{"externalId".-}' do
      list[#list + 1] = member
    end
  end
  return list
end

local function said(entries)
  local list = {}
  for i, entry in ipairs(entries) do
    list[i] = entry.op .. " " .. entry.id
  end
  return table.concat(list, ", ")
end

describe("a night after a crash", function()
  after_each(world.clean)

  it("sends again what is open and still wanted, by row, and says which entries they are", function()
    local first = nights.night({}, { input_of(rows_of(1, 9)) }, { max_members = 4 })
    local sent = members_of(first.texts)
    local open = { left(first.blobs[1], 7), left(first.blobs[2], 8), left(first.blobs[3], 9) }
    local change = { [2] = row(2, "x@example.org"), [4] = row(4, "nothing"), [5] = row(5, " P5@Example.org"),
      [9] = "p9,p9@example.org,,US,no" }
    local rows = rows_of(2, 9, change)
    rows[1], rows[6] = rows[6], rows[1] -- p7 before p3, and p2 after p6
    for _, opts in ipairs { { max_members = 1 }, { max_members = 3, bytes = 1 }, { max_members = 100 } } do
      opts.open, opts.conditions = open, { { "eq", 5, { "yes" } } }
      local second = nights.night({}, { input_of(rows) }, opts)
      assert.same({ "add 8 3 " .. sent[7], "add 7 3 " .. sent[3], "add 8 2 " .. sent[6], "add 8 4 " .. sent[8] },
        second.again)
      assert.equal("", said(second.entries))
      assert.same({}, second.leavers)
      local counts = second.night[1]
      -- p1 and p9 are gone, p2, p4 and p5 are otherwise.
      assert.same({ 4, 5, 4, 0, 0 }, { counts.under_way, counts.deferred, counts.again, counts.added, counts.leavers })
      assert.same({ 4, 0, 0 }, { second.built.add_again, second.built.add, second.built.deferred })
    end
  end)

  it("sends nothing again of what is open without that, and compares what has ended", function()
    local first = nights.night({}, { input_of(rows_of(1, 6)) })
    local outcomes = {
      { first = 1, last = 1, outcome = "open" }, { first = 2, last = 3, outcome = "open", again = true },
      { first = 4, last = 4, outcome = "applied" }, { first = 5, last = 5, outcome = "unsure" },
    }
    local second = nights.night({}, { input_of(rows_of(1, 7)) }, { open = { left(first.blobs[1], 3, outcomes) } })
    local sent = members_of(first.texts)
    assert.same({ "add 3 2 " .. sent[2], "add 3 3 " .. sent[3] }, second.again)
    assert.equal("add p5, add p6, add p7", said(second.entries))
    local counts = second.night[1]
    assert.same({ 3, 2, 1, 2, 1 }, { counts.under_way, counts.again, counts.unchanged, counts.added, counts.changed })
  end)

  it("takes removals up again of those who are still not wanted", function()
    local first = nights.night({}, { input_of(rows_of(1, 6)) })
    local second = nights.night(first.state, { input_of(rows_of(6, 6)) })
    local removed = nights.entries(second.removals[1])
    assert.equal(5, #removed)
    local function open(mode, rows, max)
      return nights.night(first.state, { input_of(rows) },
        { mode = mode, max_members = max, open = { left(second.removals[1], 1000000) } })
    end
    local function expected(wanted)
      local list = {}
      for i, entry in ipairs(removed) do
        if wanted[entry.id] then
          list[#list + 1] = ('remove 1000000 %d {"externalId":"%s"}'):format(i, entry.id)
        end
      end
      table.sort(list)
      return list
    end
    for _, max in ipairs { 1, 2, 100 } do
      local third = open("mirror", rows_of(2, 2), max)
      table.sort(third.again)
      assert.same(expected { p1 = true, p3 = true, p4 = true, p5 = true }, third.again)
      assert.same({ "p6" }, third.leavers)
      local counts = third.night[1]
      assert.same({ 4, 1, 4, 1, 1 }, { counts.under_way, counts.deferred, counts.leavers_again, counts.leavers,
        counts.removed })
      assert.same({ 4, 1, 5 }, { third.built.remove_again, third.built.remove, third.counts.removes })
    end
    local third = open("remove", { row(2), row(6), row(7) })
    assert.same(expected { p2 = true }, third.again)
    assert.same({ "p6" }, third.leavers)
    assert.same({ 1, 1, 4, 1 }, { third.night[1].under_way, third.night[1].removed, third.night[1].kept,
      third.night[1].not_there })
    third = open("upsert", rows_of(5, 7))
    assert.same({}, third.again)
    assert.same({}, third.leavers)
    assert.same({ 4, 1, 1, 0, 1 }, { third.night[1].kept, third.night[1].deferred, third.night[1].unchanged,
      third.night[1].under_way, third.night[1].added })
  end)

  it("sends no member that is not the one of its entry", function()
    local inputs = { input_of(rows_of(1, 3)) }
    local first = nights.night({}, inputs)
    local entries, chunk = nights.entries(first.blobs[1]), core.mirror.chunk(1)
    for i, entry in ipairs(entries) do
      chunk:add("add", 0, entry.id, entry.hash, entry.cells, i == 2 and ("m"):rep(8) or entry.member)
    end
    local second = nights.night({}, inputs, { open = { left(assert(chunk:blob()), 1) }, max_members = 1 })
    assert.same({ 2, 1, 0 }, { second.built.add_again, second.built.deferred, second.built.add })
    assert.same({ "1 1", "1 3" }, { second.again[1]:match "add (%d %d) ", second.again[2]:match "add (%d %d) " })
    assert.equal(3, second.night[1].under_way)
  end)

  it("refuses a file that was changed between its readings", function()
    local text = rows_of(1, 9)
    local first = nights.night({}, { input_of(text) })
    local inputs = { input_of(text) }
    local out = nights.night({}, inputs, { open = { left(first.blobs[1], 1) },
      between = function() world.write(inputs[1].path, (inputs[1].text:gsub("p5@", "p6@"))) end })
    assert.equal("changed", out.ended)
    assert.is_nil(out.state)
  end)

  it("says what it does not take", function()
    local function chunk(again, number, outcome)
      local night = core.mirror.night { key = nights.KEY, parts = 1 }
      return night:chunk(core.mirror.chunk(1):blob(),
        { { first = 1, last = 2, outcome = outcome, again = again } }, number)
    end
    assert.is_true(chunk(true, 1, "open"))
    assert.is_true(chunk(false, nil, "applied"))
    assert.has_error(function() chunk(true, nil, "open") end, "entries go again of a chunk without a number")
    assert.has_error(function() chunk(true, 1, "unsure") end, "only what is open goes again")
    assert.has_error(function() chunk(true, 0, "open") end)
    assert.has_error(function() chunk(true, 2 ^ 32, "open") end)
    local inputs = { input_of(rows_of(1, 3)) }
    local first = nights.night({}, inputs)
    local night = core.mirror.night { key = nights.KEY, parts = 1 }
    local builder = core.builder { max_member = 1000, map = nights.MAP, region = "US" }
    local function source()
      return assert(core.source { format = "csv", path = inputs[1].path })
    end
    local function payload()
      return core.payload { max_members = 1, max_bytes = 1000 }
    end
    assert(night:chunk(first.blobs[1], left(nil, 1).outcomes, 1))
    assert.equal("end", builder:survey(night, source(), 0, 1e6, 1))
    assert(night:merge(0))
    local filled, list, new = payload(), core.mirror.list(), core.mirror.chunk
    assert.equal("full", builder:build_again(filled, source(), night, list, 0, 1e6, 1))
    local waits = "a candidate waits for room: build it first"
    assert.has_error(function() builder:build(payload(), source(), night, new(1), new(1), 0, 1e6, 1) end, waits)
    assert.has_error(function() builder:leave_again(payload(), night, core.mirror.list()) end, waits)
    assert.has_error(function() builder:build_again(filled, source(), night, core.mirror.list(), 0, 1e6, 1) end,
      "a payload has other members than its list")
    assert.same({ 1, { 1 }, { 1 } }, { list:count(), list:numbers() })
    list:close()
    assert.has_error(function() list:numbers() end, "attempt to use a closed list")
  end)

  it("goes on from any crash, whatever was answered", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    for _ = 1, world.thorough and 100 or 15 do
      local people = math.random(40)
      local first = nights.night({}, { input_of(rows_of(1, people)) }, { max_members = math.random(12) })
      local open, became = {}, {}
      for number, blob in ipairs(first.blobs) do
        local outcomes, at = {}, 1
        local entries = nights.entries(blob)
        while at <= #entries do
          local last = math.min(#entries, at + math.random(0, 5))
          local range = { first = at, last = last, outcome = math.random(2) == 1 and "open" or "applied" }
          range.again = range.outcome == "open" and math.random(3) > 1
          outcomes[#outcomes + 1] = range
          for i = at, last do
            became[entries[i].id] = { range = range, chunk = number, entry = i }
          end
          at = last + 1
        end
        open[number] = left(blob, number, outcomes)
      end
      local sent = members_of(first.texts)
      local rows, again, added, left_alone = {}, {}, {}, { under_way = 0, deferred = 0, leavers = 0 }
      for i = people + 2, 1, -1 do
        local state, as_before = became["p" .. i], math.random(4) > 1
        local is_open = state and state.range.outcome == "open"
        if math.random(4) == 1 then -- is gone
          left_alone.deferred = left_alone.deferred + (is_open and 1 or 0)
          left_alone.leavers = left_alone.leavers + (state and not is_open and 1 or 0)
        else
          rows[#rows + 1] = as_before and row(i) or row(i, ("q%d@example.org"):format(i))
          local verdict = as_before and "under_way" or "deferred"
          left_alone[verdict] = left_alone[verdict] + (is_open and 1 or 0)
          if as_before and is_open and state.range.again then
            again[#again + 1] = ("add %d %d %s"):format(state.chunk, state.entry, sent[i])
          elseif not is_open and not (state and as_before) then
            added[#added + 1] = "add p" .. i
          end
        end
      end
      local second = nights.night({}, { input_of(rows) }, { open = open, max_members = math.random(12),
        bytes = math.random(2) == 1 and 1 or 1e6 })
      assert.same(again, second.again)
      assert.equal(table.concat(added, ", "), said(second.entries))
      local counts = second.night[1]
      assert.same(left_alone, { under_way = counts.under_way, deferred = counts.deferred, leavers = counts.leavers })
      world.clean()
    end
  end)
end)
