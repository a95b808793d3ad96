-- A service that says its rate begins anew in ten days is not waited for so long, and the client tells so.
local answering = require "spec.support.answering"

describe("a reset of the rate that is far ahead", function()
  local server = answering.around(setup, teardown)

  it("is cut short, and told", function()
    server:answer [[return function()
      return 200, '{"audiences":[{"audienceId":"a","status":"READY"}],"total":1}',
        { { "RateLimit-Limit", "100" }, { "RateLimit-Remaining", "1" }, { "RateLimit-Reset", "864000" } }
    end]]
    local told = {}
    local client = server:client { on_event = function(event)
      if event.event == "cut_short" then
        told[#told + 1] = event
      end
    end }
    assert.equal("a", client:audiences()().audience_id)
    assert.equal(1, #told)
    assert.same({ "RateLimit-Reset", 864000 }, { told[1].field, told[1].said })
    assert.is_true(told[1].seconds < told[1].said)
  end)
end)
