--- The service's rules for what is sent (docs/contract.md section 2), checked before anything is sent. Each check adds to a list, so that
--- all problems are reported at once. Messages name fields, never values.
local core = require "scope3.core"
local options = require "scope3.util.options"

local rules = {}

rules.CONSENT_BASES = { "consent", "legitimate_interest", "contract", "legal_obligation" }
rules.MAX_MEMBERS = 100000

local function note(issues, path, message)
  issues[#issues + 1] = { path = path, message = message }
end

--- How many characters a text has. One that is no UTF-8 has as many as bytes.
---@param s string
---@return integer
function rules.characters(s)
  if not core.utf8_valid(s) then
    return #s
  end
  local _, continuation = s:gsub("[\128-\191]", "")
  return #s - continuation
end

local function check_text(issues, path, value, least, most)
  if type(value) ~= "string" then
    note(issues, path, "must be a string")
  elseif not core.utf8_valid(value) then
    note(issues, path, "is not valid UTF-8")
  elseif rules.characters(value) < least or rules.characters(value) > most then
    note(issues, path, ("must have %d to %d characters"):format(least, most))
  end
end

---@param issues table  the list to add to
---@param audience {id: string, name: string?, consent_basis: string?}
---@param path string  how to name it in messages
function rules.audience(issues, audience, path)
  if audience.id == nil then
    note(issues, path .. ".id", "is missing")
  else
    check_text(issues, path .. ".id", audience.id, 1, 255)
  end
  if audience.name ~= nil then
    check_text(issues, path .. ".name", audience.name, 0, 255)
  end
  if audience.consent_basis ~= nil and not options.contains(rules.CONSENT_BASES, audience.consent_basis) then
    note(issues, path .. ".consent_basis", "must be one of " .. table.concat(rules.CONSENT_BASES, ", "))
  end
end

local PUSH_KEYS = { url = true, operation_id = true, token = true, authentication = true }
local AUTHENTICATION_KEYS = { scheme = true, schemes = true, credentials = true }
local SCHEMES = { "HMAC-SHA256", "Bearer" }

---@param issues table
---@param push table  { url=, operation_id=, token=, authentication = { scheme = "HMAC-SHA256"|"Bearer", credentials= } }, or with AdCP's
---  schemes = { "Bearer" } for scheme
function rules.push_notification_config(issues, push)
  local at = "push_notification_config"
  for key in pairs(push) do
    if not PUSH_KEYS[key] then
      note(issues, at .. "." .. tostring(key), "is not a known key")
    end
  end
  local parts = type(push.url) == "string" and core.parse_url(push.url)
  if not parts or (parts.scheme ~= "https" and parts.scheme ~= "http") then
    note(issues, at .. ".url", "must be an http or https URL")
  end
  if push.operation_id ~= nil then
    local id = push.operation_id
    if type(id) ~= "string" or #id < 1 or #id > 255 or id:find("[^A-Za-z0-9_.:%-]") then
      note(issues, at .. ".operation_id", "must be 1 to 255 of A-Z a-z 0-9 _ . : -")
    end
  end
  if push.token ~= nil then
    check_text(issues, at .. ".token", push.token, 16, 4096)
  end
  local auth = push.authentication
  if auth ~= nil then
    for key in pairs(type(auth) == "table" and auth or {}) do
      if not AUTHENTICATION_KEYS[key] then
        note(issues, at .. ".authentication." .. tostring(key), "is not a known key")
      end
    end
    if type(auth) == "table" and auth.schemes ~= nil then
      -- AdCP's own word: a list of one.
      if auth.scheme ~= nil then
        note(issues, at .. ".authentication.schemes", "stands beside scheme: give one of the two")
      elseif type(auth.schemes) ~= "table" or #auth.schemes ~= 1 or not options.contains(SCHEMES, auth.schemes[1]) then
        note(issues, at .. ".authentication.schemes", "must be a list of one: HMAC-SHA256 or Bearer")
      end
    elseif type(auth) ~= "table" or not options.contains(SCHEMES, auth.scheme) then
      note(issues, at .. ".authentication.scheme", "must be HMAC-SHA256 or Bearer")
    end
    local credentials = type(auth) == "table" and auth.credentials
    if type(credentials) ~= "string" or not core.utf8_valid(credentials) or rules.characters(credentials) < 32 then
      note(issues, at .. ".authentication.credentials", "must have at least 32 characters, and be UTF-8")
    end
  end
end

--- What a caller may set.
---@param issues table
---@param opts table
function rules.options(issues, opts)
  if opts.region and core.region(opts.region) == nil then
    note(issues, "region", "is not a country that is known: give its ISO code, such as US or USA, or its English name")
  end
  if opts.max_members and opts.max_members > rules.MAX_MEMBERS then
    note(issues, "max_members", ("is at most %d"):format(rules.MAX_MEMBERS))
  end
  if opts.concurrency and opts.concurrency > 16 then
    note(issues, "concurrency", "is at most 16")
  end
  if opts.journal == "" then
    note(issues, "journal", "must be the path of a file")
  end
  if opts.max_bytes and (opts.max_bytes < 4096 or opts.max_bytes > 256 * 2 ^ 20) then
    note(issues, "max_bytes", "must be between 4096 and 268435456")
  end
end

return rules
