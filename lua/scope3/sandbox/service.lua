--- The routes of the service, kept as strictly as the contract has them (docs/contract.md sections 2 to 4).
local core = require "scope3.core"
local json = require "scope3.sandbox.json"
local paging = require "scope3.sandbox.paging"
local reply = require "scope3.sandbox.reply"
local state = require "scope3.sandbox.state"
local syndication = require "scope3.sandbox.syndication"
local validate = require "scope3.sandbox.validate"

local service = { refuse = reply.refuse }

local PREFIX = "^/api/v2/buyer"

--- Which call a request is: its kind and what its path names; nil for no route of the service.
---@return string? kind
---@return string? name  the account or the task
function service.route(request)
  local path = request.path
  -- pattern: each has one run, between slashes
  local id = path:match(PREFIX .. "/advertisers/([^/]+)/audiences/sync$")
  if id then
    return "sync", id
  end
  id = path:match(PREFIX .. "/advertisers/([^/]+)/audiences$") -- pattern: as above
  if id then
    return "audiences", id
  end
  id = path:match(PREFIX .. "/advertisers/([^/]+)/syndicate$") -- pattern: as above
  if id then
    return "syndicate", id
  end
  id = path:match(PREFIX .. "/advertisers/([^/]+)/syndication%-status$") -- pattern: as above
  if id then
    return "syndication_status", id
  end
  id = path:match(PREFIX .. "/tasks/([^/]+)$") -- pattern: as above
  if id then
    return "task", id
  end
end

local METHODS = { sync = "POST", syndicate = "POST", audiences = "GET", task = "GET", syndication_status = "GET" }

-- The key of a request: an access token need not begin as keys do.
local function key_of(request)
  local scheme, token = (request.headers.authorization or ""):match("^([A-Za-z]+) +([^ ]+)$")
  if scheme and core.lower(scheme) == "bearer" then
    return token
  end
  local key = request.headers["x-scope3-api-key"]
  return key ~= "" and key or nil
end

local function known_key(config, request)
  local key = key_of(request)
  for _, known in ipairs(key and config.keys or {}) do
    if known == key then
      return true
    end
  end
  return key ~= nil and not config.keys
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
  return id:find("^[0-9]+$") ~= nil
end

--- Whom a request comes from; nil, or the reply that turns it away.
function service.turn_away(config, request, kind, id)
  if not kind then
    return reply.refuse(404, "No such route")
  elseif request.method ~= METHODS[kind] then
    return reply.refuse(405, "Use " .. METHODS[kind])
  elseif not known_key(config, request) then
    return reply.refuse(401, "The API key is missing or not valid")
  elseif kind ~= "task" and not known_account(config, id) then
    return reply.refuse(404, "Advertiser not found")
  end
end

local calls = {}

function calls.sync(self, account_id, request, body)
  local decoded, refused = reply.decode(body)
  if refused then
    return refused
  end
  local issues = validate(decoded, self.config)
  if #issues > 0 then
    return reply.invalid(issues)
  end
  local task = self.state:accept(account_id, decoded, request.number)
  return reply.data(self.config, 202, { success = true, accountId = account_id, operationId = task.id,
    taskId = task.id }), decoded
end

function calls.audiences(self, account_id, request)
  local issues = {}
  local take = reply.whole(request.query, "take", math.min(50, self.config.max_take), 1, self.config.max_take, issues)
  local skip = reply.whole(request.query, "skip", 0, 0, 1e9, issues)
  if #issues > 0 then
    return reply.invalid(issues)
  end
  local list, total = paging.of(self.state:account(account_id).list, skip, take, self.config)
  local rows = json.array()
  for i, audience in ipairs(list) do
    rows[i] = state.show_audience(audience)
  end
  if self.config.pagination == "meta" then
    local meta = { pagination = { skip = skip, take = take, total = total, hasMore = skip + #rows < total } }
    return reply.data(self.config, 200, { audiences = rows, meta = meta })
  end
  return reply.data(self.config, 200, { audiences = rows, total = total, take = take, skip = skip })
end

function calls.task(self, id)
  local task = self.state.tasks[id]
  if not task or self.clock() < task.created + self.config.task_shows_after then
    return reply.refuse(404, "Task not found")
  end
  return reply.data(self.config, 200, { task = self.state:show_task(task) })
end

calls.syndicate, calls.syndication_status = syndication.syndicate, syndication.status

--- Carries a request out.
---@return table reply
---@return table? decoded  the body of a sync that was accepted
function service.handle(self, kind, id, request, body)
  return calls[kind](self, id, request, body)
end

return service
