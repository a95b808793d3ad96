-- What else the machine did while something was measured, from Linux's /proc.
local machine = {}

local HERTZ = 100 -- of the counts in /proc/stat, on every Linux that a program sees

local function line_of(path)
  local file = io.open(path)
  local line = file and file:read "*l"
  if file then
    file:close()
  end
  return line
end

---@class scope3.bench.Moment
---@field average string  load of the last minute
---@field busy number  seconds that processors have worked, or were taken by a hypervisor
---@field all number  seconds of all processors

--- Now. Nil where there is no /proc.
---@return scope3.bench.Moment?
function machine.now()
  local average, stat = line_of "/proc/loadavg", line_of "/proc/stat"
  if not average or not stat then
    return nil
  end
  local all, idle, column = 0, 0, 0
  for ticks in stat:gmatch " (%d+)" do
    column = column + 1
    if column <= 8 then -- guests, which follow, are part of user
      all = all + tonumber(ticks)
      idle = idle + ((column == 4 or column == 5) and tonumber(ticks) or 0)
    end
  end
  return { average = average:match "^%S+", busy = (all - idle) / HERTZ, all = all / HERTZ }
end

--- What to say of the time since a moment, in which our own programs took `own` seconds of a processor.
---@param before scope3.bench.Moment?
---@param own number
---@param cores integer
---@return string
function machine.since(before, own, cores)
  local now = machine.now()
  if not before or not now then
    return "load unknown"
  end
  local seconds = (now.all - before.all) / cores
  local others = seconds > 0 and math.max(0, (now.busy - before.busy - own) / seconds) or 0
  return ("load %s before and %s after, others took %.2f of %d cores"):format(before.average, now.average, others,
    cores)
end

return machine
