--- Lines for nginx's error log, written by a timer.
---
--- nginx adds the request line to what is logged inside a request, with any emails and ids in it. So nothing is logged
--- there.
local ngx = ngx

local nginx_log = {}

local MOST = 100 -- lines that wait for the timer; the others are counted

local queue, left_out, armed

-- Phases of no request.
local OUTSIDE = { init = true, init_worker = true, exit_worker = true, timer = true }

local function write()
  local lines, more = queue or {}, left_out or 0
  queue, left_out, armed = nil, nil, nil
  for _, line in ipairs(lines) do
    ngx.log(line.level, line.text)
  end
  if more > 0 then
    ngx.log(ngx.WARN, "scope3: ", more, " further lines were left out of this log")
  end
end

--- Tries again to get a timer for lines that have none. It is cheap, so others call it now and then.
function nginx_log.retry()
  if queue and not armed then
    armed = ngx.timer.at(0, write)
  end
end

--- Writes a line.
---@param level integer  ngx.ERR, ngx.WARN
---@param text string
function nginx_log.say(level, text)
  queue = queue or {}
  if #queue < MOST then
    queue[#queue + 1] = { level = level, text = text }
  else
    left_out = (left_out or 0) + 1
  end
  if OUTSIDE[ngx.get_phase()] then
    write()
  else
    nginx_log.retry()
  end
end

return nginx_log
