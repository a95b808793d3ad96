-- A command that waits ends with its report when its terminal closes, and shows no share that its counts do not give.
-- Two jobs on one audience, one adding and one removing, are warned of.
local answering = require "spec.support.answering"
local core = require "scope3.core"
local cqueues = require "cqueues"
local scope3 = require "scope3"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local WORKING = '{"task":{"taskId":"$ID","status":"working"}}'

describe("a command that waits", function()
  local server = answering.around(setup, teardown)

  -- Starts one in the background, and does to it what `act` says once its task was asked for: its code, report and
  -- complaint.
  local function started(before, act)
    server:play { task = { WORKING } }
    local csv, out, err, pid, code = world.file "id,mail\n1,a@example.com\n", world.path ".out", world.path ".err",
      world.path ".pid", world.path ".code"
    os.execute(([[(%s %s bin/scope3.in sync %s --audience a --base-url %s --map external_id=id --map email=mail --wait=60 >%s 2>%s & echo $! >%s.new
      mv %s.new %s; wait $!; echo $? >%s.new; mv %s.new %s) >/dev/null 2>&1 &]]):format(
      before .. " SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25", os.getenv "SCOPE3_LUA_BIN", csv, server.url, out, err,
        pid, pid, pid, code, code, code))
    until_true(function() return world.exists(pid) and #server:requests "/tasks/" > 1 end, "no task was asked for")
    local number = world.read(pid):match "%d+"
    act(function(signal)
      os.execute(("kill -%s %s 2>/dev/null"):format(signal, number)) -- the second may come after its end
    end)
    until_true(function() return world.exists(code) end, "the command does not end")
    return tonumber(world.read(code)), world.read(out), world.read(err)
  end

  it("ends with its report when its terminal closes, signalled once or twice", function()
    for _, times in ipairs { 1, 2 } do
      -- Also where whoever runs the specs ignores the signal.
      local code, report, complaint = started("env --default-signal=HUP", function(kill)
        for _ = 1, times do
          kill "HUP"
        end
      end)
      assert.equal(130, code)
      assert.truthy(report:find("accepted", 1, true), report)
      assert.truthy(complaint:find("scope3 wait t%d+"), complaint)
    end
  end)

  it("goes on where that signal was ignored at its start, as under nohup", function()
    local asked
    local code, report = started("trap '' HUP;", function(kill)
      kill "HUP"
      asked = #server:requests "/tasks/"
      until_true(function() return #server:requests "/tasks/" > asked + 1 end, "it asks no more")
      kill "TERM"
    end)
    assert.equal(130, code)
    assert.truthy(report:find("accepted", 1, true), report)
  end)

  it("says how to follow the task wherever the service goes on: at the same service, for the same account", function()
    local KEY = { env = "SCOPE3_API_KEY=scope3_x" }
    local csv = world.file("id,mail\n1,a@example.com\n", ".csv")
    for reply, kind in pairs {
      [WORKING] = "timeout",
      ['503 {"error":{"code":"AWAY","message":"m"}}'] = "http",
      ['500 {"error":{"code":"BROKEN","message":"m"}}'] = "http",
    } do
      server:answer(([[local json = ...
        local text = %q
        local status, body = text:match "^(%%d+) (.*)$"
        return function(request)
          if request.path:find "/sync$" then
            return 202, { taskId = "t-1" }
          end
          return tonumber(status or 200), ((body or text):gsub("%%$ID", "t-1"))
        end]]):format(reply))
      for _, words in ipairs {
        { "sync", csv, "--map", "external_id=id", "--map", "email=mail", "--wait=0" },
        { "wait", "t-1", "--timeout", "0" },
      } do
        for _, word in ipairs {
          "--audience", "a b", "--account", "25", "--base-url", server.url, "--patience", "0", "--json",
        } do
          words[#words + 1] = word
        end
        local code, out, err = world.command(words, KEY)
        assert.equal(1, code, err)
        assert.truthy(err:find("scope3 wait t-1 --audience 'a b' --account 25 --base-url " .. server.url, 1, true), err)
        local told = world.json.decode(out).error
        assert.same({ kind, "t-1" }, { told.kind, told.task_id })
      end
    end
  end)

  it("shows no share of counts that give none", function()
    for counts, shown in pairs {
      ['"uploadedCount":3,"matchedCount":-1'] = false, ['"uploadedCount":-1,"matchedCount":-1'] = false,
        ['"uploadedCount":3,"matchedCount":1.5'] = false,
      ['"uploadedCount":3,"matchedCount":6'] = "6 matched", ['"uploadedCount":0,"matchedCount":6'] = "6 matched",
      ['"uploadedCount":3,"matchedCount":1e300'] = false,
      ['"uploadedCount":4,"matchedCount":3'] = "3 matched (75 % of those uploaded)",
      ['"uploadedCount":null,"matchedCount":null'] = false, ['"matchedCount":2'] = "2 matched",
    } do
      server:play { audiences = {
        ('{"audiences":[{"audienceId":"a","status":"READY","updatedAt":"2026-11-01T00:00:10Z",%s}]}'):format(counts) } }
      local csv = world.file "id,mail\n1,a@example.com\n"
      local _, report = world.command({ "sync", csv, "--audience", "a", "--base-url", server.url, "--map",
        "external_id=id", "--map", "email=mail",
        "--wait" }, { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25" })
      assert.is_nil(report:find("-%d+ matched") or report:find("-%d+ %%") or report:find("inf", 1,
        true) or report:find("200 %", 1, true), report)
      assert.equal(shown, (shown and report:find(shown, 1,
        true) and shown) or (report:find "%d matched" and "shown") or false, counts .. report)
    end
  end)
end)

describe("two jobs on one audience at once", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function audience(id, kind)
    local made = assert(scope3.audience { id = id })
    for i = 1, 3 do
      assert(made[kind](made, { external_id = "m" .. i,
        email = kind == "add" and ("m%d@example.com"):format(i) or nil }))
    end
    return made
  end

  -- Results of jobs that run at the same time, each { audience, "add" or "remove" }.
  local function together(jobs)
    local client = sandbox:client()
    assert(client:sync { audience("a", "add"), audience("b", "add") })
    local queue, results, begun = cqueues.new(), {}, 0
    for i, job in ipairs(jobs) do
      queue:wrap(function()
        local first = true
        results[i] = assert(client:sync(audience(job[1], job[2]), { max_members = 1, on_event = function(event)
          begun = begun + (first and event.event == "request" and 1 or 0)
          first = first and event.event ~= "request"
          while event.event == "accepted" and begun < #jobs do -- until each has sent something
            cqueues.sleep(0.002)
          end
        end }))
      end)
    end
    local deadline = core.now() + 60
    while not queue:empty() and core.now() < deadline do
      assert(queue:step(0.2))
    end
    local warned = {}
    for i, res in ipairs(results) do
      warned[i] = 0
      for _, warning in ipairs(res.warnings) do
        warned[i] = warned[i] + (warning.code == "audience_contended" and 1 or 0)
      end
    end
    return warned
  end

  it("are warned of where one adds and one removes, and else not", function()
    assert.same({ 1, 1 }, together { { "a", "add" }, { "a", "remove" } })
    assert.same({ 0, 0 }, together { { "a", "add" }, { "a", "add" } })
    assert.same({ 0, 0 }, together { { "a", "remove" }, { "a", "remove" } })
    assert.same({ 0, 0 }, together { { "a", "add" }, { "b", "remove" } })
    assert.same({ 1, 0, 1 }, together { { "a", "remove" }, { "b", "add" }, { "a", "add" } })
  end)

  it("one after the other are nothing to warn of", function()
    local client = sandbox:client()
    for _, kind in ipairs { "add", "remove", "add" } do
      assert.same(0, #assert(client:sync(audience("a", kind))).warnings)
    end
  end)
end)
