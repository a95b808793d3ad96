--- Counts of a collector: of one worker, and of all workers in a lua_shared_dict.
---
--- In the dict each collector of a worker has a slot with the number of members that it holds. The slot outlives a
--- worker that is killed, so its members can be counted as lost.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local process = require "scope3.nginx.process"

---@class scope3.WorkerStats
local WorkerStats = {}
WorkerStats.__index = WorkerStats

local worker_stats = {}

local COUNTED = { "accepted", "refused", "rejected", "rejected_by_service", "failed", "adopted", "unkept", "lost",
  "appended" }
local REAP_LOCK = 10 -- seconds after which another worker may reap a slot that was not finished

-- The content of a slot: the worker, the members it holds, and those that are lost when it dies.
local function read_slot(dict, key)
  local text = dict:get(key)
  local pid, held, gone = tostring(text or ""):match("^(%d+) (%d+) (%d+)$")
  return tonumber(pid), tonumber(held), tonumber(gone)
end

-- Counts as lost what a dead worker held, and removes its slot. One worker does that at a time.
local function reap(dict, prefix, number)
  local key, lock = prefix .. "slot:" .. number, prefix .. "burial:" .. number
  local pid = read_slot(dict, key)
  if not pid or process.is_alive(pid) or not dict:add(lock, true, REAP_LOCK) then
    return
  end
  local same, _, gone = read_slot(dict, key)
  if same == pid then
    dict:incr(prefix .. "lost", gone, 0)
    dict:delete(key)
  end
  dict:delete(lock)
end

local function slots(dict, prefix)
  return dict:get(prefix .. "slots") or 0
end

-- Makes the number of slots include one. Two workers that do so at once may count one slot too many.
local function include(dict, prefix, number)
  while slots(dict, prefix) < number do
    if not dict:incr(prefix .. "slots", 1, 0) then
      return
    end
  end
end

-- Takes the first free slot of a dict: its key and number.
local function take_slot(dict, prefix, pid)
  local number = 1
  while true do
    local key = ("%sslot:%d"):format(prefix, number)
    reap(dict, prefix, number)
    local added, why = dict:add(key, pid .. " 0 0")
    if added or why ~= "exists" then -- in a dict without memory this worker is not counted
      return key, number
    end
    number = number + 1
  end
end

---@param dict table?  a lua_shared_dict
---@param name string  of the collector
---@param pid integer
---@param kept boolean  what a worker holds outlives it
---@return scope3.WorkerStats
function worker_stats.new(dict, name, pid, kept)
  local self = setmetatable({ dict = dict, prefix = "collector:" .. name .. ":", kept = kept, pid = pid,
    counts = {}, reasons = {} }, WorkerStats)
  for _, key in ipairs(COUNTED) do
    self.counts[key] = 0
  end
  if dict then
    self.key, self.number = take_slot(dict, self.prefix, pid)
    include(dict, self.prefix, self.number)
  end
  return self
end

--- Says how many members the collector holds, and how many of them would go with its worker.
---@param n integer
---@param memory_only integer  that are only in memory, although there is a spool
function WorkerStats:holds(n, memory_only)
  if self.dict and (n ~= self.held or memory_only ~= self.memory_only) then
    self.held, self.memory_only = n, memory_only
    self.dict:set(self.key, ("%d %d %d"):format(self.pid, n, self.kept and memory_only or n))
  end
end

--- Adds to a count.
---@param key string
---@param n integer
function WorkerStats:add(key, n)
  if n ~= 0 then
    self.counts[key] = self.counts[key] + n
    if self.dict then
      self.dict:incr(self.prefix .. key, n, 0)
    end
  end
end

--- Counts a member that was rejected.
---@param reason string  one of core.reasons
function WorkerStats:reject(reason)
  self:add("rejected", 1)
  self.reasons[reason] = (self.reasons[reason] or 0) + 1
  if self.dict then
    self.dict:incr(self.prefix .. "rejected:" .. reason, 1, 0)
  end
end

--- The counts of this worker.
---@return table
function WorkerStats:own()
  local own = { reasons = {} }
  for key, n in entries(self.counts) do
    own[key] = n
  end
  for reason, n in entries(self.reasons) do
    own.reasons[reason] = n
  end
  return own
end

--- The collector leaves.
---@param held integer  members that it still has, in its spool or in memory
---@param memory_only integer  of them, those that are only in memory
function WorkerStats:leave(held, memory_only)
  self:add("lost", self.kept and memory_only or held)
  if self.dict then
    self.dict:delete(self.key)
  end
end

--- Removes its keys from the dict where no other collector of that name is left.
function WorkerStats:forget()
  local dict, prefix = self.dict, self.prefix
  if not dict then
    return
  end
  for number = 1, slots(dict, prefix) do
    reap(dict, prefix, number)
    if dict:get(prefix .. "slot:" .. number) then
      return
    end
  end
  for _, key in ipairs(COUNTED) do
    dict:delete(prefix .. key)
  end
  for reason in entries(core.reasons) do
    dict:delete(prefix .. "rejected:" .. reason)
  end
  dict:delete(prefix .. "slots")
end

--- The counts of all workers since nginx started; nil without a dict.
---@return table?
function WorkerStats:all()
  local dict, prefix = self.dict, self.prefix
  if not dict then
    return nil
  end
  include(dict, prefix, self.number) -- forget() of another collector may have removed the number
  local total = { held = 0, reasons = {} }
  for number = 1, slots(dict, prefix) do
    reap(dict, prefix, number)
    local _, held = read_slot(dict, prefix .. "slot:" .. number)
    total.held = total.held + (held or 0)
  end
  for _, key in ipairs(COUNTED) do
    total[key] = dict:get(prefix .. key) or 0
  end
  for reason in entries(core.reasons) do
    total.reasons[reason] = dict:get(prefix .. "rejected:" .. reason)
  end
  return total
end

return worker_stats
