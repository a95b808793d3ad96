--- Asks the service again and again, with pauses that grow, until an end is seen or the limits of a wait are over.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"

local polling = {}

local FIRST_POLL, LONGEST_POLL, GROWTH = 0.25, 30, 1.5 -- seconds between two polls, and how they grow
local FAILURES_IN_A_ROW = 5
local NOTICE = 0.2 -- seconds between two looks for a callback

---@class scope3.Poll  what is asked
---@field ask fun(limits: table): any, any, number?  gives what it saw, whether that is the end, and seconds to wait; or
---  nil and an error
---@field last fun(): string?  what was seen last, for the error of a wait whose time is over
---@field came? fun(): boolean  whether a callback has come, which ends a pause

-- A wait may last for hours: a poll that fails is repeated, as long as not many fail in a row, and patience has not
-- ended.
local function survives(err, failures)
  return failures < FAILURES_IN_A_ROW and not err.outage
    and (err.kind == "network" or err.kind == "timeout" or (err.status and (err.status == 429 or err.status >= 500)))
end

-- Pauses between two polls. A callback that came ends the pause.
local function pause(context, seconds, limits, came)
  local transport, now = context:transport(), context.loop.now
  local over = now() + seconds
  while came and seconds > NOTICE do
    if came() then
      return true
    end
    local ok, err = transport:pause(NOTICE, limits)
    if not ok then
      return nil, err
    end
    seconds = over - now()
  end
  return transport:pause(math.max(0, seconds), limits)
end

--- Tells whether a callback of a task has come since this was last asked. `notified` may go on saying so, and means the
--- same callback then.
---@param notified? fun(task_id: string): boolean?
---@param id string
---@return (fun(): boolean)?
function polling.notice(notified, id)
  local before = false
  return notified and function()
    local now = notified(id) and true or false
    local news = now and not before
    before = now
    return news
  end
end

-- The error of a wait whose time is over says what was seen last.
local function late(err, last)
  if err.kind == "timeout" then
    return errors.with(err, { message = err.message .. ": " .. (last() or "nothing was seen of it yet") })
  end
  return err
end

-- Limits of one question: a wait that asks once gives each a time of its own.
local function limits_of_one(context, limits)
  if not limits.once then
    return limits
  end
  local own = {}
  for key, value in entries(limits) do
    own[key] = value
  end
  own.deadline = context.loop.now() + limits.once
  return own
end

-- Whether a failed question ends the wait.
local function is_final(context, err, failures, limits)
  return err.kind == "cancelled" or limits.deadline ~= nil and context.loop.now() >= limits.deadline
    or not survives(err, failures)
end

--- Asks until an end is seen.
---@param context scope3.Context
---@param limits table  as for transport:drive(); `once`: seconds for the only question
---@param interval? number  seconds between two polls; they grow unless given
---@param poll scope3.Poll
---@return any seen
---@return scope3.Error? err  why the wait ended
function polling.poll(context, limits, interval, poll)
  local seconds, failures = interval or FIRST_POLL, 0
  while true do
    local seen, done, wish = poll.ask(limits_of_one(context, limits))
    if seen ~= nil and done then
      return seen
    end
    failures = seen ~= nil and 0 or failures + 1
    if seen == nil and is_final(context, done, failures, limits) then
      return nil, late(done, poll.last)
    elseif limits.once then
      return nil, late(seen == nil and done or errors.new("timeout", "the wait asked once"), poll.last)
    end
    local ok, err = pause(context, wish or seconds, limits, poll.came)
    if not ok then
      return nil, late(err, poll.last)
    end
    if not interval then
      seconds = math.min(LONGEST_POLL, seconds * GROWTH)
    end
  end
end

return polling
