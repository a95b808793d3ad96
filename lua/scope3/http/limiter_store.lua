--- Where a limiter keeps its counts: a table, a dictionary that others share, or a file that processes lock.
local core = require "scope3.core"
local retry_after = require "scope3.http.retry_after"
local sliding_window = require "scope3.http.sliding_window"

local limiter_store = {}

--- Seconds added to a Retry-After: who comes back at that very moment may be refused once more.
limiter_store.MARGIN = 0.1
--- The key of the time until which all who share a damaged file wait.
limiter_store.BLOCKED = "blocked"

local MOST_NOTES = 64 -- that are kept for a store that is locked

---@class scope3.Store  what a lua_shared_dict answers to
---@field get fun(self, key: string): any
---@field set fun(self, key: string, value: any): boolean
---@field incr fun(self, key: string, by: number, init: number): number
---@field delete fun(self, key: string)

-- --- a table -----------------------------------------------------------------------------------------------------

---@class scope3.MemoryStore: scope3.Store
local Memory = {}
Memory.__index = Memory

function Memory:get(key)
  return self[key]
end

function Memory:set(key, value)
  self[key] = value
end

-- What it counts is there: what remains of an announced limit.
function Memory:incr(key, by)
  self[key] = self[key] + by
end

function Memory:delete(key)
  self[key] = nil
end

-- --- times that lie ahead ----------------------------------------------------------------------------------------

--- Keeps a time that lies ahead, with the time at which it was kept.
---@param counts scope3.Store
---@param key string
---@param seconds number  from now
---@param now number
function limiter_store.set_time(counts, key, seconds, now)
  counts:set(key, now + seconds)
  counts:set(key .. "@", now)
end

--- A time that was kept. A clock may have gone back since: then the time lies as far ahead of now as it did at first.
---@param counts scope3.Store
---@param key string
---@param now number
---@return number?
function limiter_store.time(counts, key, now)
  local at = counts:get(key)
  local kept = at and counts:get(key .. "@")
  if at and (not kept or kept > now + sliding_window.CLOCK_ERROR) then
    local seconds = math.min(retry_after.LONGEST + limiter_store.MARGIN, at - (kept or now))
    limiter_store.set_time(counts, key, seconds, now)
    return now + seconds
  end
  return at
end

-- --- exclusive use -----------------------------------------------------------------------------------------------

---@class scope3.LimiterStore
---@field counts scope3.Store
---@field private boolean  no other Lua state uses it
---@field file boolean  processes share it, and lock it
---@field private notes scope3.LimiterNote[]  what could not be written yet
---@field private news "damaged"|"removed"|nil  what happened to the file
local LimiterStore = {}
LimiterStore.__index = LimiterStore

---@class scope3.LimiterNote
---@field act function
---@field limiter scope3.Limiter
---@field who table
---@field value any
---@field now number

--- Makes one.
---@param given scope3.Store|string|nil  a store, the path of a file, or nothing for a table
---@return scope3.LimiterStore?
---@return string? why  the file cannot be used
function limiter_store.new(given)
  local file, counts = type(given) == "string", given
  if file then
    local why
    counts, why = core.count_file(given)
    if not counts then
      return nil, why
    end
  end
  return setmetatable({
    counts = counts or setmetatable({}, Memory), private = given == nil, file = file, notes = {},
  }, LimiterStore)
end

-- Writes what waited for the lock, and then acts.
local function catch_up(self, news, now, act, ...)
  if news then -- the counts of the last minute are lost, so no request goes before it is over
    limiter_store.set_time(self.counts, limiter_store.BLOCKED, sliding_window.LONGEST_WAIT, now)
  end
  local notes = self.notes
  self.notes = {}
  for _, note in ipairs(notes) do
    note.act(note.limiter, note.who, note.value, note.now)
  end
  return act(...)
end

--- Calls a function while no other process uses the store.
---@param now number
---@param act function
---@param ... any  its arguments
---@return any result  nil where another process has the store
---@return string? why  the store cannot be used
function LimiterStore:exclusively(now, act, ...)
  if not self.file then
    return act(...)
  end
  local locked, news = self.counts:lock()
  if not locked then
    return nil, news
  end
  local fine, result, why = pcall(catch_up, self, news, now, act, ...)
  local unlocked, problem = self.counts:unlock()
  self.news = news or self.news -- after the lock is released, because memory may run out here
  if not fine then
    return nil, tostring(result)
  elseif not unlocked then
    return nil, problem
  end
  return result, why
end

local function written(act, ...)
  act(...)
  return true
end

--- Writes what a reply said: at once, or at the next occasion where another process has the store.
---@param act fun(limiter: scope3.Limiter, who: table, value: any, now: number)
---@param limiter scope3.Limiter
---@param who table
---@param value any
---@param now number
function LimiterStore:write(act, limiter, who, value, now)
  if not self:exclusively(now, written, act, limiter, who, value, now) and #self.notes < MOST_NOTES then
    self.notes[#self.notes + 1] = { act = act, limiter = limiter, who = who, value = value, now = now }
  end
end

--- What happened to the file since this was asked.
---@return "damaged"|"removed"|nil
function LimiterStore:take_news()
  local news = self.news
  self.news = nil
  return news
end

return limiter_store
