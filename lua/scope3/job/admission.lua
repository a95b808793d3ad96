--- Admits batches to a job: checks what is against sending one, and makes its requests.
local errors = require "scope3.error"
local in_doubt = require "scope3.job.in_doubt"
local preflight = require "scope3.api.preflight"
local quarantine = require "scope3.job.quarantine"
local result = require "scope3.result"
local resume = require "scope3.job.resume"
local target_check = require "scope3.job.target_check"

---@class scope3.Admission
---@field private history? scope3.Past  what an earlier run did
---@field private waiting? scope3.Batch  that waits for room
local Admission = {}
Admission.__index = Admission

local admission = {}

---@class scope3.AdmissionParts  what it works with
---@field context scope3.Context
---@field opts table  checked options of the job
---@field state scope3.JobState
---@field ending scope3.JobEnding
---@field in_doubt scope3.Doubts
---@field on_event fun(event: scope3.Event)
---@field sender? scope3.Sender  none in a dry run
---@field resender? scope3.Resender
---@field transport? scope3.Transport

---@param parts scope3.AdmissionParts  become the admission
---@return scope3.Admission
function admission.new(parts)
  return setmetatable(parts, Admission)
end

--- Goes on from what an earlier run did.
---@param history scope3.Past
---@param compares boolean  batches that are cut again are compared with those of that run
function Admission:continue(history, compares)
  self.history, self.compares = history, compares
end

-- The look of a dry run may fail: it needs no key, and no service.
local function check_in_dry_run(self, ids)
  if preflight.lacks(self.context) then
    return nil
  end
  local _, err, unlisted = target_check.run(self.context, ids,
    target_check.dry_limits(self.context, self.ending.limits))
  if unlisted and err.kind ~= "cancelled" then
    result.warn(self.state.result, "audience_not_looked_up",
      "The audience to remove from could not be looked up: " .. err.message)
    return nil
  end
  return err, unlisted
end

--- Checks once that the audiences exist from which the job only removes.
---@param ids string[]
---@return scope3.Error?  kind "not_found" names the audience
function Admission:check_targets(ids)
  if self.state.targets_checked then
    return nil
  end
  self.state:targets_known()
  -- An earlier run of the same journal has looked; what it sent may have to be finished.
  if #ids == 0 or self.state.journaled > 0 then
    return nil
  end
  local _, err, unlisted
  if self.opts.dry_run then
    err, unlisted = check_in_dry_run(self, ids)
  else
    _, err, unlisted = target_check.run(self.context, ids, self.ending.limits)
  end
  if unlisted then
    err = errors.with(err,
      { message = err.message .. " (the audience to remove from was being looked up; nothing was sent)" })
  end
  return err
end

-- Waits for room for the batch, and finds out what is against sending it.
local function await_room(self, batch)
  if self.sender and self.state.batches > self.sender.concurrency then
    self.on_event { event = "blocked" }
    self.sender:await_room()
  end
  if not self.ending.failure and self.ending:is_to_stop() then
    self.state:fail(errors.new("cancelled", "stopped before everything was sent"))
  end
  if not self.ending.failure then
    local err = self:check_targets(target_check.only_removed(batch.parts))
    if err then
      self.state:fail(err)
    end
  end
end

-- Puts the requests of an earlier run into the result; gives those that have to go again.
local function resume_requests(self, batch, past)
  local job_state, again = self.state, {}
  for _, earlier in ipairs(past.taken) do
    local req = job_state:request(batch, resume.earlier(batch, earlier))
    if earlier.state == "unknown" then
      again[#again + 1] = req
    else
      job_state:resume(req, earlier)
      if earlier.state == "failed" or earlier.state == "transient" then
        job_state:resume_failed(req, earlier)
        self.sender:doubt(req)
      else
        local task = self.sender:accepted(req, earlier.task_id)
        if earlier.state == "completed" then
          job_state.tasks:completed_before(task)
        end
      end
    end
  end
  return again
end

-- Takes the members out of a batch that an earlier run set aside, or that later requests replaced.
local function take_out(self, batch, past)
  local on_reject, rejected = self.opts.on_reject, resume.rejected(batch, past.without)
  self.state:set_aside(rejected)
  if on_reject then
    quarantine.report(rejected, on_reject)
  end
  self.state:take_out_replaced(batch.parts[1].payload, past.replaced)
end

-- The requests that a batch becomes: those of an earlier run that were not answered, and the rest.
local function requests_of(self, batch)
  local job_state, list = self.state, {}
  local past, err
  if self.history and batch.number then
    past, err = self.history:of(batch, job_state.result.epochs)
  end
  if err then
    return nil, err
  elseif past then
    take_out(self, batch, past)
    list = resume_requests(self, batch, past)
  end
  local from = past and { without = past.without, replaced = past.replaced, uncertain = past.uncertain }
  local most = self.sender and self.sender.sizes:most()
  for _, parts in ipairs(resume.left(batch, past, most, self.opts.push_notification_config)) do
    list[#list + 1] = job_state:request(batch, parts, from)
  end
  return list
end

-- Waits until requests that are about to go contradict nothing that may still take effect.
local function settle_doubts(self, list)
  local doubts, now, ending_ = self.in_doubt, self.context.loop.now, self.ending
  if not self.sender or not doubts:meet(list, self.state.result.epochs) then
    return nil
  end
  local ok, err = self.sender:await() -- what is under way would not move while this pauses
  local left = doubts:left(now())
  if ok and left > 0 then
    local deadline = ending_.limits.deadline
    if not doubts.waits or deadline and now() + left >= deadline then
      return in_doubt.too_long(left)
    end
    self.on_event { event = "in_doubt", seconds = left }
    ok, err = self.transport:pause(left, ending_.limits)
  end
  if not ok then
    return err
  end
  doubts:clear()
end

local NO_DIGEST = "" -- of a batch that no later run cuts again

--- What a batch is recognised by: its digest in the journal, and its outline when it is built again.
---@param batch scope3.Batch
---@return string? digest
---@return number? outline
function Admission:marks(batch)
  if not batch.number then
    return nil, nil
  end
  local again = self.resender and self.resender:can_rebuild() and not batch.delete_missing
  local digest = self.history and (self.compares and resume.digest(batch) or NO_DIGEST) or nil
  return digest, again and batch.parts[1].payload:outline() or nil
end

-- Makes the requests of a batch. Gives those that there are also where an error ends the job.
local function prepare(self, batch)
  local list, err = requests_of(self, batch)
  err = err or settle_doubts(self, list)
  if err then
    self.state:fail(err)
  end
  return list
end

-- Counts a batch no more whose coroutine was ended by its host while it waited. The batcher still has its payload.
local function forget(self, batch)
  batch.open, batch.release = 1, nil
  self.state:close(batch)
end

--- Waits until there is room for a batch, and makes its requests.
---@param batch scope3.Batch  of state:open()
---@return scope3.JobRequest[]
---@return scope3.Error? err  the job's failure: the requests are not to be sent
function Admission:admit(batch)
  if self.waiting then
    forget(self, self.waiting)
  end
  self.waiting = batch
  await_room(self, batch)
  local list = not self.ending.failure and prepare(self, batch) or nil
  self.waiting = nil
  return list or { self.state:request(batch, batch.parts) }, self.ending.failure
end

return admission
