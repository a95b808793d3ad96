--- Verifies signatures of callbacks (RFC 9421) under AdCP's profile.
---
--- The steps are those of docs/contract.md section 6, in their order. The first that fails decides the error.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local headers = require "scope3.webhook.headers"
local jwks = require "scope3.webhook.jwks"
local rejection = require "scope3.webhook.rejection"
local signature_base = require "scope3.webhook.signature_base"
local structured_fields = require "scope3.webhook.structured_fields"
local target_uri = require "scope3.webhook.target_uri"

local rfc9421 = {}

local TAG = "adcp/webhook-signing/v1"
local MAX_LIFETIME, CLOCK_SKEW = 300, 60 -- seconds
-- `now` is cut to whole seconds and the cache's clock is not. So a nonce is kept this many seconds longer.
local ROUNDING = 2
local PARAMS = {
  created = "integer", expires = "integer", nonce = "string", keyid = "string", alg = "string", tag = "string",
}
local COMPONENTS = { "@method", "@target-uri", "@authority", "content-type", "content-digest" }
local ALGORITHMS = { ed25519 = true, ["ecdsa-p256-sha256"] = true }

local function malformed(message)
  return rejection.new("webhook_signature_header_malformed", message)
end

-- Whether a list names components as RFC 9421 section 2 allows: strings, fields in lowercase, none twice.
local function names_components(list)
  local seen = {}
  for _, item in ipairs(list.value) do
    if item.type ~= "string" or not item.value:find("^@?[a-z0-9!#$%%&'*+.^_`|~-]+$") or seen[item.text] then
      return false
    end
    seen[item.text] = true
  end
  return true
end

-- The dictionaries of Signature-Input and Signature, and the labels of the first in their order.
local function read_signature_headers(fields)
  local input_text, text = headers.all(fields, "signature-input"), headers.all(fields, "signature")
  if not input_text and not text then
    if fields["x-adcp-signature"] then
      return rejection.new("webhook_mode_mismatch", "it has an HMAC code, and a signature is what this mode verifies")
    end
    return malformed("it is not signed")
  elseif not input_text or not text then
    return malformed("of Signature-Input and Signature one is missing")
  end
  local inputs, labels = structured_fields.dictionary(input_text)
  local values = structured_fields.dictionary(text)
  if not inputs or not values then
    return malformed((inputs and "Signature" or "Signature-Input")
      .. " is no dictionary of structured fields with each label once")
  end
  return { inputs = inputs, values = values, labels = labels }
end

local function has_wrong_type(params)
  for name, kind in entries(PARAMS) do
    if params[name] and params[name].type ~= kind then
      return true
    end
  end
  return false
end

-- The one signature that is verified: its member of Signature-Input, and its bytes.
local function choose(fields)
  local found, err = read_signature_headers(fields)
  if not found then
    return nil, err
  end
  -- AdCP's convention is the label sig1. Without it the first signature counts.
  local label = (found.inputs.sig1 and "sig1" or found.labels[1]) or ""
  local input, value = found.inputs[label], found.values[label]
  if not input or input.type ~= "list" or not names_components(input) then
    return malformed("Signature-Input does not list components")
  elseif not value or value.type ~= "bytes" then
    return malformed("Signature has no bytes for the label of Signature-Input")
  elseif has_wrong_type(input.params) then
    return malformed("a parameter of Signature-Input is of the wrong type")
  end
  return input, value.value
end

-- The digests of Content-Digest by algorithm. The signed fields must be unambiguous, so Content-Type has one value.
local function read_digest(fields)
  local kind = headers.all(fields, "content-type") or ""
  if kind:gsub('"[^"]*"', ""):find(",", 1, true) then
    return malformed("Content-Type has several values")
  end
  local digests = structured_fields.dictionary(headers.all(fields, "content-digest") or "")
  for _, item in entries(digests or {}) do
    if item.type ~= "bytes" then
      digests = nil
      break
    end
  end
  if not digests then
    return malformed("Content-Digest is no dictionary of structured fields with bytes for each algorithm")
  end
  return digests
end

-- Whether a signature covers all components that the profile requires.
local function covers(input)
  local covered = {}
  for _, item in ipairs(input.value) do
    covered[item.value] = covered[item.value] or next(item.params) == nil
  end
  for _, name in ipairs(COMPONENTS) do
    if not covered[name] then
      return false
    end
  end
  return true
end

-- The canonical URL. Nil when it is malformed, or names another authority than `:authority` or Host.
local function read_target(request, fields)
  local target = target_uri.parse(request.url)
  for _, name in ipairs { ":authority", "host" } do
    local given = headers.one(fields, name)
    if given == false or (target and given and target_uri.authority(given, target.scheme) ~= target.authority) then
      return nil
    end
  end
  return target
end

-- Whether a signature is valid at a time, allowing for two clocks that differ.
local function is_current(params, now)
  return params.expires > params.created and params.expires - params.created <= MAX_LIFETIME
    and params.created <= now + CLOCK_SKEW and params.expires >= now - CLOCK_SKEW
