-- Each sending of a request is a try of its own in the state of a night: no repeat is hidden, so what protocol says of
-- the members is true whatever becomes of a request that had no answer.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local core = require "scope3.core"
local errors = require "scope3.error"
local night_job = require "spec.support.night_job"
local protocol = require "scope3.mirror.protocol"
local states = require "spec.support.states"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json
local ROWS = 10

describe("the tries of a night", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function faults(list)
    for _, rule in ipairs(list) do
      rule.on, rule.times = rule.on or "sync", rule.times or 1
    end
    return json.array(list)
  end

  -- A night of one job. Gives its first chunk, the error or the result, and the state.
  local function night(case)
    case = case or {}
    sandbox:reset()
    sandbox:configure { clock = "manual", task_seconds = 2 }
    for key, value in pairs(case.world or {}) do
      sandbox:configure { [key] = value }
    end
    sandbox:configure { faults = faults(case.faults or {}) }
    local keeper, kept = night_job.begin(states.path())
    keeper.send_within = case.send_within
    if case.watch then
      night_job.watch(keeper, case.watch)
    end
    local file = world.file(night_job.rows(case.rows or ROWS), ".csv")
    local res, err = night_job.run(sandbox.url, keeper, file, case)
    if res and not case.no_wait then
      res, err = res:wait()
    end
    local chunks = assert(kept:open_chunks())
    kept:close()
    return chunks[1], err or res, chunks
  end

  local LOST, BUSY = { act = "lost_reply" }, { act = "status", status = 503 }

  local function status(number)
    return { act = "status", status = number }
  end

  -- What happens, the tries, what becomes of the entries, and at last.
  for what, case in pairs {
    ["is one where nothing goes wrong"] = { {}, "1: 1-10 completed", "1-10 applied" },
    ["is another for a request whose answer was lost"] = { { LOST },
      "1: 1-10 begun, 2: 1-10 completed", "1-10 open", "1-10 unsure" },
    ["is another for each lost answer"] = { { LOST, LOST },
      "1: 1-10 begun, 2: 1-10 begun, 3: 1-10 completed", "1-10 open", "1-10 unsure" },
    ["is another after a status that may mean anything"] = { { status(502) },
      "1: 1-10 begun, 2: 1-10 completed", "1-10 open", "1-10 unsure" },
    ["is another after an answer that names no task"] = { { { act = "not_json" } },
      "1: 1-10 begun, 2: 1-10 completed", "1-10 open", "1-10 unsure" },
    ["is the same after a definite answer"] = { { BUSY, BUSY, status(429) }, "1: 1-10 completed", "1-10 applied" },
    ["is the same after a definite answer that follows a lost one"] = { { LOST, BUSY, status(429) },
      "1: 1-10 begun, 2: 1-10 completed", "1-10 open", "1-10 unsure" },
    ["is another for an answer that is lost after a definite one"] = { { BUSY, LOST, BUSY },
      "1: 1-10 begun, 2: 1-10 completed", "1-10 open", "1-10 unsure" },
    ["is refused where the service refuses"] = { { status(422) }, "1: 1-10 refused", "1-10 none" },
    ["is refused where the job goes on past that"] = { { status(422) }, "1: 1-10 refused", "1-10 none",
      job = { keep_going = true } },
    ["is refused as the last one alone where an answer was lost before"] = { { LOST, status(422) },
      "1: 1-10 begun, 2: 1-10 refused", "1-10 open", "1-10 unsure" },
    ["is refused as the last one alone where the job would go on past that"] = { { LOST, status(422) },
      "1: 1-10 begun, 2: 1-10 refused", "1-10 open", "1-10 unsure", job = { keep_going = true } },
    ["stays open where each answer is lost"] = { { { act = "lost_reply", times = -1 } },
      nil, "1-10 open", "1-10 unsure" },
    ["stays open where a success names no task"] = { { { act = "wrong_envelope", times = -1 } },
      nil, "1-10 open", "1-10 unsure" },
    ["stays open where what was accepted cannot be followed"] = { { { act = "status", status = 202,
      body = '{"data":{"accepted":true}}', content_type = "application/json" } }, "1: 1-10 begun", "1-10 open",
      "1-10 unsure" },
    ["has failed where its task has, which may have done a part"] = { {}, "1: 1-10 failed", "1-10 unsure",
      world = { task_outcomes = json.array { "failed" } } },
    ["is another where a task failed for a reason that passes"] = { {}, "1: 1-10 failed, 2: 1-10 completed",
      "1-10 unsure", world = { task_outcomes = json.array { "failed:transient" } } },
    ["is one for each half of a request that is too large"] = { {},
      "1: 1-20 refused, 2: 1-10 completed, 3: 11-20 completed", "1-20 applied", large = true },
    ["is one for each half after the whole was lost"] = { { LOST },
      "1: 1-20 begun, 2: 1-20 refused, 3: 1-10 completed, 4: 11-20 completed", "1-20 open", "1-20 unsure",
      large = true },
    ["is another for a half that is lost"] = { { { act = "lost_reply", after = 1 } },
      "1: 1-20 refused, 2: 1-10 begun, 3: 1-10 completed, 4: 11-20 completed", "1-10 open, 11-20 applied",
      "1-10 unsure, 11-20 applied", large = true },
    ["is another without what the service refuses"] = { {},
      "1: 1-10 refusing 3 8 refused, 2: 1-10 without 3 8 completed",
      "1-2 applied, 3 none refused, 4-7 applied, 8 none refused, 9-10 applied",
      world = { refuse = json.array { "r3", "r8" } } },
    ["leaves in doubt what the service refuses after an answer was lost"] = { { LOST },
      "1: 1-10 begun, 2: 1-10 refusing 3 refused, 3: 1-10 without 3 completed", "1-10 open",
      "1-2 unsure, 3 unsure refused, 4-10 unsure", world = { refuse = json.array { "r3" } } },
    ["is another for what is lost without what the service refuses"] = { { { act = "lost_reply", after = 1 } },
      "1: 1-10 refusing 3 refused, 2: 1-10 without 3 begun, 3: 1-10 without 3 completed",
      "1-2 open, 3 none refused, 4-10 open", "1-2 unsure, 3 none refused, 4-10 unsure",
      world = { refuse = json.array { "r3" } } },
    ["is the same where another key goes along"] = { {}, "1: 1-10 completed", "1-10 applied", renews = true },
    ["is refused where no other key is there"] = { {}, "1: 1-10 refused", "1-10 none",
      world = { keys = json.array { "scope3_test_other" } } },
    ["is refused where its time is over before another attempt"] = { { { act = "status", status = 503, times = -1 } },
      "1: 1-10 refused", "1-10 none", job = { deadline = 1, patience = 60 } },
  } do
    it(what, function()
      case.faults, case.job = case[1], case.job or {}
      if case.large then -- of which one half fits
        case.rows, case.world = 20, { max_body = 1500 }
      end
      if case.renews then
        local keys = { "scope3_test_old", "scope3_test_new" }
        case.world = { keys = json.array { "scope3_test_new" } }
        case.client = { api_key = function()
          return #keys > 1 and table.remove(keys, 1) or keys[1]
        end }
      end
      local chunk = night(case)
      if case[2] then
        assert.equal(case[2], night_job.tries(chunk))
      else
        assert.is_true(#chunk.tries > 2)
      end
      assert.equal(case[3], night_job.outcomes(chunk, case.rows or ROWS))
      for _, try in ipairs(protocol.settled(chunk, core.time() + protocol.SETTLING + 1)) do
        try.state = "unknown"
      end
      assert.equal(case[4] or case[3], night_job.outcomes(chunk, case.rows or ROWS))
      assert.is_true(#sandbox:requests "sync" >= #chunk.tries)
    end)
  end

  describe("that goes late", function()
    local time = core.time

    after_each(function()
      core.time = time
    end)

    it("counts as begun anew where it goes over an hour after it was written down", function()
      local loop, base, anew = virtual.loop(sandbox.url), math.floor(time()), {}
      core.time = function()
        return base + loop.elapsed()
      end
      local chunk = night { loop = loop, faults = { LOST,
        { act = "status", status = 429, retry_after = 1800, times = 2 },
        { act = "status", status = 503, retry_after = 1900 }, { act = "status", status = 503, retry_after = 3500 } },
        watch = function(method, when, record)
          if method == "begin_anew" and when == "before" then
            anew[#anew + 1] = { record.request, record.at, #sandbox:requests "sync" }
          end
        end }
      assert.equal("1: 1-10 begun, 2: 1-10 completed", night_job.tries(chunk))
      -- The lost reply was followed within a second. 1,800 and 3,600 seconds later is early enough; 5,500 is not.
      assert.equal(1, #anew)
      local first, second = chunk.tries[1].begun, chunk.tries[2].begun
      assert.is_true(first == base and second >= base + 5500 and second <= base + 5502)
      assert.same({ 1, second, 4 }, anew[1])
    end)

    it("counts as begun anew where it had to wait so long for its turn", function()
      local loop, base, anew = virtual.loop(sandbox.url), math.floor(time()), {}
      core.time = function()
        return base + loop.elapsed()
      end
      local _, _, chunks = night { loop = loop, no_wait = true, rows = 4, send_within = 50,
        client = { rate = 2 }, job = { max_members = 1, concurrency = 4 },
        watch = function(method, when, record)
          if method == "begin_anew" and when == "before" then
            anew[#anew + 1] = { record.request, #sandbox:requests "sync" }
          end
        end }
      assert.same({ 2, 3, 4 }, { #anew, anew[1][1], anew[2][1] })
      assert.is_true(anew[1][2] == 2 and anew[2][2] <= 3) -- the one before may still be on its way
      for i, chunk in ipairs(chunks) do
        assert.equal(("%d: 1-1 accepted"):format(i), night_job.tries(chunk))
        assert.is_true(i < 3 and chunk.tries[1].begun == base or i > 2 and chunk.tries[1].begun >= base + 59)
      end
    end)
  end)

  -- The faults, the event at which the job is stopped, and the tries.
  for what, case in pairs {
    ["are refused where the job is stopped after a definite answer"] = { { BUSY }, "retry", 1, "1: 1-10 refused" },
    ["are open where the job is stopped after a lost answer"] = { { LOST }, "retry", 1, "1: 1-10 begun" },
    ["are open where the job is stopped while a request is under way"] = { { LOST }, "request", 1, "1: 1-10 begun" },
    ["are refused as the last one alone where the job is stopped later"] = { { LOST, BUSY }, "retry", 2,
      "1: 1-10 begun, 2: 1-10 refused" },
  } do
    it(what, function()
      local seen, loop = 0, virtual.loop(sandbox.url)
      case.faults, case.loop = case[1], loop
      if case[2] == "retry" then -- a machine so busy that the next attempt is due before anything else is looked at
        local now = loop.now
        function loop.now()
          loop.sleep(1)
          return now()
        end
      end
      case.run = { on_event = function(event)
        seen = seen + (event.event == case[2] and 1 or 0)
      end, cancel = function()
        return seen >= case[3]
      end }
      local chunk, err = night(case)
      assert.equal("cancelled", err.kind)
      assert.equal(case[4], night_job.tries(chunk))
      assert.equal(case[3], #sandbox:requests "sync")
    end)
  end

  it("stop the job where another sending cannot be written down, which does not go then", function()
    for _, raises in ipairs { false, true } do
      local begun = 0
      local chunk, err = night { faults = { LOST }, watch = function(method, when)
        begun = begun + (method == "begin" and when == "before" and 1 or 0)
        if begun == 2 and raises then
          error("no room", 0)
        end
        return begun == 2 and errors.new("journal", "no room", { code = "full" }) or nil
      end }
      assert.same({ raises and "script" or "journal", true, 10 }, { err.kind, err.uncertain, err.result.unknown })
      assert.truthy(err.message:find("no room", 1, true))
      assert.equal("1: 1-10 begun", night_job.tries(chunk))
      assert.equal(1, #sandbox:requests "sync")
    end
  end)

  it("stop the job where it cannot be written down that one goes late, which does not go then", function()
    local chunk, err = night { send_within = -1, watch = function(method)
      return method == "begin_anew" and errors.new("journal", "no room", { code = "full" }) or nil
    end }
    assert.same({ "journal", "full", nil, 10 }, { err.kind, err.code, err.uncertain, err.result.failed })
    assert.equal("1: 1-10 refused", night_job.tries(chunk))
    assert.equal(0, #sandbox:requests "sync")
  end)

  it("have each sending where the process was killed, before or after any of them was written down", function()
    local file, killed = world.file(night_job.rows(ROWS), ".csv"), 0
    for kill_at = 1, 40, world.in_full and 1 or world.thorough and 3 or 5 do
      sandbox:reset()
      sandbox:configure { clock = "manual", faults = faults { { act = "lost_reply" },
        { act = "lost_reply", after = 2 } } }
      local path = states.path()
      local pipe = assert(io.popen(("%s spec/support/night_job.lua %s %s %s %d 2>/dev/null"):format(
        os.getenv "SCOPE3_LUA_BIN", sandbox.url, path, file, kill_at)))
      local finished = pipe:read "*a" ~= ""
      pipe:close()
      killed = killed + (finished and 0 or 1)
      local kept, tries, may_be_there = assert(states.open(path)), 0, {}
      for _, chunk in ipairs(assert(kept:open_chunks())) do
        tries = tries + #chunk.tries
        for _, range in ipairs(protocol.outcomes { count = 4, tries = chunk.tries }) do
          for number = range.first, range.last do
            may_be_there["r" .. (chunk.batch - 1) * 4 + number] = range.outcome ~= "none"
            assert.is_true(not finished or range.outcome ~= "none" or (chunk.batch - 1) * 4 + number > ROWS)
          end
        end
      end
      kept:close()
      assert.is_true(#sandbox:requests "sync" <= tries)
      for id in pairs(tries > 0 and select(2, pcall(sandbox.members, sandbox, "a")) or {}) do
        assert.is_true(may_be_there[id])
      end
      if finished then
        break
      end
    end
    assert.is_true(killed > 2)
  end)
end)
