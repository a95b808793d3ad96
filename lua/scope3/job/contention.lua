--- Jobs of this Lua state that are on one audience at the same time. The service may process their requests in any
--- order: where one adds and another removes, the outcome is undefined. Both jobs warn of it.
--- Jobs of other processes are not seen.
local entries = require "scope3.util.entries"

---@class scope3.Presence  a job on its audiences
---@field private keys string[]  one per audience
---@field private tell fun(audience_id: string)
---@field private told table<string, boolean>
local Presence = {}
Presence.__index = Presence

local contention = {}

-- Service, account and audience -> the presences on it, each with what it does there. A job that nobody holds any
-- longer is on none.
local present = {}

local function key_of(context, id)
  return context.base .. "\0" .. tostring(context.account_id) .. "\0" .. id
end

local function tell(self, id)
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
  local self = setmetatable({ context = context, keys = {}, told = {}, tell = on_contended }, Presence)
  for i, audience in ipairs(audiences) do
    local key = key_of(context, audience.id)
    self.keys[i] = key
    present[key] = present[key] or setmetatable({}, { __mode = "k" })
    present[key][self] = {}
  end
  return self
end

--- A request of the job is about to go.
---@param parts scope3.Part[]
function Presence:note(parts)
  for _, part in ipairs(parts) do
    local id = part.audience.id
    local jobs = present[key_of(self.context, id)]
    local mine = jobs and jobs[self]
    if mine then
      mine.adds, mine.removes = mine.adds or part.adds > 0, mine.removes or part.removes > 0 or part.delete
      for other, theirs in entries(jobs) do
        if other ~= self and (mine.adds and theirs.removes or mine.removes and theirs.adds) then
          tell(self, id)
          tell(other, id)
        end
      end
    end
  end
end

--- The job has ended.
function Presence:leave()
  for _, key in ipairs(self.keys) do
    local jobs = present[key]
    if jobs then
      jobs[self] = nil
      present[key] = next(jobs) and jobs or nil
    end
  end
end

return contention
