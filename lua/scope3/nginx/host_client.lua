--- The client of a location or collector, and the dict that workers share. Problems are collected, so that nginx shows
--- all of them at its start.
local client = require "scope3.client"
local limiter = require "scope3.http.limiter"

local ngx = ngx

local host_client = {}

--- The lua_shared_dict of an option.
---@param name string?
---@param size string  to recommend, such as "1m"
---@return table? dict  nil without a name
---@return {path: string, message: string}? issue  the dict is not declared
function host_client.dict(name, size)
  local dict = name and ngx.shared[name]
  if name and not dict then
    return nil, { path = "shared",
      message = ("is not declared: add lua_shared_dict %s %s; to the http block"):format(name, size) }
  end
  return dict
end

-- What a host needs of its client.
local NEEDED = {
  account_id = { field = "account_id", message = "is missing: give it, or set SCOPE3_ACCOUNT_ID" },
  api_key = { field = "has_key",
    message = "is missing: give it, or set SCOPE3_API_KEY (nginx needs `env SCOPE3_API_KEY;` for that)" },
}

--- Makes a client.
---@param opts table  account_id, api_key, base_url, ca_file, rate, limiter, on_event
---@param dict table?  shares the rate between workers
---@param needed string[]  the options that must be given, here or by the environment
---@return scope3.Client?
---@return {path: string?, message: string}[] issues
function host_client.new(opts, dict, needed)
  local made, err = client.new {
    account_id = opts.account_id, api_key = opts.api_key, base_url = opts.base_url, ca_file = opts.ca_file,
    rate = opts.rate, limiter = opts.limiter or dict and limiter.new(dict) or nil, on_event = opts.on_event,
  }
  local issues = {}
  for _, issue in ipairs(err and err.issues or {}) do
    issues[#issues + 1] = issue
  end
  for _, name in ipairs(made and needed or {}) do
    if not made[NEEDED[name].field] then
      issues[#issues + 1] = { path = name, message = NEEDED[name].message }
    end
  end
  return made, issues
end

return host_client
