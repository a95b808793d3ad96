--- Where a command finds the service, its account and its key: its arguments, the environment, or a profile.
---
--- An argument counts before all else. A profile that was named by --profile counts before the environment, and any
--- other after it. A key is only asked for where one is needed: a command that prints it may ask a person.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local key_file = require "scope3.client.key_file"
local profile = require "scope3.cli.profile"

local service = {}

local DONE = "\n:done" -- what follows the key of a command that went well

---@class scope3.cli.Service
---@field account_id? string|integer
---@field base_url? string
---@field ca_file? string
---@field limiter? string
---@field rate? integer
---@field api_key? string

local VARIABLES = { account_id = "SCOPE3_ACCOUNT_ID", base_url = "SCOPE3_BASE_URL", ca_file = "SCOPE3_CA_FILE" }
local ARGUMENTS = { account_id = "account", base_url = "base_url", ca_file = "ca_file", limiter = "limiter",
  rate = "rate" }

local function is_set(name)
  return (os.getenv(name) or "") ~= ""
end

local function invalid(path, message)
  return errors.invalid("client", { { path = path, message = message } })
end

--- The key that a command prints. Its standard input is empty: rows may come on ours.
---@param command string  as sh takes it
---@return string? key
---@return string? why
local function ask_command(command)
  -- Lua 5.1 does not say how a command ended, so it says so itself. A comment at its end must not hide the rest.
  local pipe = io.popen(("(\n%s\n) </dev/null && printf '%s'"):format(command, DONE:gsub("\n", "\\n")), "r")
  local text = pipe and pipe:read "*a" or ""
  if pipe then
    pipe:close()
  end
  if text:sub(-#DONE) ~= DONE then
    return nil, "failed"
  end
  local found = key_file.first_line(text:sub(1, -#DONE - 1))
  return found, not found and "printed no key in its first line" or nil
end

-- The key of a file or a command that some table names: nil where it names none, or nil and an issue.
local function key_of(from, where)
  local found, why, path
  if from.api_key_file then
    path = "api_key_file"
    found, why = key_file.read(from.api_key_file)
    why = why and ("%s %s"):format(from.api_key_file, why)
  elseif from.api_key_command then
    path = "api_key_command"
    found, why = ask_command(from.api_key_command)
  end
  if why and where then
    return nil, invalid("profile", ("%s: %s %s"):format(where, path, why))
  end
  return found, why and invalid(path, why) or nil
end

-- The key: of the arguments, or of the profile where it counts. Nil alone leaves the environment's to the client.
local function find_key(args, from, where, is_first)
  local found, err = key_of(args)
  if found or err then
    return found, err
  elseif is_first or not (is_set "SCOPE3_API_KEY" or is_set "SCOPE3_API_KEY_FILE") then
    return key_of(from, where)
  end
end

--- Finds them. Values of the environment are left to the client.
---@param args table
---@param needs_key boolean
---@return scope3.cli.Service?
---@return scope3.Error? err
function service.find(args, needs_key)
  local named = args.profile or is_set "SCOPE3_PROFILE" and os.getenv "SCOPE3_PROFILE" or nil
  local from, problem = profile.read(named)
  if not from then
    return nil, invalid("profile", problem)
  end
  local is_first, found = args.profile ~= nil, {}
  for key, argument in entries(ARGUMENTS) do
    local of_environment = not is_first and VARIABLES[key] and is_set(VARIABLES[key])
    found[key] = args[argument]
    if found[key] == nil and not of_environment then
      found[key] = from[key]
    end
  end
  local err
  if needs_key then
    found.api_key, err = find_key(args, from, ("%s of %s"):format(named or "default", profile.path() or ""), is_first)
  end
  if err then
    return nil, err
  end
  return found
end

return service
