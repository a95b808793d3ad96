-- An error of the sandbox itself is reported wherever it happens.
-- Each spec puts one fault into a sandbox in a process of its own.
local core = require "scope3.core"
local curl = require "scope3.engine"
local child = require "scope3.sandbox.child"
local world = require "spec.support.world"

local json = world.json

describe("an error within the sandbox", function()
  teardown(world.clean)

  -- An interpreter that first runs `fault`.
  local function interpreter(fault)
    local lua = os.getenv "SCOPE3_LUA_BIN" or "lua"
    local path = world.file(("#!/bin/sh\nexec %s %s \"$@\"\n"):format(lua, "-e '" .. fault .. "'"), ".sh")
    os.execute("chmod +x " .. path)
    return path
  end

  local function start(fault, settings)
    local opts = { interpreter = interpreter(fault) }
    for key, value in pairs(settings or {}) do
      opts[key] = value
    end
    return assert(child.start(opts))
  end

  local function call(sandbox, method, path, body)
    return world.http(method, sandbox.url .. path, body, { headers = { "Authorization: Bearer x" }, timeout = 30 })
  end

  local SYNC = "/api/v2/buyer/advertisers/25/audiences/sync"
  local BODY = json.encode { audiences = json.array { { audienceId = "a" } } }

  local function failure(sandbox, ...)
    local fine, message = sandbox:close()
    assert.is_nil(fine)
    for _, part in ipairs { ... } do
      assert.truthy(message:find(part, 1, true), message)
    end
    assert.same({ nil, message }, { sandbox:close() }) -- it is told again, not forgotten
    return select(2, message:gsub("an error of its own", ""))
  end

  it("answers 500 to the request at hand, prints a traceback, and fails the process in the end", function()
    local sandbox = start [[require("scope3.sandbox.validate")
      package.loaded["scope3.sandbox.validate"] = function() error("oops in a handler") end]]
    local result = call(sandbox, "POST", SYNC, BODY)
    assert.equal(500, result.status)
    local answer = json.decode(result.body)
    assert.equal("INTERNAL_ERROR", answer.error.code)
    assert.is_nil(result.body:find("oops", 1, true))
    -- Others are served as before.
    assert.equal(200, call(sandbox, "GET", "/api/v2/buyer/advertisers/25/audiences").status)
    assert.equal(500, call(sandbox, "POST", SYNC, (" "):rep(3e6) .. BODY).status)
    assert.equal(2, failure(sandbox, "oops in a handler", "traceback", "sandbox/service.lua"))
  end)

  it("is told of the route that has failed before its body was read, and of one of its own routes", function()
    local sandbox = start([[local s = require("scope3.sandbox.state") local n, own = 0, s.settle
      s.settle = function(self) n = n + 1 if n == 1 then error({ odd = true }) end return own(self) end]],
        { clock = "manual" })
    core.sleep(0.1) -- the ticker is the first, or the request
    call(sandbox, "POST", SYNC, (" "):rep(3e6) .. BODY)
    assert.equal(1, failure(sandbox, "table: "))
    sandbox = start [[local c = require("scope3.sandbox.state") c.show_member = function() return nil .. "x" end]]
    call(sandbox, "PUT", "/sandbox/config", '{"task_seconds":0}')
    call(sandbox, "POST", SYNC, json.encode { audiences = json.array { { audienceId = "a",
      add = json.array { { externalId = "1",
      hashedEmail = ("ab"):rep(32) } } } } })
    assert.equal(500, call(sandbox, "GET", "/sandbox/members?account=25&audience=a").status)
    assert.equal(1, failure(sandbox, "concatenate"))
  end)

  it("takes no other task along, and does not end the ticker", function()
    local sandbox = start [[local s = require("scope3.sandbox.state") local n, own = 0, s.new
      s.new = function(...) local self = own(...) local on = self.audience self.audience = function(me, account, id)
        if id == "bad" and n < 2 then n = n + 1 if n == 2 then error("oops in the ticker") end end
          return on(me, account, id) end return self end]]
    call(sandbox, "PUT", "/sandbox/config", '{"task_seconds":0.3,"audience_seconds":0,"min_size":0}')
    local hook = require("spec.support.capture").start()
    local tasks = {}
    for _, id in ipairs { "bad", "good" } do
      local result = call(sandbox, "POST", SYNC, json.encode { audiences = json.array { { audienceId = id } },
        pushNotificationConfig = { url = hook.url .. "/x", authentication = { schemes = json.array { "Bearer" },
          credentials = ("c"):rep(32) } } })
      tasks[id] = json.decode(result.body).taskId
    end
    -- Nobody asks: callbacks come by the ticker alone.
    local came
    local deadline = core.now() + 30
    repeat
      core.sleep(0.05)
      local bodies = hook.bodies()
      came = came or bodies[1]
    until came or core.now() > deadline
    assert.truthy(came)
    assert.equal(202, call(sandbox, "POST", SYNC, json.encode { audiences = json.array { { audienceId = "later" } },
      pushNotificationConfig = { url = hook.url .. "/x", authentication = { schemes = json.array { "Bearer" },
        credentials = ("c"):rep(32) } } }).status)
    local again
    deadline = core.now() + 30
    repeat
      core.sleep(0.05)
      again = hook.bodies()[1]
    until again or core.now() > deadline
    hook.close()
    assert.truthy(again)
    local function status(id)
      return json.decode(call(sandbox, "GET", "/api/v2/buyer/tasks/" .. tasks[id]).body).task.status
    end
    assert.is_not.equal("completed", status "bad") -- its work was not done
    assert.equal("completed", status "good")
    assert.equal(1, failure(sandbox, "oops in the ticker"))
  end)

  it("is no connection that a peer has dropped, and no callback that nobody takes", function()
    local sandbox = assert(child.start { interpreter = os.getenv "SCOPE3_LUA_BIN",
      task_seconds = 0 })
    local engine = assert(curl.engine {})
    assert(engine:submit { method = "POST", url = sandbox.url .. SYNC, body = BODY,
      headers = { "Authorization: Bearer x", "Content-Length: 90000" }, timeout = 1 })
    world.next_result(engine)
    engine:close()
    assert.equal(202, call(sandbox, "POST", SYNC, json.encode { audiences = json.array { { audienceId = "a" } },
      pushNotificationConfig = { url = "http://127.0.0.1:9/nobody" } }).status)
    local deadline = core.now() + 30
    repeat
      core.sleep(0.02)
      local sent = json.decode(call(sandbox, "GET", "/sandbox/callbacks").body).callbacks
    until sent[1] or core.now() > deadline
    for _, path in ipairs { "/sandbox/members", "/sandbox/nothing", "/.well-known/jwks.json", "/health", "//",
        "/%00" } do
      assert.is_number(call(sandbox, "GET", path).status)
    end
    for _, path in ipairs { "config", "clock", "audience" } do
      for _, body in ipairs { "", "null", "[]", "7", '"x"', "{", '{"account":7,"audienceId":{}}', '{"advance":"x"}',
          '{"account":"25","audienceId":"a","age":"x"}' } do
        assert.equal(400, call(sandbox, "PUT", "/sandbox/" .. path, body).status, path .. " " .. body)
      end
    end
    assert.same({ true }, { sandbox:close() })
  end)

  it("fails a command with a private sandbox, whatever else it did", function()
    local rows = world.file("id,mail\n1,a@example.com\n", ".csv")
    local folder = world.path()
    os.execute(("mkdir -p %s/scope3/sandbox"):format(folder))
    local function run(module, text, ...)
      world.write(folder .. "/scope3/sandbox/" .. module .. ".lua", text)
      local code, _, said = world.command({ "sync", rows, "--sandbox", "--account", "25", "--audience", "a",
        "--map", "external_id=id",
        "--map", "email=mail", ... }, { env = ("LUA_PATH='%s/?.lua;%s'"):format(folder, package.path) })
      os.remove(folder .. "/scope3/sandbox/" .. module .. ".lua")
      return code, said
    end
    local code, said = run("validate", [[return function() error("oops within") end]])
    assert.equal(1, code)
    assert.truthy(said:find("oops within", 1, true), said)
    assert.truthy(said:find("the sandbox has failed", 1, true))
    -- Also where the job knows nothing of it.
    code, said = run("state", [[
      local state = dofile "lua/scope3/sandbox/state.lua"
      local own, n = state.settle, 0
      function state.settle(self)
        n = n + 1
        if n == 1 then error("oops behind") end
        return own(self)
      end
      return state]], "--wait")
    assert.equal(1, code)
    assert.truthy(said:find("oops behind", 1, true), said)
    os.execute("rm -rf " .. folder)
  end)

  it("fails the command that runs one", function()
    local folder, out = world.path(), world.path ".out"
    os.execute(("mkdir -p %s/scope3/sandbox"):format(folder))
    world.write(folder .. "/scope3/sandbox/validate.lua", [[return function() error("oops in front") end]])
    local code_file = world.path ".code"
    local words = "LUA_PATH='%s/?.lua;%s' %s bin/scope3.in sandbox --until-eof >%s 2>&1; echo $? >%s"
    words = words:format(folder, package.path, os.getenv "SCOPE3_LUA_BIN" or "lua", out, code_file)
    local pipe = assert(io.popen(words, "w"))
    local url
    local deadline = core.now() + 30
    repeat
      core.sleep(0.02)
      url = world.exists(out) and world.read(out):match "listening on (%S+)"
    until url or core.now() > deadline
    assert.equal(500, call({ url = url }, "POST", SYNC, BODY).status)
    pipe:close()
    os.execute("rm -rf " .. folder)
    assert.equal("1\n", world.read(code_file))
    for _, part in ipairs { "oops in front", "traceback", "the sandbox had errors of its own: 1" } do
      assert.truthy(world.read(out):find(part, 1, true), world.read(out))
    end
  end)

  it("says why it did not start", function()
    local none, why = child.start { interpreter = os.getenv "SCOPE3_LUA_BIN",
      task_order = "sideways" }
    assert.is_nil(none)
    assert.truthy(why:find("task_order must be one of", 1, true), why)
    local taken = assert(child.start { interpreter = os.getenv "SCOPE3_LUA_BIN" })
    none, why = child.start { interpreter = os.getenv "SCOPE3_LUA_BIN", port = taken.port }
    assert.is_nil(none)
    assert.equal(("the sandbox did not start: port %d cannot be listened on "
      .. "(Address already in use)"):format(taken.port), why)
    assert.same({ true }, { taken:close() })
    none, why = child.start { interpreter = "/nonexistent/lua" }
    assert.is_nil(none)
    assert.truthy(why:find("did not start", 1, true))
  end)
end)
