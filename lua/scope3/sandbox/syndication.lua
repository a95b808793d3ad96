--- The service's calls that offer an audience to agents, and say how far that is (docs/contract.md section 3).
local entries = require "scope3.util.entries"
local json = require "scope3.sandbox.json"
local paging = require "scope3.sandbox.paging"
local reply = require "scope3.sandbox.reply"
local state = require "scope3.sandbox.state"

local null = json.null

local syndication = {}

local STATUSES = { PENDING = true, SYNCING = true, COMPLETED = true, FAILED = true, DISABLED = true }
local RESOURCES = { AUDIENCE = true, EVENT_SOURCE = true, CATALOG = true }

local function is_text(value)
  return type(value) == "string" and value ~= ""
end

local function read_body(asked)
  if type(asked) ~= "table" or json.is_array(asked) then
    return nil, { { path = "", message = "must be an object" } }
  end
  local issues = {}
  local function need(path, holds, message)
    if not holds then
      issues[#issues + 1] = { path = path, message = message }
    end
  end
  need("resourceType", asked.resourceType == "AUDIENCE", "must be AUDIENCE")
  need("resourceId", is_text(asked.resourceId), "must be a non-empty string")
  need("enabled", type(asked.enabled) == "boolean", "must be a boolean")
  local agents = asked.adcpAgentIds
  local is_list = json.is_array(agents) and #agents > 0
  need("adcpAgentIds", is_list, "must be an array with at least one entry")
  for i = 1, is_list and #agents or 0 do
    need(("adcpAgentIds[%d]"):format(i - 1), is_text(agents[i]), "must be a non-empty string")
  end
  if #issues > 0 then
    return nil, issues
  end
  return asked
end

-- A record with every key. What belongs to other kinds of resources, or to what no sandbox has, is null.
local function record_of(self, account_id, asked, agent)
  local now = state.timestamp(self.clock())
  return {
    id = json.encode { account_id, asked.resourceId, agent }, customerId = account_id, advertiserId = account_id,
    resourceType = "AUDIENCE", resourceId = asked.resourceId, audienceId = asked.resourceId, eventSourceId = null,
    catalogId = null,
    adcpAgentId = agent, adcpAgentAccountId = null, enabled = asked.enabled,
    status = asked.enabled and "PENDING" or "DISABLED",
    errorMessage = null, lastSyncedAt = null, createdAt = now, updatedAt = now,
  }
end

-- Puts a record in the place of the one for the same audience and agent.
local function keep(list, record)
  for i, known in ipairs(list) do
    if known.id == record.id then
      record.createdAt = known.createdAt
      list[i] = record
      return
    end
  end
  list[#list + 1] = record
end

--- POST …/syndicate
function syndication.syndicate(self, account_id, _, body)
  local decoded, refused = reply.decode(body)
  if refused then
    return refused
  end
  local asked, issues = read_body(decoded)
  if not asked then
    return reply.invalid(issues)
  elseif not self.state:account(account_id).by_id[asked.resourceId] then
    return reply.refuse(404, "Audience not found")
  end
  self.syndications[account_id] = self.syndications[account_id] or {}
  local records = json.array()
  for i, agent in ipairs(asked.adcpAgentIds) do
    records[i] = record_of(self, account_id, asked, agent)
    keep(self.syndications[account_id], records[i])
  end
  if self.config.syndicate_reply == "bare" or self.config.envelope == "data" then
    return reply.data(self.config, 201, records)
  end
  return reply.data(self.config, 201, { data = records })
end

local FILTERS = { resourceId = is_text, adcpAgentId = is_text }

function FILTERS.resourceType(value)
  return RESOURCES[value] ~= nil
end

function FILTERS.status(value)
  return STATUSES[value] ~= nil
end

function FILTERS.enabled(value)
  return value == "true" or value == "false"
end

local MESSAGES = {
  resourceType = "must be one of AUDIENCE, EVENT_SOURCE, CATALOG", resourceId = "must not be empty",
  adcpAgentId = "must not be empty",
  status = "must be one of PENDING, SYNCING, COMPLETED, FAILED, DISABLED", enabled = "must be true or false",
}

local function meets(record, query)
  for name in entries(FILTERS) do
    if query[name] ~= nil and tostring(record[name]) ~= query[name] then
      return false
    end
  end
  return true
end

--- GET …/syndication-status
function syndication.status(self, account_id, request)
  local query, issues = request.query, {}
  local limit = reply.whole(query, "limit", 50, 1, 100, issues)
  local offset = reply.whole(query, "offset", 0, 0, 1e9, issues)
  for name, fits in entries(FILTERS) do
    if query[name] ~= nil and not fits(query[name]) then
      issues[#issues + 1] = { path = name, message = MESSAGES[name] }
    end
  end
  if #issues > 0 then
    return reply.invalid(issues)
  end
  local matching = {}
  for _, record in ipairs(self.syndications[account_id] or {}) do
    if meets(record, query) then
      matching[#matching + 1] = record
    end
  end
  local items, total = paging.of(matching, offset, limit, self.config)
  return reply.data(self.config, 200, { items = items, total = total })
end

return syndication
