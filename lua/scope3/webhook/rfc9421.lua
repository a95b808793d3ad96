--- Signatures of callbacks (RFC 9421) by AdCP's profile: the checks of docs/contract.md section 6, in their order.
local core = require "scope3.core"
local base = require "scope3.webhook.signature_base"
local headers_of = require "scope3.webhook.headers"
local keys = require "scope3.webhook.keys"
local rejection = require "scope3.webhook.rejection"
local structured = require "scope3.webhook.structured_fields"
local target_of = require "scope3.webhook.target"

local signature = {}

local TAG = "adcp/webhook-signing/v1"
local LONGEST, SKEW = 300, 60 -- seconds: of a signature's life, and between two clocks
local ROUNDING = 2 -- seconds longer than it is taken that a nonce is kept: `now` is cut to whole seconds, the cache's clock is not
local PARAMS = { created = "integer", expires = "integer", nonce = "string", keyid = "string", alg = "string", tag = "string" }
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

-- The one signature that counts: its member of Signature-Input and its bytes. Its label is sig1 by AdCP's convention; else it is the first.
local function choose(headers)
  local input_text, text = headers_of.all(headers, "signature-input"), headers_of.all(headers, "signature")
  if not input_text and not text and headers["x-adcp-signature"] then
    return rejection.new("webhook_mode_mismatch", "it has an HMAC code, and a signature is what this mode verifies")
  elseif not input_text or not text then
    return malformed(not input_text and not text and "it is not signed" or "of Signature-Input and Signature one is missing")
  end
  local inputs, labels = structured.dictionary(input_text)
  local values = structured.dictionary(text)
  if not inputs or not values then
    return malformed((inputs and "Signature" or "Signature-Input") .. " is no dictionary of structured fields with each label once")
  end
  local label = inputs.sig1 and "sig1" or labels[1]
  local input, value = inputs[label or ""], values[label or ""]
  if not input or input.type ~= "list" or not names_components(input) then
    return malformed("Signature-Input does not list components")
  elseif not value or value.type ~= "bytes" then
    return malformed("Signature has no bytes for the label of Signature-Input")
  end
  for name, kind in pairs(PARAMS) do
    if input.params[name] and input.params[name].type ~= kind then
      return malformed("a parameter of Signature-Input is of the wrong type")
    end
  end
  return input, value.value
end

-- The fields that are signed by rule must be unambiguous: one content type; in Content-Digest each algorithm once, and bytes for it.
local function read_digest(headers)
  local kind, digest = headers_of.all(headers, "content-type") or "", headers_of.all(headers, "content-digest") or ""
  if kind:gsub('"[^"]*"', ""):find(",", 1, true) then
    return malformed("Content-Type has several values")
  end
  local digests = structured.dictionary(digest)
  for _, item in pairs(digests or {}) do
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

-- The canonical URL; nil when it is malformed, or names another authority than `:authority` and Host do, where these are given.
local function read_target(request, headers)
  local target = target_of.parse(request.url)
  for _, name in ipairs { ":authority", "host" } do
    local given = headers_of.one(headers, name)
    if given == false or (target and given and target_of.authority(given, target.scheme) ~= target.authority) then
      return nil
    end
  end
  return target
end

-- Steps 2 to 6: the parameters and what is covered. True, or nil and an error.
local function check_input(input, now)
  local p = {}
  for name in pairs(PARAMS) do
    if not input.params[name] then
      return rejection.new("webhook_signature_params_incomplete", "a parameter of Signature-Input is missing: " .. name)
    end
    p[name] = input.params[name].value
  end
  if p.tag ~= TAG then
    return rejection.new("webhook_signature_tag_invalid", "its tag is not " .. TAG)
  elseif not ALGORITHMS[p.alg] then
    return rejection.new("webhook_signature_alg_not_allowed", "its algorithm is neither ed25519 nor ecdsa-p256-sha256")
  elseif p.expires <= p.created or p.expires - p.created > LONGEST or p.created > now + SKEW or p.expires < now - SKEW then
    return rejection.new("webhook_signature_window_invalid", ("it holds for no time, for over %d s, or not now"):format(LONGEST))
  elseif not covers(input) then
    return rejection.new("webhook_signature_components_incomplete", "it does not cover all of " .. table.concat(COMPONENTS, ", "))
  end
  return p
end

-- Steps 7 to 9: the key, without any work of cryptography on the message.
local function find_key(config, p, seen, crypto, now)
  local jwk, unsure = keys.find(config.keys, p.keyid, now)
  if not jwk then
    local message = "its key is not among the sender's" .. (unsure and ", which cannot be fetched just now" or "")
    return rejection.new("webhook_signature_key_unknown", message, unsure and { status = 503, retryable = true } or nil)
  end
  local key = keys.import(jwk, p.alg, crypto)
  if not key then
    return rejection.new("webhook_signature_key_purpose_invalid", "its key is for another purpose or algorithm, or is no key")
  end
  local revoked = config.revoked and config.revoked(p.keyid)
  if revoked == "stale" then
    return rejection.new("webhook_signature_revocation_stale", "the list of revoked keys is too old to trust")
  elseif revoked then
    return rejection.new("webhook_signature_key_revoked", "its key is revoked")
  elseif type(seen) == "table" and seen:full(p.keyid) then
    return rejection.new("webhook_signature_rate_abuse", "too many callbacks of this key came within the last minutes")
  end
  return key
end

--- Steps 1 to 13.
---@param request table  method, url, body
---@param headers table<string, string[]>
---@param config table  keys, revoked
---@param seen table|function  which nonces were there
---@param now integer
---@return true?
---@return scope3.Error? err
function signature.check(request, headers, config, seen, now)
  local found, crypto = pcall(require, "scope3.crypto")
  if not found then
    return rejection.new("webhook_unavailable", "this build is without scope3.crypto: install OpenSSL's headers (libssl-dev), and build again",
      { retryable = true })
  end
  local input, bytes = choose(headers)
  if not input then
    return nil, bytes
  end
  local digests, p, key, err
  digests, err = read_digest(headers)
  if digests then
    p, err = check_input(input, now)
  end
  if p then
    key, err = find_key(config, p, seen, crypto, now)
  end
  if not key then
    return nil, err
  end
  local target = read_target(request, headers)
  if not target then
    return rejection.new("webhook_target_uri_malformed", "its URL is no absolute http or https URL, or names another host than the request's")
  end
  local signed = base.build(request, headers, target, input)
  if not signed or not key:verify(signed, bytes) then
    return rejection.new("webhook_signature_invalid", "the signature does not hold")
  end
  local digest = digests["sha-256"]
  if not digest or #digest.value ~= 32 or not core.equal_secret(core.hex(digest.value), core.sha256(request.body)) then
    return rejection.new("webhook_signature_digest_mismatch", "the body is not the one of Content-Digest")
  end
  local before
  if type(seen) == "table" then
    before = seen:seen(p.keyid, p.nonce, p.expires + ROUNDING, now)
  else
    before = seen(p.keyid, p.nonce, p.expires, now)
  end
  if before == "full" then
    return rejection.new("webhook_signature_rate_abuse", "too many callbacks of this key came within the last minutes")
  elseif before then
    return rejection.new("webhook_signature_replayed", "it was there before")
  end
  return true
end

return signature
