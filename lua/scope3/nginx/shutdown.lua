--- Ends collectors: sends what they have for a limited time, and gives everything back.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local nginx_log = require "scope3.util.nginx_log"
local plural = require "scope3.util.plural"
local shared_timer = require "scope3.nginx.shared_timer"

local ngx = ngx

local shutdown = {}

local LOOK = 0.02 -- seconds between two looks whether another timer has sent

local active = {} -- collectors that have a state in this Lua state -> true

--- Notes a collector that has a state in this worker.
---@param collector scope3.CollectorWorker
function shutdown.register(collector)
  active[collector] = true
end

--- The collectors that have a state. They may be released during the traversal.
---@return table<scope3.CollectorWorker, true>
function shutdown.active()
  return active
end

--- Gives back what a collector has in this worker.
---@param collector scope3.CollectorWorker
---@param forget boolean  also its keys in the dict, where no other collector of that name is left
---@return integer kept  members that stay in files
---@return integer lost
function shutdown.release(collector, forget)
  local state = collector.state
  collector.state, active[collector] = nil, nil
  shared_timer.forget(collector)
  return state:release(forget)
end

-- What close() gives where it was not finished. It is made beforehand: memory may be what it lacked.
local UNFINISHED = errors.new("script", "the collector could not be closed in order, as where memory is short")

---@class scope3.Closing  a call of close()
---@field seconds number  for sending
---@field taken boolean  something is at it
---@field done boolean
---@field ok boolean
---@field err scope3.Error?
---@field asked number|false  when a timer was asked for
---@field counts table|false  of the worker at the end

--- A call of close(). Its fields are there from the start, so that to answer it takes no memory.
---@param seconds number  for sending
---@return scope3.Closing
function shutdown.closing(seconds)
  return { seconds = seconds, taken = false, done = false, ok = false, err = UNFINISHED, asked = false, counts = false }
end

-- Notes how closing has ended, for close() and status().
local function finish(closing, ok, err, counts)
  closing.ok, closing.err, closing.counts, closing.done = ok, err, counts, true
end

-- Sends until nothing waits, the time is over or it fails. Why members still wait.
local function drain(collector, state, ends)
  local loop = collector.client.loop
  repeat
    local ok, err = state:flush(true, math.max(0, ends - loop.now()))
    while state.outbox.sending and loop.now() < ends do -- another timer, which has the deadline now
      loop.sleep(LOOK)
    end
    if state.outbox.sending then
      state:interrupted()
      state:count()
      return errors.new("timeout", "a request was under way")
    elseif not ok then
      return err
    end
  until state.held == 0 or loop.now() >= ends
  return errors.new("timeout", "the time was over")
end

-- What becomes of members that are left at the end.
local function words_of(kept, lost)
  local parts = {}
  if kept > 0 then
    parts[1] = plural.of(kept, "member waits", "members wait")
      .. " in the spool for the next collector of this account and audience"
  end
  if lost > 0 then
    parts[#parts + 1] = plural.of(lost, "member is", "members are") .. " lost"
  end
  return table.concat(parts, ", and ")
end

local function level_of(lost)
  return lost > 0 and ngx.ERR or ngx.WARN
end

-- The error of a collector that was closed with members left.
local function error_of(why, kept, lost)
  local message = ("the collector was closed: %s: %s"):format(words_of(kept, lost), why.message)
  return errors.new(why.kind, message, { retained = kept, lost = lost })
end

local function close(collector, closing, state)
  closing.taken = true
  if not state or state.pid ~= ngx.worker.pid() then
    return finish(closing, true)
  end
  local fine, why = pcall(drain, collector, state, collector.client.loop.now() + closing.seconds)
  if not fine then
    state:interrupted() -- before an error is made: memory may be what it lacked
    why = errors.new("script", tostring(why))
    state:count()
  end
  local kept, lost = shutdown.release(collector, true)
  local counts = state.stats:own()
  counts.held, counts.audiences, counts.closed = kept, 0, true
  if kept + lost == 0 then
    return finish(closing, true, nil, counts)
  end
  local err = error_of(why, kept, lost)
  nginx_log.say(level_of(lost), tostring(err))
  finish(closing, nil, err, counts)
end

--- Sends what a collector has, for the seconds of its closing, and gives everything back. It waits, or blocks where
--- nothing can wait.
---@param collector scope3.CollectorWorker
function shutdown.close(collector)
  local closing = collector.closing
  if closing.taken then
    return
  end
  local fine, why = pcall(close, collector, closing, collector.state)
  if not fine then
    closing.done = closing.taken -- without a call, which may find no memory: close() waits for this
    error(why, 0)
  end
end

--- Sends what all collectors of this worker have. Nothing else runs any more, so it may block.
---@param seconds number  for all of them
function shutdown.exit(seconds)
  local list, ends = {}, core.now() + seconds
  for collector in entries(active) do
    local state = collector.state
    list[#list + 1] = state and state.pid == ngx.worker.pid() and collector or nil
  end
  for i, collector in ipairs(list) do
    local state = collector.state
    if state.held > 0 then
      state:interrupted()
      -- One that hangs leaves the others their share.
      state:flush(true, math.max(0, ends - core.now()) / (#list - i + 1))
    end
    local kept, lost = shutdown.release(collector, false)
    if kept + lost > 0 then
      nginx_log.say(level_of(lost), "scope3: the worker has ended: " .. words_of(kept, lost))
    end
  end
end

return shutdown
