--- Waits for the tasks of a job. The members of tasks that failed for a passing reason are sent again, a few times.
local completion = require "scope3.job.completion"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local splitter = require "scope3.job.splitter"
local tasks = require "scope3.job.tasks"

---@class scope3.Resender
---@field private rounds integer  times that members went again
---@field private turn? {at: number}  of the coroutine that sends again, and its last sign of life
---@field private source? scope3.BatchSource  builds batches again that were not retained
local Resender = {}
Resender.__index = Resender

local resend = {}

local TURN = 0.2 -- seconds between two looks at whether another coroutine is still sending again
local STALE = 5 -- seconds without a sign of life after which that one is taken to be gone: a host may end it anywhere

---@class scope3.ResenderParts  what a resender works with
---@field context scope3.Context
---@field state scope3.JobState
---@field ending scope3.JobEnding
---@field sender scope3.Sender
---@field transport scope3.Transport
---@field warnings scope3.JobWarnings

---@param self scope3.ResenderParts  becomes the resender
---@return scope3.Resender
function resend.new(self)
  self.rounds = 0
  return setmetatable(self, Resender)
end

--- Sets the source that builds batches again which were not retained.
---@param source scope3.BatchSource
function Resender:rebuild_from(source)
  self.source = source
end

--- Whether batches can be built again.
---@return boolean
function Resender:can_rebuild()
  return self.source ~= nil
end

-- --- sending again ---------------------------------------------------------------------------------------------------

local function drop(payload, indexes)
  for _, index in ipairs(indexes or {}) do
    payload:drop(index)
  end
end

