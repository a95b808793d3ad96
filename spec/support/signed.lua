-- Callbacks signed by RFC 9421, and the verification of them, for the specs of its rules.
local assert = require "luassert"
local scope3 = require "scope3"
local signing = require "spec.support.signing"
local world = require "spec.support.world"

local signed = {}

-- What the signature does not decide needs none.
local LATE = { invalid = true, digest_mismatch = true, replayed = true }

-- Keys of both kinds, made before the specs of a describe: `ed`, `ec`, and `other`, which has the id of `ed`.
function signed.keys(setup, teardown)
  local keys = {}
  setup(function()
    keys.ed = signing.key("ed25519", "ed-1")
    keys.ec = signing.key("ecdsa-p256-sha256", "ec-1", "webhook-signing")
    keys.other = signing.key("ed25519", "ed-1")
  end)
  teardown(world.clean)

  function keys.config(extra)
    local all = {
      mode = "rfc9421", keys = { keys = { keys.ed.jwk, keys.ec.jwk } }, now = function() return signing.NOW end,
    }
    for key, value in pairs(extra or {}) do
      all[key] = value
    end
    return all
  end

  function keys.accepted(request, extra)
    local payload, err = scope3.webhook.verify(request, keys.config(extra))
    assert(payload, tostring(err))
    return payload
  end

  function keys.refused(code, request, extra)
    local payload, err = scope3.webhook.verify(request, keys.config(extra))
    assert.is_nil(payload)
    assert.same({ "webhook", code }, { err.kind, err.code })
    assert.equal(err.retryable and 503 or 401, err.status)
    return err
  end

  -- A request with this change is refused by this code.
  function keys.refuses(code, change, extra)
    local all = { signature = not LATE[code] and ("x"):rep(64) or nil }
    for key, value in pairs(change or {}) do
      all[key] = value
    end
    return keys.refused("webhook_signature_" .. code, signing.request(keys.ed, all), extra)
  end

  return keys
end

return signed