end

-- Steps 2 to 6: the parameters and what is covered. The values of the parameters, or nil and an error.
local function check_input(input, now)
  local params = {}
  for name in entries(PARAMS) do
    if not input.params[name] then
      return rejection.new("webhook_signature_params_incomplete", "a parameter of Signature-Input is missing: " .. name)
    end
    params[name] = input.params[name].value
  end
  if params.tag ~= TAG then
    return rejection.new("webhook_signature_tag_invalid", "its tag is not " .. TAG)
  elseif not ALGORITHMS[params.alg] then
    return rejection.new("webhook_signature_alg_not_allowed",
      "its algorithm is neither ed25519 nor ecdsa-p256-sha256")
  elseif not is_current(params, now) then
    return rejection.new("webhook_signature_window_invalid",
      ("it holds for no time, for over %d s, or not now"):format(MAX_LIFETIME))
  elseif not covers(input) then
    return rejection.new("webhook_signature_components_incomplete",
      "it does not cover all of " .. table.concat(COMPONENTS, ", "))
  end
  return params
end

local function rate_abuse()
  return rejection.new("webhook_signature_rate_abuse", "too many callbacks of this key came within the last minutes")
end

-- Nothing is known against the callback: its sender is to come again.
local function unchecked(why)
  return rejection.new("webhook_unavailable", "it cannot be checked just now: " .. why, { retryable = true })
end

-- Steps 7 to 9: the key. They come before any cryptography on the message.
local function find_key(config, params, seen, crypto, now)
  local jwk, unsure = jwks.find(config.keys, params.keyid, now)
  if not jwk then
    local message = "its key is not among the sender's" .. (unsure and ", which cannot be fetched just now" or "")
    return rejection.new("webhook_signature_key_unknown", message, unsure and { status = 503, retryable = true } or nil)
  end
  local key, why = jwks.import(jwk, params.alg, crypto)
  if why then
    return unchecked(why)
  elseif not key then
    return rejection.new("webhook_signature_key_purpose_invalid",
      "its key is for another purpose or algorithm, or is no key")
  end
  local revoked = config.revoked and config.revoked(params.keyid)
  if revoked == "stale" then
    return rejection.new("webhook_signature_revocation_stale", "the list of revoked keys is too old to trust")
  elseif revoked then
    return rejection.new("webhook_signature_key_revoked", "its key is revoked")
  elseif type(seen) == "table" and seen:full(params.keyid) then
    return rate_abuse()
  end
  return key
end

-- Steps 10 and 11: the signature over the request, and the digest over the body.
local function check_signature(request, fields, signed)
  local target = read_target(request, fields)
  if not target then
    return rejection.new("webhook_target_uri_malformed",
      "its URL is no absolute http or https URL, or names another host than the request's")
  end
  local base = signature_base.build(request, fields, target, signed.input)
  local holds, why = false, nil
  if base then
    holds, why = signed.key:verify(base, signed.bytes)
  end
  if why then
    return unchecked(why)
  elseif not holds then
    return rejection.new("webhook_signature_invalid", "the signature does not hold")
  end
  local digest = signed.digests["sha-256"]
  if not digest or #digest.value ~= 32
    or not core.equal_secret(core.hex(digest.value), core.sha256(request.body)) then
    return rejection.new("webhook_signature_digest_mismatch", "the body is not the one of Content-Digest")
  end
  return true
end

-- Steps 12 and 13: whether the nonce is new. It counts as seen from now on.
local function check_nonce(seen, params, now)
  local before
  if type(seen) == "table" then
    before = seen:seen(params.keyid, params.nonce, params.expires + ROUNDING, now)
  else
    before = seen(params.keyid, params.nonce, params.expires, now)
  end
  if before == "full" then
    return rate_abuse()
  elseif before then
    return rejection.new("webhook_signature_replayed", "it was there before")
  end
  return true
end

--- Verifies the signature of a callback: steps 1 to 13.
---@param request table  method, url, body
---@param fields table<string, string[]>  as headers.collect gives them
---@param config table  keys, revoked
---@param seen table|function  the cache of nonces
---@param now integer  seconds since 1970
---@return true?
---@return scope3.Error? err
function rfc9421.check(request, fields, config, seen, now)
  local found, crypto = pcall(require, "scope3.crypto")
  if not found then
    return rejection.new("webhook_unavailable",
      "this build is without scope3.crypto: install OpenSSL's headers (libssl-dev), and build again",
      { retryable = true })
  end
  local input, bytes = choose(fields)
  if not input then
    return nil, bytes
  end
  local digests, params, key, ok, err
  digests, err = read_digest(fields)
  if digests then
    params, err = check_input(input, now)
  end
  if params then
    key, err = find_key(config, params, seen, crypto, now)
  end
  if not key then
    return nil, err
  end
  ok, err = check_signature(request, fields, { key = key, bytes = bytes, input = input, digests = digests })
  if not ok then
    return nil, err
  end
  return check_nonce(seen, params, now)
end

return rfc9421
