--- The routes of the service, kept as strictly as the contract has them (docs/contract.md sections 2 to 4).
local json = require "scope3.sandbox.json"
local state = require "scope3.sandbox.state"
local validate = require "scope3.sandbox.validate"

local null = json.null

local service = {}

local PREFIX = "^/api/v2/buyer"

local CODES = {
  [400] = "BAD_REQUEST", [401] = "UNAUTHORIZED", [404] = "NOT_FOUND", [405] = "METHOD_NOT_ALLOWED", [413] = "PAYLOAD_TOO_LARGE",
  [429] = "RATE_LIMITED", [500] = "INTERNAL_ERROR", [501] = "NOT_IMPLEMENTED", [502] = "SERVICE_UNAVAILABLE",
  [503] = "SERVICE_UNAVAILABLE", [504] = "SERVICE_UNAVAILABLE",
}

--- An error reply.
function service.refuse(status, message, extra)
  extra = extra or {}
  return {
    status = status,
    headers = { { "Content-Type", "application/json" } },
    body = json.encode { data = null, error = {
      code = extra.code or CODES[status] or "ERROR", message = message, field = extra.field, details = extra.details,
    } },
  }
end

local function answer(config, status, data)
  local value = config.envelope == "data" and { data = data, error = null } or data
  return { status = status, headers = { { "Content-Type", "application/json" } }, body = json.encode(value) }
end

--- Which call a request is: its kind and what its path names; nil for no route of the service.
---@return string? kind
---@return string? name  the account or the task
function service.route(request)
  local path = request.path
  local id = path:match(PREFIX .. "/advertisers/([^/]+)/audiences/sync$")
  if id then
    return "sync", id
  end
  id = path:match(PREFIX .. "/advertisers/([^/]+)/audiences$")
  if id then
    return "audiences", id
  end
  id = path:match(PREFIX .. "/advertisers/([^/]+)/syndicate$")
  if id then
    return "syndicate", id
  end
  id = path:match(PREFIX .. "/advertisers/([^/]+)/syndication%-status$")
  if id then
    return "syndication_status", id
  end
  id = path:match(PREFIX .. "/tasks/([^/]+)$")
  if id then
    return "task", id
  end
end

local METHODS = { sync = "POST", syndicate = "POST", audiences = "GET", task = "GET", syndication_status = "GET" }

local function known_key(config, request)
  local key = (request.headers.authorization or ""):match("^Bearer (%S+)$") or request.headers["x-scope3-api-key"]
  if not key then
    return false
  elseif config.keys then
    for _, known in ipairs(config.keys) do
      if known == key then
        return true
      end
    end
    return false
  end
  return key:find("^scope3_.") ~= nil
end

local function known_account(config, id)
  if config.accounts then
    for _, known in ipairs(config.accounts) do
      if known == id then
        return true
      end
    end
    return false
  end
  return id:find("^%d+$") ~= nil
end

--- Whom a request comes from; nil, or the reply that turns it away.
function service.turn_away(config, request, kind, id)
  if not kind then
    return service.refuse(404, "No such route")
  elseif request.method ~= METHODS[kind] then
    return service.refuse(405, "Use " .. METHODS[kind])
  elseif not known_key(config, request) then
    return service.refuse(401, "The API key is missing or not valid")
  elseif kind ~= "task" and not known_account(config, id) then
    return service.refuse(404, "Advertiser not found")
  end
end

local function whole(text, default, least, most)
  local n = tonumber(text or default)
  if n and n % 1 == 0 and n >= least and n <= most then
    return n
  end
end

local calls = {}

