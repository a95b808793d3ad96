--- Problems that the library reports, in the words of the command line.
---
--- A name is the option as it is typed, or the variable or script that the value came from.
local errors = require "scope3.error"
local options = require "scope3.util.options"
local script_options = require "scope3.input.script_options"

local messages = {}

-- Options whose word is not their key's.
local WORDS = { header = "--no-header", repair = "--no-repair", ["map.region"] = "--map region" }

--- An option of a job as it is typed.
---@param key string
---@return string
function messages.option(key)
  return WORDS[key] or "--" .. key:gsub("_", "-")
end

-- Names of the library whose argument has another one.
local ARGUMENTS = {
  ["audience.id"] = "audience", ["audience.name"] = "name", ["audience.consent_basis"] = "consent_basis",
  account_id = "account",
}

-- Where the command takes a value from that is no argument.
local VARIABLES = {
  account_id = "SCOPE3_ACCOUNT_ID", base_url = "SCOPE3_BASE_URL",
  api_key = "SCOPE3_API_KEY", ca_file = "SCOPE3_CA_FILE", profile = "SCOPE3_PROFILE",
}

-- How a name of the library is called here: the option where the arguments give it, else the variable, else as it is.
-- Second: whether it is an option.
local function called(name, args)
  local key = ARGUMENTS[name] or name
  local negative = key == "header" and args.no_header or key == "repair" and args.no_repair
  if args[key] ~= nil or negative then
    return messages.option(key), true
  end
  local variable = VARIABLES[name]
  if variable and (os.getenv(variable) or "") ~= "" then
    return variable, false
  end
  return args.script and (ARGUMENTS[name] or not VARIABLES[name]) and "the script's " .. name or name, false
end

local KNOWN = options.merge(script_options.JOB, ARGUMENTS, VARIABLES, { limiter = true, journal = true })

-- The words that follow the names in a problem.
local PREDICATES = { " must ", " are of ", " has no ", " is ", " leaves ", " takes " }

--- A problem that begins with names of options, such as "delimiter must be one character".
---@param problem string
---@param args table
---@return string
function messages.problem(problem, args)
  if problem:find("^%-%-") or problem:find("^the ") then
    return problem -- in these words already
  end
  local at = #problem + 1
  for _, words in ipairs(PREDICATES) do
    at = math.min(at, problem:find(words, 1, true) or at)
  end
  local names = problem:sub(1, at - 1):gsub("[%l_.]+", function(name)
    return KNOWN[name] and called(name, args) or nil
  end)
  return names .. problem:sub(at)
end

--- A message without the function of the library that it begins with, and without the loop, which is the command's own.
---@param message string
---@return string
function messages.plain(message)
  return (message:gsub("^client:[%w_]+: ", ""):gsub("^client: ", ""):gsub("^scope3%.[%w_.]+: ", "")
    :gsub("^the loop raised an error: ", ""))
end

--- What an error that was raised says of a misuse of the library, or nil where it is a fault.
---@param raised any
---@param args table
---@return string?
function messages.misuse(raised, args)
  if type(raised) ~= "string" then
    return nil
  end
  local said = raised:gsub("^[^\n]-:%d+: ", "", 1)
  local plain = messages.plain(said)
  return plain ~= said and messages.problem(plain, args) or nil
end

local KEPT = { "status", "code", "field", "retryable", "retry_after", "uncertain", "task_id", "rows" }

-- The issues of an invalid value in the words of the command line, and whether one is of an option.
local function issues_of(err, message, args)
  if err.kind ~= "invalid" or not err.issues or not err.issues[1] then
    return nil, false
  end
  -- These name fields of a map, some of which have the names of options.
  local of_map = message:find("^map for ") ~= nil
  local issues, usage = {}, false
  for i, issue in ipairs(err.issues) do
    local name, is_option = nil, false
    if issue.path and not of_map and not issue.message:find("^is missing") then
      name, is_option = called(issue.path, args)
    end
    issues[i] = { path = name or issue.path, message = issue.message }
    usage = usage or is_option
  end
  return issues, usage
end

--- An error in the words of the command line.
---@param err scope3.Error|string
---@param args table
---@return scope3.Error|string
---@return boolean usage  an option has a wrong value
function messages.of(err, args)
  if not errors.is(err) then
    return err, false
  end
  local message = messages.plain(err.message)
  local issues, usage = issues_of(err, message, args)
  local fields = { issues = issues or err.issues }
  for _, key in ipairs(KEPT) do
    fields[key] = err[key]
  end
  if issues and #issues == 1 and issues[1].path ~= err.issues[1].path then
    message = (issues[1].path and issues[1].path .. " " or "") .. issues[1].message
  end
  return errors.new(usage and "usage" or err.kind, message, fields), usage
end

return messages
