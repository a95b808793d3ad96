-- What a collector needs of nginx, in a plain process: one worker in its timer phase, whose timers run when asked to.
-- A real nginx is in spec/nginx; here every allocation and every call on a file can fail in turn.
local blocking = require "scope3.loop.blocking"
local core = require "scope3.core"
local options = require "scope3.util.options"

local stand_in = { lines = {} }

local timers = {}

local ngx = { ERR = 4, WARN = 5, NOTICE = 6, shared = {}, worker = {}, timer = {}, thread = {} }

function ngx.get_phase()
  return "timer"
end

function ngx.log(_, ...)
  stand_in.lines[#stand_in.lines + 1] = table.concat { ... }
end

ngx.sleep = core.sleep

function ngx.worker.pid()
  return 4711
end

function ngx.worker.id()
  return 0
end

function ngx.worker.exiting()
  return false
end

function ngx.timer.at(_, act, ...)
  local first, second = ...
  timers[#timers + 1] = function()
    act(false, first, second)
  end
  return true
end

function ngx.thread.spawn(act, ...)
  act(...)
end

function ngx.thread.wait() end

--- Runs the timers that are due: all of them.
function stand_in.run_timers()
  local due = timers
  timers = {}
  for _, timer in ipairs(due) do
    local fine, why = pcall(timer) -- nginx logs what a timer raises, and goes on
    stand_in.lines[#stand_in.lines + 1] = not fine and tostring(why) or nil
  end
end

--- Makes this process one worker of nginx.
function stand_in.install()
  rawset(_G, "ngx", ngx)
  if not rawget(_G, "newproxy") then -- a collector's handle; that it is dropped is spec/nginx's subject
    rawset(_G, "newproxy", function()
      return setmetatable({}, {})
    end)
  end
  package.loaded["scope3.nginx.process"] = { is_alive = function() -- its own needs LuaJIT's FFI
    return false
  end }
  package.loaded["scope3.loop.nginx"] = options.merge(blocking, { name = "nginx", sleep = function(seconds)
    stand_in.run_timers() -- who sleeps lets others run
    core.sleep(seconds)
  end })
end

return stand_in
