--- Jobs of this Lua state that are on one audience at the same time. The service may process their requests in any
--- order: where one adds and another removes, the outcome is undefined. Both jobs warn of it.
--- Jobs of other processes are not seen.
local entries = require "scope3.util.entries"

---@class scope3.Presence  a job on its audiences
---@field private keys table<string, string>  of its audiences, by their ids; none after its end
---@field private tell fun(audience_id: string)
---@field private told? table<string, boolean>
local Presence = {}
Presence.__index = Presence

local contention = {}

-- Service, account and audience -> the presences that add there, and those that remove. A job that nobody holds any
-- longer is on none.
local present = {}

local WEAK, NONE = { __mode = "k" }, {}

local function key_of(context, id)
  return context.base .. "\0" .. tostring(context.account_id) .. "\0" .. id
end

local function tell(self, id)
  self.told = self.told or {}
  if not self.told[id] then
    self.told[id] = true
    self.tell(id)
  end
end

--- A job begins.
---@param context scope3.Context
---@param audiences {id: string}[]
---@param on_contended fun(audience_id: string)  called once per audience, when another job works against this one
---@return scope3.Presence
function contention.enter(context, audiences, on_contended)
  local self = setmetatable({ keys = {}, tell = on_contended }, Presence)
  for _, audience in ipairs(audiences) do
    self.keys[audience.id] = key_of(context, audience.id)
  end
  return self
end

-- The job is about to do something to an audience. Only jobs that do the opposite are looked at, because thousands may
-- do the same at once.
local function note(self, id, does, opposite)
  local key = self.keys[id]
  local jobs = present[key] or {}
  present[key] = jobs
  jobs[does] = jobs[does] or setmetatable({}, WEAK)
  jobs[does][self] = true
  for other in entries(jobs[opposite] or NONE) do
    if other ~= self then
      tell(self, id)
      tell(other, id)
    end
  end
end

--- A request of the job is about to go.
---@param parts scope3.Part[]
function Presence:note(parts)
  for _, part in ipairs(parts) do
    local id = part.audience.id
    if self.keys[id] and part.adds > 0 then
      note(self, id, "adds", "removes")
    end
    if self.keys[id] and (part.removes > 0 or part.delete) then
      note(self, id, "removes", "adds")
    end
  end
end

-- Takes a job out of those that do something. Gives whether there are others.
local function leave(self, doing)
  if doing then
    doing[self] = nil
  end
  return doing ~= nil and next(doing) ~= nil
end

--- The job has ended.
function Presence:leave()
  for _, key in entries(self.keys) do
    local jobs = present[key] or NONE
    local adding, removing = leave(self, jobs.adds), leave(self, jobs.removes)
    present[key] = (adding or removing) and jobs or nil
  end
  self.keys = {}
end

return contention