-- The numbers of members that were replaced, as far as they are in a work's range.
local function replaced_in(work, replaced)
  local list = {}
  for _, indexes in ipairs { work.replaced or {}, replaced or {} } do
    for _, index in ipairs(indexes) do
      if index >= work.first and index <= work.last then
        list[#list + 1] = index
      end
    end
  end
  return list
end

-- Sends members of failed tasks once more, from a batch that was built again or retained. Members that later requests
-- replaced are out of it.
local function send_batch(self, given, works, replaced)
  local state, part = self.state, given.parts[1]
  local batch = state:open(given, works[1].digest)
  for _, work in ipairs(works) do
    if not given.retained then -- else the payloads, of which there may be several, lack them already
      drop(part.payload, work.without)
      drop(part.payload, work.replaced)
    end
    local parts = work.parts or { splitter.range(part, work.first, work.last) }
    local req = state:request_again(work, batch, parts, replaced_in(work, replaced))
    if req.members > 0 then
      state:enqueue(req)
    else
      state:close(batch)
    end
  end
  state:close(batch)
  return self.sender:await()
end

local function release_from(list, first)
  for i = first, #list do
    list[i].batch.release()
  end
end

-- Sends what was built again, in the order of the input.
local function send_rebuilt(self, list, by_batch)
  for i, one in ipairs(list) do
    local ok, err = send_batch(self, one.batch, by_batch[one.batch.number], one.replaced)
    if not ok then
      release_from(list, i + 1)
      return nil, err
    end
  end
  return true
end

-- Why building again has to stop; asked between two slices of it.
local function why_stop(self)
  local limits, now = self.ending.limits, self.context.loop.now
  if limits.alive then
    limits.alive()
  end
  if self.ending:is_to_stop() then
    return self.ending:fault() or errors.new("cancelled", "stopped while the input was read once more")
  elseif limits.deadline and now() >= limits.deadline then
    return errors.new("timeout", (limits.over or "the deadline passed") .. " while the input was read once more")
  end
end

-- Work of an earlier epoch: the service may have taken newer rows of its ids.
local function is_behind(self, works)
  for _, work in ipairs(works) do
    if work.entry.epoch < self.state.result.epochs then
      return true
    end
  end
  return false
end

-- Builds the batches of some work again, as many at a time as there is room for, and sends them.
local function rebuild_and_send(self, works)
  local by_batch, wanted = {}, {}
  for _, work in ipairs(works) do
    by_batch[work.batch] = by_batch[work.batch] or {}
    wanted[work.batch] = wanted[work.batch] or work.outline or true
    table.insert(by_batch[work.batch], work)
  end
  local behind = is_behind(self, works)
  while next(wanted) do
    local ranges, last = self.state.tasks:accepted_ranges(self.state.result.tasks, behind and by_batch)
    local list, err = self.source:rebuild({ wanted = wanted, ranges = ranges, last = last, behind = behind }, function()
      return why_stop(self)
    end)
    local ok = list ~= nil
    if list then
      ok, err = send_rebuilt(self, list, by_batch)
    end
    if not ok then
      return nil, err
    end
    for _, one in ipairs(list) do
      wanted[one.batch.number] = nil
    end
  end
  return true
end

-- Sends work whose payloads were retained; gives the rest of it.
local function send_retained(self, again)
  local rest = {}
  for _, work in ipairs(again) do
    if work.parts then
      local ok, err = send_batch(self, { parts = work.parts, retained = true }, { work })
      if not ok then
        return nil, err
      end
    else
      rest[#rest + 1] = work
    end
  end
  return rest
end

-- Sends members of failed tasks again. Gives how many requests there were; 0 when there is nothing to send.
local function send_again(self, limits, on_event, turn)
  local again, pause = self.state.tasks:retryable(self:can_rebuild())
  if #again == 0 then
    return 0
  end
  on_event { event = "resend", requests = #again, seconds = pause }
  local ok, err = self.transport:pause(pause, limits)
  if not ok then
    return nil, err
  elseif turn and self.turn ~= turn then
    return #again -- this coroutine was taken for gone, and another one has sent them
  end
  self.ending:limit(limits)
  local rest
  rest, err = send_retained(self, again)
  if not rest then
    return nil, err
  end
  if #rest > 0 then
    ok, err = rebuild_and_send(self, rest)
    if not ok then
      return nil, err
    end
  end
  self.state.tasks:forget_resent()
  return #again
end

--- Sends what an earlier run of the journal left: members whose tasks had failed for a passing reason, while others
--- were sent after them.
---@param on_event fun(event: scope3.Event)
---@return true?
---@return scope3.Error? err
function Resender:send_leftovers(on_event)
  local again, err = send_again(self, self.ending.limits, on_event)
  self.rounds = self.rounds + 1
  return again and true or nil, err
end

-- --- one coroutine at a time -----------------------------------------------------------------------------------------

-- Waits until no other coroutine sends members of this job again.
local function take_turn(self, limits)
  local now = self.context.loop.now
  while self.turn and now() - self.turn.at < STALE do
    local ok, err = self.transport:pause(TURN, limits)
    if not ok then
      return nil, err
    end
  end
  self.turn = { at = now() }
  return self.turn
end

-- The limits, which also keep a turn alive.
local function limits_of_turn(self, limits, turn)
  local own = {}
  for key, value in entries(limits) do
    own[key] = value
  end
  function own.alive()
    turn.at = self.context.loop.now()
  end
  return own
end

-- Several coroutines may wait for one job. One at a time sends again, and the others then look again: so all get the
-- same answer.
local function send_in_turn(self, limits, on_event, seen)
  local turn, err = take_turn(self, limits)
  if not turn then
    return nil, err
  end
  local count, why
  if self.rounds ~= seen then
    count = 1 -- another one has done it meanwhile
  elseif not self.state:is_idle() then -- the one before was ended in the middle of it
    count, why = self.sender:await() and 1 or nil, self.ending.failure
    self.state.tasks:forget_resent()
  else
    count, why = send_again(self, limits_of_turn(self, limits, turn), on_event, turn)
    self.rounds = self.rounds + 1
  end
  if self.turn == turn then
    self.turn = nil
  end
  return count, why
end

-- --- waiting ---------------------------------------------------------------------------------------------------------

-- A task has ended: its request is completed, or its members failed. Gives the error with the rows of the members.
local function task_ended(self, task, err, warnings)
  local state, work = self.state, self.state.tasks.work[task]
  if not work or work.ended or not tasks.ended(task.status) then
    return nil -- one that waits for a person may still complete
  end
  self.warnings:of_service(task.task_id, warnings)
  local outcome = completion.of(work, task.status, err)
  state:task_ended(work, outcome)
  self.sender:note("ended", { request = work.id, status = task.status, transient = work.transient,
    audiences = outcome.audiences })
  return err and errors.with(err, { rows = err.rows or work.entry.rows })
end

-- Whether a wait came to the end of all tasks that end without a person.
local function came_to_an_end(ok, err)
  return ok or err.kind == "task_failed" or err.kind == "needs_action"
end

--- Waits until every task since the last epoch has ended; what failed for a reason that passes is sent again, but by a
--- wait that asks once.
---@param limits table  as for transport:drive()
---@param opts {interval: number?, notified: function?}
---@param on_event fun(event: scope3.Event)
---@return boolean? ok
---@return scope3.Error? err
function Resender:await(limits, opts, on_event)
  local ending = self.ending
  while true do
    local seen = self.rounds
    local ok, err = tasks.wait(self.context, self.state.tasks:all(), limits, opts, on_event,
      function(task, why, warnings)
        return task_ended(self, task, why, warnings)
      end)
    if ending.failure and ending.failure.kind == "journal" then
      return nil, ending.failure -- the end of a task could not be noted
    elseif ending.failure or not came_to_an_end(ok, err) then
      return ok, err
    elseif limits.once then
      return ok, err -- who only looks sends nothing; a wait that has time does
    end
    local again, why = send_in_turn(self, limits, on_event, seen)
    if again == 0 then
      return ok, err
    elseif not again then
      return nil, why
    end
  end
end

return resend
