--- Completion callbacks: whether one is from the service, and what it says. For any host; docs/contract.md section 6.
local core = require "scope3.core"
local deliveries = require "scope3.webhook.deliveries"
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"
local headers = require "scope3.webhook.headers"
local options = require "scope3.util.options"
local payload = require "scope3.webhook.payload"
local rejection = require "scope3.webhook.rejection"
local validate = require "scope3.api.validate"
local nonces = require "scope3.webhook.nonces"
local shared_secret = require "scope3.webhook.shared_secret"
local rfc9421 = require "scope3.webhook.rfc9421"

local webhook = { replay_cache = nonces.new, deliveries = deliveries.new }

local LONGEST_BODY = 1024 * 1024

local CONFIG = {
  mode = { "hmac", "bearer", "rfc9421" }, secrets = "table", credentials = "string", token = "string", keys = "any",
  max_skew = "seconds", now = "function", revoked = "function", seen = "any",
}

-- Whether something has so many characters, as the service counts when it is registered (docs/contract.md section 2).
local function text(value, least, most)
  if type(value) ~= "string" then
    return false
  end
  local n = validate.characters(value)
  return n >= least and n <= (most or math.huge)
end

-- Keys that only one mode uses. With another mode they would be a check that is never made.
local ONLY = {
  secrets = "hmac", max_skew = "hmac", credentials = "bearer", keys = "rfc9421", revoked = "rfc9421", seen = "rfc9421",
}

-- What a mode needs of the configuration: the message about what is wrong, or nil. Holds none of its values.
local needs = {}

function needs.hmac(config)
  local n = arguments.count(config.secrets)
  if not n or n < 1 or n > 2 then
    return "secrets must be a list of the current secret and, while it is being changed, the one before"
  end
  for _, value in ipairs(config.secrets) do
    if type(value) ~= "string" or #value < 32 then
      return "secrets: a secret must be a string of at least 32 bytes"
    end
  end
end

function needs.bearer(config)
  if not text(config.credentials, 32) then
    return "credentials must be a string of at least 32 characters"
  end
end

function needs.rfc9421(config)
  if type(config.keys) ~= "table" and type(config.keys) ~= "function" then
    return "keys must be a JWKS, or a function that fetches one"
  end
end

--- The message about the first misuse in a configuration, or nil. Holds none of its values.
---@private
---@param config any
---@return string?
function webhook.problem(config)
  local problem = type(config) ~= "table" and arguments.problem("config", "a table", config)
    or options.problem(config, CONFIG)
  if problem then
    return problem
  elseif not config.mode then
    return "mode must be one of hmac, bearer, rfc9421: it is fixed when the callback is registered"
  elseif config.token ~= nil and not text(config.token, 16, 4096) then
    return "token must have 16 to 4096 characters"
  end
  for key in entries(config) do
    if ONLY[key] and ONLY[key] ~= config.mode then
      return ("%s has no effect with mode %s; it is of mode %s"):format(key, config.mode, ONLY[key])
    end
  end
  local seen = config.seen
  if seen ~= nil and type(seen) ~= "function" and not (type(seen) == "table" and seen.seen and seen.full) then
    return arguments.problem("seen", "a function or a replay cache", seen)
  end
  return needs[config.mode](config)
end

local function request_problem(request, mode)
  if type(request) ~= "table" then
    return arguments.problem("the request", "a table", request)
  elseif type(request.headers) ~= "table" then
    return arguments.problem("request.headers", "a table", request.headers)
  elseif request.body ~= nil and type(request.body) ~= "string" then
    return arguments.problem("request.body", "a string", request.body)
  end
  for _, name in ipairs { "method", "url" } do
    if type(request[name]) ~= "string" and (mode == "rfc9421" or request[name] ~= nil) then
      return arguments.problem("request." .. name, "a string", request[name])
    end
  end
end

-- The cache of nonces where a configuration has none. One per Lua state: all configurations share what was seen.
local shared

local function nonce_cache(config)
  if config.seen then
    return config.seen
  end
  shared = shared or nonces.new()
  return shared
end

---@class scope3.WebhookRequest
---@field method? string  as received; needed by mode "rfc9421", like the URL
---@field url? string  absolute, as the sender wrote it: scheme, host, path and query
---@field headers table<string, string|string[]>  names in any case; a header that is repeated as a list
---@field body? string  the raw bytes; nil for none

---@class scope3.WebhookConfig
---@field mode "hmac"|"bearer"|"rfc9421"  by what was registered: authentication's scheme, or none
---@field secrets? string[]  hmac: the current secret and, while it is being changed, the one before; at least 32 bytes
---  each
---@field credentials? string  bearer
---@field token? string  what was registered as token; nil does not look at it
---@field keys? table|(fun(keyid: string): table?)  rfc9421: the sender's JWKS (or a list of JWKs), or a function that
---  fetches it (nil: failed).
---  It is asked when a key is not known or the set is 15 minutes old, and no more than once in 30 s. It may yield.
---@field max_skew? number  hmac: seconds between the timestamp and now (300)
---@field now? fun(): number  seconds since 1970 (this machine's clock)
---@field revoked? fun(keyid: string): boolean|"stale"  rfc9421: whether a key is revoked; "stale" where that cannot be
---  known any more (never)
---@field seen? scope3.ReplayCache|scope3.NonceCheck  rfc9421: whether a nonce was seen; from then on it was.
---  A function is asked once, after the digest. A cache is also asked before the signature whether the key is at its
---  cap (one cache of this Lua state)

--- Reports whether a nonce was there. It must remember it until 62 s after `expires`.
---@alias scope3.NonceCheck (fun(keyid: string, nonce: string, expires: number, now: number): boolean|"full")

--- Verifies a callback and reads it.
---
--- All its parts are checked in the contract's order. The first failure decides the error.
---
---     local payload, err = webhook.verify({ headers = headers, body = body }, { mode = "hmac", secrets = { secret } })
---@param request scope3.WebhookRequest
---@param config scope3.WebhookConfig  a wrong one raises
---@return scope3.Callback? payload  as it was sent, without nulls
---@return scope3.Error? err  kind "webhook"; `code` says why (docs/webhooks.md), `status` what to answer
function webhook.verify(request, config)
  local problem = webhook.problem(config) or request_problem(request, config.mode)
  local fields
  if not problem then
    fields, problem = headers.collect(request.headers)
  end
  if problem then
    error("webhook.verify: " .. problem, 2)
  end
  local body = request.body or ""
  local now = config.now and config.now() or core.time()
  if type(now) ~= "number" or now ~= now or math.abs(now) == math.huge then
    error("webhook.verify: " .. arguments.problem("what now() gives", "a number of seconds", now), 2)
  end
  now = math.floor(now)
  if #body > LONGEST_BODY then
    return rejection.new("webhook_body_too_large", "its body is over 1 MiB")
  end
  local ok, err
  if config.mode == "hmac" then
    ok, err = shared_secret.hmac(fields, body, config, now)
  elseif config.mode == "bearer" then
    ok, err = shared_secret.bearer(fields, config)
  else
    local received = { method = request.method, url = request.url, body = body }
    ok, err = rfc9421.check(received, fields, config, nonce_cache(config), now)
  end
  if not ok then
    return nil, err
  end
  return payload.read(body, config.token)
end

return webhook
