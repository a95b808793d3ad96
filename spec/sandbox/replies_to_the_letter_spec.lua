-- What the sandbox answers and remembers to the letter: codes of errors, bodies that are no object, limits of a page,
-- what is left of a rate, and the counts of a request.
local world = require "spec.support.world"

local json = world.json

describe("the sandbox", function()
  local sandbox = world.around(setup, teardown, before_each)

  local KEY = { "Authorization: Bearer scope3_test_key", "Content-Type: application/json" }

  local function send(method, path, body)
    local reply = world.http(method, sandbox.url .. "/api/v2/buyer" .. path, body and { body }, { headers = KEY })
    return reply, json.decode(reply.body)
  end

  local function sync(body)
    return send("POST", "/advertisers/25/audiences/sync", body)
  end

  it("names the status of a fault by the service's codes", function()
    for status, code in pairs {
      [400] = "BAD_REQUEST", [401] = "UNAUTHORIZED", [404] = "NOT_FOUND", [413] = "PAYLOAD_TOO_LARGE",
      [429] = "RATE_LIMITED", [500] = "INTERNAL_ERROR", [501] = "NOT_IMPLEMENTED", [502] = "SERVICE_UNAVAILABLE",
      [503] = "SERVICE_UNAVAILABLE", [504] = "SERVICE_UNAVAILABLE", [418] = "ERROR",
    } do
      sandbox:reset()
      sandbox:fault { on = "sync", act = "status", status = status }
      local reply, said = sync "{}"
      assert.same({ status, code }, { reply.status, said.error.code })
    end
  end)

  it("tells a body that is JSON and no object from one that is no JSON", function()
    for body, code in pairs {
      ["17"] = "VALIDATION_ERROR", ['"text"'] = "VALIDATION_ERROR", ["[]"] = "VALIDATION_ERROR",
      ["true"] = "VALIDATION_ERROR", ["{"] = "BAD_REQUEST", ['{"audiences":[],"audiences":[]}'] = "BAD_REQUEST",
    } do
      local reply, said = sync(body)
      assert.same({ 400, code }, { reply.status, said.error.code }, body)
    end
  end)

  it("refuses a number of a query that is none, and says which", function()
    for _, query in ipairs { "take=0", "take=x", "take=-1", "take=1.5", "skip=-1", "take=10&skip=x" } do
      local reply, said = send("GET", "/advertisers/25/audiences?" .. query)
      assert.same({ 400, query:match "(%a+)=[^&]*$" }, { reply.status, said.error.field }, query)
      assert.equal(1, #said.error.details.issues)
    end
  end)

  it("says what is left of its rate, and never less than nothing", function()
    sandbox:configure { rate_limit = 3, clock = "manual" }
    local left = {}
    for i = 1, 5 do
      local reply = send("GET", "/advertisers/25/audiences")
      left[i] = reply.status .. " " .. reply.headers["ratelimit-remaining"]
    end
    assert.same({ "200 2", "200 1", "200 0", "429 0", "429 0" }, left)
    sandbox:configure { rate_limit = 1, clock = "manual" } -- three are in the window
    local reply = send("GET", "/advertisers/25/audiences")
    assert.same({ 429, "0", "60" }, { reply.status, reply.headers["ratelimit-remaining"],
      reply.headers["ratelimit-reset"] })
  end)

  it("has the time of this machine", function()
    local from = os.time()
    send("GET", "/advertisers/25/audiences")
    local at = sandbox:requests("audiences")[1].at
    assert.is_true(from - 2 <= at and at <= os.time() + 2) -- it began within a second, and its own clock goes on evenly
  end)

  it("remembers the audiences of a request with counts in place of members", function()
    assert.equal(202, sync(json.encode { audiences = json.array {
      { audienceId = "a", name = "The A", consentBasis = "consent", add = json.array {
        { externalId = "1", hashedEmail = ("0"):rep(64) }, { externalId = "2", hashedEmail = ("1"):rep(64) } } },
      { audienceId = "b", remove = json.array { { externalId = "1" } } },
    } }).status)
    local seen = sandbox:requests("sync")[1].audiences
    assert.same({ audienceId = "a", name = "The A", consentBasis = "consent", add = 2, remove = 0 }, seen[1])
    assert.same({ audienceId = "b", add = 0, remove = 1 }, seen[2])
  end)
end)
