-- The sandbox and the schemas of the contract agree.
-- Its replies fit them, and it refuses exactly what they refuse.
local contract = require "spec.support.contract"
local json_schema = require "spec.support.json_schema"
local world = require "spec.support.world"

local curl = require "scope3.engine" -- behind the core, which `world` has loaded
local json = world.json

local function fits(rule, value)
  assert.same({}, json_schema.told(rule, value))
end

local HASH, SECRET = ("0123456789abcdef"):rep(4), ("s"):rep(32)

-- --- mutations of a value ----------------------------------------------------------------------------------------

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, item in pairs(value) do
    made[key] = copy(item)
  end
  return json.is_array(value) and json.array(made) or made
end

-- Values to put in the place of a text: of other types, and at the limits of any length that the contract has.
local function other_values(value)
  local found = { json.null, 7, 5.5, true, false, "", "x", json.array {}, json.array { "x" }, {}, { x = 1 } }
  if type(value) == "string" then
    for _, n in ipairs { 1, 15, 16, 31, 32, 63, 65, 255, 256, 4096, 4097 } do
      found[#found + 1] = ("a"):rep(n)
      found[#found + 1] = ("é"):rep(n)
    end
    for _, text in ipairs { value:upper(), value .. " ", " " .. value, value .. "\n", (value:gsub(".$", "g")),
        "BEARER", "Bearer",
      "HMAC-SHA256", "hmac-sha256", "consent", "Consent", "legal_obligation", "ftp://x", "https://",
      "http://[::1]:80/x", "a b", "a:B-_.9" } do
      found[#found + 1] = text
    end
  elseif json.is_array(value) then
    local doubled = copy(value)
    for _, item in ipairs(value) do
      item = copy(item)
      for _, id in ipairs { "audienceId", "externalId" } do -- of which a list has each once
        if type(item) == "table" and item[id] then
          item[id] = item[id] .. "-2"
        end
      end
      doubled[#doubled + 1] = item
    end
    found[#found + 1] = doubled
    found[#found + 1] = json.array { json.null }
  end
  return found
end

-- Calls `try(changed value, path)` with each single change of a value: a key gone, another value, a further key.
local function mutate(root, try)
  local function walk(value, path)
    for key, item in pairs(value) do
      local at = type(key) == "number" and ("%s[%d]"):format(path, key - 1) or path == "" and key or path .. "." .. key
      for _, other in ipairs(other_values(item)) do
        value[key] = other
        try(root, at)
      end
      if type(key) == "string" then
        value[key] = nil
        try(root, at)
      end
      value[key] = item
      if type(item) == "table" then
        walk(item, at)
      end
    end
    if not json.is_array(value) then
      for _, further in ipairs { json.null, 1, "x", { x = 1 } } do
        value.nobody_knows = further
        try(root, path == "" and "nobody_knows" or path .. ".nobody_knows")
      end
      value.nobody_knows = nil
    end
  end
  walk(root, "")
end

describe("the sandbox's schema", function()
  local sandbox = world.around(setup, teardown, before_each)
  local KEY = { "Authorization: Bearer an-access-token", "Content-Type: application/json" }

  local engine
  setup(function()
    engine = assert(curl.engine {})
  end)
  teardown(function()
    engine:close()
  end)

  local function call(method, path, body, headers)
    assert(engine:submit { method = method, url = sandbox.url .. "/api/v2/buyer/" .. path, body = body,
      headers = headers or KEY, timeout = 60 })
    local result = world.next_result(engine)
    return result.status, result.body and json.decode(result.body), result
  end

  local function request()
    return { audiences = json.array {
      { audienceId = "crm", name = "Customers", consentBasis = "contract",
        add = json.array {
          { externalId = "1", hashedEmail = HASH, hashedPhone = HASH, uids = json.array { { type = "id5",
            value = "ID5*x" } } },
        },
        remove = json.array { { externalId = "2", hashedEmail = HASH, uids = json.array { { type = "id5",
          value = "ID5*x" } } } } },
    }, deleteMissing = true, pushNotificationConfig = { url = "https://example.com/hook", operation_id = "op:1",
    token = ("t"):rep(16),
      authentication = { schemes = json.array { "Bearer" }, credentials = SECRET } } }
  end

  -- Whether one of two paths leads to the other.
  local function meet(a, b)
    return a:sub(1, #b) == b or b:sub(1, #a) == a
  end

  -- Tries each single change; how many were refused and taken.
  local function compare(base, rule, path, taken_status)
    local refused, taken = 0, 0
    mutate(base, function(value, at)
      local problems = json_schema.told(rule, value)
      local text = json.encode(value)
      local status, body = call("POST", path, text)
      if #problems == 0 then
        assert(status == taken_status, ("%s: taken by the schema, answered %s: %s"):format(at, tostring(status), text))
        taken = taken + 1
      else
        assert(status == 400, ("%s: refused by the schema (%s), answered %s: %s"):format(at, problems[1],
          tostring(status), text:sub(1, 1000)))
        fits(contract.error, body)
        local found = false
        for _, issue in ipairs(body.error.details.issues) do
          found = found or meet(issue.path, at)
        end
        assert(found, ("%s: none of the issues has its path, the first is %s"):format(at,
          body.error.details.issues[1].path))
        refused = refused + 1
      end
    end)
    return refused, taken
  end

  it("refuses each single change of a request that the contract refuses, at its path, and takes each other", function()
    local refused, taken = compare(request(), contract.sync_request, "advertisers/25/audiences/sync", 202)
    assert.is_true(refused > 300 and taken > 100, refused .. " refused, " .. taken .. " taken")
  end)

  it("looks at the types of what stands next to a deletion too", function()
    local base = request()
    base.audiences[1].delete = true
    base.audiences[1].name, base.pushNotificationConfig = nil, nil
    local refused, taken = compare(base, contract.deletion_request, "advertisers/25/audiences/sync", 202)
    assert.is_true(refused > 150 and taken > 50, refused .. " refused, " .. taken .. " taken")
  end)

  it("refuses each single change of a syndication that the contract refuses, and takes each other", function()
    assert.equal(202, (call("POST", "advertisers/25/audiences/sync",
      json.encode { audiences = json.array { { audienceId = "crm" } } })))
    local base = { resourceType = "AUDIENCE", resourceId = "crm", adcpAgentIds = json.array { "agent-1", "agent-2" },
      enabled = true }
    -- Another audience is not found: only the form of its id is looked at here.
    local refused, taken = 0, 0
    mutate(base, function(value)
      local problems = json_schema.told(contract.syndicate_request, value)
      local status, body = call("POST", "advertisers/25/syndicate", json.encode(value))
      if #problems > 0 then
        assert.equal(400, status, problems[1])
        fits(contract.error, body)
        refused = refused + 1
      else
        assert.equal(value.resourceId == "crm" and 201 or 404, status)
        taken = taken + 1
      end
    end)
    assert.is_true(refused > 60 and taken > 40, refused .. " refused, " .. taken .. " taken")
  end)

  it("refuses the queries that the contract refuses", function()
    local cases = {
      audiences = { [""] = true, ["take=1"] = true, ["take=250&skip=7"] = true, ["take=0"] = false,
        ["take=251"] = false, ["take="] = false,
        ["take=5.0"] = false, ["take=0x10"] = false, ["take=1e1"] = false, ["take=-1"] = false, ["skip=-1"] = false,
        ["skip=x"] = false,
        ["take=%2B5"] = false, ["nobody_knows=1"] = true },
      ["syndication-status"] = { [""] = true, ["resourceType=AUDIENCE"] = true, ["resourceType=CATALOG"] = true,
        ["resourceType=audience"] = false,
        ["enabled=true"] = true, ["enabled=maybe"] = false, ["enabled="] = false, ["enabled=TRUE"] = false,
        ["status=PENDING"] = true,
        ["status=NOPE"] = false, ["status=pending"] = false, ["limit=100&offset=3"] = true, ["limit=0"] = false,
        ["limit=101"] = false,
        ["limit=5.0"] = false, ["offset=-1"] = false, ["resourceId="] = false, ["adcpAgentId="] = false,
        ["adcpAgentId=5"] = true },
    }
    for path, queries in pairs(cases) do
      for query, fine in pairs(queries) do
        local status, body = call("GET", "advertisers/25/" .. path .. "?" .. query)
        assert.equal(fine and 200 or 400, status, path .. "?" .. query)
        if not fine then
          fits(contract.error, body)
          assert.equal(query:match("^%w+"), body.error.details.issues[1].path)
        end
      end
    end
  end)

  it("refuses a body that is no JSON, or that parsers read in two ways", function()
    local fine = json.encode { audiences = json.array { { audienceId = "a" } } }
    for _, body in ipairs {
      "", " ", "{", fine .. "x", fine .. fine, "\239\187\191" .. fine, fine:gsub('"a"', "0x10"),
      fine:gsub('"a"', "NaN"), fine:gsub('"a"', "-Infinity"),
      fine:gsub('"a"', "'a'"), fine:gsub('"a"', "01"), fine:gsub('"a"', "undefined"), fine:gsub("}$", ",}"),
      fine:gsub('"a"', '"\255"'),
      fine:gsub('"a"', '"\\ud800"'), fine:gsub('"a"', '"a\n"'), fine:gsub('"audienceId":"a"',
        '"audienceId":"a","audienceId":"b"'),
      fine:gsub('"audienceId":"a"', '"audienceId":"a","audience\\u0049d":"a"'), '{"audiences":[],' .. fine:sub(2),
      "/**/" .. fine, "null", "[]", '"x"', "7", "true",
    } do
      local status, answer = call("POST", "advertisers/25/audiences/sync", body)
      assert.equal(400, status, body)
      fits(contract.error, answer)
      assert.equal("", answer.error.details.issues[1].path, body)
    end
    assert.equal(202, (call("POST", "advertisers/25/audiences/sync", " \n" .. fine .. "\t\r\n")))
  end)

  it("takes one id in add and remove, and removes it then", function()
    sandbox:configure { task_seconds = 0 }
    local members = json.array { { externalId = "both", hashedEmail = HASH }, { externalId = "stays",
      hashedEmail = HASH } }
    assert.equal(202, (call("POST", "advertisers/25/audiences/sync", json.encode { audiences = json.array {
      { audienceId = "a", add = members, remove = json.array { { externalId = "both" }, { externalId = "both" } } },
    } })))
    assert.same({ "stays" }, sandbox:ids "a")
    assert.equal(400, (call("POST", "advertisers/25/audiences/sync", json.encode { audiences = json.array {
      { audienceId = "a", add = json.array { members[1], members[1] } },
    } })))
  end)

  it("counts the members of all audiences, and of each list, but none next to a deletion", function()
    sandbox:configure { max_members = 3 }
    local function list(n, from)
      local made = json.array {}
      for i = 1, n do
        made[i] = { externalId = from .. i, hashedEmail = HASH }
      end
      return made
    end
    for _, case in ipairs {
      { 202, { audienceId = "a", add = list(2, "a"), remove = list(1, "r") } },
      { 400, { audienceId = "a", add = list(2, "a"), remove = list(2, "r") } },
      { 400, { audienceId = "a", add = list(4, "a") } }, { 400, { audienceId = "a", delete = true, add = list(4,
        "a") } },
      { 202, { audienceId = "a", delete = true, add = list(3, "a"), remove = list(3, "a") } },
      { 400, { audienceId = "a", add = list(2, "a") }, { audienceId = "b", remove = list(2, "a") } },
    } do
      local status = table.remove(case, 1)
      assert.equal(status, (call("POST", "advertisers/25/audiences/sync",
        json.encode { audiences = json.array(case) })))
    end
  end)

  it("is that of each kind of reply, in both envelopes", function()
    for _, envelope in ipairs { "bare", "data" } do
      sandbox:reset()
      sandbox:configure { envelope = envelope, task_seconds = 3600 }
      local function rule(of)
        return envelope == "data" and contract.enveloped(of) or of
      end
      local function get(path)
        local status, body = call("GET", path)
        assert.equal(200, status)
        return body
      end
      local status, body = call("POST", "advertisers/25/audiences/sync", json.encode(request()))
      assert.equal(202, status)
      fits(rule(contract.accepted), body)
      local id = (body.data or body).taskId
      fits(rule(contract.task), get("tasks/" .. id))
      fits(rule(contract.audiences), get "advertisers/25/audiences")
      sandbox:configure { pagination = "meta" }
      fits(rule(contract.audiences_in_meta), get "advertisers/25/audiences?take=1")
      local offer = json.encode { resourceType = "AUDIENCE", resourceId = "crm", adcpAgentIds = json.array { "x",
        "y" }, enabled = false }
      status, body = call("POST", "advertisers/25/syndicate", offer)
      assert.equal(201, status)
      fits(envelope == "data" and contract.enveloped(contract.records) or contract.syndicated, body)
      sandbox:configure { syndicate_reply = "bare" }
      fits(rule(contract.records), select(2, call("POST", "advertisers/25/syndicate", offer)))
      local seen = get "advertisers/25/syndication-status?resourceType=AUDIENCE"
      fits(rule(contract.syndication_status), seen)
      assert.equal(2, (seen.data or seen).total)
      seen = get "advertisers/25/syndication-status?resourceType=CATALOG"
      assert.equal(0, (seen.data or seen).total)
    end
  end)

  it("is that of a task in every status, of each rejection, and of /health", function()
    sandbox:configure { task_seconds = 0, task_outcomes = json.array { "completed", "failed:transient",
      "failed:correctable", "failed:terminal",
      "canceled", "rejected", "input-required", "auth-required", "audience-error", "never" } }
    for _ = 1, 10 do
      local status, body = call("POST", "advertisers/25/audiences/sync",
        json.encode { audiences = json.array { { audienceId = "a" } } })
      assert.equal(202, status)
      fits(contract.task, select(2, call("GET", "tasks/" .. body.taskId)))
    end
    sandbox:configure { max_body = 10 }
    for status, made in pairs {
      [400] = { "GET", "advertisers/25/audiences?take=x" }, [401] = { "GET", "advertisers/25/audiences", nil, {} },
      [404] = { "GET", "tasks/none" }, [405] = { "GET", "advertisers/25/syndicate" },
      [413] = { "POST", "advertisers/25/audiences/sync", ("x"):rep(11) },
    } do
      local got, body = call(made[1], made[2], made[3], made[4])
      assert.equal(status, got)
      fits(contract.error, body)
    end
    assert.equal(404, (call("GET", "advertisers/nobody/audiences")))
    for _, status in ipairs { 402, 403, 409, 422, 429, 500, 501, 502, 503, 504 } do
      sandbox:fault { on = "any", act = "status", status = status }
      local got, body = call("GET", "advertisers/25/audiences")
      assert.equal(status, got)
      fits(contract.error, body)
    end
    sandbox:configure { rate_limit = 3 }
    local limits = {}
    for i = 1, 4 do
      local status, body, result = call("GET", "advertisers/25/audiences")
      limits[i] = result.headers["ratelimit-limit"][1] or result.headers["ratelimit-limit"]
      if status == 429 then
        fits(contract.error, body)
      end
    end
    assert.same({ "3", "3", "3", "3" }, limits)
    fits(contract.health, json.decode(world.http("GET", sandbox.url .. "/health").body))
  end)
end)
