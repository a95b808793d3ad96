--- Which nonces of signed callbacks were there (docs/contract.md section 6, steps 9, 12 and 13).
local core = require "scope3.core"
local arguments = require "scope3.util.arguments"
local options = require "scope3.util.options"
local expiring_store = require "scope3.webhook.expiring_store"

local nonces = {}

---@class scope3.ReplayCache
local Cache = {}
Cache.__index = Cache
Cache.__name = "scope3.replay_cache"

local MAX = 100000 -- nonces of a key at once: what AdCP recommends, 275 callbacks a second
local KEYS = 10 -- in a store of our own, room for so many keys that are all full
local LONGEST = 420 -- seconds that a nonce is kept at most: 60 of a clock ahead, 300 of validity, 60 of a clock behind
local SLOT = 60

---@class scope3.ReplayOptions
---@field max? integer  nonces of one key (100,000)
---@field store? scope3.ExpiringStore  a lua_shared_dict, for all workers of nginx to share (a table of this Lua state)
---@field now? fun(): number  a clock in seconds that only goes forward

local OPTIONS = {
  max = "count", now = "function", store = { is = expiring_store.is, expected = expiring_store.EXPECTED },
}

--- Makes a cache for `seen`.
---@param opts? scope3.ReplayOptions
---@return scope3.ReplayCache
function nonces.new(opts)
  opts = options.check("webhook.replay_cache", opts, OPTIONS, 2)
  local max, now = opts.max or MAX, opts.now or core.now
  local store = opts.store or expiring_store.new(KEYS * (max + LONGEST / SLOT + 2), now)
  return setmetatable({ max = max, now = now, store = store }, Cache)
end

local function counter(keyid, slot)
  return ("scope3:nonces:%d:%s"):format(slot, core.sha256(keyid))
end

-- The same length for every nonce, and no two pairs alike.
local function entry(keyid, nonce)
  return "scope3:nonce:" .. core.sha256(#keyid .. ":" .. keyid .. nonce)
end

--- Whether a key has as many living nonces as it may have.
---@param keyid string
---@return boolean
function Cache:full(keyid)
  arguments.self(getmetatable(self) == Cache, "replay_cache:full", "scope3.replay_cache", self)
  arguments.argument(type(keyid) == "string", "replay_cache:full", "keyid", "a string", keyid)
  local sum, slot = 0, math.floor(self.now() / SLOT)
  for i = slot - LONGEST / SLOT, slot do
    sum = sum + (self.store:get(counter(keyid, i)) or 0)
  end
  return sum >= self.max
end

--- Whether a nonce was there; from now on it was.
---@param keyid string
---@param nonce string
---@param expires number  seconds since 1970: until a minute later it is kept
---@param now number  of the same clock as `expires`
---@return boolean|"full"
function Cache:seen(keyid, nonce, expires, now)
  arguments.self(getmetatable(self) == Cache, "replay_cache:seen", "scope3.replay_cache", self)
  arguments.argument(type(keyid) == "string", "replay_cache:seen", "keyid", "a string", keyid)
  arguments.argument(type(nonce) == "string", "replay_cache:seen", "nonce", "a string", nonce)
  arguments.argument(options.is_number(expires), "replay_cache:seen", "expires", "a number", expires)
  arguments.argument(options.is_number(now), "replay_cache:seen", "now", "a number", now)
  if self:full(keyid) then
    return "full"
  end
  local seconds = math.max(1, expires - now + 60)
  local added, why = self.store:safe_add(entry(keyid, nonce), true, seconds)
  if added then
    self.store:incr(counter(keyid, math.floor(self.now() / SLOT)), 1, 0, LONGEST + SLOT)
    return false
  end
  return why == "exists" or "full" -- never forget a nonce that lives to make room for another
end

return nonces
