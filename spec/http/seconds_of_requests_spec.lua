-- How long a request may take that no option speaks of. An engine that only notes what it is given stands in for
-- libcurl. Each client has a file of certificates of its own, and so an engine of its own.
local curl = require "scope3.engine"
local scope3 = require "scope3"

describe("a request", function()
  local real, seen, clients = curl.engine, nil, 0

  setup(function()
    curl.engine = function()
      local ended
      return {
        count = function() return ended and 1 or 0 end,
        submit = function(_, request)
          seen = request.timeout
          ended = { id = 1, status = 400, headers = {}, body = "{}", body_sent = true, begun = true }
          return 1
        end,
        step = function() return ended ~= nil, true end,
        wait = function() end,
        result = function()
          local result = ended
          ended = nil
          return result
        end,
        cancel = function() return true end,
      }
    end
  end)
  teardown(function()
    curl.engine = real
  end)

  -- The seconds of the request that a call begins with.
  local function seconds_of(call)
    clients, seen = clients + 1, nil
    local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25", loop = "blocking",
      ca_file = "/nowhere/" .. clients, rate = 1000 })
    local result, err = call(client)
    assert.is_nil(result)
    assert.equal(400, err.status)
    return seen
  end

  it("has 20 seconds to say that the service is there, and 60 to offer an audience", function()
    assert.equal(20, seconds_of(function(client)
      return client:health()
    end))
    assert.equal(60, seconds_of(function(client)
      return client:syndicate { audience_id = "a", adcp_agent_ids = { "x" } }
    end))
  end)
end)
