-- A client made before a fork, used in both processes. Only LuaJIT can fork from here.
-- spec/nginx/nginx_spec.lua has nginx's master and workers.
local found, ffi = pcall(require, "ffi")
if not found then
  return
end
pcall(ffi.cdef, "int fork(void); int waitpid(int, int *, int); void _exit(int);")

local scope3 = require "scope3"
local world = require "spec.support.world"

local function audience(id)
  local made = assert(scope3.audience { id = id })
  assert(made:add { external_id = id .. "-1", email = id .. "@example.com" })
  return made
end

-- Runs `body` in a child, and gives a function that waits for its end: "fine", or what was wrong.
local function fork(body)
  local said = world.path(".child")
  local pid = ffi.C.fork()
  if pid == 0 then
    local ok, message = pcall(body)
    local file = io.open(said, "w")
    file:write(ok and "fine" or tostring(message))
    file:close()
    ffi.C._exit(0)
  end
  return function()
    local status = ffi.new("int[1]")
    assert.equal(pid, ffi.C.waitpid(pid, status, 0))
    assert.equal(0, status[0])
    return world.read(said)
  end
end

describe("a client made before a fork", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("works in the parent and in its children, separately", function()
    sandbox:configure { task_seconds = 0.1 }
    local client = sandbox:client()
    assert(client:sync(audience "before")) -- its connection is kept
    local children = {}
    for i = 1, 3 do
      children[i] = fork(function()
        for round = 1, 3 do
          local res = assert(client:sync(audience(("child%d-%d"):format(i, round))))
          assert(res:wait { timeout = 60 })
          assert(res.accepted == 1 and res.retries == 0)
        end
        assert(client:audience("child" .. i .. "-3"))
      end)
    end
    for round = 1, 3 do
      local res = assert(client:sync(audience("parent-" .. round)))
      assert(res:wait { timeout = 60 })
      assert.same({ 1, 0 }, { res.accepted, res.retries })
    end
    for _, ended in ipairs(children) do
      assert.equal("fine", ended())
    end
    assert.equal(13, #sandbox:requests("sync"))
    assert.same({ "child2-1-1" }, sandbox:ids "child2-1")
    local used = {} -- connection -> whose requests it carried
    for _, request in ipairs(sandbox:requests("sync")) do
      local whose = request.audiences[1].audienceId:match("^%a+%d*")
      whose = whose == "before" and "parent" or whose
      assert.equal(used[request.connection] or whose, whose)
      used[request.connection] = whose
    end
  end)

  it("with a request under way leaves it to the parent: nothing is sent twice", function()
    sandbox:configure { task_seconds = 0, faults = world.json.array { { on = "sync", act = "delay", seconds = 0.5 } } }
    local client = sandbox:client()
    local stream = assert(client:stream("a", { max_members = 1 }))
    assert(stream:add { external_id = "1", uids = { x = "1" } })
    assert(stream:add { external_id = "2", uids = { x = "1" } }) -- the first is on its way now
    local ended = fork(function()
      local res, err = stream:finish()
      assert(res == nil and err.kind == "network" and err.code == "FORKED", tostring(err))
      assert(err.message:find("parent", 1, true), err.message)
      assert(err.result.unknown + err.result.failed == 2)
      assert(client:sync(audience "afterwards"))
    end)
    local res = assert(stream:finish())
    assert.equal(2, res.accepted)
    assert.equal("fine", ended())
    assert.equal(3, #sandbox:requests("sync"))
    assert.same({ "1", "2" }, sandbox:ids "a")
  end)
end)
