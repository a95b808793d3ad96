--- Counts of a collector: of one worker, and of all of them in a lua_shared_dict. There each worker has an entry that says how many members it holds,
--- which outlives it: so it is known what a worker that was killed took with it.
local ffi = require "ffi"

ffi.cdef "int kill(int pid, int signal);"
local ESRCH = 3

---@class scope3.Census
local Census = {}
Census.__index = Census

local census = {}

local COUNTED = { "accepted", "refused", "rejected", "quarantined", "failed", "adopted", "unkept", "lost" }

---@param dict table?  a lua_shared_dict
---@param name string  of the collector
---@param pid integer
---@param kept boolean  what a worker holds outlives it
---@return scope3.Census
function census.new(dict, name, pid, kept)
  local self = setmetatable({ dict = dict, prefix = "collector:" .. name .. ":", kept = kept, counts = {} }, Census)
  for _, key in ipairs(COUNTED) do
    self.counts[key] = 0
  end
  if dict then
    local number = dict:incr(self.prefix .. "workers", 1, 0) or 0
    self.key = ("%sheld:%d"):format(self.prefix, number)
    dict:set(self.key, 0)
    dict:set(("%spid:%d"):format(self.prefix, number), pid)
  end
  return self
end

--- Says how many members the worker holds, and how many of them would go with it.
---@param n integer
---@param alone integer  that are in memory alone, although there is a spool
function Census:holds(n, alone)
  if self.dict then
    self.dict:set(self.key, n)
    if self.kept and alone ~= self.alone then
      self.alone = alone
      self.dict:set(self.key .. ":alone", alone)
    end
  end
end

--- Adds to a count.
---@param key string
---@param n integer
function Census:add(key, n)
  if n ~= 0 then
    self.counts[key] = self.counts[key] + n
    if self.dict then
      self.dict:incr(self.prefix .. key, n, 0)
    end
  end
end

--- The counts of this worker.
---@return table
function Census:own()
  local own = {}
  for key, n in pairs(self.counts) do
    own[key] = n
  end
  return own
end

--- The worker leaves; what it still holds stays behind in its spool, or is lost.
---@param alone integer  that are in memory alone
function Census:leave(held, alone)
  self:add("lost", self.kept and alone or held)
  if self.dict then
    self.dict:delete(self.key)
    self.dict:delete(self.key .. ":alone")
  end
end

--- Whether there is a process of that number.
---@param pid integer
---@return boolean
function census.is_alive(pid)
  return ffi.C.kill(pid, 0) == 0 or ffi.errno() ~= ESRCH
end

--- The counts of all workers since nginx started; nil without a dict. Whoever asks buries the dead.
---@return table?
function Census:all()
  local dict, prefix = self.dict, self.prefix
  if not dict then
    return nil
  end
  local total = { held = 0 }
  for number = dict:get(prefix .. "first") or 1, dict:get(prefix .. "workers") or 0 do
    local held_key, pid_key = ("%sheld:%d"):format(prefix, number), ("%spid:%d"):format(prefix, number)
    local held, pid = dict:get(held_key), dict:get(pid_key)
    if held and pid and not census.is_alive(pid) then
      -- add() takes a key once, however many ask at the same time.
      if dict:add(("%sburied:%d"):format(prefix, number), true) then
        local gone = held
        if self.kept then
          gone = dict:get(held_key .. ":alone") or 0
        end
        dict:incr(prefix .. "lost", gone, 0)
        dict:delete(held_key .. ":alone")
        dict:delete(held_key)
      end
      held = nil
    end
    if held then
      total.held = total.held + held
    elseif number == (dict:get(prefix .. "first") or 1) then -- those of long ago are not looked at again
      dict:set(prefix .. "first", number + 1)
      dict:delete(pid_key)
      dict:delete(("%sburied:%d"):format(prefix, number))
    end
  end
  for _, key in ipairs(COUNTED) do
    total[key] = dict:get(prefix .. key) or 0
  end
  return total
end

return census
