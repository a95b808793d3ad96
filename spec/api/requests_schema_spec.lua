-- Every request that the client makes fits the schemas of the contract, and its lists hold each row once.
local contract = require "spec.support.contract"
local json_schema = require "spec.support.json_schema"
local scope3 = require "scope3"
local world = require "spec.support.world"

local json = world.json

local function fits(rule, value)
  assert.same({}, json_schema.told(rule, value))
end

local HASH, SECRET = ("0123456789abcdef"):rep(4), ("s"):rep(32)

describe("a request of the client", function()
  local sandbox = world.around(setup, teardown, before_each, { log_bodies = true, task_seconds = 0 })

  -- The bodies of the requests of one kind since the last call.
  local told = {}
  local function bodies_of(kind)
    local found = {}
    local requests = sandbox:requests(kind)
    for i = (told[kind] or 0) + 1, #requests do
      found[#found + 1] = requests[i].body
      assert.is_true(requests[i].status < 300)
    end
    told[kind] = #requests
    return found
  end

  local function query_of(target)
    local query = {}
    for key, value in (target:match("%?(.*)$") or ""):gmatch("([^&=]+)=([^&]*)") do
      assert.is_nil(query[key])
      query[key] = value
    end
    return query
  end

  it("fits the contract's schema, whatever is asked for", function()
    local client = sandbox:client()
    local function audience(opts, fill)
      local made = assert(scope3.audience(opts))
      if fill then
        fill(made)
      end
      return made
    end
    local function add(made)
      assert(made:add { external_id = "1", email = "a@example.com" })
      assert(made:add { external_id = "2", phone = "+12065551234", uids = { { type = "id5", value = "ID5*x" } } })
      assert(made:add { external_id = "3", hashed_email = HASH, hashed_phone = HASH:reverse() })
    end
    local function remove(made)
      assert(made:remove { external_id = "1" })
    end
    local sent = 0
    local function sync(audiences, opts)
      assert(assert(client:sync(audiences, opts)):wait { interval = 0.02 })
      local bodies = bodies_of "sync"
      assert.is_true(#bodies > 0)
      for _, body in ipairs(bodies) do
        fits(contract.closed(contract.sync_request), json.decode(body))
        sent = sent + 1
      end
    end
    sync(audience({ id = "a" }, add))
    sync(audience({ id = ("é"):rep(255), name = ("日"):rep(255) }, add))
    sync({ audience({ id = 25, name = "" }, add), audience({ id = "b" }, add), audience({ id = "c" }, add) })
    sync(audience({ id = 25 }, remove))
    for _, basis in ipairs { "consent", "legitimate_interest", "contract", "legal_obligation" } do
      sync({ audience({ id = "a", consent_basis = basis }, add), audience({ id = "b" }, remove),
        audience({ id = "c" }):delete() })
    end
    for _, push in ipairs {
      { url = "https://example.com/x" }, { url = "http://127.0.0.1:8080/x?y=1", operation_id = ("o"):rep(255) },
      { url = "https://example.com", token = ("é"):rep(16) }, { url = "https://example.com", token = ("t"):rep(4096) },
      { url = "https://example.com", authentication = { scheme = "Bearer", credentials = SECRET } },
      { url = "https://example.com", authentication = { schemes = { "HMAC-SHA256" }, credentials = ("c"):rep(300) } },
    } do
      sync(audience({ id = "a" }, add), { push_notification_config = push })
    end
    assert.is_true(sent >= 13)
    -- What the schema refuses is not sent, and what is registered can be verified: both count characters.
    for _, push in ipairs {
      { token = ("é"):rep(15) }, { token = ("é"):rep(4097) }, { token = ("t"):rep(15) },
      { authentication = { scheme = "Bearer", credentials = ("é"):rep(31) } },
      { authentication = { scheme = "HMAC-SHA256", credentials = ("日"):rep(11) } },
      { authentication = { scheme = "Bearer", credentials = ("\255"):rep(40) } },
      { operation_id = ("é"):rep(3) }, { operation_id = ("o"):rep(256) },
    } do
      push.url = "https://example.com"
      local res, err = client:sync(audience({ id = "a" }, add), { push_notification_config = push })
      assert.same({ nil, "invalid" }, { res, err and err.kind })
      assert.same({}, bodies_of "sync")
    end
    sync(audience({ id = "a" }, add), {
      push_notification_config = { url = "https://example.com", token = ("é"):rep(4096),
        authentication = { scheme = "Bearer", credentials = ("é"):rep(32) } },
    })
    assert.is_nil(scope3.webhook.verify({ headers = {} }, { mode = "bearer", credentials = ("é"):rep(32),
      token = ("é"):rep(4096) }))
    for _, config in ipairs {
      { credentials = ("é"):rep(31) }, { credentials = ("c"):rep(32), token = ("é"):rep(15) },
    } do
      config.mode = "bearer"
      assert.has_error(function() scope3.webhook.verify({ headers = {} }, config) end)
    end
    assert(client:syndicate { audience_id = "a", adcp_agent_ids = { "x", 7 } })
    assert(client:syndicate { audience_id = 25, adcp_agent_ids = { "x" }, enabled = false })
    local bodies = bodies_of "syndicate"
    assert.equal(2, #bodies)
    for _, body in ipairs(bodies) do
      fits(contract.closed(contract.syndicate_request), json.decode(body))
    end
  end)

  it("has a query that fits the contract's schema", function()
    local client = sandbox:client()
    client:audiences()()
    client:audiences { page = 250 }()
    client:syndication_status()()
    client:syndication_status { audience_id = "a b", adcp_agent_id = 7, enabled = true, status = "FAILED" }()
    client:syndication_status { enabled = false }()
    local seen = {}
    for _, request in ipairs(sandbox:requests()) do
      assert.equal(200, request.status)
      local rule = request.kind == "audiences" and contract.audiences_query or contract.syndication_query
      fits(contract.closed(rule), query_of(request.target))
      seen[#seen + 1] = request.kind
    end
    assert.equal(5, #seen)
  end)
end)

describe("a list in pages that repeat rows", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("gives each row once, with either form of paging", function()
    local client, audiences, want = sandbox:client(), {}, {}
    for i = 1, 25 do
      want[i] = ("a%02d"):format(i)
      audiences[i] = assert(scope3.audience { id = want[i] })
      assert(audiences[i]:add { external_id = "1", email = "a@example.com" })
    end
    assert(client:sync(audiences))
    for _, pagination in ipairs { "body", "meta" } do
      sandbox:configure { pagination = pagination, page_repeats = 3 }
      local _, page = pcall(function()
        return json.decode(world.http("GET", sandbox.url .. "/api/v2/buyer/advertisers/25/audiences?take=10&skip=10",
          nil,
          { headers = { "Authorization: Bearer x" } }).body)
      end)
      assert.equal("a08", page.audiences[1].audienceId) -- the sandbox does what it was told
      local got = {}
      for row, err in client:audiences { page = 10 } do
        assert(row, tostring(err))
        got[#got + 1] = row.audience_id
      end
      table.sort(got)
      assert.same(want, got)
    end
    local agents, seen = {}, {}
    for i = 1, 120 do
      agents[i] = ("agent-%03d"):format(i)
    end
    assert(client:syndicate { audience_id = "a01", adcp_agent_ids = agents })
    for item, err in client:syndication_status { audience_id = "a01" } do
      assert(item, tostring(err))
      seen[#seen + 1] = item.adcp_agent_id
    end
    table.sort(seen)
    assert.same(agents, seen)
    assert.equal(2, #sandbox:requests "syndication_status")
  end)
end)
