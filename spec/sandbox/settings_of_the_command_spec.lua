-- `scope3 sandbox`: its settings as words of a shell, what is said of wrong ones, and how it ends.
local core = require "scope3.core"
local world = require "spec.support.world"

local USAGE = 2

-- The command in the background, with its standard input held open, until it says where it listens.
local function start(words)
  local out = world.path ".out"
  local input = assert(io.popen(("%s bin/scope3.in sandbox --port 0 --until-eof %s >%s 2>&1"):format(
    os.getenv "SCOPE3_LUA_BIN", words, out), "w"))
  local deadline = core.now() + 60
  while not (world.exists(out) and world.read(out):find "listening on %S+\n") do
    assert(core.now() < deadline, "it does not listen")
    core.sleep(0.02)
  end
  return world.read(out):match "listening on (%S+)\n", input
end

describe("the command that is a sandbox", function()
  teardown(world.clean)

  it("takes settings as JSON or as words, and ends with its input", function()
    local url, input = start([[--task-seconds 0.5 --set envelope=data --set 'task_outcomes=["failed"]' ]]
      .. [[--set refuse=null --set min_size=7 --set log_bodies=true]])
    local now = world.json.decode(world.http("GET", url .. "/sandbox/config").body)
    assert.same({ 0.5, "data", "failed", false, 7, true },
      { now.task_seconds, now.envelope, now.task_outcomes[1], now.refuse, now.min_size, now.log_bodies })
    local _, _, code = input:close()
    assert.equal(0, code or 0)
    assert.equal("COULDNT_CONNECT", world.http("GET", url .. "/health").code)
  end)

  for what, case in pairs {
    ["that are none"] = { { "--set", "envelope" }, "--set: it takes NAME=VALUE, such as envelope=data" },
    ["that it does not know"] = { { "--set", "no_such=1" }, "--set: unknown setting no_such (known: accounts, " },
    ["that are given twice"] = { { "--set", "envelope=data", "--set", "envelope=bare" }, "envelope is set twice" },
    ["that a flag gives too"] = { { "--task-seconds", "1", "--set", "task_seconds=2" }, "task_seconds is set twice" },
    ["of another type"] = { { "--set", "envelope=42" }, "--set: envelope must be " },
    ["out of their range"] = { { "--set", "match_rate=1.5" }, "--set: match_rate must be a number from 0 to 1" },
    ["that are faults without an act"] = { { "--set", 'faults=[{"on":"sync"}]' }, "--set: " },
    ["of a port that is none"] = { { "--port", "70000" }, "port" },
  } do
    it("refuses settings " .. what, function()
      local words = { "sandbox", "--until-eof" }
      for _, word in ipairs(case[1]) do
        words[#words + 1] = word
      end
      local code, out, said = world.command(words)
      assert.same({ USAGE, "" }, { code, out })
      assert.truthy(said:find(case[2], 1, true), said)
    end)
  end

  it("says where a port is taken, and fails", function()
    local url, input = start ""
    local code, out, said = world.command { "sandbox", "--until-eof", "--port", url:match "%d+$" }
    input:close()
    assert.same({ 1, "" }, { code, out })
    assert.truthy(said:find("the sandbox: port " .. url:match "%d+$" .. " cannot be listened on", 1, true), said)
  end)
end)
