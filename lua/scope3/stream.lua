--- Members given one by one, sent in requests as they fill up.
local core = require "scope3.core"
local door = require "scope3.door"
local errors = require "scope3.error"
local intake = require "scope3.intake"
local job = require "scope3.job"
local deletion = require "scope3.deletion"

---@class scope3.Stream
local Stream = {}
Stream.__index = Stream
Stream.__name = "scope3.stream"

local stream = {}

local ADDS_BETWEEN_PUMPS = 256 -- so that a request under way moves on while members come in

---@param client table
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked
---@return scope3.Stream?
---@return scope3.Error? err
function stream.new(client, audience, opts)
  local work = job.new(client, { audience }, opts)
  if opts.delete_missing then
    local ok, err = deletion.prepare(work, { audience }, opts.delete_missing)
    if not ok then
      return nil, err
    end
  end
  return setmetatable({ job = work, intake = intake.new(work, audience, opts), adds = 0 }, Stream)
end

local function check_open(self, level)
  if self.ended then
    error("attempt to use a stream that has ended", level)
  end
end

local function put(self, member, remove)
  check_open(self, 4)
  if self.job.failure then
    return nil, self.job.failure
  end
  local added, reason = self.intake.builder:add(self.intake.payload, member, remove, 3,
    remove and "stream:remove" or "stream:add")
  self.adds = self.adds + 1
  if self.adds % ADDS_BETWEEN_PUMPS == 0 then
    self.job:pump()
    self.intake:report_refusals()
  end
  if added == nil then
    return nil, errors.new("invalid", ("member %d was rejected: %s"):format(self.adds, core.reasons[reason]), { code = reason })
  elseif added == false then
    return self.intake:make_room(reason)
  end
  return true
end

--- Adds a member; the fields are those of audience:add(). Usually touches no network: only when a request is full it is
--- started, and waits then for the one before.
---@param member scope3.Member
---@return true?
---@return scope3.Error? err  kind "invalid": this member was rejected and the stream goes on; another kind: the job failed
function Stream:add(member)
  door.self(getmetatable(self) == Stream, "stream:add", "scope3.stream", self)
  local added, err = put(self, member, false) -- no tail call: misuse is blamed on the third function
  return added, err
end

--- Removes a member from the audience.
---@param member scope3.Member
---@return true?
---@return scope3.Error? err
function Stream:remove(member)
  door.self(getmetatable(self) == Stream, "stream:remove", "scope3.stream", self)
  local added, err = put(self, member, true)
  return added, err
end

--- Sends what is left and waits until everything was accepted.
---@return scope3.Result?
---@return scope3.Error? err  with `result`
function Stream:finish()
  door.self(getmetatable(self) == Stream, "stream:finish", "scope3.stream", self)
  check_open(self, 3)
  self.ended = true
  if not self.job.failure then
    local ok = self.intake:finish() and self.job:await()
    if ok and self.job.opts.delete_missing then
      local _, err = deletion.after(self.job, { self.intake.audience }, self.job.opts.delete_missing, self.intake.cuts)
      if err and not self.job.failure then
        self.job:stop(err)
      end
    end
  end
  self.intake:abandon()
  self.job:await()
  self.intake:close()
  return self.job:finish()
end

--- Stops: nothing more is sent. What was accepted stays accepted.
---@return nil
---@return scope3.Error err  kind "cancelled", with `result`
function Stream:cancel()
  door.self(getmetatable(self) == Stream, "stream:cancel", "scope3.stream", self)
  check_open(self, 3)
  self.ended = true
  self.job:stop(self.job.failure or errors.new("cancelled", "the stream was cancelled"))
  self.intake:abandon()
  self.intake:close()
  return self.job:finish()
end

return stream
