--- Counts of a collector: of one worker, and of all of them in a lua_shared_dict. There each collector of a worker
--- has a slot that says how many members
--- it holds, which outlives it: so it is known what a worker that was killed took with it.
local core = require "scope3.core"
local ffi = require "ffi"

ffi.cdef "int kill(int pid, int signal);"
local ESRCH = 3

---@class scope3.WorkerStats
local WorkerStats = {}
WorkerStats.__index = WorkerStats

local worker_stats = {}

local COUNTED = { "accepted", "refused", "rejected", "rejected_by_service", "failed", "adopted", "unkept", "lost" }
local BURIAL = 10 -- seconds after which a burial that was not finished may be begun again

--- Whether there is a process of that number.
---@param pid integer
---@return boolean
function worker_stats.is_alive(pid)
  return ffi.C.kill(pid, 0) == 0 or ffi.errno() ~= ESRCH
end

-- What stands in a slot: the worker, what it holds, and how much of that would go with it.
local function read_slot(dict, key)
  local text = dict:get(key)
  local pid, held, gone = tostring(text or ""):match("^(%d+) (%d+) (%d+)$")
  return tonumber(pid), tonumber(held), tonumber(gone)
end

-- Counts what a worker that is no more has taken with it. Whoever asks does that, and one of them alone.
local function bury(dict, prefix, number)
  local key, burial = prefix .. "slot:" .. number, prefix .. "burial:" .. number
  local pid = read_slot(dict, key)
  if not pid or worker_stats.is_alive(pid) or not dict:add(burial, true, BURIAL) then
    return
  end
  local same, _, gone = read_slot(dict, key)
  if same == pid then
    dict:incr(prefix .. "lost", gone, 0)
    dict:delete(key)
  end
  dict:delete(burial)
end

local function slots(dict, prefix)
  return dict:get(prefix .. "slots") or 0
end

-- Makes sure that others look at the slot. Two may do so at once: then they look at one more.
local function reach(dict, prefix, number)
  while slots(dict, prefix) < number do
    if not dict:incr(prefix .. "slots", 1, 0) then
      return
    end
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
    local number = 1
    while true do
      local key = ("%sslot:%d"):format(self.prefix, number)
      bury(dict, self.prefix, number)
      local added, why = dict:add(key, pid .. " 0 0")
      if added or why ~= "exists" then -- a dict without memory: nobody counts it
        self.key, self.number = key, number
        break
      end
      number = number + 1
    end
    reach(dict, self.prefix, self.number)
  end
  return self
end

--- Says how many members the collector holds, and how many of them would go with its worker.
---@param n integer
---@param alone integer  that are in memory alone, although there is a spool
function WorkerStats:holds(n, alone)
  if self.dict and (n ~= self.held or alone ~= self.alone) then
    self.held, self.alone = n, alone
    self.dict:set(self.key, ("%d %d %d"):format(self.pid, n, self.kept and alone or n))
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

--- Counts a member that was none.
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
  for key, n in pairs(self.counts) do
    own[key] = n
  end
  for reason, n in pairs(self.reasons) do
    own.reasons[reason] = n
  end
  return own
end

--- The collector leaves.
---@param held integer  members that it still has, in its spool or in memory
---@param alone integer  of them, those that are in memory alone
function WorkerStats:leave(held, alone)
  self:add("lost", self.kept and alone or held)
  if self.dict then
    self.dict:delete(self.key)
  end
end

--- Takes its keys out of the dict where no other collector of that name is left to be asked for them.
function WorkerStats:forget()
  local dict, prefix = self.dict, self.prefix
  if not dict then
    return
  end
  for number = 1, slots(dict, prefix) do
    bury(dict, prefix, number)
    if dict:get(prefix .. "slot:" .. number) then
      return
    end
  end
  for _, key in ipairs(COUNTED) do
    dict:delete(prefix .. key)
  end
  for reason in pairs(core.reasons) do
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
  reach(dict, prefix, self.number) -- somebody who was the last one may just have taken it out
  local total = { held = 0, reasons = {} }
  for number = 1, slots(dict, prefix) do
    bury(dict, prefix, number)
    local _, held = read_slot(dict, prefix .. "slot:" .. number)
    total.held = total.held + (held or 0)
  end
  for _, key in ipairs(COUNTED) do
    total[key] = dict:get(prefix .. key) or 0
  end
  for reason in pairs(core.reasons) do
    total.reasons[reason] = dict:get(prefix .. "rejected:" .. reason)
  end
  return total
end

return worker_stats
