-- What the sandbox's service answers, task by task and route by route (docs/contract.md sections 2 to 4).
local json = require "scope3.util.json"
local sandbox_service = require "spec.support.sandbox_service"

local PREFIX = "/api/v2/buyer/advertisers/25"

-- An audience's part of a sync that adds members.
local function adding(id, n, more)
  local part = { audienceId = id, add = json.array {} }
  for i = 1, n do
    part.add[i] = { externalId = tostring(i), hashedEmail = ("ab"):rep(32) }
  end
  for key, value in pairs(more or {}) do
    part[key] = value
  end
  return part
end

describe("a route of the service", function()
  for _, case in ipairs {
    { 405, "GET", PREFIX .. "/audiences/sync" }, { 405, "POST", PREFIX .. "/audiences" },
    { 405, "GET", PREFIX .. "/syndicate" }, { 200, "GET", PREFIX .. "/syndication-status" },
    { 404, "GET", "/api/v2/buyer/tasks/x" }, { 404, "GET", "/api/v2/buyer/other" },
    { 404, "GET", "/api/v2/buyer/advertisers/jane/audiences" }, { 200, "GET", PREFIX .. "/audiences" },
    { 200, "GET", PREFIX .. "/audiences?skip=0" }, { 400, "GET", PREFIX .. "/audiences?skip=-1" },
    { 200, "GET", PREFIX .. "/audiences?skip=1000000000" }, { 400, "GET", PREFIX .. "/audiences?skip=1000000001" },
    { 400, "GET", PREFIX .. "/audiences?take=0" }, { 400, "GET", PREFIX .. "/audiences?take=251" },
    { 200, "GET", "/health" },
    { 200, "GET", "/.well-known/jwks.json" }, { 200, "GET", "/sandbox/requests" }, { 200, "GET", "/sandbox/callbacks" },
    { 200, "GET", "/sandbox/applied" }, { 200, "GET", "/sandbox/config" }, { 404, "GET", "/sandbox/members" },
    { 404, "GET", "/sandbox/members?account=25" }, { 404, "GET", "/sandbox/members?account=25&audience=x" },
    { 400, "PUT", "/sandbox/clock", '{"advance":5}' }, { 400, "PUT", "/sandbox/clock", "[5]" },
    { 400, "PUT", "/sandbox/config", "[]" }, { 200, "PUT", "/sandbox/config", "{}" },
    { 400, "PUT", "/sandbox/audience", "[]" }, { 400, "PUT", "/sandbox/audience", '{"account":"25"}' },
    { 200, "PUT", "/sandbox/audience", '{"account":"25","audienceId":"a","age":900000000}' },
    { 200, "PUT", "/sandbox/audience", '{"account":"25","audienceId":"a","age":-900000000}' },
    { 400, "PUT", "/sandbox/audience", '{"account":"25","audienceId":"a","age":1000000001}' },
    { 400, "PUT", "/sandbox/audience", '{"account":"25","audienceId":"a","more":5}' },
  } do
    it(("answers %d to %s %s %s"):format(case[1], case[2], case[3], case[4] or ""), function()
      assert.equal(case[1], (sandbox_service.new():ask(case[2], case[3], case[4])))
    end)
  end

  it("asks for a key, in either header, and for one that is known where some are", function()
    local s, known = sandbox_service.new(), sandbox_service.new { keys = { "one", "two" } }
    for _, case in ipairs {
      { s, {}, 401 }, { s, { authorization = "Basic x" }, 401 }, { s, { ["x-scope3-api-key"] = "" }, 401 },
      { s, { ["x-scope3-api-key"] = "k" }, 200 }, { s, { authorization = "bearer  k" }, 200 },
      { known, { authorization = "Bearer two" }, 200 }, { known, { authorization = "Bearer three" }, 401 },
    } do
      local status, got = case[1]:ask("GET", PREFIX .. "/audiences", nil, case[2])
      assert.equal(case[3], status)
      assert.equal(case[3] == 401 and "UNAUTHORIZED" or nil, got.error and got.error.code)
    end
  end)

  it("knows accounts by number, or those that it was given", function()
    local given = sandbox_service.new { accounts = { "a", "25" } }
    assert.equal(200, (given:ask("GET", "/api/v2/buyer/advertisers/a/audiences")))
    assert.equal(200, (given:ask("GET", PREFIX .. "/audiences")))
    assert.equal(404, (given:ask("GET", "/api/v2/buyer/advertisers/7/audiences")))
  end)

  it("refuses a body that is too large, with its code", function()
    local status, got = sandbox_service.new({ max_body = 5 }):ask("POST", PREFIX .. "/audiences/sync", "{     }")
    assert.same({ 413, "PAYLOAD_TOO_LARGE" }, { status, got.error.code })
  end)

  it("notes what was asked, without keys", function()
    local s = sandbox_service.new { log_bodies = true }
    s:ask("POST", PREFIX .. "/audiences/sync", '{"audiences":[]}',
      { authorization = "Bearer k", ["x-scope3-api-key"] = "k", accept = "x" })
    s:ask("GET", "/api/v2/buyer/other")
    local _, got = s:ask("GET", "/sandbox/requests")
    local first = got.requests[1]
    assert.same({ 2, 1, 400, "sync", "25", { accept = "x" }, '{"audiences":[]}', 16 }, { got.count, first.n,
      first.status, first.kind, first.account, first.http_headers, first.body, first.bytes })
    assert.equal(json.null, got.requests[2].kind)
    assert.same({ true, false }, { first.body_complete, got.requests[2].body_complete })
  end)

  it("says between which numbers one of a query must be", function()
    for query, least_and_most in pairs {
      ["audiences?take=x"] = "1 to 250", ["audiences?skip=x"] = "0 to 1000000000",
      ["syndication-status?limit=x"] = "1 to 100", ["syndication-status?offset=x"] = "0 to 1000000000",
    } do
      local _, got = sandbox_service.new():ask("GET", PREFIX .. "/" .. query)
      assert.same({ { path = query:match "%?(%a+)", message = "must be a whole number from " .. least_and_most } },
        got.error.details.issues)
    end
  end)

  it("lists pages of audiences, also where rows seem to move", function()
    local function ids(settings, query)
      local s = sandbox_service.new(settings)
      for i = 1, 7 do
        s:ask("PUT", "/sandbox/audience", { account = "25", audienceId = "a" .. i })
      end
      local status, got = s:ask("GET", PREFIX .. "/audiences" .. query)
      assert.equal(200, status)
      local list = {}
      for i, audience in ipairs(got.audiences) do
        list[i] = audience.audienceId
      end
      return table.concat(list, " "), got.total or got.meta.pagination.total
    end
    assert.same({ "a1 a2 a3", 7 }, { ids({}, "?take=3") })
    assert.same({ "a4 a5 a6", 7 }, { ids({}, "?take=3&skip=3") })
    assert.same({ "a7", 7 }, { ids({}, "?take=3&skip=6") })
    assert.same({ "a3 a4 a5", 8 }, { ids({ page_repeats = 1 }, "?take=3&skip=3") })
    assert.same({ "a1 a2 a3", 7 }, { ids({ page_repeats = 1 }, "?take=3") })
    assert.same({ "a1 a2", 7 }, { ids({ pagination = "meta" }, "?take=2") })
  end)
end)

