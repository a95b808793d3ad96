-- How often a request is tried, as docs/reliability.md says: by its failure, within the budget of its job, after random
-- pauses; and what is never sent a second time.
local retry = require "scope3.http.retry"
local world = require "spec.support.world"

-- The longest pause that chance may give.
local function longest()
  return 1
end

-- The attempts of a request that always fails in one way.
local function attempts(err, how)
  local failures, made = {}, 0
  repeat
    made = made + 1
  until not retry.delay(err, made, failures, how)
  return made
end

describe("the attempts of a request", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("are as many as its failure allows", function()
    local EXPECTED = {
      { { kind = "rate_limited", status = 429 }, 8 },
      { { kind = "http", status = 502, uncertain = true }, 8 },
      { { kind = "http", status = 503 }, 8 },
      { { kind = "http", status = 504, uncertain = true }, 8 },
      { { kind = "network", code = "COULDNT_CONNECT", retryable = true }, 8, 3 },
      { { kind = "network", code = "COULDNT_RESOLVE_HOST", retryable = true }, 8, 3 },
      { { kind = "network", code = "PROXY_FAILED", retryable = true }, 8, 3 },
      { { kind = "network", code = "RECV_ERROR", retryable = true, uncertain = true }, 8 },
      { { kind = "timeout", code = "OPERATION_TIMEDOUT", retryable = true, uncertain = true }, 3 },
      { { kind = "http", code = "BAD_REPLY", status = 202, uncertain = true }, 3 },
      { { kind = "network", code = "BAD_CONTENT_ENCODING", retryable = true, uncertain = true }, 3 },
      { { kind = "http", status = 500, uncertain = true }, 2 },
      { { kind = "timeout", code = "CONNECT_TIMEDOUT", retryable = true }, 1 },
      { { kind = "invalid", status = 400 }, 1 },
      { { kind = "http", status = 409 }, 1 },
      { { kind = "http", status = 501 }, 1 },
      { { kind = "network", code = "PEER_FAILED_VERIFICATION" }, 1 },
      { { kind = "network", code = "PROXY_REFUSED" }, 1 },
      { { kind = "network", code = "NOT_TLS" }, 1 },
      { { kind = "network", code = "UNSUPPORTED_PROTOCOL", retryable = true, uncertain = true }, 3 },
      { { kind = "network", code = "WEIRD_SERVER_REPLY", retryable = true, uncertain = true }, 3 },
      { { kind = "network", code = "SSL_CACERT_BADFILE" }, 1 },
      { { kind = "network", code = "SSL_CLIENTCERT" }, 1 },
      { { kind = "network", code = "FORKED", uncertain = true }, 1 },
      { { kind = "http", code = "TOO_LARGE", status = 503, uncertain = true }, 1 },
      { { kind = "http", code = "REDIRECT", status = 302 }, 1 },
    }
    for _, one in ipairs(EXPECTED) do
      local err, in_job, before_any_answer = one[1], one[2], one[3] or one[2]
      local name = err.code or err.status
      assert.equal(in_job, attempts(err, { reached = true, budget = retry.budget() }), name)
      assert.equal(before_any_answer, attempts(err, { reached = false }), name)
    end
  end)

  it("share forty repeats in a job, of which each request that goes through gives half a one back", function()
    local budget, err = retry.budget(), { kind = "http", status = 503 }
    local repeats = 0
    while retry.delay(err, 1, {}, { reached = true, budget = budget }) do
      repeats = repeats + 1
    end
    assert.equal(40, repeats)
    retry.earn(budget)
    assert.is_nil(retry.delay(err, 1, {}, { reached = true, budget = budget }))
    retry.earn(budget)
    assert.truthy(retry.delay(err, 1, {}, { reached = true, budget = budget }))
  end)

  it("are apart by a random pause, up to twice the one before and 30 seconds at most", function()
    local err, pauses = { kind = "http", status = 503 }, {}
    for made = 1, 8 do
      pauses[made] = retry.delay(err, made, {}, { reached = true, random = longest, left = 3600 })
    end
    assert.same({ 0.5, 1, 2, 4, 8, 16, 30, 30 }, pauses)
    assert.equal(0, retry.delay(err, 3, {}, { reached = true, random = function() return 0 end }))
  end)

  it("are over where the answer was lost to what must not be done twice", function()
    local client = sandbox:client()
    sandbox:fault { on = "syndicate", act = "lost_reply", times = -1 }
    local _, err = client:syndicate { audience_id = "a", adcp_agent_ids = { "17" } }
    assert.is_true(err.uncertain)
    assert.equal(1, #sandbox:requests "syndicate")
    sandbox:fault { on = "audiences", act = "lost_reply" } -- one that reads is repeated
    assert.equal("not_found", select(2, client:audience "a").kind)
    assert.equal(2, #sandbox:requests "audiences")
  end)
end)
