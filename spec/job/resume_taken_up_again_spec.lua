-- A job that is taken up again, twice and three times: what is left to send, and numbers of requests that never repeat.
local payloads = require "spec.support.payloads"
local resume = require "scope3.job.resume"
local splitter = require "scope3.job.splitter"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json
local SCRIPT = { audience = "a", map = { external_id = "id", email = "mail" } }

-- The records of a journal's file.
local function records_of(path)
  local records = {}
  for line in io.lines(path) do
    records[#records + 1] = json.decode(line:match "^(.-)\t")
  end
  return records
end

local function rows(n)
  local lines = { "id,mail" }
  for i = 1, n do
    lines[#lines + 1] = ("u%d,u%d@example.com"):format(i, i)
  end
  return table.concat(lines, "\n") .. "\n"
end

describe("a job that is taken up again", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  -- Runs a job that is stopped after so many requests were accepted; nil for one that is not.
  local function run(file, path, stop_after, opts)
    local accepted = 0
    local all = { journal = path, max_members = 2 }
    for key, value in pairs(opts) do
      all[key] = value
    end
    function all.on_event(event)
      accepted = accepted + (event.event == "accepted" and 1 or 0)
    end
    function all.cancel()
      return stop_after ~= nil and accepted >= stop_after
    end
    local res, err = sandbox:client { loop = virtual.loop() }:run(SCRIPT, file, all)
    world.assert_sums(res or err.result)
    return res, err
  end

  for what, opts in pairs {
    ["with one request at a time"] = {}, ["in epochs"] = { unique = true },
    ["with several at once"] = { concurrency = 3 },
  } do
    it("numbers its requests on, and sends nobody twice, " .. what, function()
      local file, path = world.file(rows(24), ".csv"), world.path ".journal"
      for _ = 1, 3 do
        local res, err = run(file, path, 3, opts)
        assert.same({ nil, "cancelled" }, { res, err.kind })
        assert.is_true(err.result.accepted < 24)
      end
      for _ = 1, 2 do
        local res = assert(run(file, path, nil, opts))
        assert.same({ 24, 24 }, { res.accepted, #sandbox:ids "a" })
      end
      local begun, last = {}, 0
      for _, record in ipairs(records_of(path)) do
        if record.type == "begin" then
          assert.same({ last + 1, last + 1 }, { record.request, record.batch }) -- nothing was halved
          last, begun[record.request] = record.request, true
        elseif record.type ~= "job" then
          assert.is_true(begun[record.request])
        end
      end
      assert.same({ 12, 12 }, { last, #sandbox:requests "sync" })
    end)
  end

  it("knows the members that the service refused by their numbers and their rows", function()
    sandbox:configure { refuse = json.array { "u3", "u5" } }
    local file = world.file("id,mail\nx,nobody\ny,nobody\n" .. rows(6):match "\n(.*)", ".csv")
    local path = world.path ".journal"
    for resumed = 0, 4, 4 do
      local res = assert(run(file, path, nil, { max_members = 10 }))
      assert.same({ 4, 2, resumed, 2 },
        { res.accepted, res.rejected_by_service, res.resumed, #sandbox:requests "sync" })
      assert.same({ 5, 7 }, { res.quarantine[1].row, res.quarantine[2].row })
    end
    local begun = {}
    for _, record in ipairs(records_of(path)) do
      begun[#begun + 1] = record.type == "begin" and { record.without or false, record.excluded or false } or nil
    end
    assert.same({ { false, false }, { { 3, 5 }, { 5, 7 } } }, begun)
  end)
end)

describe("what is left of a batch", function()
  local function batch_of(n)
    return { number = 1, parts = { payloads.part(payloads.of(n)) } }
  end

  local function past(...)
    local left = {}
    for i, range in ipairs { ... } do
      left[i] = { first = range[1], last = range[2] }
    end
    return { left = left }
  end

  local function ranges(lists)
    local texts = {}
    for i, parts in ipairs(lists) do
      texts[i] = ("%d-%d:%d"):format(parts[1].first, parts[1].last, parts[1].adds)
    end
    return table.concat(texts, " ")
  end

  for what, case in pairs {
    ["is all of it where the journal does not know it"] = { nil, "1-10:10" },
    ["is nothing where all was sent"] = { past(), "" },
    ["is each gap by itself"] = { past({ 1, 2 }, { 5, 5 }, { 9, 10 }), "1-2:2 5-5:1 9-10:2" },
    ["counts the members that are still there"] = { past({ 5, 9 }), "5-9:3" },
    ["is nothing where all of a gap was set aside"] = { past({ 1, 3 }, { 7, 8 }), "1-3:3" },
  } do
    it(what, function()
      local batch = batch_of(10)
      if case[1] then
        batch.parts[1].payload:drop(7)
        batch.parts[1].payload:drop(8)
      end
      assert.equal(case[2], ranges(resume.left(batch, case[1])))
    end)
  end

  it("is cut to the size that the service takes", function()
    local batch = batch_of(9)
    local _, _, two = splitter.measure { splitter.range(batch.parts[1], 1, 2) }
    assert.equal("3-4:2 5-6:2 9-9:1", ranges(resume.left(batch, past({ 3, 6 }, { 9, 9 }), two)))
    assert.equal("3-3:1 4-4:1 9-9:1", ranges(resume.left(batch, past({ 3, 4 }, { 9, 9 }), two - 1)))
  end)

  it("is whole where it deletes what is missing, or nothing", function()
    local batch = { delete_missing = true, parts = { { audience = { id = "a" }, adds = 0, removes = 0 } } }
    assert.same({ batch.parts }, resume.left(batch, nil, 1))
    assert.same({ batch.parts }, resume.left(batch, past({ 1, 1 }), 1))
    assert.same({}, resume.left(batch, past(), 1))
  end)
end)

describe("a batch", function()
  it("is known again by all of its members, and the request that deletes by itself", function()
    local function digest(text)
      return resume.digest { parts = { payloads.part(payloads.read(text)) } }
    end
    assert.equal(digest "+a +b", digest "+a +b")
    for _, other in ipairs { "+a +c", "+b +a", "+a -b", "+a", "+a +b +c" } do
      assert.not_equal(digest "+a +b", digest(other))
    end
    assert.equal("delete_missing", resume.digest { delete_missing = true, parts = {} })
  end)
end)

describe("a request of an earlier run", function()
  it("is in doubt where no answer was seen, or where it was so before", function()
    local batch = { parts = { payloads.part(payloads.of(5)) } }
    for _, case in ipairs {
      { { state = "unknown" }, true }, { { state = "accepted" }, nil }, { { state = "failed" }, nil },
      { { state = "accepted", uncertain = true }, true }, { { state = "completed" }, nil },
    } do
      case[1].first, case[1].last, case[1].without, case[1].replaced = 2, 4, { 7 }, { 8 }
      local parts, from = resume.earlier(batch, case[1])
      assert.same({ 2, 4, 3 }, { parts[1].first, parts[1].last, parts[1].adds })
      assert.same({ without = { 7 }, replaced = { 8 }, uncertain = case[2] }, from)
    end
  end)
end)
