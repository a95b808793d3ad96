-- What goes on the wire with a request, which connection it takes, and what its end tells where reading the reply
-- raises or its waiter is gone.
local answering = require "spec.support.answering"
local broken = require "spec.support.broken"
local core = require "scope3.core"
local people = require "spec.support.people"
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a request", function()
  local server = answering.around(setup, teardown)

  -- Each request is refused with a message that names its fields.
  local function fields_of(ask)
    server:answer [[return function(request)
      local h = request.headers
      local key = h.authorization == "Bearer scope3_test_key" and "the" or h.authorization and "another" or "no"
      local function is_json(name)
        return h[name] == "application/json" and "JSON" or h[name] and "another" or "no"
      end
      return 501, { error = { message = ("accepts %s, %s key, %s type"):format(is_json "accept", key,
        is_json "content-type") } }
    end]]
    local _, err = ask(server:client())
    return err.message:match "501: (.*)$"
  end

  it("asks for JSON, with the key unless it needs none, and names the type of its body", function()
    assert.equal("accepts JSON, the key, no type", fields_of(function(client)
      return client:task "t1"
    end))
    assert.equal("accepts JSON, the key, JSON type", fields_of(function(client)
      return client:sync(people.audience("a", 1))
    end))
    assert.equal("accepts JSON, no key, no type", fields_of(function(client)
      return client:health()
    end))
  end)

  it("without a key does not show that the key is taken", function()
    server:answer [[return function(request)
      if request.path:find "health" then return 200, { status = "ok" } end
      return 401, { error = { code = "UNAUTHORIZED", message = "no" } }
    end]]
    local client = server:client()
    assert(client:health())
    local _, err = client:task "t1"
    assert.truthy(err.message:find("check SCOPE3_API_KEY", 1, true), err.message)
  end)
end)

describe("a request that is sent again", function()
  -- How many connections a request took whose first answer is this one.
  local function connections_after(answer)
    local count
    broken.run(function(queue)
      local server = broken.start(queue, { on = function(_, number)
        return number == 1 and answer or nil
      end })
      local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", rate = 100000,
        base_url = server.url })
      assert(client:sync(people.audience("a", 1)))
      count = server.connections
      server:close()
    end)
    return count
  end

  it("takes the same connection after a refusal, and a new one after an answer that cannot be read", function()
    assert.equal(1, connections_after { at = "end", status = 503, headers = { ["retry-after"] = "0" } })
    assert.equal(2, connections_after { at = "end", status = 202, body = "no JSON" })
  end)
end)

describe("a request that sends members", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function own_loop()
    local loop = { name = "own" .. tostring {}, now = core.now, sleep = core.sleep }
    function loop.wait(engine, seconds)
      engine:wait(math.min(seconds, 1))
    end
    return loop
  end

  it("may have been carried out where the loop's clock raises while its reply is read", function()
    for _, ask in ipairs {
      { "sync", function(client)
        return client:sync(people.audience("a", 1))
      end, true },
      { "audiences", function(client)
        return client:audience "a"
      end },
    } do
      local loop, engine, raised = own_loop(), nil, false
      local wait = loop.wait
      function loop.wait(given, seconds)
        engine = given
        wait(given, seconds)
      end
      function loop.now()
        if engine and not raised and engine:count() == 0 then
          raised = true
          error "the clock has stopped"
        end
        return core.now()
      end
      local _, err = ask[2](sandbox:client { loop = loop })
      assert.is_true(raised)
      assert.same({ ask[3], 1 }, { err.uncertain, #sandbox:requests(ask[1]) })
      assert.truthy(err.message:find("the clock has stopped", 1, true), err.message)
    end
  end)

  it("was accepted where the limiter's store raises as its reply is read, and the job says so", function()
    local store = { get = function() end, set = function() end, incr = function() return 1 end, delete = function()
      error "the store is gone"
    end }
    local _, err = sandbox:client { limiter = scope3.limiter(store) }:sync(people.audience("a", 1))
    assert.same({ "limiter", "callback_error", 1 }, { err.kind, err.code, err.result.accepted })
    assert.truthy(err.message:find("the store is gone", 1, true), err.message)
    world.assert_sums(err.result)
  end)

  it("is rejected for what it holds, or may go another time", function()
    local result = require "scope3.result"
    for status, rejected in pairs {
      [400] = true, [422] = true, [413] = true, [401] = false, [403] = false, [404] = false, [409] = false,
    } do
      sandbox:fault { on = "sync", act = "status", status = status }
      local _, err = sandbox:client():sync(people.audience("a", 1))
      assert.equal(status, err.status)
      local unsent = result.job(err.result):unsent()
      assert.same({ 1, rejected }, { #unsent, unsent[1].rejected }, status)
    end
  end)
end)
