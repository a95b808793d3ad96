-- The journal of a night, kept in a state: what a job tells it is what its tries say, and what protocol reads there.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local errors = require "scope3.error"
local journal = require "scope3.mirror.journal"
local journaled = require "spec.support.journaled"
local night_job = require "spec.support.night_job"
local protocol = require "scope3.mirror.protocol"
local states = require "spec.support.states"
local world = require "spec.support.world"

local function rows()
  local lines, model = { "id,hash" }, {}
  for i = 1, 100 do
    local id, hash = "id" .. (i * 37) % 90, i % 7 == 0 and "" or ("%064x"):format(i)
    lines[#lines + 1] = id .. "," .. hash
    model[id] = hash ~= "" and hash or nil
  end
  return table.concat(lines, "\n") .. "\n", model
end

local ROWS, MODEL = rows()

local function members_of(batch)
  return ("m"):rep(batch)
end

-- A state, its path, the journal of a night in it, and the night.
local function begun(path)
  path = path or states.path()
  local kept = assert(states.open(path))
  local run = assert(kept:begin_run(1000))
  local night = journal.of(kept, run, members_of, function() return states.open(path) end)
  assert(night:open { service = "s" })
  return kept, path, night, run
end

-- The tries of a chunk, each as a text of some of its fields.
local function tries_of(kept, n)
  local texts = {}
  for i, try in ipairs(assert(kept:open_chunks())[n].tries) do
    texts[i] = ("%d: %d-%d %s"):format(try.request, try.first, try.last, try.state)
  end
  return texts
end

describe("the journal of a night", function()
  teardown(world.clean)

  it("has each batch as a chunk, and each request as a try of it", function()
    local kept, _, night = begun()
    local asked = {}
    night.members_of = function(batch)
      asked[#asked + 1] = batch
      return members_of(batch)
    end
    assert.same({}, night:replay())
    for _, told in ipairs {
      { "begin", { request = 1, batch = 1, first = 1, last = 9, at = 1000.25 } },
      { "begin", { request = 2, batch = 2, first = 1, last = 4, at = 1001 } },
      { "ended", { request = 1, status = "refused", without = { 3 } } },
      { "begin", { request = 3, batch = 1, first = 1, last = 9, without = { 3 }, at = 1002 } },
      { "accepted", { request = 3, task_id = "t3", at = 1002 } },
      { "ended", { request = 3, status = "completed" } },
    } do
      assert.is_true(night[told[1]](night, told[2]))
    end
    assert.same({ 1, 2 }, asked)
    local chunks = assert(kept:open_chunks())
    assert.same({ "m", "mm" }, { states.chunk(kept, 1), states.chunk(kept, 2) })
    assert.same({ "1: 1-9 refused", "3: 1-9 completed" }, tries_of(kept, 1))
    assert.same({ "2: 1-4 begun" }, tries_of(kept, 2))
    local first, third = chunks[1].tries[1], chunks[1].tries[2]
    assert.same({ { 3 }, {}, 1000 }, { first.refused, first.without, first.begun })
    assert.same({ { 3 }, {}, "t3" }, { third.without, third.refused, third.task_id })
    kept:close()
  end)

  it("has states for all that may become of a request and its task", function()
    local kept, _, night = begun()
    for i, case in ipairs {
      { { status = "completed" }, "completed" },
      { { status = "failed" }, "failed" }, { { status = "failed", transient = true }, "failed" },
      { { status = "rejected" }, "failed" }, { { status = "canceled" }, "failed" },
      { { status = "another" }, "failed" },
      { { status = "refused" }, "refused" }, { { status = "split", size = 5 }, "refused" },
      { { status = "refused", uncertain = true }, "begun" }, { { status = "split", uncertain = true }, "begun" },
    } do
      local record, state = case[1], case[2]
      record.request = i
      assert(night:begin { request = i, batch = i, first = 1, last = 2, at = 5 })
      assert.is_true(night:ended(record))
      assert.same({ ("%d: 1-2 %s"):format(i, state) }, tries_of(kept, i))
    end
    kept:close()
  end)

  it("asks for the operations of a batch again where they could not be written", function()
    local kept, path, night = begun()
    assert(os.rename(path, path .. "-wal-away"))
    local record = { request = 1, batch = 1, first = 1, last = 2, at = 5 }
    local ok, err = night:begin(record)
    assert.same({ nil, "moved" }, { ok, err.code })
    assert(os.rename(path .. "-wal-away", path))
    assert.is_true(night:begin(record))
    assert.equal("m", states.chunk(kept, 1))
    kept:close()
  end)

  it("has no member in a try that another request has replaced, or that is out of its range", function()
    local kept, _, night = begun()
    assert(night:begin { request = 1, batch = 1, first = 4, last = 8, without = { 7, 2, 9 }, replaced = { 5, 7, 3 },
      at = 5 })
    assert.same({ 5, 7 }, assert(kept:open_chunks())[1].tries[1].without)
    kept:close()
  end)

  it("has another try where a request goes once more, and what is told then is of the last", function()
    local kept, _, night = begun()
    assert.is_true(night.each_sending)
    assert.equal(protocol.SEND_WITHIN, night.send_within)
    assert(night:begin { request = 1, batch = 1, first = 1, last = 9, at = 5 })
    assert(night:begin { request = 2, batch = 2, first = 1, last = 2, at = 5 })
    assert(night:begin { request = 1, batch = 1, first = 1, last = 9, at = 6 })
    assert(night:begin_anew { request = 1, at = 7 })
    assert(night:accepted { request = 1, task_id = "t" })
    assert.same({ "1: 1-9 begun", "3: 1-9 accepted" }, tries_of(kept, 1))
    local tries = assert(kept:open_chunks())[1].tries
    assert.same({ 5, 7 }, { tries[1].begun, tries[2].begun })
    assert.same({ "2: 1-2 begun" }, tries_of(kept, 2))
    kept:close()
  end)

  describe("that sends again what an older night left", function()
    -- Two chunks of an older night, and the journal of this one.
    local function older()
      local path = states.path()
      local kept = assert(states.open(path))
      local run = assert(kept:begin_run(1000))
      for batch = 1, 2 do
        assert(kept:cut(run, batch, "older", { request = batch, first = 1, last = 20, begun = 1000 }))
      end
      assert(kept:end_run(run, 1001, {}))
      kept:close()
      local asked, again, _, night = 0, begun(path)
      kept = again
      night.members_of = function(batch)
        asked = asked + 1
        return batch == 9 and "new" or { chunks = { 1, 1, 1, 1, 2, 2, 2, 1 }, entries = { 2, 3, 5, 6, 9, 10, 14, 20 } }
      end
      return kept, night, function() return asked end
    end

    -- The tries of this night in a chunk.
    local function now(kept, n)
      local chunk = assert(kept:open_chunks())[n]
      local list = {}
      for _, try in ipairs(chunk.tries) do
        list[#list + 1] = try.run == 2 and try or nil
      end
      return night_job.tries { tries = list }
    end

    it("has a try in each chunk, and changes them together", function()
      local kept, night, asked = older()
      assert(night:begin { request = 1, batch = 1, first = 1, last = 8, at = 2000 })
      assert.equal("1: 2-20 without 4 7 8 9 10 11 12 13 14 15 16 17 18 19 begun", now(kept, 1))
      assert.equal("2: 9-14 without 11 12 13 begun", now(kept, 2))
      assert(night:begin { request = 2, batch = 9, first = 1, last = 3, at = 2000 })
      assert.equal("3: 1-3 begun", now(kept, 3))
      assert(night:begin_anew { request = 1, at = 9000 })
      assert(night:accepted { request = 1, task_id = "t" })
      for n = 1, 2 do
        local try = assert(kept:open_chunks())[n].tries[2]
        assert.same({ 9000, "accepted", "t" }, { try.begun, try.state, try.task_id })
      end
      assert(night:ended { request = 1, status = "completed" })
      assert.equal("2: 9-14 without 11 12 13 completed", now(kept, 2))
      assert.equal("3: 1-3 begun", now(kept, 3))
      -- What lies between has no outcome by that; what went is open for as long as the older sending may come.
      assert.equal("1-20 open", night_job.outcomes(assert(kept:open_chunks())[2], 20))
      assert.equal(2, asked())
      kept:close()
    end)

    it("has parts of it, without what the service refuses", function()
      local kept, night, asked = older()
      assert(night:begin { request = 1, batch = 1, first = 1, last = 8, at = 2000 })
      assert(night:ended { request = 1, status = "refused", without = { 3, 7 } })
      assert(night:begin { request = 2, batch = 1, first = 1, last = 3, without = { 3, 7 }, at = 2000 })
      assert(night:begin { request = 3, batch = 1, first = 4, last = 8, without = { 3, 7 }, at = 2001 })
      assert(night:begin { request = 3, batch = 1, first = 4, last = 8, without = { 3, 7 }, at = 2002 })
      assert(night:accepted { request = 2, task_id = "t" })
      assert(night:accepted { request = 3, task_id = "u" })
      local rest = "without 7 8 9 10 11 12 13 14 15 16 17 18 19"
      assert.equal("1: 2-20 without 4 7 8 9 10 11 12 13 14 15 16 17 18 19 refusing 5 refused, 3: 2-3 accepted, "
        .. ("4: 6-20 %s begun, 6: 6-20 %s accepted"):format(rest, rest), now(kept, 1))
      assert.equal("2: 9-14 without 11 12 13 refusing 14 refused, 5: 9-10 begun, 7: 9-10 accepted", now(kept, 2))
      for _, chunk in ipairs(assert(kept:open_chunks())) do
        for _, try in ipairs(chunk.tries) do
          try.state = try.state ~= "refused" and "unknown" or try.state
        end
        assert.equal(chunk.n == 1 and "1-4 unsure, 5 unsure refused, 6-20 unsure"
          or "1-13 unsure, 14 unsure refused, 15-20 unsure", night_job.outcomes(chunk, 20))
      end
      -- All of it was answered, so it is asked for anew where its task has failed.
      assert.equal(1, asked())
      assert(night:begin { request = 4, batch = 1, first = 5, last = 5, at = 2003 })
      assert.equal(2, asked())
      kept:close()
    end)

    it("writes all of a request or nothing", function()
      local kept, night = older()
      assert(night:begin { request = 1, batch = 1, first = 1, last = 8, at = 2000 })
      kept.db:run "DELETE FROM try WHERE run = 2 AND request = 2"
      local ok, err = night:accepted { request = 1, task_id = "t" }
      assert.same({ nil, "damaged" }, { ok, err.code })
      assert.equal("1: 2-20 without 4 7 8 9 10 11 12 13 14 15 16 17 18 19 begun", now(kept, 1))
      kept:close()
    end)
  end)

  it("keeps the state until its caller has ended the night, and gives it back then", function()
    local kept, path, night, run = begun()
    assert(night:begin { request = 1, batch = 1, first = 1, last = 2, at = 5 })
    assert(night:accepted { request = 1, task_id = "t" })
    night:close()
    local other, err = states.open(path)
    assert.same({ nil, "locked" }, { other, err.code })
    assert(kept:end_run(run, 1010, {}))
    night:close()
    night:close()
    assert(states.open(path)):close()
  end)

  it("notes the end of a task after the night, and has the state until it is closed again", function()
    local kept, path, night, run = begun()
    assert(night:begin { request = 1, batch = 1, first = 1, last = 2, at = 5 })
    assert(night:begin { request = 2, batch = 2, first = 1, last = 2, at = 5 })
    assert(night:accepted { request = 1, task_id = "t" })
    assert(kept:end_run(run, 1010, {}))
    night:close()
    assert(night:accepted { request = 2, task_id = "u" })
    assert(night:ended { request = 1, status = "completed" })
    local other, err = states.open(path)
    assert.same({ nil, "locked" }, { other, err.code })
    night:close()
    kept = assert(states.open(path))
    assert.same({ "1: 1-2 completed" }, tries_of(kept, 1))
    assert.same({ "2: 1-2 accepted" }, tries_of(kept, 2))
    -- Somebody else has it: nothing is noted, and that is said.
    for method, record in pairs { ended = { request = 2, status = "failed" }, accepted = { request = 2, task_id = "v" },
      begin = { request = 3, batch = 3, first = 1, last = 1 } } do
      local ok
      ok, err = night[method](night, record)
      assert.same({ nil, "locked" }, { ok, err.code }, method)
    end
    kept:close()
  end)

  it("frees the state when it is collected", function()
    local kept, path, night, run = begun()
    assert(night:begin { request = 1, batch = 1, first = 1, last = 2, at = 5 })
    assert(kept:end_run(run, 1010, {}))
    night:close()
    assert(night:ended { request = 1, status = "completed" })
    kept, night = nil, nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert(states.open(path)):close()
  end)

  it("notes nothing once another night has begun, which may have decided what became of its tries", function()
    local kept, path, night, run = begun()
    assert(night:begin { request = 1, batch = 1, first = 1, last = 2, at = 5 })
    assert(kept:end_run(run, 1010, {}))
    night:close()
    local next_kept, _, next_night = begun(path)
    local ok, err = night:ended { request = 1, status = "completed" }
    assert.same({ nil, "locked" }, { ok, err.code })
    next_kept:close()
    ok, err = night:ended { request = 1, status = "completed" }
    assert.same({ nil, "journal", "another_run" }, { ok, err.kind, err.code })
    assert.truthy(err.message:find("was continued by another run of this job: follow that one", 1, true), err.message)
    kept = assert(states.open(path)) -- it was given back
    assert.same({ "1: 1-2 begun" }, tries_of(kept, 1))
    kept:close()
    next_night:close()
  end)
end)

describe("a job whose journal is kept in a state", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function prepare()
    sandbox:reset()
    sandbox:configure { clock = "manual", task_seconds = 2, retry_after = 1 }
  end

  local function membership()
    local found = {}
    for id, member in pairs(sandbox:members "a") do
      found[id] = member.hashedEmail
    end
    return found
  end

  -- A night of the job in a state. `stop_at` is the call of the journal that fails; its record was written then or not.
  local function night(file, stop_at)
    local kept, _, keeper = begun()
    local calls = 0
    for _, method in ipairs { "begin", "accepted", "ended" } do
      local plain = keeper[method]
      keeper[method] = function(self, record)
        calls = calls + 1
        if calls == stop_at and calls % 2 == 0 then
          plain(self, record)
        end
        if stop_at and calls >= stop_at then
          return nil, errors.new("journal", "it stops here")
        end
        return plain(self, record)
      end
    end
    local res, err = journaled.run(sandbox.url, keeper, file)
    local chunks = assert(kept:open_chunks())
    kept:close()
    return res, err, calls, chunks
  end

  it("ends as meant, with all that it sent in completed tries", function()
    prepare()
    local res, err, calls, chunks = night(world.file(ROWS, ".csv"))
    assert.is_truthy(res, tostring(err))
    assert.same(MODEL, membership())
    assert.is_true(#chunks > 7 and calls >= 3 * #chunks)
    for _, chunk in ipairs(chunks) do
      assert.is_true(#chunk.tries > 0 and chunk.batch > 0)
      assert.equal("completed", chunk.tries[#chunk.tries].state)
    end
    world.assert_sums(res)
  end)

  it("stops wherever its journal cannot be written", function()
    prepare()
    local file = world.file(ROWS, ".csv")
    local _, _, total = night(file)
    for stop_at = 1, total, world.in_full and 1 or world.thorough and 3 or 11 do
      prepare()
      local res, err, calls = night(file, stop_at)
      assert.same({ nil, "it stops here" }, { res, err.message })
      assert.is_true(calls >= stop_at)
    end
  end)
end)
