-- The size that a host was found to take is kept with the limits that are shared: for an hour, for each host, and never
-- as anything but a number.
local limiter = require "scope3.http.limiter"
local people = require "spec.support.people"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local ONE, OTHER = { host = "one.example", key = "a" }, { host = "other.example", key = "a" }

-- What a lua_shared_dict answers to.
local function dictionary()
  local values = {}
  return {
    values = values,
    get = function(_, key)
      return values[key]
    end,
    set = function(_, key, value)
      values[key] = value
      return true
    end,
    incr = function(_, key, by, init)
      values[key] = (values[key] or init) + by
      return values[key]
    end,
    delete = function(_, key)
      values[key] = nil
    end,
  }
end

describe("a limiter keeps a size", function()
  teardown(world.clean)

  for what, store in pairs { ["in its Lua state"] = function() end, ["in a dictionary"] = dictionary,
    ["in a file"] = function()
      return world.path ".limits"
    end } do
    it(what .. " for an hour, for its host", function()
      local now = 1000000
      local limits = assert(limiter.new(store()))
      assert.is_nil(limits:size(ONE, now))
      limits:learn_size(ONE, 100000, now)
      assert.same({ 100000, 100000, nil }, { limits:size(ONE, now), limits:size(ONE, now + 3599) })
      assert.is_nil(limits:size(OTHER, now))
      assert.is_nil(limits:size(ONE, now + 3600))
    end)

    it(what .. ", the smaller of two, until the hour of the last one is over", function()
      local limits = assert(limiter.new(store()))
      limits:learn_size(ONE, 100000, 1000)
      limits:learn_size(ONE, 200000, 2000)
      assert.equal(100000, limits:size(ONE, 5599))
      assert.is_nil(limits:size(ONE, 5600))
      limits:learn_size(ONE, 200000, 5600)
      assert.equal(200000, limits:size(ONE, 5700))
    end)
  end

  it("of one byte too", function()
    local limits = assert(limiter.new(dictionary()))
    limits:learn_size(ONE, 1, 1000)
    assert.equal(1, limits:size(ONE, 1000))
  end)

  it("and takes nothing for one that is no size", function()
    local store = dictionary()
    local limits = assert(limiter.new(store))
    limits:learn_size(ONE, 100000, 1000)
    for _, value in ipairs { "100000", 0.5, 0, -5, 0 / 0, true } do
      for key, kept in pairs(store.values) do
        if kept == 100000 then
          store.values[key] = value
        end
      end
      assert.is_nil(limits:size(ONE, 1000), tostring(value))
      limits:learn_size(ONE, 100000, 1000)
      assert.equal(100000, limits:size(ONE, 1000))
    end
  end)
end)

describe("a store that raises", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("while a size is asked for or kept ends the job with an error of the limiter", function()
    for _, act in ipairs { "get", "set" } do
      local store = dictionary()
      local usual = store[act]
      store[act] = function(self, key, ...)
        assert(not key:find(":size", 1, true), "the store is away")
        return usual(self, key, ...)
      end
      sandbox:reset()
      sandbox:fault { on = "sync", act = "status", status = 413 }
      local res, err = sandbox:client { limiter = limiter.new(store), loop = virtual.loop() }
        :run({ map = people.MAP, audience = "a" }, people.rows(1000))
      assert.is_nil(res)
      assert.equal("limiter", err.kind)
      assert.truthy(err.message:find("the store is away", 1, true), err.message)
      world.assert_sums(err.result)
    end
  end)
end)
