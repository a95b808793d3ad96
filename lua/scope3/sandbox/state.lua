--- What the sandbox remembers: audiences, their members, and tasks that run over time. Time is looked at when somebody asks, so
--- nothing has to tick.
local json = require "scope3.sandbox.json"

local null = json.null

local state = {}
state.__index = state

local function random_hex(n)
  local digits = {}
  for i = 1, n do
    digits[i] = ("%x"):format(math.random(0, 15))
  end
  return table.concat(digits)
end

local function uuid()
  return ("%s-%s-4%s-%x%s-%s"):format(random_hex(8), random_hex(4), random_hex(3), math.random(8, 11), random_hex(3), random_hex(12))
end

function state.timestamp(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S", math.floor(seconds)) .. (".%03dZ"):format(math.floor(seconds % 1 * 1000))
end

---@param config table  the sandbox's settings, which may change
---@param clock fun(): number  seconds since 1970
function state.new(config, clock)
  return setmetatable({ config = config, clock = clock, accounts = {}, tasks = {}, open = {}, due = {},
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
      id = id, account_id = account_id, name = null, status = "PROCESSING", deleted = false, uploaded = null, matched = null,
      created = now, updated = now, members = {}, count = 0, ready_at = nil,
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

-- Does what a request asked for, when its task completes.
local function apply(self, task, now)
  local named, entry = {}, { task_id = task.id, request = task.request, audiences = json.array(), delete_missing = task.work.deleteMissing }
  for _, asked in ipairs(task.work.audiences) do
    local audience = self:audience(task.account_id, asked.audienceId)
    named[asked.audienceId] = true
    entry.audiences[#entry.audiences + 1] = { audienceId = asked.audienceId, delete = asked.delete,
      add = type(asked.add) == "table" and #asked.add or 0, remove = type(asked.remove) == "table" and #asked.remove or 0 }
    if asked.delete == true then
      audience.deleted, audience.members, audience.count = true, {}, 0
      audience.status, audience.ready_at = "READY", nil
    else
      audience.deleted = false
      for _, member in ipairs(type(asked.add) == "table" and asked.add or {}) do
        store(audience, member)
      end
      for _, member in ipairs(type(asked.remove) == "table" and asked.remove or {}) do
        drop(audience, member.externalId)
      end
      audience.status, audience.ready_at = "PROCESSING", now + self.config.audience_seconds -- matched anew
      audience.fails = task.outcome == "audience-error"
    end
    audience.updated = now
  end
  if task.work.deleteMissing == true then
    for _, audience in ipairs(self:account(task.account_id).list) do
      if not named[audience.id] then
        audience.deleted, audience.updated = true, now
      end
    end
  end
  self.applied[#self.applied + 1] = entry
end

local ERRORS = {
  transient = { code = "INTERNAL_ERROR", message = "The matching service is busy", recovery = "transient", retryAfter = 1,
    suggestion = "Send the request again later" },
  correctable = { code = "VALIDATION_ERROR", message = "The members could not be read", recovery = "correctable", field = "audiences",
    suggestion = "Correct the members and send them again" },
  terminal = { code = "ACCOUNT_SUSPENDED", message = "The account cannot take audiences", recovery = "terminal",
    suggestion = "Ask your account manager" },
}

local function finish(self, task, now)
  local outcome = task.outcome
  task.updated = now
  local failed = outcome:match("^failed:(.+)$")
  if failed then
    task.status, task.error = "failed", ERRORS[failed] or ERRORS.terminal
  elseif outcome == "completed" or outcome == "audience-error" then
    apply(self, task, now)
    task.status = "completed" -- behind it: an error in it must not pass for work that was done
  else
    task.status = outcome
    if outcome == "input-required" or outcome == "auth-required" then
      task.error = { code = "APPROVAL_REQUIRED", message = "Somebody has to approve this audience",
        suggestion = "Approve the audience in the console" }
    end
  end
  for _, asked in ipairs(task.work.audiences) do
    local audience = self:audience(task.account_id, asked.audienceId)
    if task.status ~= "completed" and audience.ready_at == nil and audience.status == "PROCESSING" and audience.count == 0 then
      audience.status, audience.updated = "ERROR", now
    end
  end
  task.work = nil
  if self.on_ended then
    self.on_ended(task)
  end
end

--- Lets everything happen that was due.
function state:settle()
  local now = self.clock()
  local due, still = self.due, {}
  for _, task in ipairs(self.open) do
    if now >= task.ends then
      due[#due + 1] = task
    else
      if now >= (task.created + math.min(task.ends, now + 60)) / 2 and task.status == "submitted" then
        task.status, task.updated = "working", now
      end
      still[#still + 1] = task
    end
  end
  self.open = still
  if self.config.task_jitter > 0 or self.config.task_order ~= "reversed" then
    table.sort(due, function(a, b)
      return a.ends < b.ends or a.ends == b.ends and a.request < b.request
    end)
  end
  local last, first, step = #due, 1, 1
  if self.config.task_order == "reversed" then
    first, last, step = #due, 1, -1
  end
  local order = {}
  for i = first, last, step do
    order[#order + 1] = due[i]
  end
  self.due = order
  while order[1] do -- out of the list first: an error in one takes no other along
    finish(self, table.remove(order, 1), now)
  end
  for _, account in pairs(self.accounts) do
    for _, audience in ipairs(account.list) do
      if audience.ready_at and now >= audience.ready_at then
        audience.uploaded = audience.count
        audience.matched = math.floor(audience.count * self.config.match_rate)
        audience.status = audience.fails and "ERROR" or audience.count < self.config.min_size and "TOO_SMALL" or "READY"
        audience.ready_at, audience.updated = nil, now
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
  for name in pairs(self.config.task_shares or {}) do
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

--- Accepts a validated request, the `number`th that came: its task.
function state:accept(account_id, body, number)
  local now = self.clock()
  local outcome = outcome_of(self)
  local length = table.remove(self.config.task_lengths, 1) or self.config.task_seconds + self.config.task_jitter * self.random()
  local task = {
    id = uuid(), account_id = account_id, status = "submitted", outcome = outcome, work = body,
    created = now, updated = now, ends = outcome == "never" and math.huge or now + length, request = number,
    push = type(body.pushNotificationConfig) == "table" and body.pushNotificationConfig or nil,
  }
  if self.config.task_order == "reversed" and self.open[1] then
    -- Later work is done first: whatever is open still ends behind it.
    for i, earlier in ipairs(self.open) do
      earlier.ends = math.max(earlier.ends, task.ends + i * 0.001)
    end
  end
  if self.config.task_order == "strict" then
    for _, earlier in ipairs(self.open) do
      task.ends = math.max(task.ends, earlier.ends < math.huge and earlier.ends or 0)
    end
  end
  for _, asked in ipairs(body.audiences) do
    local audience = self:audience(account_id, asked.audienceId)
    if asked.delete ~= true then
      if asked.name ~= nil then
        audience.name = asked.name
      end
      audience.status, audience.ready_at = "PROCESSING", nil
    end
    audience.updated = now
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
  for key, value in pairs(audience.more or {}) do
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
