-- A sandbox in a process of its own ends with its parent, whatever signals, pipes and crashes do.
-- What it could not do is reported. Each parent here is a real process.
local core = require "scope3.core"
local world = require "spec.support.world"

local LUA = os.getenv "SCOPE3_LUA_BIN" or "lua"

describe("a sandbox in a process of its own", function()
  teardown(world.clean)

  -- What a parent prints that runs `body` with a sandbox `s`, under the shell words `before`; and how it ended.
  local function parent(body, before)
    local path = world.file([[
      local child, core = require "scope3.sandbox.child", require "scope3.core"
      local curl = require "scope3.engine"
      local opts = { interpreter = ]] .. ("%q"):format(LUA) .. [[ }
      local s = assert(child.start(opts))
      local function signal(name) os.execute("kill -" .. name .. " " .. s.pid) end
      local function until_dead() -- nobody has collected it
        local deadline = core.now() + 30
        repeat
          core.sleep(0.02)
          local file = io.open(("/proc/%d/stat"):format(s.pid))
          local state = file and file:read "*l":match "%) (%a)"
          if file then file:close() end
        until state == "Z" or core.now() > deadline
      end
      local function close()
        local fine, said = s:close()
        io.write(tostring(fine), " ", tostring(said), "\n")
      end
    ]] .. body, ".lua")
    local words = ("{ %s %s %s; } 2>&1"):format(before or "", LUA, path)
    local pipe = assert(io.popen(words))
    local said = pipe:read "*a"
    pipe:close()
    return said
  end

  local function exists(pid)
    local ended = os.execute(("kill -0 %d 2>/dev/null"):format(pid))
    return ended == true or ended == 0
  end

  local function gone(pid)
    local deadline = core.now() + 30
    while exists(pid) do
      assert(core.now() < deadline, "the sandbox runs still")
      core.sleep(0.02)
    end
    return true
  end

  it("ends at close where the parent was started with its signals ignored, and where it is stopped", function()
    for _, signals in ipairs { "TERM", "CHLD", "TERM HUP INT PIPE CHLD" } do
      local ignoring = "perl -e '$SIG{$_} = \"IGNORE\" for split / /, shift; exec @ARGV' '" .. signals .. "'"
      assert.equal("true nil\n", parent("close()", ignoring), signals)
    end
    assert.equal("true nil\n", parent [[signal "STOP" close()]])
  end)

  it("says that it ended by itself, whatever ended it", io.open "/proc/self/stat" and function()
    for _, name in ipairs { "SEGV", "KILL", "ABRT" } do
      local said = parent(('signal "%s" until_dead() for _ = 1, 2 do close() end'):format(name))
      local once = said:sub(1, #said / 2) -- a sanitizer speaks of it, too
      assert.equal(once .. once, said, name)
      assert.truthy(once:find "^nil the sandbox has failed\n", said)
      assert.truthy(once:find "it ended by itself\n$", said)
    end
  end or nil)

  it("leaves to its parent what ends all the programs in front", function()
    assert.equal("true nil\n", parent [[
      for _, name in ipairs { "TERM", "HUP", "INT" } do signal(name) end
      core.sleep(0.05)
      assert(s.url)
      local engine = curl.engine {}
      assert(engine:submit { method = "GET", url = s.url .. "/health", headers = {}, timeout = 30 })
      while not engine:step() do engine:wait(0.2) end
      local status = engine:result().status
      if status ~= 200 then print(status) end
      engine:close()
      close()]])
  end)

  it("ends with a parent that is killed, that leaves it to the collector, and that ends without a word", function()
    for _, last in ipairs {
      [[os.execute("kill -9 $PPID")]], "s = nil collectgarbage() collectgarbage()", "os.exit(0)", "error 'x'",
    } do
      local pid = tonumber(parent("print(s.pid) io.stdout:flush() " .. last):match "^%d+")
      assert.is_true(gone(pid), last)
    end
  end)

  it("starts where the system says something of each program that it starts", function()
    local noisy = world.file(("#!/bin/sh\necho ERROR: ld.so: 1 object >&2\n"
      .. "echo 2: ignored >&2\nexec %s \"$@\"\n"):format(LUA), ".sh")
    os.execute("chmod +x " .. noisy)
    local child = require "scope3.sandbox.child"
    local sandbox = assert(child.start { interpreter = noisy })
    assert.equal(200, world.http("GET", sandbox.url .. "/health").status)
    assert.same({ true }, { sandbox:close() })
    local none, why = child.start { interpreter = noisy, task_order = "sideways" }
    assert.is_nil(none)
    assert.truthy(why:find("task_order must be one of", 1, true), why)
  end)

  it("answers on when its errors are more than a pipe takes, and then says that there were more", function()
    for words, times in pairs { [1000] = 30, [20000] = 2 } do
      local faulty = world.file(([=[#!/bin/sh
exec %s -e 'package.preload["scope3.sandbox.validate"] = function()
  return function() error(("oops "):rep(%d)) end
end' "$@"
]=]):format(LUA, words), ".sh")
      os.execute("chmod +x " .. faulty)
      local sandbox = assert(require "scope3.sandbox.child".start { interpreter = faulty })
      for n = 1, times do
        local reply = world.http("POST", sandbox.url .. "/api/v2/buyer/advertisers/25/audiences/sync",
          '{"audiences":[{"audienceId":"a"}]}', { headers = { "Authorization: Bearer scope3_x" }, timeout = 20 })
        assert.equal(500, reply.status, n)
      end
      local fine, said = sandbox:close()
      assert.is_nil(fine)
      assert.truthy(said:find("oops oops", 1, true))
      assert.equal(words < 3000, said:find("traceback", 1, true) ~= nil) -- which stands behind the message
      assert.truthy(said:find("\nsandbox: further errors are not printed\n$"), said:sub(-300))
      assert.is_true(#said < 20000, #said)
    end
  end)
end)
