-- Callbacks whose sender's keys are fetched: when the function is called, and what is answered meanwhile.
-- See docs/contract.md, section 6, step 7.
local scope3 = require "scope3"
local signing = require "spec.support.signing"
local world = require "spec.support.world"

local verify = scope3.webhook.verify
local NOW = signing.NOW

describe("a callback whose keys are fetched", function()
  local ed
  setup(function()
    ed = signing.key("ed25519", "ed-1")
  end)
  teardown(world.clean)

  local function config(extra)
    return { mode = "rfc9421", keys = extra.keys, now = extra.now }
  end

  local function accepted(request, extra)
    local payload, err = verify(request, config(extra))
    assert(payload, tostring(err))
  end

  local function refused(code, request, extra)
    local payload, err = verify(request, config(extra))
    assert.is_nil(payload)
    assert.same({ code, err.retryable and 503 or 401 }, { err.code, err.status })
    return err
  end

  local calls, answer, clock, keys
  local function settings()
    return { keys = keys, now = function() return clock end }
  end
  local function at(seconds, change)
    clock = NOW + seconds
    change = change or {}
    change.created = clock
    return signing.request(ed, change)
  end
  local function fetch(keyid)
    calls[#calls + 1] = keyid
    return answer
  end
  local function fresh(before) -- what is fetched is remembered by the function, so each test has its own
    calls, answer, clock = {}, { keys = { ed.jwk } }, NOW
    keys = function(keyid)
      if before then
        before()
      end
      return fetch(keyid)
    end
  end

  it("asks once for keys that are known, and again for one that is not, but once in 30 s", function()
    fresh()
    accepted(at(0), settings())
    accepted(at(1), settings())
    assert.same({ "ed-1" }, calls)
    -- it may be a new one
    assert.is_true(refused("webhook_signature_key_unknown", at(10, { keyid = "ed-2" }), settings()).retryable)
    assert.same({ "ed-1" }, calls)
    answer = { keys = {
      ed.jwk,
      { kid = "ed-2", kty = "OKP", crv = "Ed25519", use = "sig", key_ops = { "verify" },
        adcp_use = "request-signing", x = ed.jwk.x },
    } }
    refused("webhook_signature_key_unknown", at(29, { keyid = "ed-2" }), settings())
    accepted(at(30, { keyid = "ed-2" }), settings())
    accepted(at(31, { keyid = "ed-2" }), settings())
    assert.same({ "ed-1", "ed-2" }, calls)
    -- the set is of this moment
    assert.is_nil(refused("webhook_signature_key_unknown", at(70, { keyid = "ed-3" }), settings()).retryable)
  end)

  it("fetches the set anew when it is 15 minutes old, so that keys taken out of it go", function()
    fresh()
    accepted(at(0), settings())
    answer = { keys = {} }
    accepted(at(899), settings())
    refused("webhook_signature_key_unknown", at(900), settings())
    assert.equal(2, #calls)
  end)

  it("asks the sender to come again when a fetch failed, and keeps what it had", function()
    fresh()
    answer = nil
    local err = refused("webhook_signature_key_unknown", at(0), settings())
    assert.same({ 503, true }, { err.status, err.retryable })
    refused("webhook_signature_key_unknown", at(29), settings())
    answer = { keys = { ed.jwk } }
    accepted(at(30), settings())
    answer = nil
    accepted(at(930), settings())
    accepted(at(1000), settings())
    assert.equal(4, #calls)
  end)

  it("may yield while it fetches; who comes meanwhile is asked to come again", function()
    fresh(function()
      coroutine.yield("fetching")
    end)
    local first = coroutine.wrap(function()
      return verify(at(0), config(settings()))
    end)
    assert.equal("fetching", first())
    assert.equal(503, refused("webhook_signature_key_unknown", at(0), settings()).status)
    assert.equal("task_456", first().task_id)
    accepted(at(1), settings())
    assert.equal(1, #calls)
  end)

  it("lets its error through, and asks again half a minute later", function()
    local fails = true
    fresh(function()
      if fails then
        error("no network", 0)
      end
    end)
    assert.has_error(function()
      verify(at(0), config(settings()))
    end, "no network")
    fails = false
    refused("webhook_signature_key_unknown", at(10), settings())
    accepted(at(30), settings())
  end)
end)
