-- A sandbox for seasons, in a process of its own. It also carries out parts of tasks that fail, says that a task failed
-- for an audience in the content of one that is completed, refuses a member for one audience alone, and tells what each
-- request asked for and which other ones were under way. People are told by places: audience and person.
local audiences = require "spec.mirror.seasons.audiences"
local control = require "scope3.sandbox.control"
local entries = require "scope3.util.entries"
local json = require "scope3.sandbox.json"
local validate = require "scope3.sandbox.validate"

-- Issues of members whose places are in the setting `refuse`; before the sandbox itself takes the other function.
package.loaded["scope3.sandbox.validate"] = function(body, config)
  local issues, disliked = validate(body, config), {}
  for _, place in ipairs(config.refuse or {}) do
    disliked[place] = true
  end
  for i, audience in ipairs(#issues == 0 and body.audiences or {}) do
    for _, list in ipairs { "add", "remove" } do
      for k, member in ipairs(type(audience[list]) == "table" and audience[list] or {}) do
        if disliked[audiences.place(audience.audienceId, member.externalId)] then
          issues[#issues + 1] = { path = ("audiences[%d].%s[%d]"):format(i - 1, list, k - 1), message = "is not liked" }
        end
      end
    end
  end
  return issues
end

local state = require "scope3.sandbox.state"

local service = {}

local LATEST = 72 * 3600 -- seconds after which a task counts as gone

local history = {} -- requests in order

-- What a body asks for, by place: "add <hash>" or "remove".
local function wishes(body)
  local found = {}
  for _, audience in ipairs(body.audiences) do
    for _, member in ipairs(type(audience.add) == "table" and audience.add or {}) do
      found[audiences.place(audience.audienceId, member.externalId)] = "add " .. tostring(member.hashedEmail)
    end
    for _, member in ipairs(type(audience.remove) == "table" and audience.remove or {}) do
      found[audiences.place(audience.audienceId, member.externalId)] = "remove"
    end
  end
  return found
end

-- The places of an earlier request under way that this one speaks of too, with another wish; and with the same one.
local function overlap(earlier, wanted)
  local other, same = json.array {}, 0
  for id, wish in entries(wanted) do
    if earlier.wishes[id] == wish then
      same = same + 1
    elseif earlier.wishes[id] then
      other[#other + 1] = id
    end
  end
  return other, same
end

local function is_open(record, now)
  return record.task.work ~= nil and now - record.task.created < LATEST
end

-- A half of what a body asks for; where `failed` is one of its audiences, all of what it asks for the others.
local function half_of(body, random, failed)
  local part = { audiences = json.array {} }
  for i, audience in ipairs(body.audiences) do
    local kept = { audienceId = audience.audienceId, add = json.array {}, remove = json.array {} }
    for _, list in ipairs { "add", "remove" } do
      for _, member in ipairs(type(audience[list]) == "table" and audience[list] or {}) do
        if failed and failed ~= audience.audienceId or random() < 0.5 then
          table.insert(kept[list], member)
        end
      end
    end
    part.audiences[i] = kept
  end
  return part
end

local accept = state.accept

-- An outcome with "+half" carries out a half before it ends; "completed:failed" says in its content that it failed for
-- one of the audiences.
function state:accept(account, body, number)
  local wanted, now = wishes(body), self.clock()
  local outcome = self.config.task_outcomes[1]
  local in_part = outcome and outcome:match "^(.+)%+half$"
  if in_part then
    self.config.task_outcomes[1] = in_part
  end
  local task = accept(self, account, body, number)
  local record = { task = task, wishes = wanted, outcome = outcome or task.outcome, over = json.array {} }
  for n, earlier in ipairs(history) do
    if is_open(earlier, now) then
      local other, same = overlap(earlier, wanted)
      if #other + same > 0 then
        table.insert(record.over, { n = n, other = other, same = same })
      end
    end
  end
  history[#history + 1] = record
  if outcome == "completed:failed" then
    local failed = body.audiences[1 + math.floor(self.random() * #body.audiences)].audienceId
    task.outcome, task.says_failed, task.work = "completed", failed, half_of(body, self.random, failed)
  elseif in_part then
    local length = (task.ends < math.huge and task.ends - now or 3600) * self.random()
    table.insert(self.open, { id = "-", account_id = account, status = "submitted", outcome = "completed",
      created = now, work = half_of(body, self.random), updated = now, ends = now + length, request = number })
  end
  return task
end

local show_task = state.show_task

function state:show_task(task)
  local shown = show_task(self, task)
  if task.says_failed and task.status == "completed" then
    shown.response = { audiences = json.array { { audienceId = task.says_failed, action = "failed" } } }
  end
  return shown
end

-- What came since the request `since`, who is in which audience, and how many tasks are under way.
local function tell(sandbox, request)
  sandbox.state:settle()
  local now, came, open = sandbox.clock(), json.array {}, 0
  for n, record in ipairs(history) do
    local going = is_open(record, now)
    open = open + (going and 1 or 0)
    if n > tonumber(request.query.since) then
      came[#came + 1] = { n = n, wishes = record.wishes, outcome = record.outcome, over = record.over, going = going }
    end
  end
  local members = {}
  for name, audience in entries(sandbox.state:account("25").by_id) do
    for id, stored in entries(audience.members or {}) do
      members[audiences.place(name, id)] = stored:match "^%S+"
    end
  end
  return { status = 200, headers = { { "Content-Type", "application/json" } },
    body = json.encode { came = came, open = open, last = #history, members = members } }
end

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, item in entries(value) do
    made[key] = copy(item)
  end
  return setmetatable(made, getmetatable(value))
end

local saved -- of a moment at which no task is under way

local function save(sandbox)
  sandbox.state:settle()
  saved = { accounts = copy(sandbox.state.accounts), at = sandbox:now(), requests = #history }
  return { status = 200, headers = {}, body = json.encode { open = #sandbox.state.open } }
end

-- Everything is as it was then, also the time.
local function restore(sandbox)
  local now = sandbox.state
  now.accounts, now.open, now.due, sandbox.stands_at = copy(saved.accounts), {}, {}, saved.at
  for n = #history, saved.requests + 1, -1 do
    history[n] = nil
  end
  return { status = 200, headers = {}, body = "{}" }
end

local ROUTES = { ["GET /sandbox/season"] = tell, ["POST /sandbox/save"] = save, ["POST /sandbox/restore"] = restore }

local route = control.route

function control.route(request)
  return ROUTES[request.method .. " " .. request.path] or route(request)
end

--- Serves until nobody reads its output any more. Prints its port.
---@param settings string  JSON
function service.serve(settings)
  local opts = json.decode(settings)
  opts.tell_port, opts.until_unread = true, true
  assert(require("scope3.sandbox").serve(opts))
end

return service