describe("a task of the service", function()
  it("is submitted, works from half of its time on, and completes", function()
    local s = sandbox_service.new { task_seconds = 10, retry_after = 3 }
    local id = s:sync { adding("a", 2) }
    local first = s:task(id)
    assert.same({ "submitted", 3, "2001-09-09T01:46:40.000Z" }, { first.status, first.retryAfterSeconds,
      first.createdAt })
    assert.equal("submitted", s:task(id, 4.9).status)
    assert.equal("working", s:task(id, 0.1).status)
    local last = s:task(id, 5)
    assert.same({ "completed", json.null, json.null, "2001-09-09T01:46:50.000Z" }, { last.status,
      last.retryAfterSeconds, last.error, last.updatedAt })
  end)

  it("is not to be found before it shows", function()
    local s = sandbox_service.new { task_shows_after = 5 }
    local id = s:sync { adding("a", 1) }
    assert.is_nil(s:task(id, 4.9))
    assert.is_table(s:task(id, 0.1))
  end)

  for outcome, seen in pairs {
    ["completed"] = { "completed" }, ["audience-error"] = { "completed" },
    ["failed:transient"] = { "failed", "INTERNAL_ERROR" }, ["failed:correctable"] = { "failed", "VALIDATION_ERROR" },
    ["failed:terminal"] = { "failed", "ACCOUNT_SUSPENDED" }, ["failed:other"] = { "failed", "ACCOUNT_SUSPENDED" },
    ["input-required"] = { "input-required", "APPROVAL_REQUIRED" },
    ["auth-required"] = { "auth-required", "APPROVAL_REQUIRED" }, ["canceled"] = { "canceled" },
  } do
    it("ends as it was told: " .. outcome, function()
      local s = sandbox_service.new { task_outcomes = { outcome }, task_seconds = 1 }
      local task = s:task(s:sync { adding("a", 1) }, 1)
      assert.same(seen, { task.status, task.error ~= json.null and task.error.code or nil })
    end)
  end

  it("never ends where that was told", function()
    local s = sandbox_service.new { task_outcomes = { "never" }, task_seconds = 1 }
    assert.equal("working", s:task(s:sync { adding("a", 1) }, 1000000).status)
  end)

  it("ends by chance, with the shares that were given", function()
    local s = sandbox_service.new { task_shares = { canceled = 0.5, rejected = 0.25 }, task_seconds = 0 }
    local counts = {}
    for _ = 1, 400 do
      local status = s:task(s:sync { adding("a", 1) }).status
      counts[status] = (counts[status] or 0) + 1
    end
    assert.is_true(counts.canceled > 160 and counts.canceled < 240, counts.canceled)
    assert.is_true(counts.rejected > 60 and counts.rejected < 140, counts.rejected)
    assert.is_true(counts.completed > 60 and counts.completed < 140, counts.completed)
  end)

  it("takes as long as it was told, and else the usual time with its jitter", function()
    local s = sandbox_service.new { task_lengths = { 30 }, task_seconds = 10, task_jitter = 5, seed = 1000000 }
    local long, usual = s:sync { adding("a", 1) }, s:sync { adding("a", 1) }
    assert.equal("working", s:task(usual, 12.38).status) -- the seed draws 0.478 first
    assert.equal("completed", s:task(usual, 0.02).status)
    assert.equal("working", s:task(long, 17.59).status)
    assert.equal("completed", s:task(long, 0.02).status)
  end)

  -- The order in which tasks of 3, 2 and 1 seconds were applied, after 10 seconds.
  for order, applied in pairs { ["in"] = "c b a", strict = "a b c", reversed = "c b a" } do
    it("is applied in the order " .. order, function()
      local s = sandbox_service.new { task_lengths = { 3, 2, 1 }, task_order = order }
      for _, id in ipairs { "a", "b", "c" } do
        s:sync { adding(id, 1) }
      end
      for _ = 1, 100 do
        s.now = s.now + 0.1
        s.sandbox.state:settle()
      end
      local _, got = s:ask("GET", "/sandbox/applied")
      local list = {}
      for i, one in ipairs(got.applied) do
        list[i] = one.audiences[1].audienceId
      end
      assert.equal(applied, table.concat(list, " "))
    end)
  end

  it("is applied in the order of its request where many end at once", function()
    local s = sandbox_service.new { task_seconds = 1 }
    for i = 1, 30 do
      s:sync { adding("a" .. i, 1) }
    end
    s.now = s.now + 1
    s.sandbox.state:settle()
    local _, got = s:ask("GET", "/sandbox/applied")
    for i = 1, 30 do
      assert.equal("a" .. i, got.applied[i].audiences[1].audienceId)
    end
  end)

  it("is applied by its end, in whatever order those come that end between two looks", function()
    local s = sandbox_service.new { task_lengths = { 1, 2, 9, 3, 4, 10 } }
    for i = 1, 6 do
      s:sync { adding("a" .. i, 1) }
    end
    s.now = s.now + 20
    s.sandbox.state:settle()
    local _, got = s:ask("GET", "/sandbox/applied")
    local order = {}
    for i, one in ipairs(got.applied) do
      order[i] = one.audiences[1].audienceId
    end
    assert.equal("a1 a2 a4 a5 a3 a6", table.concat(order, " "))
  end)

  it("has an id of the digits that are drawn", function()
    local id = sandbox_service.new():sync { adding("a", 1) }
    assert.equal("00111222-3334-4445-9566-6777888999aa", id)
  end)

  it("is applied last come first where the order is reversed, though all end at once", function()
    local s = sandbox_service.new { task_seconds = 1, task_order = "reversed" }
    local first, last = s:sync { adding("a", 1) }, s:sync { adding("a", 3) }
    assert.equal("working", s:task(first, 1).status)
    assert.equal("completed", s:task(last).status)
    assert.equal("completed", s:task(first, 0.002).status)
    local status, members = s:ask("GET", "/sandbox/members?account=25&audience=a&ids=1")
    assert.same({ 200, { count = 3, ids = { "1", "2", "3" } } }, { status, members })
  end)
end)

