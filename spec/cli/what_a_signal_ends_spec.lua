-- A signal ends a command that waits for the rate it shares, or for an answer. It may come before the wait or in it.
-- Nothing more is sent. `scope3 sandbox` ends at the signal itself.
local answering = require "spec.support.answering"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

-- The command in a process that sends itself a signal. Its handler stands, so that the signal cannot kill it.
local PROGRAM = [[
require("scope3.core").catch_stop()
os.execute %q
local code = require("scope3.cli").main(arg)
local file = io.open(%q, "w")
file:write(os.clock(), "\n")
file:close()
os.exit(code, true)
]]

describe("a signal", function()
  local server = answering.around(setup, teardown)
  local sandbox = world.around(setup, teardown, before_each)
  local KEY = "SCOPE3_API_KEY=scope3_x "
  local BEFORE, IN_WAIT = "kill -TERM $PPID", "p=$PPID; (sleep 5; kill -TERM $p) >/dev/null 2>&1 &"

  -- Runs the command while a shell line sends the signal: its exit code, what it printed, what it complained, and
  -- whether it used hardly any processor time. A wait that is none would use all there is.
  local function stopped(line, words)
    local out, err, code, used = world.path ".out", world.path ".err", world.path ".code", world.path ".used"
    os.execute(("%s timeout 30 %s %s %s >%s 2>%s; echo $? >%s"):format(KEY, os.getenv "SCOPE3_LUA_BIN",
      world.file(PROGRAM:format(line, used), ".lua"), table.concat(words, " "), out, err, code))
    return world.read(code), world.read(out), world.read(err),
      world.exists(used) and tonumber(world.read(used):match "%S+") < 2
  end

  local STOPPED = { "130\n", "", "scope3: stopped by a signal\n", true }

  for when, line in pairs { ["before the wait"] = BEFORE, ["in the wait"] = IN_WAIT } do
    it("ends a command that keeps the rate of others: " .. when, function()
      server:play {}
      local words = { "audiences", "--account", "25", "--base-url", server.url, "--rate", "1",
        "--limiter", world.path ".limiter" }
      assert.equal(0, (world.command(words, { env = KEY })))
      -- The rate has room again in a minute.
      assert.same(STOPPED, { stopped(line, words) })
      assert.equal(1, #server:requests "/audiences")
    end)

    it("ends a command whose answer does not come: " .. when, function()
      sandbox:fault { on = "audiences", act = "delay", seconds = 120, times = -1 }
      assert.same(STOPPED, { stopped(line, { "audiences", "--account", "25", "--base-url", sandbox.url }) })
      assert.is_true(#sandbox:requests "audiences" <= 1)
    end)
  end

  it("ends a look between two rows, of a file and of what goes on coming", function()
    local rows = "id,email\n" .. ("K1,a@example.org\n"):rep(1000)
    assert.same(STOPPED, { stopped(BEFORE, { "look", world.file(rows, ".csv") }) })
    assert.same(STOPPED, { stopped(BEFORE, { "look", "-", "<" .. world.file(rows, ".csv") }) })
    local pipe = world.path ".fifo"
    os.execute("mkfifo " .. pipe)
    assert.same(STOPPED, { stopped(IN_WAIT, { "look", "-", "<>" .. pipe }) }) -- its other end stays open
  end)

  it("is told in words of the command", function()
    local function object_of(name)
      local code, out = stopped(BEFORE, { name, "--account", "25", "--base-url", server.url, "--json" })
      assert.equal("130\n", code)
      return world.json.decode(out)
    end
    assert.equal("stopped by a signal", object_of("audiences").error.message)
    local object = object_of "doctor"
    assert.equal("stopped by a signal: not as it should be: service", object.error.message)
    assert.equal("stopped by a signal", object.checks[#object.checks].advice)
  end)

  for signal, expected in pairs { TERM = "143\n", INT = "130\n" } do
    it("ends the sandbox: SIG" .. signal, function()
      local out, pid, code = world.path ".out", world.path ".pid", world.path ".code"
      os.execute(("(%s bin/scope3.in sandbox >%s 2>&1 </dev/null & echo $! >%s; wait $!; echo $? >%s.new; "
        .. "mv %s.new %s) >/dev/null 2>&1 &"):format(os.getenv "SCOPE3_LUA_BIN", out, pid, code, code, code))
      until_true(function()
        return world.exists(out) and world.read(out):find("listening", 1, true)
      end, "it does not listen")
      local number = world.read(pid):match "%d+"
      os.execute(("kill -%s %s"):format(signal, number))
      local ended = pcall(until_true, function()
        return world.exists(code)
      end)
      if not ended then
        os.execute("kill -KILL " .. number)
      end
      assert.is_true(ended, "it goes on")
      assert.equal(expected, world.read(code))
    end)
  end
end)
