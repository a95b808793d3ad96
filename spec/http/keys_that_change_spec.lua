-- A key that is rotated: a function returns it before each request, and once more after a 401.
-- No dump of a client shows a key.
local answering = require "spec.support.answering"
local cqueues = require "cqueues"
local scope3 = require "scope3"
local world = require "spec.support.world"

local json = world.json

-- All that can be reached from a value without debug.
local function dump(value, seen, out)
  if type(value) == "table" and not seen[value] then
    seen[value] = true
    for key, item in pairs(value) do
      dump(key, seen, out)
      dump(item, seen, out)
    end
    dump(getmetatable(value), seen, out)
  elseif type(value) == "string" then
    out[#out + 1] = value
  end
  return out
end

describe("an API key", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function audience(id)
    local made = assert(scope3.audience("a"))
    assert(made:add { external_id = id or "x", email = "jane@example.com" })
    return made
  end

  local function keys(...)
    sandbox:configure { keys = json.array { ... } }
  end

  before_each(function()
    keys("scope3_one", "scope3_two")
  end)

  it("stands in no field of a client, before or after its use, whoever gives it", function()
    for _, given in ipairs { "scope3_one", function() return "scope3_one" end } do
      local client = sandbox:client { api_key = given }
      assert(client:sync(audience()))
      local all = table.concat(dump(client, {}, {}), "\n")
      assert.is_nil(all:find("scope3_one", 1, true))
      assert.truthy(all:find("127.0.0.1", 1, true))
    end
  end)

  it("is asked for before each request, and the latest one is sent", function()
    local asked, current = 0, "scope3_one"
    local client = sandbox:client { api_key = function()
      asked = asked + 1
      return current
    end }
    assert.equal(0, asked)
    assert(client:sync(audience()))
    assert.equal(1, asked)
    current = "scope3_two"
    keys "scope3_two"
    assert(client:sync(audience()))
    assert.equal(2, asked)
    local res = assert(client:sync(audience()))
    assert(res:wait { interval = 0.01 })
    assert.equal(#sandbox:requests(), asked)
    for _, request in ipairs(sandbox:requests()) do
      assert.equal(200, request.status == 202 and 200 or request.status)
    end
  end)

  it("is asked for once more after a 401, and the request goes again once where it differs", function()
    local given = {}
    local list = { "scope3_one", "scope3_two" }
    local client = sandbox:client { api_key = function()
      local key = table.remove(list, 1) or "scope3_two"
      given[#given + 1] = key
      return key
    end }
    keys "scope3_two"
    local res = assert(client:sync(audience()))
    assert.same({ "scope3_one", "scope3_two" }, given)
    assert.same({ 1, 2 }, { res.accepted, #sandbox:requests "sync" })
    assert.same({ "x" }, sandbox:ids "a")
    assert.equal(1, res.retries)
    keys "scope3_three"
    local ok, err = client:sync(audience()) -- the same key twice: nothing is sent again
    assert.same({ 401, 3, 4 }, { ok == nil and err.status, #sandbox:requests "sync", #given })
    list = { "scope3_four", "scope3_five", "scope3_six" } -- refused twice: not a third time
    ok, err = client:sync(audience())
    assert.same({ 401, 5, 6 }, { ok == nil and err.status, #sandbox:requests "sync", #given })
    assert.equal(2, err.request.attempts)
  end)

  it("that was refused is reported where the time is over before a request may go with another", function()
    keys "scope3_new"
    local n = 0
    local client = sandbox:client { rate = 1, limiter = scope3.limiter(), api_key = function()
      n = n + 1
      return "scope3_old" .. n
    end }
    local ok, err = client:sync(audience(), { deadline = 1 })
    assert.same({ "timeout", 1 }, { ok == nil and err.kind, #sandbox:requests() })
    assert.truthy(err.message:find("sent again; before, the service answered 401", 1, true), err.message)
    assert.same({ 1, 0 }, { err.result.failed, err.result.unknown })
    assert.same({ 1, 1, 401 }, { err.request.attempts, #err.request.history, err.request.history[1].status })
  end)

  it("is asked for again in a wait, when it expires there", function()
    local asked = 0
    local client = sandbox:client { api_key = function()
      asked = asked + 1
      return asked <= 2 and "scope3_one" or "scope3_two"
    end }
    local res = assert(client:sync(audience()))
    keys "scope3_two"
    assert(res:wait { interval = 0.01 })
    assert.is_true(asked >= 3)
  end)

  it("that a function does not give is an error of its own, without a word of what the function said", function()
    local bad = {
      ["raised an error"] = function() error "vault token s.hunter2 expired" end,
      ["raised"] = function() error { password = "s.hunter2" } end,
      ["returned nil"] = function() return nil, "s.hunter2 is no token" end,
      ["returned a boolean"] = function() return false end,
      ["returned a number"] = function() return 12 end,
      ["line end"] = function() return "scope3_one\r\nX-Other: s.hunter2" end,
      ["holds a space"] = function() return "" end,
    }
    for words, give in pairs(bad) do
      local events = {}
      local client = sandbox:client { api_key = give, on_event = function(event)
        events[#events + 1] = json.encode(event)
      end }
      local ok, err = client:sync(audience())
      assert.same({ "config", "api_key" }, { ok == nil and err.kind, err.code }, words)
      assert.truthy(err.message:find(words, 1, true), err.message)
      assert.is_nil((tostring(err) .. table.concat(dump(err, {}, {}), " ") .. table.concat(events)):find("hunter2", 1,
        true))
      assert.equal(1, err.result.failed)
      local listed, why = pcall(client:audiences())
      assert.same({ false, "config" }, { listed, why.kind })
    end
    assert.same({}, sandbox:requests())
  end)

  it("is hidden in what the service says, also when it was given earlier", function()
    local server = answering.start()
    server:answer [[return function(request)
      return 400, { error = { code = "BAD", message = "key " .. tostring(request.headers.authorization) .. " is worse than zebra-key-4711-uvw" } }
    end]]
    local current = "zebra-key-4711-uvw"
    local client = assert(scope3.client { account_id = "25", base_url = server.url, rate = 100000, api_key = function()
      return current
    end })
    for _, key in ipairs { "zebra-key-4711-uvw", "lion.key.0815.xyz" } do
      current = key
      local ok, err = client:sync(audience())
      assert.is_nil(ok)
      assert.truthy(tostring(err):find("is worse than", 1, true), tostring(err))
      assert.is_nil(tostring(err):find("zebra", 1, true), tostring(err))
      assert.is_nil(tostring(err):find("lion", 1, true), tostring(err))
    end
    server:close()
  end)

  it("that was refused for its rate is held back from its first request on, whoever gives it", function()
    local limiter = scope3.limiter()
    sandbox:fault { on = "sync", act = "status", status = 429, retry_after = 600 }
    for _, given in ipairs { "scope3_one", function() return "scope3_one" end } do
      local _, err = sandbox:client({ api_key = given, limiter = limiter }):sync(audience(), { deadline = 1 })
      assert.is_truthy(err)
      assert.equal(1, #sandbox:requests "sync")
    end
    assert(sandbox:client({ api_key = function() return "scope3_two" end, limiter = limiter }):sync(audience()))
  end)

  it("may take its time: others go on meanwhile", function()
    local queue, turns, done = cqueues.new(), 0, false
    local client = sandbox:client { api_key = function()
      cqueues.sleep(0.2)
      return "scope3_one"
    end }
    queue:wrap(function()
      assert(client:sync(audience()))
      done = true
    end)
    queue:wrap(function()
      while not done do
        turns = turns + 1
        cqueues.sleep(0.01)
      end
    end)
    assert(queue:loop(30))
    assert.is_true(done and turns > 5, turns)
  end)

  it("must be a text or a function", function()
    for _, wrong in ipairs { 12, true, {} } do
      local ok, message = pcall(scope3.client, { api_key = wrong })
      assert.is_false(ok)
      assert.truthy(message:find("api_key must be a string or a function", 1, true), message)
    end
  end)
end)
