--- The client's calls that offer an audience to agents, and report how far that is (docs/contract.md section 3).
local arguments = require "scope3.util.arguments"
local codec = require "scope3.api.codec"
local errors = require "scope3.error"
local options = require "scope3.util.options"
local paging = require "scope3.api.paging"
local preflight = require "scope3.api.preflight"
local response = require "scope3.api.response"

---@class scope3.SyndicateOptions
---@field audience_id string|integer
---@field adcp_agent_ids (string|integer)[]
---@field enabled? boolean  false takes the audience back (true)

---@class scope3.SyndicationStatusOptions  which records are wanted
---@field audience_id? string|integer
---@field adcp_agent_id? string|integer
---@field enabled? boolean
---@field status? "PENDING"|"SYNCING"|"COMPLETED"|"FAILED"|"DISABLED"

---@class scope3.Client
local Syndication = {}

local SYNDICATE = { audience_id = "id", adcp_agent_ids = "ids", enabled = "boolean" }
local STATUS = {
  audience_id = "id", adcp_agent_id = "id", enabled = "boolean",
  status = { "PENDING", "SYNCING", "COMPLETED", "FAILED", "DISABLED" },
}

local function is_client(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and meta.__index ~= nil and rawget(meta, "__name") == "scope3.client"
end

-- What is wrong with the options of client:syndicate(), as issues.
local function issues_of(audience_id, agent_ids)
  local issues = {}
  if audience_id == nil then
    issues[#issues + 1] = { path = "audience_id", message = "is missing" }
  end
  for i, id in ipairs(agent_ids) do
    if id == "" then
      issues[#issues + 1] = { path = ("adcp_agent_ids[%d]"):format(i), message = "is empty" }
    end
  end
  if #agent_ids == 0 then
    issues[#issues + 1] = { path = "adcp_agent_ids", message = "must name at least one agent" }
  end
  return issues
end

-- Why a syndication cannot be asked for: all issues of the options and of the client at once.
local function problem_of(client, audience_id, agent_ids)
  local issues = issues_of(audience_id, agent_ids)
  local missing = preflight.lacks(client)
  if missing and not missing.issues then
    return missing
  end
  for _, issue in ipairs(missing and missing.issues or {}) do
    issues[#issues + 1] = issue
  end
  return #issues > 0 and errors.invalid("client:syndicate", issues) or nil
end

--- Offers an audience to agents, or takes it back.
---
---     local records, err = client:syndicate { audience_id = "vip", adcp_agent_ids = { "12" } }
---
---@param opts scope3.SyndicateOptions
---@return scope3.Syndication[]? records
---@return scope3.Error? err  kind "invalid" lists every problem of the options in `issues`
function Syndication:syndicate(opts)
  arguments.self(is_client(self), "client:syndicate", "scope3.client", self)
  arguments.argument(opts ~= nil, "client:syndicate", "opts", "a table", opts)
  opts = options.check("client:syndicate", opts, SYNDICATE, 2)
  local agent_ids = options.ids(opts.adcp_agent_ids) or {}
  local problem = problem_of(self, opts.audience_id, agent_ids)
  if problem then
    return nil, problem
  end
  local data, err = self:transport():request {
    method = "POST", path = ("/advertisers/%s/syndicate"):format(codec.escape(self.account_id)), timeout = 60,
    body = { codec.syndicate(options.id(opts.audience_id), agent_ids, opts.enabled ~= false) },
  }
  if not data then
    return nil, err
  end
  return response.syndications(data)
end

-- The query for records: "?resourceType=AUDIENCE&resourceId=5".
local function query_of(opts)
  local fields = {
    { "resourceId", options.id(opts.audience_id) }, { "adcpAgentId", options.id(opts.adcp_agent_id) },
    { "enabled", opts.enabled }, { "status", opts.status },
  }
  local query = "?resourceType=AUDIENCE"
  for _, field in ipairs(fields) do
    if field[2] ~= nil then
      query = query .. "&" .. field[1] .. "=" .. codec.escape(tostring(field[2]))
    end
  end
  return query
end

--- Where an audience is offered and how far it is. A failure raises its error.
---
---     for record in client:syndication_status { audience_id = "vip" } do print(record.status) end
---
---@param opts? scope3.SyndicationStatusOptions
---@return fun(): scope3.Syndication?
function Syndication:syndication_status(opts)
  arguments.self(is_client(self), "client:syndication_status", "scope3.client", self)
  opts = options.check("client:syndication_status", opts, STATUS, 2)
  local missing = preflight.lacks(self)
  if missing then
    return paging.raising(paging.failing(missing))
  end
  local base = ("/advertisers/%s/syndication-status%s"):format(codec.escape(self.account_id), query_of(opts))
  return paging.raising(paging.rows(self, nil, {
    name = "items",
    path = function(skip)
      return ("%s&limit=100&offset=%d"):format(base, skip)
    end,
    read = response.syndication,
    id_of = function(item)
      return item.id
    end,
  }))
end

return Syndication
