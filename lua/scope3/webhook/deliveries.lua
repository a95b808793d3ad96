--- Which callbacks were delivered before: delivery is at least once, and unordered (docs/contract.md section 6).
local core = require "scope3.core"
local options = require "scope3.options"
local refusal = require "scope3.webhook.refusal"
local store_of = require "scope3.webhook.store"

local deliveries = {}

---@class scope3.Deliveries
local Deliveries = {}
Deliveries.__index = Deliveries

local MAX, DAY = 100000, 24 * 3600

--- Makes a memory of deliveries; one for each registration, or for all of one sender.
---@param opts? {max: integer?, store: scope3.ExpiringStore?, now: (fun(): number)?}  `max` deliveries of 24 hours (100,000); `store` a
---  lua_shared_dict, for all workers of nginx to share (a table of this Lua state); `now` a clock in seconds that only goes forward
---@return scope3.Deliveries
function deliveries.new(opts)
  opts = options.check("webhook.deliveries", opts, { max = "count", store = "any", now = "function" }, 2)
  return setmetatable({ store = opts.store or store_of.new(opts.max or MAX, opts.now or core.now) }, Deliveries)
end

local function entry(key)
  return "scope3:delivery:" .. core.sha256(key)
end

--- Notes a delivery, after it was verified and before it is acted upon.
---@param key string  the payload's idempotency_key
---@param body string  the raw body
---@return boolean? new  true: act upon it; false: it was there before, so say that all is well and do nothing
---@return scope3.Error? err  "webhook_delivery_conflict" (409): the same key came with another body within 24 hours;
---  "webhook_unavailable" (503): there is no room
function Deliveries:add(key, body)
  if type(key) ~= "string" or type(body) ~= "string" then
    error("deliveries:add: the key and the body must be strings", 2)
  end
  local digest = core.sha256(body)
  local added, why = self.store:safe_add(entry(key), digest, DAY)
  if added then
    return true
  end
  local before = self.store:get(entry(key))
  if before == digest then
    return false
  elseif before then
    return refusal.new("webhook_delivery_conflict", "its idempotency key came before with another body")
  end
  return refusal.new("webhook_unavailable", "there is no room to note its delivery (" .. tostring(why) .. ")", { retryable = true })
end

--- Forgets a delivery that could not be acted upon, so that it may come again.
---@param key string
function Deliveries:forget(key)
  self.store:delete(entry(key))
end

return deliveries
