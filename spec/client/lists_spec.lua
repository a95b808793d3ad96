-- The lists of audiences and of syndication records.
local each = require "spec.support.each"
local people = require "spec.support.people"
local world = require "spec.support.world"

local audience = people.audience

describe("the client", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("pages through audiences and meets none twice", function()
    local client = sandbox:client()
    for i = 1, 7 do
      sandbox:control("PUT", "audience", { account = "25", audienceId = "a" .. i, status = "READY" })
    end
    local seen = {}
    for row in client:audiences { page = 3 } do
      seen[#seen + 1] = row.audience_id
    end
    assert.same({ "a1", "a2", "a3", "a4", "a5", "a6", "a7" }, seen)
    local row, err = client:audience("none")
    assert.is_nil(row)
    assert.equal("not_found", err.kind)
    sandbox:fault { on = "audiences", act = "status", status = 500, times = -1 }
    local failures = 0
    for item, why in each(client:audiences()) do
      assert.is_false(item)
      assert.equal(500, why.status)
      failures = failures + 1
    end
    assert.equal(1, failures)
  end)

  it("offers an audience to agents and reads how far it is", function()
    local client = sandbox:client()
    assert(client:sync(audience("a", 2)))
    local records = assert(client:syndicate { audience_id = "a", adcp_agent_ids = { "agent-1", "agent-2" } })
    assert.same({ "agent-1", "agent-2" }, { records[1].adcp_agent_id, records[2].adcp_agent_id })
    assert(client:syndicate { audience_id = "a", adcp_agent_ids = { "agent-2" }, enabled = false })
    local seen = {}
    for item in client:syndication_status { audience_id = "a" } do
      seen[item.adcp_agent_id] = item.status
    end
    assert.same({ ["agent-1"] = "PENDING", ["agent-2"] = "DISABLED" }, seen)
    local n = 0
    for item in client:syndication_status {
      audience_id = "a", enabled = false, status = "DISABLED", adcp_agent_id = "agent-2",
    } do
      n = n + 1
      assert.is_false(item.enabled)
    end
    assert.equal(1, n)
    local none, err = client:syndicate { adcp_agent_ids = {} }
    assert.is_nil(none)
    assert.equal(2, #err.issues)
  end)
end)
