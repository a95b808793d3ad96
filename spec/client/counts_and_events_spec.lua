-- Counts that change after the members were built, problems of a sync told at once, and events that are of no job.
local result = require "scope3.result"
local scope3 = require "scope3"
local world = require "spec.support.world"

local json = world.json

describe("the client", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function audience(id, member)
    local made = assert(scope3.audience { id = id })
    if member then
      assert(made:add(member))
    end
    return made
  end

  it("tells a listener of its own about requests that are of no job", function()
    local events = {}
    local client = sandbox:client { on_event = function(event)
      events[#events + 1] = event.event
    end }
    sandbox:fault { on = "audiences", act = "status", status = 503, retry_after = 0 }
    for _ in client:audiences() do
      error "there is none"
    end
    assert.equal("retry", events[1])
  end)

  it("counts the identifiers of members that go, and takes off those that the service refuses", function()
    sandbox:configure { refuse = json.array { "2" } }
    local members = audience("a", { external_id = "1", email = "a@b.co" })
    assert(members:add { external_id = "2", hashed_email = ("ab"):rep(32),
      uids = { { type = "uid2", value = ("A"):rep(43) .. "=" } } })
    assert(members:add { external_id = "3", phone = "+12065550142" })
    local res = assert(sandbox:client():sync(members))
    assert.same({ 2, 1, { hashed_email = 1, hashed_phone = 1, uids = 0 }, 0 }, { res.accepted, res.rejected_by_service,
      res.identifiers, res.prehashed })
    assert.same({ 0, 0, 0 }, { res.replaced, res.poorer, res.deferred })
  end)

  it("raises for no audiences, and tells all that is wrong with some", function()
    local client = sandbox:client()
    for audiences, said in pairs {
      [{}] = "audiences must be a scope3.audience or a list of them, not a table without entries$",
      [{ audience "a", 5 }] = "entry 2 of audiences must be a scope3.audience, not a number$",
      [5] = "audiences must be a scope3.audience or a list of them, not a number$",
    } do
      local fine, why = pcall(client.sync, client, audiences)
      assert.is_false(fine)
      assert.truthy(why:find(said), why)
    end
    local res, err = client:sync({ audience "empty", audience "empty" }, { max_members = 100001 })
    assert.is_nil(res)
    local paths = {}
    for i, issue in ipairs(err.issues) do
      paths[i] = issue.path
    end
    assert.same({ "audiences[1]", "audiences[2]", "audiences[2]", "max_members" }, paths)
  end)

  it("keeps what the service did not take, and tells what it refused from what did not go any more", function()
    sandbox:configure { faults = json.array { { on = "sync", act = "status", status = 422, after = 1 } } }
    local members = audience("a")
    for i = 1, 5 do
      assert(members:add { external_id = tostring(i), email = i .. "@example.com" })
    end
    local res, err = sandbox:client():sync(members, { max_members = 1, concurrency = 1 })
    assert.is_nil(res)
    local refused = {}
    for i, one in ipairs(result.job(err.result):unsent()) do
      refused[i] = one.rejected
    end
    assert.same({ true, false, false, false }, refused)
  end)
end)
