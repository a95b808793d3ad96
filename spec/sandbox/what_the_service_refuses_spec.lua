-- What the sandbox refuses of requests, settings and faults, and what its faults make of a request.
local faults = require "scope3.sandbox.faults"
local http = require "scope3.sandbox.http"
local json = require "scope3.util.json"
local rate_limit = require "scope3.sandbox.rate_limit"
local sandbox_service = require "spec.support.sandbox_service"
local settings = require "scope3.sandbox.settings"
local validate = require "scope3.sandbox.validate"
local world = require "spec.support.world"

local HASH = ("ab"):rep(32)
local PREFIX = "/api/v2/buyer/advertisers/25"

local function array(...)
  return json.array { ... }
end

local function member(more)
  local made = { externalId = "1", hashedEmail = HASH }
  for key, value in pairs(more or {}) do
    made[key] = value ~= json.null and value or nil
  end
  return made
end

describe("a sync request", function()
  local function issues(body, limits)
    local all = { max_members = 100, issues_listed = 100 }
    for key, value in pairs(limits or {}) do
      all[key] = value
    end
    local list = {}
    for i, issue in ipairs(validate(body, all)) do
      list[i] = issue.path .. ": " .. issue.message
    end
    return list
  end

  -- Of a request with one audience, with one member, with one field.
  local function of_push(push)
    return { audiences = array { audienceId = "a" }, pushNotificationConfig = push }
  end
  local function of_audience(more)
    local audience = { audienceId = "a" }
    for key, value in pairs(more) do
      audience[key] = value
    end
    return { audiences = array(audience) }
  end
  local function of_member(more)
    return of_audience { add = array(member(more)) }
  end
  local KEYED = { url = "https://x.example/", operation_id = "a.b:c_d-1", token = ("t"):rep(16) }
  local function pushed(more)
    local push = {}
    for key, value in pairs(KEYED) do
      push[key] = value
    end
    for key, value in pairs(more) do
      push[key] = value
    end
    return of_push(push)
  end

  local CASES = {
    { array(), ": must be an object" }, { {}, "audiences: must be an array with at least one entry" },
    { { audiences = array() }, "audiences: must be an array with at least one entry" },
    { { audiences = array(5) }, "audiences[0]: must be an object" },
    { { audiences = array { audienceId = "a" }, deleteMissing = 1 }, "deleteMissing: must be a boolean" },
    { { audiences = array { audienceId = "a" }, deleteMissing = true } },
    { { audiences = array({ audienceId = "a" }, { audienceId = "a" }) },
      "audiences[1].audienceId: is repeated in this request" },
    { { audiences = array({ audienceId = "" }) }, "audiences[0].audienceId: must be a string of 1 to 255 characters" },
    { { audiences = array({ audienceId = ("é"):rep(255) }) } },
    { { audiences = array({ audienceId = ("é"):rep(256) }) },
      "audiences[0].audienceId: must be a string of 1 to 255 characters" },
    { of_audience { delete = 1 }, "audiences[0].delete: must be a boolean" }, { of_audience { delete = true } },
    { of_audience { name = ("x"):rep(255) } }, { of_audience { name = "" } },
    { of_audience { name = ("x"):rep(256) }, "audiences[0].name: must be a string of at most 255 characters" },
    { of_audience { consentBasis = "consent" } }, { of_audience { consentBasis = "legitimate_interest" } },
    { of_audience { consentBasis = "contract" } }, { of_audience { consentBasis = "legal_obligation" } },
    { of_audience { consentBasis = "maybe" },
      "audiences[0].consentBasis: must be one of consent, legitimate_interest, contract, legal_obligation" },
    { of_audience { add = {} }, "audiences[0].add: must be an array" },
    { of_audience { add = array(5) }, "audiences[0].add[0]: must be an object" },
    { of_audience { add = array(member(), member { externalId = "2" }) } },
    { of_audience { add = array(member(), member()) }, "audiences[0].add[1].externalId: is repeated in this list" },
    { of_audience { remove = array({ externalId = "1" }, { externalId = "1" }) } },
    { of_audience { remove = array { externalId = 1 } },
      "audiences[0].remove[0].externalId: must be a non-empty string" },
    { of_audience { delete = true, add = array({ externalId = "1" }, { externalId = "1" }) } },
    { of_member { hashedEmail = HASH:upper() }, "audiences[0].add[0].hashedEmail: must match ^[0-9a-f]{64}$" },
    { of_member { hashedPhone = HASH .. "a" }, "audiences[0].add[0].hashedPhone: must match ^[0-9a-f]{64}$" },
    { of_member { hashedEmail = json.null },
      "audiences[0].add[0]: needs at least one of hashedEmail, hashedPhone, uids" },
    { of_member { hashedEmail = json.null, uids = array { type = "t", value = "v" } } },
    { of_member { uids = array() }, "audiences[0].add[0].uids: must be an array with at least one entry" },
    { of_member { uids = array(5) }, "audiences[0].add[0].uids[0]: must be an object" },
    { of_member { uids = array({ type = "t", value = "v" }, { type = "", value = "v" }) },
      "audiences[0].add[0].uids[1].type: must be a non-empty string" },
    { pushed {} }, { of_push(array()), "pushNotificationConfig: must be an object" },
    { pushed { url = "ftp://x.example/" }, "pushNotificationConfig.url: must be a URL" },
    { pushed { operation_id = ("x"):rep(255) } },
    { pushed { operation_id = ("x"):rep(256) },
      "pushNotificationConfig.operation_id: must match ^[A-Za-z0-9_.:-]{1,255}$" },
    { pushed { operation_id = "a b" }, "pushNotificationConfig.operation_id: must match ^[A-Za-z0-9_.:-]{1,255}$" },
    { pushed { token = ("t"):rep(4096) } },
    { pushed { token = ("t"):rep(15) }, "pushNotificationConfig.token: must have 16 to 4096 characters" },
    { pushed { authentication = { schemes = array "Bearer", credentials = ("c"):rep(32) } } },
    { pushed { authentication = array() }, "pushNotificationConfig.authentication: must be an object" },
    { pushed { authentication = { schemes = array "Basic", credentials = ("c"):rep(32) } },
      "pushNotificationConfig.authentication.schemes: must be an array of one entry, Bearer or HMAC-SHA256" },
    { pushed { authentication = { schemes = array("Bearer", "Bearer"), credentials = ("c"):rep(32) } },
      "pushNotificationConfig.authentication.schemes: must be an array of one entry, Bearer or HMAC-SHA256" },
    { pushed { authentication = { schemes = array "Bearer", credentials = ("c"):rep(31) } },
      "pushNotificationConfig.authentication.credentials: must have at least 32 characters" },
  }
  for i, case in ipairs(CASES) do
    it(("%d is %s"):format(i, case[2] and "refused: " .. case[2] or "taken"), function()
      assert.same({ case[2] }, issues(case[1]))
    end)
  end

  it("has at most so many members, in a list and in all", function()
    local two = of_audience { add = array(member(), member { externalId = "2" }) }
    assert.same({}, issues(two, { max_members = 2 }))
    assert.same({ "audiences[0].add: must have at most 1 entries", "audiences: 2 members, at most 1 in one call" },
      issues(two, { max_members = 1 }))
    local apart = of_audience { add = array(member()), remove = array { externalId = "2" } }
    assert.same({ "audiences: 2 members, at most 1 in one call" }, issues(apart, { max_members = 1 }))
    assert.same({}, issues(of_audience { delete = true, add = array(member()), remove = array(member()) },
      { max_members = 1 }))
  end)

  it("is told what is wrong with it, up to a number of problems", function()
    assert.equal(2, #issues({ audiences = array(1, 2, 3) }, { issues_listed = 2 }))
  end)

  it("has members that the service does not like", function()
    local add, remove = array(member(), member { externalId = "2" }), array { externalId = "2" }
    assert.same({
      "audiences[0].add[1].hashedEmail: is not accepted", "audiences[0].remove[0].externalId: is not accepted",
    }, issues(of_audience { add = add, remove = remove }, { refuse = { "2" } }))
  end)
end)

describe("a setting of the sandbox", function()
  for _, case in ipairs {
    { "min_size", 0 }, { "min_size", -1, "min_size must be a whole number, 0 or more" },
    { "min_size", 2 ^ 53 }, { "min_size", 1.5, "min_size must be a whole number, 0 or more" },
    { "match_rate", 1 }, { "match_rate", 0 }, { "match_rate", 1.1, "match_rate must be a number from 0 to 1" },
    { "date_skew", -1000000000 }, { "date_skew", 1000000001, "date_skew must be a number of seconds" },
    { "date_skew", -1000000001, "date_skew must be a number of seconds" },
    { "keys", { "a" } }, { "keys", "a", "keys must be a list of strings" }, { "keys", { a = "b" },
      "keys must be a list of strings" }, { "keys", { "" }, "keys must be a list of strings" }, { "keys", false },
    { "keys", json.null }, { "rate_limit", false }, { "rate_limit", json.null },
    { "rate_limit", 0, "rate_limit must be a whole number, 1 or more" },
    { "envelope", "data" }, { "envelope", "other", "envelope must be one of bare, data" },
    { "date_skew", 1e9 }, { "date_skew", -1e9 }, { "date_skew", 1000000001, "date_skew must be a number of seconds" },
    { "date_skew", -1000000001, "date_skew must be a number of seconds" },
    { "log_bodies", true }, { "log_bodies", 1, "log_bodies must be true or false" },
    { "task_shares", { completed = 0.5 } }, { "task_shares", { completed = 2 },
      "task_shares must be an object of outcomes and their shares from 0 to 1" },
    { "task_shares", 5, "task_shares must be an object of outcomes and their shares from 0 to 1" },
    { "task_lengths", { 1, 2 } }, { "task_lengths", { "x" }, "task_lengths must be a list of seconds" },
    { "retry_after", false }, { "retry_after", -1, "retry_after must be a number of seconds, or false" },
    { "faults", { { on = "sync", act = "hang" } } }, { "faults", 5, "faults must be a list" },
  } do
    it(("is %s: %s"):format(case[3] or "taken", case[1]), function()
      local config = {}
      settings.reset(config)
      assert.equal(case[3], (settings.change(config, { [case[1]] = case[2] })))
    end)
  end

  it("has the default that is documented", function()
    local config, documented = {}, 0
    settings.reset(config)
    local page = world.read("docs/sandbox.md"):match "\n## Settings\n.-\n##"
    for name, default in page:gmatch "\n| `([a-z_]+)` | ([^|]*) |" do
      if config[name] ~= nil then
        documented = documented + 1
        default = json.decode((default:gsub("`", "")))
        assert.same(default, type(config[name]) == "table" and next(config[name]) == nil and {} or config[name], name)
      end
    end
    local known = 0
    for _ in pairs(config) do
      known = known + 1
    end
    assert.equal(known, documented)
  end)

  it("is kept as it was given, and lists apart from what they were set from", function()
    local config, given = {}, { task_lengths = { 1, 2 }, keys = json.null, faults = { { on = "any", act = "hang" } } }
    settings.reset(config)
    assert.same({ 67108864, false, 0.2, "bare", {} }, { config.max_body, config.task_shares, config.task_seconds,
      config.envelope, config.faults })
    assert.is_nil(settings.change(config, given))
    table.remove(config.task_lengths)
    config.faults[1].times = 0
    assert.same({ { 1, 2 }, nil, false }, { given.task_lengths, given.faults[1].times, config.keys })
    assert.equal('{"f":[{"act":"hang","on":"any","times":0}],"l":[1]}',
      json.encode { f = config.faults, l = config.task_lengths })
  end)

  it("is a JSON value or a word on the command line", function()
    assert.same({ "task_seconds", 5 }, { settings.read "task_seconds=5" })
    assert.same({ "envelope", "data" }, { settings.read "envelope=data" })
    assert.same({ "keys", false }, { settings.read "keys=null" })
    assert.is_nil((settings.read "envelope"))
    assert.same({ nil, "envelope must be one of bare, data" }, { settings.read "envelope=5" })
  end)
end)

describe("a body", function()
  for text, why in pairs {
    ["{"] = "no JSON from byte 2 on", ['{"a":"\255"}'] = "is not UTF-8, or no JSON by RFC 8259",
    ['{"a":1,"a":2}'] = "has a key more than once: a", ["5"] = "must be an object",
  } do
    it("that is none is told why: " .. why, function()
      local status, got = sandbox_service.new():ask("POST", PREFIX .. "/audiences/sync", text)
      assert.same({ 400, { { path = "", message = why } } }, { status, got.error.details.issues })
    end)
  end
end)

describe("a fault", function()
  for act in pairs(faults.ACTIONS) do
    it("may act: " .. act, function()
      assert.is_nil((faults.problem { { on = "sync", act = act, status = 500 } }))
    end)
  end
  for act in ("delay stall status hang cut_before cut_inside cut_after lost_reply half_reply huge redirect garbage "
    .. "not_json wrong_envelope wrong_types echo issues close die_on_reuse"):gmatch "%S+" do
    it("is documented to act: " .. act, function()
      assert.is_true(faults.ACTIONS[act])
    end)
  end
  for kind in ("sync audiences task syndicate syndication_status other any"):gmatch "%S+" do
    it("may be on: " .. kind, function()
      assert.is_nil((faults.problem { { on = kind, act = "hang" } }))
    end)
  end

  local NEEDS = "a fault needs on, a kind of request, and a known act"
  for _, case in ipairs {
    { 5, NEEDS }, { { on = "x", act = "hang" }, NEEDS }, { { on = "sync", act = "x" }, NEEDS },
    { { times = -1 } }, { { times = -2 }, "times of a fault must be a number from -1 to 1000000000" },
    { { times = 1000000000 } }, { { seconds = 1000000 } },
    { { seconds = 1000001 }, "seconds of a fault must be a number from 0 to 1000000" },
    { { status = 599 } }, { { status = 600 }, "status of a fault must be a number from 200 to 599" },
    { { status = 200.5 }, "status of a fault must be a whole number" }, { { bytes = 0 } }, { { share = 0 } },
    { { retry_after = 0 } }, { { retry_after = "soon" } }, { { after = 0 } },
    { { html = 1 }, "html of a fault must be a boolean" }, { { other = 1 }, "a fault has no other" },
    { { act = "status" }, "a fault with the act status needs a status" },
  } do
    it("is " .. (case[2] or "taken"), function()
      local rule = case[1]
      if type(rule) == "table" and not rule.on then
        rule.on, rule.act = "sync", rule.act or "hang"
      end
      assert.equal(case[2], (faults.problem { rule }))
    end)
  end

  it("is one of a list without holes", function()
    local good = { on = "sync", act = "hang" }
    assert.is_nil((faults.problem {}))
    assert.equal("faults must be a list", faults.problem { good, x = good })
    assert.equal("faults must be a list", faults.problem "x")
    assert.equal(19, #faults.fields())
  end)

  it("applies to so many requests of its kind, after so many", function()
    local function taken(rule, kinds)
      local list = {}
      for i, kind in ipairs(kinds) do
        list[i] = faults.take({ rule }, kind, function() return 0.5 end) and "x" or "-"
      end
      return table.concat(list)
    end
    local SYNC = { "sync", "sync", "sync", "sync", "sync" }
    assert.equal("x----", taken({ on = "sync" }, SYNC))
    assert.equal("---xx", taken({ on = "sync", after = 3, times = 2 }, SYNC))
    assert.equal("-xxxx", taken({ on = "any", after = 1, times = -1 }, SYNC))
    assert.equal("-x---", taken({ on = "task" }, { "sync", "task", "sync", "task", "any" }))
    assert.equal("-----", taken({ on = "sync", share = 0.5, times = -1 }, SYNC))
    assert.equal("xxxxx", taken({ on = "sync", share = 0.6, times = -1 }, SYNC))
  end)

  it("never applies with a share of nothing, and always with a whole one", function()
    -- Seeds whose first number is the least and the largest that there is.
    for seed, first in pairs { [1899818558] = 0, [247665087] = 2147483645 / 2147483646 } do
      assert.equal(first, faults.random(seed)())
      for share, applies in pairs { [0] = false, [1] = true } do
        local rule = { on = "sync", share = share }
        assert.equal(applies, faults.take({ rule }, "sync", faults.random(seed)) == rule)
      end
    end
  end)

  it("is carried out on the request that it applies to, and noted", function()
    local function of(rule, method, target)
      rule.on = rule.on or "any"
      local s = sandbox_service.new { faults = { rule } }
      local decision = s:decide(method or "POST", target or PREFIX .. "/audiences/sync", '{"audiences":[]}')
      return decision, s
    end
    assert.same({ act = "cut", take = 8 }, (of { act = "cut_inside" }))
    assert.same({ act = "delay", seconds = 20, cut = true }, (of { act = "stall" }))
    assert.same({ act = "stream", bytes = 104857600 }, (of { act = "huge" }))
    local wrong = of { act = "wrong_types" }.reply
    assert.equal(202, wrong.status)
    assert.same({ success = "yes", accountId = { 25 }, taskId = 4711, operationId = { "x" },
      task = { status = 7, taskId = {} }, audiences = { total = "many" }, total = "-1" }, json.decode(wrong.body))
    for location, rule in pairs { ["https://example.com/elsewhere"] = {}, ["/here"] = { location = "/here" } } do
      rule.act = "redirect"
      local reply = of(rule).reply
      assert.same({ 302, { "Location", location } }, { reply.status, reply.headers[1] })
    end
    local other, s = of({ act = "status", on = "other", status = 503, html = true, message = "gone" }, "GET", "/other")
    assert.same({ 503, "text/html" }, { other.reply.status, other.reply.headers[1][2] })
    assert.truthy(other.reply.body:find("<title>gone</title>", 1, true))
    assert.equal("status", s.sandbox.log[1].fault)
    local issues = { { path = "a", message = "b" } }
    assert.same(issues, json.decode(of({ act = "issues", issues = issues }).reply.body).error.details.issues)
    local echo = of { act = "echo" }
    assert.equal(400, echo.reply.status)
    assert.truthy(echo.reply.body:find("(key scope3_x)", 1, true), echo.reply.body)
    local one = sandbox_service.new { faults = { { on = "any", act = "echo", times = -1 } } }
    for id, text in pairs { ["7"] = '{"externalId":"7"}', none = false } do
      local _, got = one:ask("POST", PREFIX .. "/audiences/sync", text or nil)
      assert.equal(("value '%s' is not allowed"):format(id), got.error.details.issues[1].message)
    end
    assert.is_true(of({ act = "close" }).close)
    assert.is_true(of({ act = "die_on_reuse" }).doomed)
  end)
end)

describe("a connection", function()
  it("is closed where the client asks for that", function()
    local s = sandbox_service.new()
    local function closes(word)
      return s:decide("GET", PREFIX .. "/audiences", nil, { authorization = "Bearer k", connection = word }).close
    end
    assert.same({ false, true, false }, { closes(nil) or false, closes "Close", closes "keep-alive" })
  end)

  it("is told the reason of each status", function()
    for status, reason in pairs {
      [200] = "OK", [201] = "Created", [202] = "Accepted", [204] = "No Content", [301] = "Moved Permanently",
      [302] = "Found", [307] = "Temporary Redirect", [308] = "Permanent Redirect", [400] = "Bad Request",
      [401] = "Unauthorized", [402] = "Payment Required", [403] = "Forbidden", [404] = "Not Found",
      [405] = "Method Not Allowed", [409] = "Conflict", [411] = "Length Required", [413] = "Content Too Large",
      [422] = "Unprocessable Content", [429] = "Too Many Requests", [500] = "Internal Server Error",
      [501] = "Not Implemented", [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout",
      [599] = "Unknown",
    } do -- RFC 9110 section 15, RFC 6585
      assert.equal(("HTTP/1.1 %d %s\r\n\r\n"):format(status, reason), http.head(status, {}))
    end
  end)

  it("has a limit of requests a minute, told in both forms", function()
    for form, headers in pairs {
      fields = { { "RateLimit-Limit", "2" }, { "RateLimit-Remaining", 1 }, { "RateLimit-Reset", 60 } },
      single = { { "RateLimit", "limit=2, remaining=1, reset=60" } },
    } do
      local limit, config = rate_limit.new(), { rate_limit = 2, rate_form = form }
      assert.same({ headers, false, 60 }, { limit:count(config, 1000) })
      assert.same({ false, 60 }, { select(2, limit:count(config, 1000.5)) })
      assert.same({ true, 60 }, { select(2, limit:count(config, 1000.9)) })
      assert.same({ true, 1 }, { select(2, limit:count(config, 1059.5)) })
      assert.same({ false, 1 }, { select(2, limit:count(config, 1060)) })
    end
    assert.same({ {}, false }, { rate_limit.new():count({}, 1000) })
  end)

  it("is told when to come again in seconds, by a date of the service's clock, or in any words", function()
    for _, case in ipairs {
      { "3", 2.2, "seconds" }, { "Sun, 09 Sep 2001 00:46:43 GMT", 2.2, "date" }, { "soon", "soon", "date" },
    } do
      local config = { retry_after_form = case[3], date_skew = -3600 }
      assert.same({ "Retry-After", case[1] }, rate_limit.retry_after(config, 1000000000.5, case[2]))
    end
  end)
end)

describe("an offer to agents", function()
  local function offer(s, body)
    return s:ask("POST", PREFIX .. "/syndicate", body)
  end
  local function body(more)
    local made = { resourceType = "AUDIENCE", resourceId = "a", enabled = true, adcpAgentIds = array("x", "y") }
    for key, value in pairs(more) do
      made[key] = value
    end
    return made
  end
  local function with_audience()
    local s = sandbox_service.new()
    s:ask("PUT", "/sandbox/audience", { account = "25", audienceId = "a" })
    return s
  end

  it("is kept for each agent once, and can be asked for", function()
    local s = with_audience()
    local status, got = offer(s, body {})
    assert.same({ 201, 2, "PENDING", "x" }, { status, #got.data, got.data[1].status, got.data[1].adcpAgentId })
    s.now = s.now + 5
    got = select(2, offer(s, body { enabled = false, adcpAgentIds = array "y" }))
    assert.same({ "DISABLED", "2001-09-09T01:46:40.000Z", "2001-09-09T01:46:45.000Z" }, { got.data[1].status,
      got.data[1].createdAt, got.data[1].updatedAt })
    for query, total in pairs {
      [""] = 2, ["?enabled=true"] = 1, ["?enabled=false"] = 1, ["?adcpAgentId=y"] = 1, ["?resourceId=b"] = 0,
      ["?status=PENDING"] = 1, ["?resourceType=CATALOG"] = 0, ["?limit=1"] = 2, ["?offset=1"] = 2,
    } do
      local code, list = s:ask("GET", PREFIX .. "/syndication-status" .. query)
      assert.same({ 200, total }, { code, list.total }, query)
    end
  end)

  for path, change in pairs {
    resourceType = { resourceType = "x" }, resourceId = { resourceId = "" }, enabled = { enabled = 1 },
    adcpAgentIds = { adcpAgentIds = array() }, ["adcpAgentIds[1]"] = { adcpAgentIds = array("x", "") },
  } do
    it("is refused for its " .. path, function()
      local status, got = offer(with_audience(), body(change))
      assert.same({ 400, path, 1 }, { status, got.error.field, #got.error.details.issues })
    end)
  end

  it("is refused for an audience that is not there, and so are filters that mean nothing", function()
    assert.equal(404, (offer(sandbox_service.new(), body {})))
    assert.equal(400, (offer(sandbox_service.new(), "[]")))
    for _, query in ipairs { "enabled=yes", "status=x", "resourceId=", "limit=0", "limit=101", "offset=-1" } do
      local status, got = sandbox_service.new():ask("GET", PREFIX .. "/syndication-status?" .. query)
      assert.same({ 400, query:match "^%a+" }, { status, got.error.field })
    end
    local _, both = sandbox_service.new():ask("GET", PREFIX .. "/syndication-status?limit=0&offset=-1")
    assert.same({ "The request is not valid: 2 problems", "limit" }, { both.error.message, both.error.field })
  end)
end)
