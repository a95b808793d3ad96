--- Problems that the library tells of, in the words of the command line: the option as it is typed, or where else the
--- value came from.
local errors = require "scope3.error"
local options = require "scope3.util.options"
local script_of = require "scope3.input.script"

local wording = {}

-- Options whose word is not their key's.
local WORDS = { header = "--no-header", repair = "--no-repair", ["map.region"] = "--map region" }

--- An option of a job as it is typed.
---@param key string
---@return string
function wording.option(key)
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
  api_key = "SCOPE3_API_KEY", ca_file = "SCOPE3_CA_FILE",
}

-- How a name of the library is called here: the option where the arguments give it, else the variable, else as it is.
-- Second: whether it is an option.
local function called(name, args)
  local key = ARGUMENTS[name] or name
  local negative = key == "header" and args.no_header or key == "repair" and args.no_repair
  if args[key] ~= nil or negative then
    return wording.option(key), true
  end
  local variable = VARIABLES[name]
  if variable and (os.getenv(variable) or "") ~= "" then
    return variable, false
  end
  return args.script and (ARGUMENTS[name] or not VARIABLES[name]) and "the script's " .. name or name, false
end

local KNOWN = options.merge(script_of.JOB_OPTIONS, ARGUMENTS, VARIABLES, { limiter = true, journal = true })

-- What comes behind the names in a problem.
local BEHIND = { " must ", " are of ", " has no ", " is ", " leaves ", " takes " }

--- A problem that begins with names of options, such as "delimiter must be one character".
---@param problem string
---@param args table
---@return string
function wording.problem(problem, args)
  if problem:find("^%-%-") or problem:find("^the ") then
    return problem -- in these words already
  end
  local at = #problem + 1
  for _, words in ipairs(BEHIND) do
    at = math.min(at, problem:find(words, 1, true) or at)
  end
  local names = problem:sub(1, at - 1):gsub("[%l_.]+", function(name)
    return KNOWN[name] and called(name, args) or nil
  end)
  return names .. problem:sub(at)
end

--- A message without the function of the library that it begins with.
---@param message string
---@return string
function wording.plain(message)
  return (message:gsub("^client:[%w_]+: ", ""):gsub("^client: ", ""):gsub("^scope3%.[%w_.]+: ", ""))
end

--- What an error that was raised says of a misuse of the library, or nil where it is a fault.
---@param raised any
---@param args table
---@return string?
function wording.misuse(raised, args)
  if type(raised) ~= "string" then
    return nil
  end
  local said = raised:gsub("^[^\n]-:%d+: ", "", 1)
  local plain = wording.plain(said)
  return plain ~= said and wording.problem(plain, args) or nil
end

local KEPT = { "status", "code", "field", "retryable", "retry_after", "uncertain", "task_id", "rows" }

--- An error in the words of the command line.
---@param err scope3.Error|string
---@param args table
---@return scope3.Error|string
---@return boolean usage  an option was given that cannot be
function wording.of(err, args)
  if not errors.is(err) then
    return err, false
  end
  local fields, usage, issues = {}, false, nil
  for _, key in ipairs(KEPT) do
    fields[key] = err[key]
  end
  local message = wording.plain(err.message)
  local of_map = message:find("^map for ") ~= nil -- these name fields of a map, which are called what some options are
  for i, issue in ipairs(err.kind == "invalid" and err.issues or {}) do
    local name, is_option = nil, false
    if issue.path and not of_map and not issue.message:find("^is missing") then
      name, is_option = called(issue.path, args)
    end
    issues = issues or {}
    issues[i] = { path = name or issue.path, message = issue.message }
    usage = usage or is_option
  end
  fields.issues = issues or err.issues
  if issues and #issues == 1 and issues[1].path ~= err.issues[1].path then
    message = (issues[1].path and issues[1].path .. " " or "") .. issues[1].message
  end
  return errors.new(usage and "usage" or err.kind, message, fields), usage
end

return wording
