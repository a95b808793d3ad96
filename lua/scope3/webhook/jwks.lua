--- The sender's public keys: JWKS (RFC 7517), given or fetched, and what a key may be used for.
local core = require "scope3.core"

local jwks = {}

local REFETCH = 30 -- seconds between two fetches at least (docs/contract.md section 6, step 7)
local OLDEST = 900 -- seconds after which a set is fetched anew, so that keys that were taken out of it go

-- What was fetched: by the function that fetches, so that a configuration may be made anew for each request.
local fetched = setmetatable({}, { __mode = "k" })

local function lookup(set, keyid)
  for _, jwk in ipairs(type(set.keys) == "table" and set.keys or set) do
    if type(jwk) == "table" and jwk.kid == keyid then
      return jwk
    end
  end
end

--- Finds a key.
---@param source table|fun(keyid: string): table?  a JWKS, a list of JWKs, or what fetches one (nil: it failed)
---@param keyid string
---@param now number
---@return table? jwk
---@return boolean? unsure  no key was found, but the set is not fresh: a fetch failed, is under way, or is too
---  recent to repeat. Asking again later may find a new key
function jwks.find(source, keyid, now)
  if type(source) == "table" then
    return lookup(source, keyid)
  end
  local state = fetched[source]
  if not state then
    state = {}
    fetched[source] = state
  end
  local jwk = state.set and lookup(state.set, keyid)
  if jwk and now - state.at < OLDEST then
    return jwk
  elseif state.asked and math.abs(now - state.asked) < REFETCH then
    return jwk, not jwk
  end
  state.asked = now -- first: the function may yield, and others come meanwhile
  local set = source(keyid)
  if type(set) == "table" then
    state.set, state.at = set, now
  end
  jwk = state.set and lookup(state.set, keyid)
  return jwk, not jwk and type(set) ~= "table"
end

local function contains(list, value)
  for _, item in ipairs(type(list) == "table" and list or {}) do
    if item == value then
      return true
    end
  end
  return false
end

local PURPOSES = { ["request-signing"] = true, ["webhook-signing"] = true }

-- What a JWK must be for each algorithm: type, curve, JOSE's name.
local KINDS = {
  ed25519 = { "OKP", "Ed25519", "EdDSA" },
  ["ecdsa-p256-sha256"] = { "EC", "P-256", "ES256" },
}

-- Keys of libcrypto by the JWK that they were made of.
local imported = setmetatable({}, { __mode = "k" })

local function coordinate(text)
  return type(text) == "string" and core.base64_decode(text) or ""
end

--- The key of a JWK that may verify callbacks by this algorithm; nil when it is for something else, or is no key.
---@param jwk table
---@param alg "ed25519"|"ecdsa-p256-sha256"
---@param crypto table  scope3.crypto
---@return userdata? key
---@return string? why  it cannot be made just now
function jwks.import(jwk, alg, crypto)
  local kind = KINDS[alg]
  if jwk.use ~= "sig" or not contains(jwk.key_ops, "verify") or not PURPOSES[jwk.adcp_use]
    or jwk.kty ~= kind[1] or jwk.crv ~= kind[2] or (jwk.alg ~= nil and jwk.alg ~= kind[3]) then
    return nil
  end
  local key, why = imported[jwk], nil
  if not key then
    local x = coordinate(jwk.x)
    if alg == "ed25519" then
      key, why = crypto.ed25519(x)
    else
      key, why = crypto.p256(x, coordinate(jwk.y))
    end
    imported[jwk] = key
  end
  return key, why
end

return jwks