function calls.sync(self, account_id, request, body)
  local decoded = json.decode(body)
  if decoded == nil then
    return service.refuse(400, "The body is not valid JSON")
  end
  local issues = validate(decoded, self.config)
  if #issues > 0 then
    return service.refuse(400, ("The request is not valid: %d problems"):format(#issues),
      { code = "VALIDATION_ERROR", field = issues[1].path, details = { issues = issues } })
  end
  local task = self.state:accept(account_id, decoded, request.number)
  return answer(self.config, 202, { success = true, accountId = account_id, operationId = task.id, taskId = task.id }), decoded
end

function calls.audiences(self, account_id, request)
  local take = whole(request.query.take, 50, 1, self.config.max_take)
  local skip = whole(request.query.skip, 0, 0, 1e9)
  if not take or not skip then
    return service.refuse(400, "take or skip is out of range", { code = "VALIDATION_ERROR" })
  end
  local list = self.state:account(account_id).list
  local rows = json.array()
  for i = skip + 1, math.min(#list, skip + take) do
    rows[#rows + 1] = state.show_audience(list[i])
  end
  if self.config.pagination == "meta" then
    local meta = { pagination = { skip = skip, take = take, total = #list, hasMore = skip + #rows < #list } }
    return answer(self.config, 200, { audiences = rows, meta = meta })
  end
  return answer(self.config, 200, { audiences = rows, total = #list, take = take, skip = skip })
end

function calls.task(self, id)
  local task = self.state.tasks[id]
  if not task or self.clock() < task.created + self.config.task_shows_after then
    return service.refuse(404, "Task not found")
  end
  return answer(self.config, 200, { task = self.state:show_task(task) })
end

function calls.syndicate(self, account_id, _, body)
  local asked = json.decode(body)
  local agents = type(asked) == "table" and asked.adcpAgentIds
  if type(asked) ~= "table" or asked.resourceType ~= "AUDIENCE" or type(asked.resourceId) ~= "string"
    or type(agents) ~= "table" or #agents == 0 or type(asked.enabled) ~= "boolean" then
    return service.refuse(400, "resourceType, resourceId, adcpAgentIds and enabled are required", { code = "VALIDATION_ERROR" })
  elseif not self.state:account(account_id).by_id[asked.resourceId] then
    return service.refuse(404, "Audience not found")
  end
  local records = json.array()
  for _, agent in ipairs(agents) do
    local record = {
      id = ("%s/%s/%s"):format(account_id, asked.resourceId, agent), resourceType = "AUDIENCE", resourceId = asked.resourceId,
      adcpAgentId = agent, enabled = asked.enabled, status = asked.enabled and "PENDING" or "DISABLED",
    }
    self.syndications[account_id] = self.syndications[account_id] or {}
    local list, replaced = self.syndications[account_id], false
    for i, known in ipairs(list) do
      if known.id == record.id then
        list[i], replaced = record, true
      end
    end
    if not replaced then
      list[#list + 1] = record
    end
    records[#records + 1] = record
  end
  return answer(self.config, 201, records)
end

function calls.syndication_status(self, account_id, request)
  local query = request.query
  local limit, offset = whole(query.limit, 50, 1, 100), whole(query.offset, 0, 0, 1e9)
  if not limit or not offset then
    return service.refuse(400, "limit or offset is out of range", { code = "VALIDATION_ERROR" })
  end
  local matching = {}
  for _, record in ipairs(self.syndications[account_id] or {}) do
    if (not query.resourceId or record.resourceId == query.resourceId)
      and (not query.adcpAgentId or record.adcpAgentId == query.adcpAgentId)
      and (not query.enabled or tostring(record.enabled) == query.enabled)
      and (not query.status or record.status == query.status) then
      matching[#matching + 1] = record
    end
  end
  local items = json.array()
  for i = offset + 1, math.min(#matching, offset + limit) do
    items[#items + 1] = matching[i]
  end
  return answer(self.config, 200, { items = items, total = #matching })
end

--- Carries a request out.
---@return table reply
---@return table? decoded  the body of a sync that was accepted
function service.handle(self, kind, id, request, body)
  return calls[kind](self, id, request, body)
end

return service
