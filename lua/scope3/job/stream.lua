--- Members given one by one, sent in requests as they fill up.
local arguments = require "scope3.util.arguments"
local batcher = require "scope3.job.batcher"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local identity = require "scope3.identity"
local job = require "scope3.job"
local prune = require "scope3.job.prune"
local rare = require "scope3.util.rare"

---@class scope3.Stream
local Stream = {}
Stream.__index = Stream
Stream.__name = "scope3.stream"

local stream = {}

local ADDS_BETWEEN_PUMPS = 256 -- so that a request under way moves on while members come in

--- Makes a stream.
---@param context scope3.Context
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked
---@return scope3.Stream?
---@return scope3.Error? err
function stream.new(context, audience, opts)
  local work = job.new(context, { audience }, opts)
  work:report("repeats", batcher.repeats(opts))
  if opts.delete_missing then
    local ok, err = prune.prepare(work, { audience }, opts.delete_missing)
    if not ok then
      return nil, work:refuse(err)
    end
  end
  return setmetatable({ job = work, batcher = batcher.new(work, audience, opts), adds = 0,
    -- Fields from the start, because to add one may find no memory.
    waits = false, user = false, failure = false,
    adds_between_pumps = rare.number("adds_between_pumps", ADDS_BETWEEN_PUMPS) }, Stream)
end

local function check_open(self, level)
  if self.ended then
    error("attempt to use a stream that has ended", level)
  end
end

local MAIN = {} -- stands for the main coroutine, which Lua 5.1 does not give

-- The coroutine that the host knows: a callback of Lua 5.1 may run in one of its own.
local function current()
  local thread, is_main = coroutine.running()
  return not is_main and guard.outermost(thread) or MAIN
end

-- A coroutine that is suspended inside the stream has a request half made. No other one may touch it meanwhile, unless
-- that coroutine was ended by its host.
local function check_free(self, level)
  local user = self.user
  if user == current() then
    error("attempt to use a stream inside one of its own callbacks", level)
  elseif user and (user == MAIN or coroutine.status(user) ~= "dead" and coroutine.status(user) ~= "zombie") then
    error("attempt to use a stream that another coroutine is using", level)
  end
end

-- Does what may call foreign code, suspend, or make the job fail. An error, as of memory, must not leave the stream
-- with a user.
local function alone(self, act, ...)
  self.user = current()
  local fine, ok, err = guard.call(act, self, ...)
  self.user = false
  if not fine then
    error(ok, 0)
  end
  self.failure = self.job:failed() or false
  return ok, err
end

local function move_on(self)
  self.job:pump()
  self.batcher:report_rejections()
  return self.job.guard.fault == nil, self.job.guard.fault
end

local function make_room(self, reason)
  return self.batcher:make_room(reason)
end

local function put(self, member, remove)
  check_open(self, 4)
  check_free(self, 4)
  if self.failure then
    return nil, self.failure
  end
  if self.waits then -- for room, since an error of memory
    local ok, err = alone(self, make_room, self.waits)
    if not ok then
      return nil, err
    end
    self.waits = false
  end
  local added, reason = self.batcher.builder:add(self.batcher.payload, member, remove, 3,
    remove and "stream:remove" or "stream:add")
  self.waits = added == false and reason -- before anything that may raise
  self.adds = self.adds + 1
  if self.adds % self.adds_between_pumps == 0 then
    local ok, fault = alone(self, move_on)
    if not ok then
      return nil, fault
    end
  end
  if added == nil then
    local because = self.batcher.builder:because()
    return nil, errors.new("invalid", ("member %d was rejected: %s"):format(self.adds, identity.why(reason, because)),
      { code = reason, because = because })
  elseif added == false then
    local ok, err = alone(self, make_room, reason)
    self.waits = false
    return ok, err
  end
  return true
end

--- Adds a member; its fields are those of audience:add(). Usually touches no network: a request is started only when it
--- is full, and waits then for the one before.
---@param member scope3.Member
---@return true?
---@return scope3.Error? err  kind "invalid": this member was rejected and the stream goes on; another kind: the job
---  failed
function Stream:add(member)
  arguments.self(getmetatable(self) == Stream, "stream:add", "scope3.stream", self)
  local added, err = put(self, member, false) -- no tail call: misuse is blamed on the third function
  return added, err
end

--- Removes a member from the audience.
---@param member scope3.Member
---@return true?
---@return scope3.Error? err
function Stream:remove(member)
  arguments.self(getmetatable(self) == Stream, "stream:remove", "scope3.stream", self)
  local added, err = put(self, member, true)
  return added, err
end

-- Ends the batcher: members that were not sent count as failed.
local function close(self)
  self.batcher:abandon(function(part)
    self.job:abandon(part)
  end)
  self.job:await()
  self.batcher:close(self.job.result)
  return self.job:finish()
end

local function finish(self)
  local work, named = self.job, self.job.opts.delete_missing
  if not work:failed() and self.batcher:finish() and work:await() and named then
    local err = prune.after(work, { self.batcher.audience }, named, self.batcher.cuts)
    if err and not work:failed() then
      work:stop(err)
    end
  end
  return close(self)
end

--- Sends what is left and waits until everything was accepted.
---@return scope3.Result?
---@return scope3.Error? err  with `result`
function Stream:finish()
  arguments.self(getmetatable(self) == Stream, "stream:finish", "scope3.stream", self)
  check_open(self, 3)
  check_free(self, 3)
  self.ended = true
  return alone(self, finish)
end

local function cancel(self)
  self.job:stop(self.job:failed() or errors.new("cancelled", "the stream was cancelled"))
  return close(self)
end

--- Stops: nothing more is sent. What was accepted stays accepted.
---@return nil
---@return scope3.Error err  kind "cancelled", with `result`
function Stream:cancel()
  arguments.self(getmetatable(self) == Stream, "stream:cancel", "scope3.stream", self)
  check_open(self, 3)
  check_free(self, 3)
  self.ended = true
  return alone(self, cancel)
end

return stream
