--- The tasks of a job: those of its epoch, and what each task does.
local entries = require "scope3.util.entries"

---@class scope3.TaskList
---@field pending scope3.TaskEntry[]  tasks of this epoch
---@field leftover scope3.TaskEntry[]  tasks of an earlier run that failed; their members go at the end of the job
---@field work table<scope3.TaskEntry, scope3.TaskWork>
---@field audiences table<string, boolean>  ids of audiences of which the service took something
local TaskList = {}
TaskList.__index = TaskList

local task_list = {}

local SENDINGS = 3 -- of a request whose task fails for reasons that pass

---@return scope3.TaskList
function task_list.new()
  return setmetatable({ pending = {}, leftover = {}, work = {}, audiences = {} }, TaskList)
end

--- Adds a task of this epoch.
---@param task scope3.TaskEntry
---@param work scope3.TaskWork
function TaskList:add(task, work)
  self.pending[#self.pending + 1] = task
  self.work[task] = work
  for _, id in ipairs(work.audiences) do
    self.audiences[id] = true
  end
end

--- Adds a task of an earlier run that failed for a passing reason. What was sent after it may be read later, so its
--- members must not go before the whole input was read.
---@param task scope3.TaskEntry
---@param work scope3.TaskWork
function TaskList:add_leftover(task, work)
  self.leftover[#self.leftover + 1] = task
  self.work[task] = work
end

--- The whole input was read: what an earlier run left is of this epoch now.
---@return boolean  whether there is any
function TaskList:take_leftover()
  local list = self.leftover
  self.leftover = {}
  for _, task in ipairs(list) do
    self.pending[#self.pending + 1] = task
  end
  return #list > 0
end

--- Adds a task that has ended and is not waited for.
---@param task scope3.TaskEntry
---@param work scope3.TaskWork
function TaskList:add_ended(task, work)
  self.work[task] = work
end

--- A task has ended.
---@param work scope3.TaskWork
---@param outcome scope3.TaskOutcome
function TaskList.finish(_, work, outcome)
  work.ended = true
  work.entry.state = outcome.state
  if outcome.members then
    work.entry.error, work.entry.failed = outcome.error, outcome.members
    work.parts, work.transient, work.retry_after = outcome.parts, outcome.transient, outcome.retry_after
  end
end

--- A task was completed in an earlier run.
---@param task scope3.TaskEntry
function TaskList:completed_before(task)
  local work = self.work[task]
  work.entry.state, task.status, work.ended = "completed", "completed", true
end

--- The tasks of this epoch, in a list of their own: members may be sent again while one walks over it.
---@return scope3.TaskEntry[]
function TaskList:all()
  local list = {}
  for i, task in ipairs(self.pending) do
    list[i] = task
  end
  return list
end

--- Work that failed for a reason that passes, and may be tried again.
---@param can_rebuild boolean  whether members can be built again that were not retained
---@return scope3.TaskWork[]
---@return number seconds  to wait before
function TaskList:retryable(can_rebuild)
  local again, pause = {}, 0
  for _, task in ipairs(self.pending) do
    local work = self.work[task]
    if work and work.ended and work.transient and not work.entry.sent_again and work.sendings < SENDINGS
      and (work.parts or can_rebuild and not work.entry.delete_missing) then
      again[#again + 1] = work
      pause = math.max(pause, work.retry_after or 1)
    end
  end
  return again, pause
end

--- Forgets the tasks whose members went again. They stay until then: the coroutine that sends them may be ended in the
--- middle of it, and another one goes on.
function TaskList:forget_resent()
  for i = #self.pending, 1, -1 do
    local work = self.work[self.pending[i]]
    if work and work.entry.sent_again then
      table.remove(self.pending, i)
    end
  end
end

--- An epoch has ended.
function TaskList:end_epoch()
  self.pending = {}
end

local function add_range(ranges, work)
  ranges[work.batch] = ranges[work.batch] or {}
  table.insert(ranges[work.batch], work)
  return work.batch
end

--- What the service took of each batch.
---@param tasks scope3.TaskEntry[]  every task of the job
---@param going? table<integer, scope3.TaskWork[]>  what is to count as taken, too, because it goes in any order: by the
---  number of the batch
---@return table<integer, scope3.TaskWork[]> ranges  by the number of the batch
---@return integer last  the last such batch
function TaskList:accepted_ranges(tasks, going)
  local ranges, last = {}, 0
  for _, task in ipairs(tasks) do
    local work = self.work[task]
    if work and work.batch and work.first and (work.entry.state == "accepted" or work.entry.state == "completed") then
      last = math.max(last, add_range(ranges, work))
    end
  end
  for _, works in entries(going or {}) do
    for _, work in ipairs(works) do
      last = math.max(last, add_range(ranges, work))
    end
  end
  return ranges, last
end

return task_list
