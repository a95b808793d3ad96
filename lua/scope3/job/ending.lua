--- Why a job ends, and when: its failure, the failures that it went on past, its limits of time, and who says to stop.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local plural = require "scope3.util.plural"

---@class scope3.JobEnding
---@field limits table  when sending is to stop; as for transport:drive()
---@field stopping boolean  nothing new is started
---@field failure? scope3.Error  why the job ends before its time
---@field passed_over? scope3.Error  the first failure that the job went on past
---@field passed integer  such failures
---@field lost_before? scope3.Error  members failed for good in an earlier run
---@field ended boolean  only tasks may go on
local Ending = {}
Ending.__index = Ending

local ending = {}

--- Makes the ending of a job that begins.
---@param limits table  as for transport:drive()
---@param guard scope3.Guard  of the job's callbacks
---@param cancel? fun(): boolean?  the caller's, who may stop the job
---@return scope3.JobEnding
function ending.new(limits, guard, cancel)
  local self = setmetatable({ limits = limits, guard = guard, stopping = false, passed = 0, ended = false }, Ending)
  limits.cancel = cancel and function()
    self.stopping = self.stopping or cancel() and true or false
    return self.stopping
  end
  return self
end

--- Requests go by a waiter, whose loop and limiter may raise.
---@param waiter scope3.Waiter
function Ending:watch(waiter)
  self.waiter = waiter
end

--- What foreign code has raised: a callback, a loop, or a limiter's store.
---@return scope3.Error?
function Ending:fault()
  return self.guard.fault or self.waiter and self.waiter.fault or nil
end

--- Whether `cancel` says to stop, or a callback raised.
---@return boolean
function Ending:is_to_stop()
  local guard, cancel = self.guard, self.limits.cancel
  return guard.fault ~= nil or cancel ~= nil and cancel() or guard.fault ~= nil
end

--- Limits that end so many seconds from now, or with the job's own.
---@param now number  by the loop's clock
---@param seconds number
---@param over string  what to call that
---@return table
function Ending:within(now, seconds, over)
  local limits = {}
  for key, value in entries(self.limits) do
    limits[key] = value
  end
  if now + seconds < (limits.deadline or math.huge) then
    limits.deadline, limits.over = now + seconds, over
  end
  return limits
end

--- The job fails. The first failure counts; a callback that raised is the cause, whatever came of that.
---@param err scope3.Error
function Ending:fail(err)
  self.failure = self.failure or self:fault() or err
end

--- Adds to what an error says, and to the job's failure where that is the same.
---@param err scope3.Error
---@param more string
---@return scope3.Error
function Ending:amend(err, more)
  local told = errors.with(err, { message = err.message .. more })
  if self.failure == err then
    self.failure = told
  end
  return told
end

--- The job goes on past a failure.
---@param err scope3.Error
function Ending:pass_over(err)
  self.passed_over = self.passed_over or err
  self.passed = self.passed + 1
end

--- Members failed for good in an earlier run. The first such error is the job's, once its other tasks have ended well.
---@param err scope3.Error
function Ending:lose(err)
  self.lost_before = self.lost_before or err
end

--- Sets when sending is to stop.
---@param limits table  as for transport:drive()
function Ending:limit(limits)
  self.limits = limits
end

--- Nothing new is started any more.
---@param limits table  of what is under way
function Ending:stop(limits)
  self.stopping, self.limits = true, limits
end

--- What was under way when the job was stopped has ended.
---@param err scope3.Error  why it was stopped
function Ending:stopped(err)
  self.failure = self:fault() or err
end

-- What a job says that went on past failures.
local function of_those_passed(self)
  local err = self.passed_over
  if err and self.passed > 1 then
    err = errors.with(err, { message = err.message
      .. (" (and %s; what does not depend on them went on)"):format(plural.of(self.passed - 1, "more failure")) })
  end
  return err
end

--- The job has ended.
---@param res scope3.Result
---@return scope3.Error? err  why it failed, with `result`
function Ending:finish(res)
  local err = self.failure or self:fault() or of_those_passed(self)
  self.failure = err and errors.with(err, { result = res })
  self.ended = true
  return self.failure
end

return ending
