-- How many audiences go in one request is bounded by its members and bytes alone. What is planned is what goes.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a request of thousands of audiences", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local MANY = 5000

  local function each(act)
    local list = {}
    for i = 1, MANY do
      list[i] = act(assert(scope3.audience { id = ("a%05d"):format(i) }), i)
    end
    return list
  end

  it("adds and removes in each, as its dry run says", function()
    local list = each(function(audience, i)
      assert(audience:add { external_id = "m" .. i, email = ("m%d@example.com"):format(i) })
      assert(audience:remove { external_id = "gone" .. i })
      return audience
    end)
    local client = sandbox:client()
    local planned = assert(client:sync(list, { dry_run = true }))
    local res = assert(client:sync(list))
    assert.same({ 2 * MANY, #planned.requests, 1 }, { res.accepted, #res.requests, #sandbox:requests "sync" })
    assert.equal(MANY, #sandbox:requests "sync"[1].audiences)
    assert.same({ "m1" }, sandbox:ids "a00001")
    assert.same({ "m5000" }, sandbox:ids "a05000")
  end)

  it("deletes each", function()
    local client = sandbox:client()
    local res = assert(client:sync(each(function(audience)
      return audience:delete()
    end)))
    assert.equal(1, #res.requests)
    local request = sandbox:requests "sync"[1]
    assert.equal(MANY, #request.audiences)
    for _, audience in ipairs(request.audiences) do
      assert.is_true(audience.delete)
    end
  end)
end)
