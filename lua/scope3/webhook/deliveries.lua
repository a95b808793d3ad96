--- Which callbacks were delivered before. Delivery is at least once, and unordered (docs/contract.md section 6).
local canonical_json = require "scope3.webhook.canonical_json"
local core = require "scope3.core"
local arguments = require "scope3.util.arguments"
local json = require "scope3.util.json"
local options = require "scope3.util.options"
local rejection = require "scope3.webhook.rejection"
local expiring_store = require "scope3.webhook.expiring_store"

local deliveries = {}

---@class scope3.Deliveries
local Deliveries = {}
Deliveries.__index = Deliveries
Deliveries.__name = "scope3.deliveries"

local MAX, DAY = 100000, 24 * 3600
local LONGEST = 7 * DAY -- the longest horizon that AdCP lets a sender have
-- Seconds for which a delivery that is being handled keeps a repetition away. Its handler may die without a trace.
local HANDLING = 60

local TERMINAL = { completed = true, failed = true, canceled = true, cancelled = true, rejected = true }

--- The message about a horizon that is none, or nil.
---@private
---@param opts {horizon: number?}
---@return string?
function deliveries.problem(opts)
  if opts.horizon and (opts.horizon < DAY or opts.horizon > LONGEST) then
    return ("horizon must be %d to %d seconds: a delivery is remembered for a day at least"):format(DAY, LONGEST)
  end
end

---@class scope3.DeliveriesOptions
---@field max? integer  deliveries at once (100,000)
---@field store? scope3.ExpiringStore  a lua_shared_dict, for all workers of nginx to share (a table of this Lua state)
---@field now? fun(): number  a clock in seconds that only goes forward
---@field horizon? number  seconds for which the sender may repeat a delivery, and one is remembered (86,400, up to
---  604,800)

local OPTIONS = { max = "count", now = "function", horizon = "seconds",
  store = { is = expiring_store.is, expected = expiring_store.EXPECTED } }

--- Makes a memory of deliveries; one for each registration, or for all of one sender.
---@param opts? scope3.DeliveriesOptions
---@return scope3.Deliveries
function deliveries.new(opts)
  opts = options.check("webhook.deliveries", opts, OPTIONS, 2)
  if opts.store and (opts.max or opts.now) then
    error(("webhook.deliveries: %s has no effect on a store, which has its own"):format(opts.max and "max" or "now"), 2)
  end
  local problem = deliveries.problem(opts)
  if problem then
    error("webhook.deliveries: " .. problem, 2)
  end
  local function memory()
    return opts.store or expiring_store.new(opts.max or MAX, opts.now or core.now)
  end
  return setmetatable({ store = memory(), ends = memory(), horizon = opts.horizon or DAY }, Deliveries)
end

-- Where something stands while it is being handled, and when it has been.
local function places(name, value)
  local digest = core.sha256(value)
  return { handling = ("scope3:handling%s:%s"):format(name, digest), handled = ("scope3:%s:%s"):format(
    name == "" and "delivery" or "ended", digest) }
end

-- What a body binds its key to: the digest of its canonical form, and the end of a task, where it reports one.
local function read(body)
  local form = canonical_json.of(body)
  local payload = form and json.decode(form)
  local task, status = payload and payload.task_id, payload and payload.status
  local ended
  if type(task) == "string" and type(status) == "string" and TERMINAL[core.lower(status)] then
    ended = places(":end", #task .. ":" .. task .. core.lower(status))
  end
  return core.sha256(form or body), ended
end

local function check(self, what, key, body)
  if getmetatable(self) ~= Deliveries then
    error(("deliveries:%s: the object before the colon must be a scope3.deliveries, not %s"):format(what,
      arguments.kind(self)), 3)
  elseif type(key) ~= "string" then
    error(("deliveries:%s: "):format(what) .. arguments.problem("key", "a string", key), 3)
  elseif type(body) ~= "string" then
    error(("deliveries:%s: "):format(what) .. arguments.problem("body", "a string", body), 3)
  end
end

-- Claims a place for handling: "taken"; "handled" or "handling" and the value there; or "full" and why.
local function take(store, place, value)
  local added, why = store:safe_add(place.handling, value, HANDLING)
  local before = store:get(place.handled) -- asked second: keep() writes it before it deletes the other
  if before then
    if added then
      store:delete(place.handling)
    end
    return "handled", before
  elseif added then
    return "taken"
  end
  before = store:get(place.handling)
  if before then
    return "handling", before
  end
  return "full", why
end

local function unavailable(message)
  return rejection.new("webhook_unavailable", message, { retryable = true })
end

local function no_room(why)
  return unavailable("there is no room to note its delivery (" .. tostring(why) .. ")")
end

-- Claims the end of a task that a delivery with a new key reports.
local function add_end(self, own, ended, key, body)
  local state, before = take(self.ends, ended, own.handling)
  if state == "taken" or state == "handling" and before == own.handling then
    return true
  elseif state == "handled" then -- from now on this key, too, stands for what it came with
    self:keep(key, body)
    return false
  end
  self.store:delete(own.handling)
  if state == "full" then
    return no_room(before)
  end
  return unavailable("the same end of its task came a moment ago under another key, and is being handled")
end

--- Notes a delivery, after it was verified and before it is acted upon. Say then what came of it: keep() or forget().
---@param key string  the payload's idempotency_key
---@param body string  the raw body
---@return boolean? new  true: act upon it; false: it was acted upon before, or the same end of its task was under
---  another key, so say that all is well and do nothing
---@return scope3.Error? err  "webhook_delivery_conflict" (409): the same key came with a body that says something else,
---  within the horizon; "webhook_unavailable" (503): there is no room, or it came a moment ago and is being handled,
---  which may still fail
function Deliveries:add(key, body)
  check(self, "add", key, body)
  local own, digest, ended = places("", key), read(body)
  local state, before = take(self.store, own, digest .. (ended and ended.handling or ""))
  if state == "full" then
    return no_room(before)
  elseif state ~= "taken" and before:sub(1, #digest) ~= digest then
    return rejection.new("webhook_delivery_conflict", "its idempotency key came before with another body")
  elseif state == "handled" then
    return false
  elseif state == "handling" then
    return unavailable("it came a moment ago, and is being handled")
  end
  if ended then
    return add_end(self, own, ended, key, body)
  end
  return true
end

-- Lets go of the end of a task, where it is this delivery that holds it.
local function release(self, own, handling)
  if self.ends:get(handling) == own.handling then
    self.ends:delete(handling)
  end
end

--- Keeps a delivery that was acted upon: until the horizon the same one is known to add().
---@param key string
---@param body string
---@return true?
---@return scope3.Error? err  "webhook_unavailable": there is no room, so it will be new when it comes again
function Deliveries:keep(key, body)
  check(self, "keep", key, body)
  local own, digest, ended = places("", key), read(body)
  local added, why = self.store:safe_add(own.handled, digest, self.horizon)
  local lacking = not added and why ~= "exists"
  if ended then
    local noted, reason = self.ends:safe_add(ended.handled, true, self.horizon)
    if not noted and reason ~= "exists" then
      lacking, why = true, reason
    end
    release(self, own, ended.handling)
  end
  self.store:delete(own.handling)
  if lacking then
    return no_room(why)
  end
  return true
end

--- Forgets a delivery that could not be acted upon, so that it may come again.
---@param key string
function Deliveries:forget(key)
  check(self, "forget", key, "")
  local own = places("", key)
  local value = self.store:get(own.handling)
  if value then
    release(self, own, value:sub(65)) -- after the digest of 64 digits
  end
  self.store:delete(own.handling)
end

return deliveries
