-- A job of spec/torture/jobs.lua: callbacks of all kinds are verified, and some that may never pass.
-- A genuine one may be refused for now while things fail, and never for good.
local core = require "scope3.core"
local signing = require "spec.support.signing"
local webhook = require "scope3.webhook"

-- A callback of each algorithm, and for each one that was changed on its way.
local function signed_callbacks()
  local list = {}
  for _, alg in ipairs { "ed25519", "ecdsa-p256-sha256" } do
    local key = signing.key(alg, alg)
    local one = { key = key, genuine = signing.request(key), changed = signing.request(key) }
    one.changed.body = one.changed.body .. " "
    one.forged = signing.request(key, { signature = ("x"):rep(64) })
    list[#list + 1] = one
  end
  return list
end

-- A copy of a public key, which was not imported yet.
local function copy_of(jwk)
  local copy = {}
  for name, value in pairs(jwk) do
    copy[name] = value
  end
  return copy
end

return function()
  local callbacks, secret, body = signed_callbacks(), ("s"):rep(40), signing.BODY
  local at = ("%.0f"):format(core.time())
  local shared = { body = body, headers = { ["X-ADCP-Timestamp"] = at,
    ["X-ADCP-Signature"] = "sha256=" .. core.hmac_sha256(secret, at, ".", body) } }
  local config = { mode = "rfc9421", now = function() return signing.NOW end }
  local self = {}

  function self.prepare()
    self.problem = nil
  end

  local function genuine(request, by)
    local payload, err = webhook.verify(request, by)
    if not payload and not err.retryable then
      self.problem = "a genuine callback was refused for good: " .. tostring(err)
    end
    return err
  end

  local function verify()
    local failed = genuine(shared, { mode = "hmac", secrets = { secret } })
    for _, one in ipairs(callbacks) do
      config.keys, config.seen = { copy_of(one.key.jwk) }, webhook.replay_cache()
      if webhook.verify(one.changed, config) or webhook.verify(one.forged, config) then
        self.problem = "a callback passed that was changed or forged"
      end
      failed = failed or genuine(one.genuine, config)
    end
    return failed and tostring(failed) or nil
  end

  self.act = verify

  function self.check()
    return self.problem or verify() or self.problem
  end

  return self
end
