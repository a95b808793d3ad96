--- Requests that may still take effect once more. The answer to such a request was lost, so it was sent again, and the
--- first copy may also have a task. The service may take up to 48 hours for a task (docs/contract.md section 3).
---
--- Until then nothing may be sent that such a copy would undo: another operation on one of its members, in a later
--- epoch. The same members may be sent again at once. A job that comes to such an operation stops and says when to run
--- again; where it was told how long to wait (`in_doubt_timeout`), it waits.
local core = require "scope3.core"
local errors = require "scope3.error"

---@class scope3.Doubts
---@field waits boolean  whether the job waits before what contradicts a request in doubt; else it stops
---@field private seconds number  for which a request is in doubt
---@field private ids table<string, table>  of members in doubt, by the id of their audience
---@field private epoch? integer  the first one that has a request in doubt
---@field private in_doubt_since? number  when the last of the requests was sent, by the loop's clock
local Doubts = {}
Doubts.__index = Doubts

local in_doubt = {}

local SECONDS = 72 * 3600 -- the 48 hours of a task, and a day to spare

---@param timeout number?  seconds for which a request is in doubt, and for which the job then waits
---@return scope3.Doubts
function in_doubt.new(timeout)
  return setmetatable({ seconds = timeout or SECONDS, waits = timeout ~= nil, ids = {} }, Doubts)
end

--- A request is in doubt.
---@param parts scope3.Part[]
---@param epoch integer  in which it was sent
---@param since number  second of the loop's clock
function Doubts:add(parts, epoch, since)
  for _, part in ipairs(parts) do
    if part.payload then
      local id = part.audience.id
      self.ids[id] = self.ids[id] or core.id_set()
      self.ids[id]:seal(part.payload, part.first, part.last)
      self.epoch = math.min(self.epoch or epoch, epoch)
      self.in_doubt_since = math.max(self.in_doubt_since or since, since)
    end
  end
end

--- Whether requests that are about to go contradict one in doubt.
---@param list {parts: scope3.Part[]}[]
---@param epoch integer  in which they go: inside one no id occurs twice, or repeats are not looked for
---@return boolean
function Doubts:meet(list, epoch)
  if not self.epoch or self.epoch >= epoch then
    return false
  end
  for _, req in ipairs(list) do
    for _, part in ipairs(req.parts) do
      local ids = self.ids[part.audience.id]
      if ids and (part.delete or part.payload and ids:meets(part.payload, part.first, part.last)) then
        return true
      end
    end
  end
  return false
end

--- Seconds until nothing is in doubt.
---@param now number  by the loop's clock
---@return number
function Doubts:left(now)
  return self.in_doubt_since and math.max(0, self.in_doubt_since + self.seconds - now) or 0
end

function Doubts:clear()
  self.ids, self.epoch, self.in_doubt_since = {}, nil, nil
end

--- The error of a job that stops before what contradicts a request in doubt.
---@param seconds number
---@return scope3.Error
function in_doubt.too_long(seconds)
  return errors.new("timeout", ("the answer to an earlier request was lost, and it may still take effect for %.0f s. "
    .. "Members that contradict it would then be undone, so they and what follows them were not sent. "
    .. "Run the job again after that time, with its journal; or say by in_doubt_timeout how long a job waits")
    :format(seconds), { code = "in_doubt" })
end

return in_doubt
