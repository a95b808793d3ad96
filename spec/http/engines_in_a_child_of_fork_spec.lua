-- An engine that a fork has copied. The connections are the parent's: the child says of each request that it was under
-- way, and begins anew. The parent notices nothing.
local compile = require "spec.support.compile"
local engines = require "spec.support.engines"
local world = require "spec.support.world"

describe("an engine in a child of fork", function()
  local sandbox = world.around(setup, teardown, before_each)
  local fork
  setup(function()
    fork = compile.fork()
  end)

  local function submit(engine)
    local url = sandbox.url .. "/sandbox/requests"
    return assert(engine:submit { method = "GET", url = url, headers = {}, timeout = 60 })
  end

  -- An engine with a connection that is kept, a request under way, and an answer that nobody has taken.
  local function busy_engine()
    local engine = engines.new()
    submit(engine)
    assert(world.next_result(engine))
    local answered = submit(engine)
    while not engine:step() do
      engine:wait(0.2)
    end
    sandbox:fault { on = "any", act = "delay", times = 1, seconds = 0.5 }
    local under_way = assert(engine:submit {
      method = "POST", url = engines.sync_url(sandbox), body = { "{", "}" }, headers = { engines.KEY }, timeout = 60,
    })
    return engine, answered, under_way
  end

  -- What goes wrong in a child as a number that its end can tell.
  local function in_child(body)
    assert.equal(0, fork(function()
      local fine, why = pcall(body)
      if not fine then
        io.stderr:write(tostring(why), "\n")
      end
      return fine and 0 or 1
    end))
  end

  it("tells that what was under way is lost there, gives what was answered, and sends anew", function()
    local engine, answered, under_way = busy_engine()
    in_child(function()
      local first, second = world.next_result(engine), world.next_result(engine)
      assert(first.id == answered and first.status == 200, "what was answered")
      assert(second.id == under_way and second.code == "FORKED" and second.body_sent, "what was under way")
      submit(engine)
      local result = world.next_result(engine)
      assert(result.status == 200 and result.connections == 1, "it used a connection of its parent")
      engine:close()
    end)
    local first, second = world.next_result(engine), world.next_result(engine)
    assert.same({ answered, under_way }, { first.id, second.id })
    assert.same({ 200, nil }, { first.status, second.code })
    engine:close()
  end)

  for what, use in pairs {
    ["closed"] = function(engine) engine:close() end,
    ["waited for"] = function(engine)
      engine:wait(0)
      assert(engine:step())
    end,
    ["asked for its descriptor"] = function(engine)
      local fresh = engines.new()
      assert((engine:pollfd() ~= nil) == (fresh:pollfd() ~= nil), "a descriptor where there is none, or none")
      assert(engine:timeout() ~= 1e9)
      fresh:close()
    end,
    ["told to give up"] = function(engine, id) assert(engine:cancel(id)) end,
  } do
    it("may be " .. what .. " at once", function()
      local engine, _, under_way = busy_engine()
      in_child(function()
        use(engine, under_way)
      end)
      assert.is_true(world.next_result(engine).status == 200)
      assert.equal(under_way, world.next_result(engine).id)
      engine:close()
    end)
  end
end)
