--- What a client is made of: options, and environment variables where an option is not given.
local base_url = require "scope3.http.base_url"
local errors = require "scope3.error"
local key = require "scope3.http.key"
local key_file = require "scope3.client.key_file"
local limiters = require "scope3.client.limiters"
local options = require "scope3.util.options"

local settings = {}

local DEFAULT_URL = "https://api.agentic.scope3.com"
local API_PATH = "/api/v2/buyer"

---@class scope3.ClientSettings
---@field account_id string?
---@field api_key string|function|nil
---@field base string  the URL that all paths but that of the health check begin with
---@field root string  the same without the path of the API
---@field ca_file string?
---@field limiter scope3.Limiter?

local function env(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- What is wrong with an account's id.
local function account_problem(id)
  return id and not id:find("^[A-Za-z0-9_%-.]+$") and "must be the numeric id of the advertiser, such as 25" or nil
end

local function key_problem(api_key)
  return type(api_key) == "string" and key.problem(api_key) or nil
end

-- The key of the environment: nil without one, or nil and what is wrong.
local function key_of_environment()
  local value, path = env "SCOPE3_API_KEY", env "SCOPE3_API_KEY_FILE"
  if value and path then
    return nil, "is given twice, by SCOPE3_API_KEY and SCOPE3_API_KEY_FILE: unset one of them"
  elseif not path then
    return value
  end
  local found, why = key_file.read(path)
  return found, why and ("is in no file: %s, which SCOPE3_API_KEY_FILE names, %s"):format(path, why)
end

local function limiter_problem(given)
  return type(given) == "string" and limiters.problem(given) or nil
end

-- The base URL with the path of the API, and without it.
local function with_api_path(url)
  if url:sub(-#API_PATH) ~= API_PATH then
    url = url .. API_PATH
  end
  return url, url:sub(1, -#API_PATH - 1)
end

--- Reads the settings of a client.
---@param opts scope3.ClientOptions  checked
---@return scope3.ClientSettings?
---@return scope3.Error? err  kind "invalid" lists every problem; kind "limiter" where its file cannot be used
function settings.read(opts)
  local issues = {}
  local function check(path, problem)
    if problem then
      issues[#issues + 1] = { path = path, message = problem }
    end
  end
  local account_id = options.id(opts.account_id or env "SCOPE3_ACCOUNT_ID")
  local api_key, key_missing = opts.api_key, nil
  if not api_key then
    api_key, key_missing = key_of_environment()
  end
  local url, url_err = DEFAULT_URL, nil
  if opts.base_url or env "SCOPE3_BASE_URL" then
    url, url_err = base_url.check(opts.base_url or env "SCOPE3_BASE_URL")
  end
  check("account_id", account_problem(account_id))
  check("api_key", key_missing or key_problem(api_key))
  check("base_url", url_err and url_err.issues[1].message)
  check("limiter", limiter_problem(opts.limiter))
  if #issues > 0 then
    return nil, errors.invalid("client", issues)
  end
  local shared = opts.limiter
  if type(shared) == "string" then
    local err
    shared, err = limiters.named(shared, opts.ca_file or env "SCOPE3_CA_FILE")
    if not shared then
      return nil, err
    end
  end
  local base, root = with_api_path(url)
  return { account_id = account_id, api_key = api_key, base = base, root = root, limiter = shared,
    ca_file = opts.ca_file or env "SCOPE3_CA_FILE" }
end

return settings
