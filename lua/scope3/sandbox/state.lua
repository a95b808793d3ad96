--- What the sandbox remembers: audiences, their members, and tasks that run over time.
---
--- settle() brings it up to date with the clock. It is called before each request, and now and then.
local entries = require "scope3.util.entries"
local json = require "scope3.sandbox.json"

local null = json.null

local state = {}
state.__index = state

local function any_digit()
  return math.random(0, 15)
end

-- A UUID of version 4 (RFC 9562 section 5.4).
local function uuid(digit)
  return (("xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"):gsub("[xy]", function(place)
    return ("%x"):format(place == "x" and digit() or 8 + digit() % 4)
  end))
end

function state.timestamp(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S", math.floor(seconds)) .. (".%03dZ"):format(math.floor(seconds % 1 * 1000))
end

---@param config table  the sandbox's settings, which may change
---@param clock fun(): number  seconds since 1970
---@param digit? fun(): integer  from 0 to 15, at random: ids of tasks are made of them
function state.new(config, clock, digit)
  return setmetatable({ config = config, clock = clock, digit = digit or any_digit,
    accounts = {}, tasks = {}, open = {}, due = {},
    applied = json.array(), on_ended = nil,
    random = function()
      return 0
    end }, state)
end

--- The audiences of an account: { list, by_id }.
function state:account(id)
  local account = self.accounts[id]
  if not account then
    account = { id = id, list = {}, by_id = {} }
    self.accounts[id] = account
  end
  return account
end

--- An audience, made when it is new.
function state:audience(account_id, id)
  local account = self:account(account_id)
  local audience = account.by_id[id]
  if not audience then
    local now = self.clock()
    audience = {
      id = id, account_id = account_id, name = null, status = "PROCESSING", deleted = false, uploaded = null,
      matched = null, created = now, updated = now, members = {}, count = 0, ready_at = nil,
    }
    account.by_id[id] = audience
    account.list[#account.list + 1] = audience
  end
  return audience
end

local function store(audience, member)
  if not audience.members[member.externalId] then
    audience.count = audience.count + 1
  end
  -- One string a member: a million of them must fit.
  audience.members[member.externalId] = (member.hashedEmail or "-") .. " " .. (member.hashedPhone or "-") .. " "
    .. (member.uids and json.encode(member.uids) or "-")
end

local function drop(audience, id)
  if audience.members[id] then
    audience.members[id] = nil
    audience.count = audience.count - 1
  end
end

-- A list of a request; empty where it has none.
local function list_of(value)
  return type(value) == "table" and value or {}
end

-- Marks an audience as deleted, without members.
local function delete(audience)
  audience.deleted, audience.members, audience.count = true, {}, 0
  audience.status, audience.ready_at = "READY", nil
end

-- Adds and removes the members of a request. The audience is then matched anew.
local function change_members(audience, asked, ready_at)
  audience.deleted = false
  for _, member in ipairs(list_of(asked.add)) do
    store(audience, member)
  end
  for _, member in ipairs(list_of(asked.remove)) do
    drop(audience, member.externalId)
  end
  audience.status, audience.ready_at = "PROCESSING", ready_at
end

-- Deletes the audiences of an account that a request did not name.
local function delete_missing(account, named, now)
  for _, audience in ipairs(account.list) do
    if not named[audience.id] then
      audience.deleted, audience.updated = true, now
    end
  end
end

-- Does what a request asked for, when its task completes.
local function apply(self, task, now)
  local work, named, shown = task.work, {}, json.array()
  for i, asked in ipairs(work.audiences) do
    local audience = self:audience(task.account_id, asked.audienceId)
    named[asked.audienceId] = true
    shown[i] = { audienceId = asked.audienceId, delete = asked.delete, add = #list_of(asked.add),
      remove = #list_of(asked.remove) }
    if asked.delete == true then
      delete(audience)
    else
      change_members(audience, asked, now + self.config.audience_seconds)
      audience.fails = task.outcome == "audience-error"
    end
    audience.updated = now
  end
  if work.deleteMissing == true then
    delete_missing(self:account(task.account_id), named, now)
  end
  self.applied[#self.applied + 1] = { task_id = task.id, request = task.request, audiences = shown,
    delete_missing = work.deleteMissing }
end

local ERRORS = {
  transient = { code = "INTERNAL_ERROR", message = "The matching service is busy", recovery = "transient",
    retryAfter = 1, suggestion = "Send the request again later" },
  correctable = { code = "VALIDATION_ERROR", message = "The members could not be read", recovery = "correctable",
    field = "audiences", suggestion = "Correct the members and send them again" },
  terminal = { code = "ACCOUNT_SUSPENDED", message = "The account cannot take audiences", recovery = "terminal",
    suggestion = "Ask your account manager" },
}

-- Whether an open task is about an audience.
local function is_awaited(self, account_id, id)
  for _, open in ipairs(self.open) do
    for _, asked in ipairs(open.account_id == account_id and open.work and open.work.audiences or {}) do
      if asked.audienceId == id then
        return true
      end
    end
  end
  return false
end

-- A task has ended without a change of an audience. It shows PROCESSING since the request came: a new one ends as
-- ERROR, and one that has members is matched as it is, unless another task will do that.
local function end_without_change(self, task, id, now)
  local audience = self:audience(task.account_id, id)
  if audience.status ~= "PROCESSING" or audience.ready_at then
    return
  elseif audience.count == 0 then
    audience.status, audience.updated = "ERROR", now
  elseif not is_awaited(self, task.account_id, id) then
    audience.ready_at = now + self.config.audience_seconds
  end
end

local function finish(self, task, now)
  local outcome = task.outcome
  task.updated = now
  local failed = outcome:match("^failed:(.+)$")
  if failed then
    task.status, task.error = "failed", ERRORS[failed] or ERRORS.terminal
  elseif outcome == "completed" or outcome == "audience-error" then
    apply(self, task, now)
    task.status = "completed" -- only now: an error in apply() must not pass for work that was done
  else
    task.status = outcome
    if outcome == "input-required" or outcome == "auth-required" then
      task.error = { code = "APPROVAL_REQUIRED", message = "Somebody has to approve this audience",
        suggestion = "Approve the audience in the console" }
    end
  end
  if task.status ~= "completed" then
    for _, asked in ipairs(task.work.audiences) do
      end_without_change(self, task, asked.audienceId, now)
    end
  end
  task.work = nil
  if self.on_ended then
    self.on_ended(task)
  end
end

-- Starts the tasks that have run for half of their time, and appends those that have ended to `due`. The others.
local function split_open(open, due, now)
  local still = {}
  for _, task in ipairs(open) do
    if now >= task.ends then
      due[#due + 1] = task
    else
      if now >= (task.created + math.min(task.ends, now + 60)) / 2 and task.status == "submitted" then
        task.status, task.updated = "working", now
      end
      still[#still + 1] = task
    end
  end
  return still
end

-- Ended tasks in the order in which they are finished.
local function in_order(due, config)
  if config.task_jitter > 0 or config.task_order ~= "reversed" then
    table.sort(due, function(a, b)
      return a.ends < b.ends or a.ends == b.ends and a.request < b.request
    end)
  end
  if config.task_order ~= "reversed" then
    return due
  end
  local reversed = {}
  for i = #due, 1, -1 do
    reversed[#reversed + 1] = due[i]
  end
  return reversed
end

-- Ends the matching of an audience.
local function match(audience, config, now)
  audience.uploaded = audience.count
  audience.matched = math.floor(audience.count * config.match_rate)
  audience.status = audience.fails and "ERROR" or audience.count < config.min_size and "TOO_SMALL" or "READY"
  audience.ready_at, audience.updated = nil, now
end

--- Ends the tasks and the matching that are due.
function state:settle()
  local now = self.clock()
  self.open = split_open(self.open, self.due, now)
  local order = in_order(self.due, self.config)
  self.due = order
  while order[1] do -- removed first: an error in one must not keep the others
    finish(self, table.remove(order, 1), now)
  end
  for _, account in entries(self.accounts) do
    for _, audience in ipairs(account.list) do
      if audience.ready_at and now >= audience.ready_at then
        match(audience, self.config, now)
      end
    end
  end
end

-- How a task will end: what was ordered for it, else by chance.
local function outcome_of(self)
  local ordered = table.remove(self.config.task_outcomes, 1)
  if ordered then
    return ordered
  end
  local dice = self.config.task_shares and self.random() or 1
  local names = {}
  for name in entries(self.config.task_shares or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    dice = dice - self.config.task_shares[name]
    if dice < 0 then
      return name
    end
  end
  return "completed"
end

local function new_task(self, account_id, body, number, now)
  local config, outcome = self.config, outcome_of(self)
  local length = table.remove(config.task_lengths, 1) or config.task_seconds + config.task_jitter * self.random()
  return {
    id = uuid(self.digit), account_id = account_id, status = "submitted", outcome = outcome, work = body,
    created = now, updated = now, ends = outcome == "never" and math.huge or now + length, request = number,
    push = type(body.pushNotificationConfig) == "table" and body.pushNotificationConfig or nil,
  }
end

-- Moves the ends of tasks so that they keep the order of the settings.
local function keep_order(open, task, order)
  if order == "reversed" then
    for i, earlier in ipairs(open) do -- the later task ends first
      earlier.ends = math.max(earlier.ends, task.ends + i * 0.001)
    end
  elseif order == "strict" then
    for _, earlier in ipairs(open) do
      task.ends = math.max(task.ends, earlier.ends < math.huge and earlier.ends or 0)
    end
  end
end

-- Shows at once what a request does to an audience: a name, and PROCESSING.
local function note_request(audience, asked, now)
  if asked.delete ~= true then
    if asked.name ~= nil then
      audience.name = asked.name
    end
    audience.status, audience.ready_at = "PROCESSING", nil
  end
  audience.updated = now
end

--- Accepts a validated request.
---@param account_id string
---@param body table
---@param number integer  of the request
---@return table task
function state:accept(account_id, body, number)
  local now = self.clock()
  local task = new_task(self, account_id, body, number, now)
  keep_order(self.open, task, self.config.task_order)
  for _, asked in ipairs(body.audiences) do
    note_request(self:audience(account_id, asked.audienceId), asked, now)
  end
  self.tasks[task.id] = task
  self.open[#self.open + 1] = task
  return task
end

--- A task as the service shows it: every key, nulls included.
function state:show_task(task)
  local ended = task.work == nil
  return {
    taskId = task.id, taskType = "audience_sync", status = task.status, resourceType = "AUDIENCE", resourceId = null,
    error = task.error or null, response = null, metadata = null,
    retryAfterSeconds = not ended and self.config.retry_after or null,
    createdAt = state.timestamp(task.created), updatedAt = state.timestamp(task.updated),
  }
end

--- An audience as the service shows it.
function state.show_audience(audience)
  local row = {
    audienceId = audience.id, name = audience.name, accountId = audience.account_id, status = audience.status,
    deleted = audience.deleted, uploadedCount = audience.uploaded, matchedCount = audience.matched,
    createdAt = state.timestamp(audience.created), updatedAt = state.timestamp(audience.updated),
  }
  for key, value in entries(audience.more or {}) do
    row[key] = value
  end
  return row
end

--- A stored member as it came.
function state.show_member(stored)
  local email, phone, uids = stored:match("^(%S+) (%S+) (.+)$")
  return {
    hashedEmail = email ~= "-" and email or nil, hashedPhone = phone ~= "-" and phone or nil,
    uids = uids ~= "-" and json.array(json.decode(uids)) or nil,
  }
end

return state
