-- A callback may raise any value, also a table whose __tostring fails: the job ends in order.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("what a callback raises", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("ends the job in order, whatever its own __tostring does", function()
    local raises, gives_table, gives_nil = function() error "once more" end, function() return {} end, function() end
    for _, to_text in ipairs { raises, gives_table, gives_nil } do
      local problem = setmetatable({}, { __tostring = to_text })
      local function raise()
        error(problem)
      end
      for _, opts in ipairs { { on_event = raise }, { cancel = raise } } do
        local made = assert(scope3.audience "a")
        assert(made:add { external_id = "x", email = "jane@example.com" })
        local fine, res, err = pcall(function()
          local client = sandbox:client()
          return client:sync(made, opts)
        end)
        assert.is_true(fine, tostring(res))
        assert.same({ "script", "callback_error" }, { res == nil and err.kind, err.code })
        assert.truthy(err.message:find("raised an error: a table that has no text", 1, true), err.message)
        assert.equal(1, err.result.accepted + err.result.failed + err.result.unknown)
      end
      local script, client = { audience = "a", map = { external_id = "id", email = "email" } }, sandbox:client()
      for _, iterate in ipairs { raise, function() return nil, problem end } do
        local fine, res, err = pcall(client.run, client, script, iterate)
        assert.is_true(fine, tostring(res))
        assert.equal("source", res == nil and err.kind)
        assert.truthy(err.message:find("a table that has no text", 1, true), err.message)
      end
    end
  end)
end)
