-- What the plugins of APISIX and Kong share: members out of requests, and a collector for each configuration.
--
-- A configuration says with variables of nginx where a request has its values, such as "$http_x_user_id". Its collector
-- belongs to the configuration's table and goes with it. Everything here runs in the log phase: nothing waits.
local scope3 = require "scope3"
local nginx = require "scope3.nginx"

local ngx = ngx

local members = {}

members.FIELDS = { "external_id", "email", "phone", "region", "hashed_email", "hashed_phone" }

local COMPLAIN_EVERY = 60 -- seconds between two lines of the log about one configuration

-- configuration -> { collector =, complain_at = }. A gateway replaces the table with each change.
local known = setmetatable({}, { __mode = "k" })

-- The value of a variable of nginx. Those of arguments have the bytes that the client sent.
local function value_of(name, var)
  local value = var[name]
  if value ~= nil and name:find "^arg_" then
    return ngx.unescape_uri(value)
  end
  return value
end

--- A text of the configuration with the variables in it replaced. "$name" and "${name}" are variables.
---@param text string
---@param var table  ngx.var, or what stands for it
---@return string?  nil where a variable has no value
function members.resolve(text, var)
  local missing = false
  local function replace(name)
    local value = value_of(name, var)
    missing = missing or value == nil or value == ""
    return value ~= nil and tostring(value) or ""
  end
  local resolved = text:gsub("%${([%w_]+)}", replace):gsub("%$([%a_][%w_]*)", replace)
  return not missing and resolved or nil
end

--- The member of a request. Nil where it has no id, or where its consent is no yes.
---@param conf table
---@param var table
---@return scope3.Member?
function members.of(conf, var)
  if conf.consent and scope3.yes(members.resolve(conf.consent, var) or "") ~= true then
    return nil
  end
  local member = {}
  for _, field in ipairs(members.FIELDS) do
    local text = conf.fields[field]
    member[field] = text and members.resolve(text, var) or nil
  end
  return member.external_id and member or nil
end

-- Writes a line of the log, and at most one a minute for each configuration. A timer writes it: nginx adds the request
-- to what is logged in one, and its arguments may name a person.
local function complain(mine, problem)
  local now = ngx.now()
  if now >= (mine.complain_at or 0) then
    mine.complain_at = now + COMPLAIN_EVERY
    ngx.timer.at(0, function()
      ngx.log(ngx.ERR, "scope3-audience: ", tostring(problem))
    end)
  end
end

-- A key that is still a reference, such as "$secret://…", is refused here: the gateway did not resolve it.
local function make(conf)
  return nginx.collector {
    account_id = conf.account_id, api_key = conf.api_key, base_url = conf.base_url, spool = conf.spool,
    audience = { id = conf.audience, consent_basis = conf.consent_basis }, region = conf.region,
    shared = conf.shared, flush_seconds = conf.flush_seconds, rate = conf.rate,
  }
end

--- Adds the member of a request to the collector of its configuration.
---@param conf table
---@param var table
function members.add(conf, var)
  local mine = known[conf]
  if not mine then
    mine = {}
    known[conf] = mine
  end
  if not mine.collector then
    local fine, made = pcall(make, conf)
    if not fine then
      return complain(mine, made)
    end
    mine.collector = made
  end
  local member = members.of(conf, var)
  if member then
    local added, err = mine.collector:add(member)
    if not added and err.kind ~= "invalid" then -- the collector itself counts and logs members that are none
      complain(mine, err)
    end
  end
end

--- Ends the collectors of all configurations but these.
---@param configurations table[]
function members.keep_only(configurations)
  local kept = {}
  for _, conf in ipairs(configurations) do
    kept[conf] = true
  end
  for conf, mine in pairs(known) do
    if not kept[conf] then
      known[conf] = nil
      if mine.collector then
        mine.collector:close()
      end
    end
  end
end

--- Ends all collectors: the worker ends, or the plugin is loaded anew.
function members.close_all()
  members.keep_only {}
end

return members
