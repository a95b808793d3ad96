--- Which callbacks were delivered before: delivery is at least once, and unordered (docs/contract.md section 6).
local core = require "scope3.core"
local door = require "scope3.door"
local options = require "scope3.options"
local refusal = require "scope3.webhook.refusal"
local store_of = require "scope3.webhook.store"

local deliveries = {}

---@class scope3.Deliveries
local Deliveries = {}
Deliveries.__index = Deliveries
Deliveries.__name = "scope3.deliveries"

local MAX, DAY = 100000, 24 * 3600
local HANDLING = 60 -- seconds for which one that is being handled keeps the same one away: whoever handles it may die without a word

---@class scope3.DeliveriesOptions
---@field max? integer  deliveries of 24 hours (100,000)
---@field store? scope3.ExpiringStore  a lua_shared_dict, for all workers of nginx to share (a table of this Lua state)
---@field now? fun(): number  a clock in seconds that only goes forward

local OPTIONS = { max = "count", now = "function", store = { is = store_of.is, expected = store_of.EXPECTED } }

--- Makes a memory of deliveries; one for each registration, or for all of one sender.
---@param opts? scope3.DeliveriesOptions
---@return scope3.Deliveries
function deliveries.new(opts)
  opts = options.check("webhook.deliveries", opts, OPTIONS, 2)
  if opts.store and (opts.max or opts.now) then
    error(("webhook.deliveries: %s has no effect on a store, which has its own"):format(opts.max and "max" or "now"), 2)
  end
  return setmetatable({ store = opts.store or store_of.new(opts.max or MAX, opts.now or core.now) }, Deliveries)
end

-- Where a delivery stands while it is being handled, and when it has been.
local function entries(key)
  local digest = core.sha256(key)
  return "scope3:handling:" .. digest, "scope3:delivery:" .. digest
end

local function check(self, what, key, body)
  if getmetatable(self) ~= Deliveries then
    error(("deliveries:%s: the object before the colon must be a scope3.deliveries, not %s"):format(what,
      door.kind(self)), 3)
  elseif type(key) ~= "string" then
    error(("deliveries:%s: "):format(what) .. door.problem("key", "a string", key), 3)
  elseif type(body) ~= "string" then
    error(("deliveries:%s: "):format(what) .. door.problem("body", "a string", body), 3)
  end
end

local function conflict()
  return refusal.new("webhook_delivery_conflict", "its idempotency key came before with another body")
end

--- Notes a delivery, after it was verified and before it is acted upon. Say then what came of it: keep() or forget().
---@param key string  the payload's idempotency_key
---@param body string  the raw body
---@return boolean? new  true: act upon it; false: it was acted upon before, so say that all is well and do nothing
---@return scope3.Error? err  "webhook_delivery_conflict" (409): the same key came with another body within 24 hours; "webhook_unavailable" (503):
---  there is no room, or it came a moment ago and is being handled, which may still fail
function Deliveries:add(key, body)
  check(self, "add", key, body)
  local store, digest = self.store, core.sha256(body)
  local handling, handled = entries(key)
  local added, why = store:safe_add(handling, digest, HANDLING)
  local before = store:get(handled) -- asked behind the other: whoever keeps it does that before it lets go
  if before then
    if added then
      store:delete(handling)
    end
    if before == digest then
      return false
    end
    return conflict()
  elseif added then
    return true
  end
  before = store:get(handling)
  if before and before ~= digest then
    return conflict()
  elseif before then
    return refusal.new("webhook_unavailable", "it came a moment ago, and is being handled", { retryable = true })
  end
  return refusal.new("webhook_unavailable", "there is no room to note its delivery (" .. tostring(why) .. ")", { retryable = true })
end

--- Keeps a delivery that was acted upon: for 24 hours the same one is known to add().
---@param key string
---@param body string
---@return true?
---@return scope3.Error? err  "webhook_unavailable": there is no room, so it will be new when it comes again
function Deliveries:keep(key, body)
  check(self, "keep", key, body)
  local handling, handled = entries(key)
  local added, why = self.store:safe_add(handled, core.sha256(body), DAY)
  self.store:delete(handling)
  if not added and why ~= "exists" then
    return refusal.new("webhook_unavailable", "there is no room to note its delivery (" .. tostring(why) .. ")", { retryable = true })
  end
  return true
end

--- Forgets a delivery that could not be acted upon, so that it may come again.
---@param key string
function Deliveries:forget(key)
  check(self, "forget", key, "")
  self.store:delete((entries(key)))
end

return deliveries
