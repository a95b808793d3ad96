--- The service's rules for what is sent (docs/contract.md section 2), checked before anything is sent. Each check adds
--- to a list of issues, so that all problems are reported at once. Messages name fields, never values.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local options = require "scope3.util.options"

local validate = {}

validate.CONSENT_BASES = { "consent", "legitimate_interest", "contract", "legal_obligation" }
validate.MAX_MEMBERS = 100000

local function note(issues, path, message)
  issues[#issues + 1] = { path = path, message = message }
end

--- How many characters a text has. One that is not UTF-8 has as many as bytes.
---@param s string
---@return integer
function validate.characters(s)
  if not core.utf8_valid(s) then
    return #s
  end
  local _, continuation = s:gsub("[\128-\191]", "")
  return #s - continuation
end

-- What is wrong with a text of `least` to `most` characters, or nil.
local function text_problem(value, least, most)
  if type(value) ~= "string" then
    return "must be a string"
  elseif not core.utf8_valid(value) then
    return "is not valid UTF-8"
  elseif validate.characters(value) < least or validate.characters(value) > most then
    return ("must have %d to %d characters"):format(least, most)
  end
end

local function check_text(issues, path, value, least, most)
  local problem = text_problem(value, least, most)
  if problem then
    note(issues, path, problem)
  end
end

--- Checks the data of an audience.
---@param issues table  the list to add to
---@param audience {id: string, name: string?, consent_basis: string?}
---@param path string  how to name it in messages
function validate.audience(issues, audience, path)
  if audience.id == nil then
    note(issues, path .. ".id", "is missing")
  else
    check_text(issues, path .. ".id", audience.id, 1, 255)
  end
  if audience.name ~= nil then
    check_text(issues, path .. ".name", audience.name, 0, 255)
  end
  if audience.consent_basis ~= nil and not options.contains(validate.CONSENT_BASES, audience.consent_basis) then
    note(issues, path .. ".consent_basis", "must be one of " .. table.concat(validate.CONSENT_BASES, ", ")
      .. arguments.remark(audience.consent_basis, validate.CONSENT_BASES))
  end
end

-- --- push notification configs -------------------------------------------------------------------------------------

local SCHEMES = { "HMAC-SHA256", "Bearer" }

local function url_problem(value)
  local parts = type(value) == "string" and require("scope3.engine").parse_url(value)
  if not parts or (parts.scheme ~= "https" and parts.scheme ~= "http") then
    return "must be an http or https URL"
  end
end

local function operation_id_problem(value)
  if type(value) ~= "string" or #value < 1 or #value > 255 or value:find("[^A-Za-z0-9_.:%-]") then
    return "must be 1 to 255 of A-Z a-z 0-9 _ . : -"
  end
end

local function token_problem(value)
  return text_problem(value, 16, 4096)
end

local function scheme_problem(value)
  return not options.contains(SCHEMES, value) and "must be HMAC-SHA256 or Bearer" or nil
end

-- AdCP's own word for the scheme: a list of one.
local function schemes_problem(value, authentication)
  if authentication.scheme ~= nil then
    return "stands beside scheme: give one of the two"
  elseif type(value) ~= "table" or #value ~= 1 or not options.contains(SCHEMES, value[1]) then
    return "must be a list of one: HMAC-SHA256 or Bearer"
  end
end

local function credentials_problem(value)
  if type(value) ~= "string" or not core.utf8_valid(value) or validate.characters(value) < 32 then
    return "must have at least 32 characters, and be UTF-8"
  end
end

-- The fields of a config and of its authentication, in the order of their issues. A problem is a function of the value
-- and its table. A field that is not required is checked where it is given.
local PUSH_FIELDS = {
  { name = "url", problem = url_problem, required = true },
  { name = "operation_id", problem = operation_id_problem },
  { name = "token", problem = token_problem },
}
local AUTHENTICATION_FIELDS = {
  { name = "schemes", problem = schemes_problem },
  { name = "scheme", problem = scheme_problem, required = true, instead = "schemes" },
  { name = "credentials", problem = credentials_problem, required = true },
}
local PUSH_KEYS = { url = true, operation_id = true, token = true, authentication = true }
local AUTHENTICATION_KEYS = { scheme = true, schemes = true, credentials = true }

local function check_keys(issues, value, known, path)
  for key in entries(value) do
    if not known[key] then
      note(issues, path .. "." .. tostring(key), "is not a known key")
    end
  end
end

local function check_fields(issues, value, fields, path)
  for _, field in ipairs(fields) do
    local given = value[field.name]
    local is_replaced = field.instead and value[field.instead] ~= nil
    if (given ~= nil or field.required) and not is_replaced then
      local problem = field.problem(given, value)
      if problem then
        note(issues, path .. "." .. field.name, problem)
      end
    end
  end
end

--- Checks a push notification config: { url=, operation_id=, token=, authentication = { scheme=, credentials= } }. The
--- scheme is "HMAC-SHA256" or "Bearer". AdCP's schemes = { "Bearer" } is accepted for scheme.
---@param issues table  the list to add to
---@param push table
function validate.push_notification_config(issues, push)
  local path = "push_notification_config"
  check_keys(issues, push, PUSH_KEYS, path)
  check_fields(issues, push, PUSH_FIELDS, path)
  if push.authentication ~= nil then
    local authentication = type(push.authentication) == "table" and push.authentication or {}
    check_keys(issues, authentication, AUTHENTICATION_KEYS, path .. ".authentication")
    check_fields(issues, authentication, AUTHENTICATION_FIELDS, path .. ".authentication")
  end
end

-- --- options of a job -----------------------------------------------------------------------------------------------

-- What is wrong with the value of an option, or nil. An option is checked where it is given.
local OPTION_PROBLEMS = {
  { "region", function(value)
    return core.region(value) == nil
      and "is not a country that is known: give its ISO code, such as US or USA, or its English name"
  end },
  { "max_members", function(value)
    return value > validate.MAX_MEMBERS and ("is at most %d"):format(validate.MAX_MEMBERS)
  end },
  { "concurrency", function(value)
    return value > 16 and "is at most 16"
  end },
  { "journal", function(value)
    return value == "" and "must be the path of a file"
  end },
  { "max_bytes", function(value)
    return (value < 4096 or value > 256 * 2 ^ 20) and "must be between 4096 and 268435456"
  end },
}

--- Checks the values of options, whose types are right.
---@param issues table  the list to add to
---@param opts table
function validate.options(issues, opts)
  for _, option in ipairs(OPTION_PROBLEMS) do
    local name, problem_of = option[1], option[2]
    local problem = opts[name] and problem_of(opts[name])
    if problem then
      note(issues, name, problem)
    end
  end
end

return validate
