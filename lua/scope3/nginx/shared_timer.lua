--- One timer of a worker for all collectors: it gives each its turn.
---
--- nginx cannot cancel a timer. So the shared one is never longer than a second, and a collector without a turn leaves
--- no timer behind.
local core = require "scope3.core"
local entries = require "scope3.util.entries"

local ngx = ngx

local shared_timer = {}

local SLICE = 1 -- seconds that a timer waits at most
local SHORTEST = 0.02 -- and at least
local OVERDUE = 5 -- seconds after which a timer is taken for dropped, as nginx does above lua_max_running_timers

---@class scope3.Scheduled
---@field turn fun(self: table): boolean?  its time has come; false where it could not begin: it is called again later
---@field last_turn fun(self: table)  the worker is ending; may wait

local due = {} -- subject -> when
local current -- the timer that runs next: { at }
local owner -- process of these timers: none outlives a fork

local on_timer

-- Makes a timer run at that time, or before.
local function arm(time)
  if ngx.worker.exiting() then
    return true -- nginx takes no timer then, and runs the pending ones at once
  end
  local now, pid = core.now(), ngx.worker.pid()
  if owner ~= pid then
    owner, current = pid, nil
  end
  local seconds = math.max(SHORTEST, math.min(SLICE, time - now))
  if current and now < current.at + OVERDUE and current.at <= now + seconds + SHORTEST then
    return true
  end
  local timer = { at = now + seconds }
  local able, made, why = pcall(ngx.timer.at, seconds, on_timer, timer) -- raises in exit_worker_by_lua
  if able and made then
    current = timer
    return true
  end
  return nil, tostring(able and why or made)
end

-- Gives each subject a last turn, all at the same time.
local function end_all()
  local threads = {}
  for subject in entries(due) do
    threads[#threads + 1] = ngx.thread.spawn(subject.last_turn, subject)
  end
  due = {}
  for _, thread in ipairs(threads) do
    ngx.thread.wait(thread)
  end
end

function on_timer(premature, timer)
  if current == timer then
    current = nil
  end
  if premature then
    return end_all()
  end
  local now, ready = core.now(), {}
  for subject, time in entries(due) do
    ready[#ready + 1] = time <= now and subject or nil
  end
  local failed, why
  for _, subject in ipairs(ready) do
    due[subject] = now + SLICE -- until its turn has begun
    local fine, begun = pcall(subject.turn, subject)
    if not fine then
      failed, why = true, begun
    elseif begun then
      due[subject] = nil
    end
  end
  local soonest
  for _, time in entries(due) do
    soonest = math.min(soonest or time, time)
  end
  if soonest then
    arm(soonest)
  end
  if failed then
    error(why, 0) -- nginx logs it
  end
end

--- Gives a subject a turn at that time, or earlier where that was asked for before.
---@param subject scope3.Scheduled
---@param time number  of core.now()
---@return true?
---@return string? why  no timer can be made: it is tried again at the next call
function shared_timer.at(subject, time)
  time = math.min(due[subject] or time, time)
  due[subject] = time
  return arm(time)
end

--- Removes a subject's turn.
---@param subject scope3.Scheduled
function shared_timer.forget(subject)
  due[subject] = nil
end

return shared_timer
