--- What is to stand in nginx's error log. nginx adds the request line, and with it whatever emails and ids stand there, to what is logged inside a
--- request; so nothing is: a timer does it.
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

--- Sees to it that what could get no timer is written once there is one again. For whoever comes by; costs next to nothing.
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
