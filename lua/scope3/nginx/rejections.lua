--- Logs members that were not taken, in one line now and then: how many, and why.
local entries = require "scope3.util.entries"
local nginx_log = require "scope3.util.nginx_log"
local plural = require "scope3.util.plural"

local ngx = ngx

---@class scope3.Rejections
local Rejections = {}
Rejections.__index = Rejections

local rejections = {}

---@param worker_stats scope3.WorkerStats
---@return scope3.Rejections
function rejections.new(worker_stats)
  return setmetatable({ worker_stats = worker_stats, rejected = 0, refused = 0, reasons = {} }, Rejections)
end

--- Writes a line about those since the last one, where there are any.
function Rejections:log()
  local counts, reasons = self.worker_stats.counts, self.worker_stats.reasons
  local rejected, refused = counts.rejected - self.rejected, counts.refused - self.refused
  local why = {}
  for reason, n in entries(reasons) do
    if n > (self.reasons[reason] or 0) then
      why[#why + 1] = ("%s %d"):format(reason, n - (self.reasons[reason] or 0))
      self.reasons[reason] = n
    end
  end
  self.rejected, self.refused = counts.rejected, counts.refused
  table.sort(why)
  local parts = {}
  if rejected > 0 then
    parts[1] = ("%s rejected (%s)"):format(plural.of(rejected, "member was", "members were"), table.concat(why, ", "))
  end
  if refused > 0 then
    parts[#parts + 1] = plural.of(refused, "was", "were") .. " refused, because too much waits already"
  end
  if #parts > 0 then
    nginx_log.say(ngx.WARN, "scope3: " .. table.concat(parts, "; "))
  end
end

return rejections