describe("an audience of the service", function()
  it("is processed, matched after its task, and has its counts", function()
    local s = sandbox_service.new { task_seconds = 1, audience_seconds = 2, match_rate = 0.5, min_size = 3 }
    s:sync { adding("small", 2), adding("large", 3, { name = "Large" }) }
    assert.same({ "PROCESSING", "Large", json.null }, { s:audience("large").status, s:audience("large").name,
      s:audience("large").uploadedCount })
    assert.equal("PROCESSING", s:audience("large", 1).status)
    assert.same({ "READY", 3, 1 }, { s:audience("large", 2).status, s:audience("large").uploadedCount,
      s:audience("large").matchedCount })
    assert.equal("TOO_SMALL", s:audience("small").status)
    s:sync { { audienceId = "large", remove = json.array { { externalId = "1" }, { externalId = "9" } } } }
    s:audience("large", 1)
    assert.same({ "TOO_SMALL", 2, "Large" }, { s:audience("large", 2).status, s:audience("large").uploadedCount,
      s:audience("large").name })
  end)

  it("fails where its task was told so", function()
    local s = sandbox_service.new { task_outcomes = { "audience-error" }, task_seconds = 1, audience_seconds = 1 }
    s:sync { adding("a", 1) }
    s:audience("a", 1)
    assert.equal("ERROR", s:audience("a", 1).status)
  end)

  it("is deleted, and so are those that are missing where that is asked for", function()
    local s = sandbox_service.new { task_seconds = 0, audience_seconds = 0 }
    s:sync { adding("a", 1), adding("b", 1), adding("c", 1) }
    s:audience("a", 1)
    s:sync { { audienceId = "a", delete = true } }
    assert.same({ true, "READY" }, { s:audience("a", 1).deleted, s:audience("a").status })
    assert.is_false(s:audience("b").deleted)
    s:sync({ adding("c", 1) }, { deleteMissing = true })
    assert.same({ true, false }, { s:audience("b", 1).deleted, s:audience("c").deleted })
  end)

  it("is as it was after a task that changed nothing, and an error where it is new", function()
    local s = sandbox_service.new { task_seconds = 1, audience_seconds = 1, min_size = 0,
      task_outcomes = { "completed", "canceled", "canceled", "completed" } }
    s:sync { adding("a", 1) }
    s:audience("a", 1)
    assert.equal("READY", s:audience("a", 1).status)
    s:sync { adding("a", 5), adding("new", 1) }
    assert.equal("PROCESSING", s:audience("a").status)
    assert.equal("ERROR", s:audience("new", 1).status)
    assert.same({ "READY", 1 }, { s:audience("a", 1).status, s:audience("a").uploadedCount })
    s:sync { adding("a", 5) } -- ends without a change, while another is awaited
    s:sync { adding("a", 5) }
    assert.equal("PROCESSING", s:audience("a", 1).status)
    assert.same({ "READY", 5 }, { s:audience("a", 1).status, s:audience("a").uploadedCount })
  end)

  it("shows a member as it came", function()
    local s = sandbox_service.new { task_seconds = 0 }
    local add = json.array {
      { externalId = "1", hashedEmail = ("ab"):rep(32) }, { externalId = "2", hashedPhone = ("cd"):rep(32) },
      { externalId = "3", uids = json.array { { type = "uid2", value = "x y" } } },
    }
    s:sync { { audienceId = "a", add = add } }
    s:audience "a"
    local _, got = s:ask("GET", "/sandbox/members?account=25&audience=a")
    assert.same({ count = 3, members = {
      ["1"] = { hashedEmail = ("ab"):rep(32) }, ["2"] = { hashedPhone = ("cd"):rep(32) },
      ["3"] = { uids = { { type = "uid2", value = "x y" } } },
    } }, got)
  end)
end)
