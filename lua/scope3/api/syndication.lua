--- The client's calls that offer an audience to agents, and say how far that is (docs/contract.md section 3).
local door = require "scope3.util.arguments"
local errors = require "scope3.error"
local options = require "scope3.util.options"
local paging = require "scope3.api.paging"
local preflight = require "scope3.api.preflight"
local wire = require "scope3.api.codec"

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

local function is_client(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and meta.__index ~= nil and rawget(meta, "__name") == "scope3.client"
end

--- Offers an audience to agents, or takes it back (docs/contract.md section 3).
---@param opts scope3.SyndicateOptions
---@return scope3.Syndication[]? records
---@return scope3.Error? err
function Syndication:syndicate(opts)
  door.self(is_client(self), "client:syndicate", "scope3.client", self)
  door.argument(opts ~= nil, "client:syndicate", "opts", "a table", opts)
  opts = options.check("client:syndicate", opts, { audience_id = "id", adcp_agent_ids = "ids", enabled = "boolean" }, 2)
  local issues, ids = {}, options.ids(opts.adcp_agent_ids) or {}
  if opts.audience_id == nil then
    issues[#issues + 1] = { path = "audience_id", message = "is missing" }
  end
  for i, id in ipairs(ids) do
    if id == "" then
      issues[#issues + 1] = { path = ("adcp_agent_ids[%d]"):format(i), message = "is empty" }
    end
  end
  if #ids == 0 then
    issues[#issues + 1] = { path = "adcp_agent_ids", message = "must name at least one agent" }
  end
  local missing = preflight.lacks(self)
  if missing and not missing.issues then
    return nil, missing
  end
  for _, issue in ipairs(missing and missing.issues or {}) do
    issues[#issues + 1] = issue
  end
  if #issues > 0 then
    return nil, errors.invalid("client:syndicate", issues)
  end
  local data, err = self:transport():request {
    method = "POST", path = ("/advertisers/%s/syndicate"):format(wire.escape(self.account_id)), timeout = 60,
    body = { wire.syndicate(options.id(opts.audience_id), ids, opts.enabled ~= false) },
  }
  if not data then
    return nil, err
  end
  local records = {}
  for i = 1, #data do
    records[#records + 1] = wire.syndication(data[i])
  end
  if #records < #data or #records == 0 and next(data) ~= nil then
    return nil, errors.new("http", "the service answered something that is no list of records", { code = "BAD_REPLY" })
  end
  return records
end

--- Where an audience is offered and how far it is: `for record in client:syndication_status{…} do … end`. A failure
--- raises
--- its error.
---@param opts? scope3.SyndicationStatusOptions
---@return fun(): scope3.Syndication?
function Syndication:syndication_status(opts)
  door.self(is_client(self), "client:syndication_status", "scope3.client", self)
  opts = options.check("client:syndication_status", opts, {
    audience_id = "id", adcp_agent_id = "id", enabled = "boolean",
    status = { "PENDING", "SYNCING", "COMPLETED", "FAILED", "DISABLED" },
  }, 2)
  local missing = preflight.lacks(self)
  if missing then
    return paging.raising(paging.failing(missing))
  end
  local query = "?resourceType=AUDIENCE"
  local function ask(name, value)
    if value ~= nil then
      query = query .. "&" .. name .. "=" .. wire.escape(tostring(value))
    end
  end
  ask("resourceId", options.id(opts.audience_id))
  ask("adcpAgentId", options.id(opts.adcp_agent_id))
  ask("enabled", opts.enabled)
  ask("status", opts.status)
  return paging.raising(paging.rows(self, nil, function(skip)
    return ("/advertisers/%s/syndication-status%s&limit=100&offset=%d"):format(wire.escape(self.account_id), query, skip)
  end, function(data)
    return data.items
  end, function(item)
    return item.id
  end, wire.syndication))
end

return Syndication
