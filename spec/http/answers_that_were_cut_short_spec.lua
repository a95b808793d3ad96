-- A question whose answer began well and was cut short is asked again: a status of success says nothing against that.
local world = require "spec.support.world"

describe("an answer that was cut short", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("is asked for again, by a listing and by a job that looks for its audience", function()
    assert(assert(sandbox:client():run({ audience = "a", map = { external_id = "id", email = "mail" } },
      world.file "id,mail\n1,jane@example.com\n")):wait())
    for _, ask in ipairs {
      function(client)
        return client:audience "a"
      end,
      function(client)
        local stream = assert(client:stream "a")
        assert(stream:remove { external_id = "1" })
        return stream:finish()
      end,
    } do
      sandbox:fault { on = "audiences", act = "half_reply", times = 2 }
      local before = #sandbox:requests "audiences"
      assert(ask(sandbox:client()))
      assert.equal(3, #sandbox:requests "audiences" - before)
    end
  end)
end)
