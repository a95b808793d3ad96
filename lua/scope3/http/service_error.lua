--- The error that a reply of the service states, in whatever form (docs/contract.md section 4).
---
--- Gateways, proxies and logins answer in forms of their own. What they say passes the redactor before it is told.
local advice = require "scope3.http.advice"
local errors = require "scope3.error"
local headers = require "scope3.http.headers"
local json = require "scope3.util.json"
local redact = require "scope3.util.redact"
local retry_after = require "scope3.http.retry_after"

local service_error = {}

local TITLE_WITHIN = 16384 -- bytes of a page in which its title is looked for
local LONGEST_TITLE = 4000 -- bytes
local LONGEST_PATH, MOST_PARTS = 200, 32 -- bytes of an issue's path, and its parts
local SHORT_PAGE = 8192 -- bytes of a server's own error page

local KINDS = { [400] = "invalid", [404] = "not_found", [422] = "invalid", [429] = "rate_limited" }
local RETRYABLE = { [429] = true, [500] = true, [502] = true, [503] = true, [504] = true }
-- The request may have been carried out although one of these came back.
local UNCERTAIN = { [500] = true, [502] = true, [504] = true }

local HINTS = {
  [401] = "the key was refused: check SCOPE3_API_KEY",
  [402] = "the account's credit limit is reached",
  [403] = "this key may not do that",
  [404] = "not found, or not visible to this key: check the account id and the base URL",
  [413] = "the request is too large: lower max_bytes or max_members",
  [429] = "too many requests",
}
local EXPIRED = "the key was taken before and is refused now: it has expired or was revoked; "
  .. "give a new one in SCOPE3_API_KEY"
local SPEAKS_TLS = "this port speaks TLS: base_url must begin with https://"

-- What servers answer to plain http on a port of TLS.
local WANTS_TLS = { "plain HTTP request was sent to HTTPS port", "HTTP request to an HTTPS server",
  "speaking plain HTTP to an SSL", "requires TLS" }

-- Fields that explain a failure in other forms: problems of RFC 9457, gateways, logins.
local EXPLANATIONS = { "title", "detail", "error_description", "Message", "msg", "description", "reason" }
local MOST_EXPLANATIONS = 2

--- Whether a request may have been carried out although this status came back.
---@param status integer
---@return boolean?
function service_error.is_uncertain(status)
  return UNCERTAIN[status]
end

-- --- values of a body --------------------------------------------------------------------------------------------

--- A value of a decoded body; nil in place of JSON's null.
---@param value any
---@return any
function service_error.present(value)
  if value ~= json.null then
    return value
  end
end

local present = service_error.present

--- What a field says of an error. An empty value says that there is none.
---@param value any
---@return any
function service_error.stated(value)
  local is_empty = type(value) == "table" and next(value) == nil
  if value ~= json.null and value ~= false and value ~= "" and not is_empty then
    return value
  end
end

local stated = service_error.stated

-- A text of a reply, redacted. Replies to reads may speak of members that are not in hand, so these are redacted more.
local function redacted(text, known)
  return known and known.strict and redact.strict(text, known) or redact.text(text, known)
end

-- A code or the name of a field.
local function word(value, known)
  if type(value) ~= "string" then
    return nil
  elseif known and known.strict then
    return redact.code(value, known)
  end
  return redact.is_path(value) and value or redact.text(value, known)
end

-- --- issues ------------------------------------------------------------------------------------------------------

-- A part of a path: the index of an array, or the name of a field.
local function path_part(part, is_first)
  if type(part) == "number" then
    return part >= 0 and part < 1e9 and part % 1 == 0 and ("[%.0f]"):format(part) or "[?]"
  end
  return (is_first and "" or ".") .. (type(part) == "string" and part or "?")
end

-- A path as one text. The service writes a dotted text or an array.
local function join_path(path)
  if type(path) ~= "table" then
    return type(path) == "string" and path or nil
  end
  local parts = {}
  for i = 1, math.min(#path, MOST_PARTS) do
    parts[i] = path_part(path[i], i == 1)
  end
  return #parts > 0 and table.concat(parts) or nil
end

-- A path up to the first part that is no word of the service. What comes before is enough to find the member.
local function shown_path(path)
  local known_part = path:sub(1, LONGEST_PATH)
  while known_part do
    if redact.is_path(known_part) then
      return known_part == path and path or known_part .. ".[redacted]"
    end
    known_part = known_part:match("^(.*)[.%[]")
  end
  return "[redacted]"
end

-- The path and the message of one issue.
local function issue_parts(item)
  if type(item) ~= "table" then
    return nil, type(item) == "string" and item or "no message"
  end
  local path = join_path(present(item.path))
  return path and shown_path(path), type(item.message) == "string" and item.message or "no message"
end

-- The problems that validation found, which stand in details.issues[].
local function read_issues(details, known)
  local list = type(details) == "table" and present(details.issues)
  if type(list) ~= "table" or #list == 0 then
    return nil
  end
  local paths, messages, issues = {}, {}, {}
  for i, item in ipairs(list) do
    paths[i], messages[i] = issue_parts(item)
  end
  for i, message in ipairs(redact.texts(messages, known)) do
    issues[i] = { path = paths[i], message = known and known.strict and redact.strict(message, known) or message }
  end
  return issues
end

-- --- the message -------------------------------------------------------------------------------------------------

-- The title of an HTML page.
local function page_title(body)
  local _, from = body:sub(1, TITLE_WITHIN):find("<[Tt][Ii][Tt][Ll][Ee]>")
  local to = from and body:find("</", from + 1, true)
  return to and body:sub(from + 1, math.min(to - 1, from + LONGEST_TITLE))
end

--- What a body that is not JSON holds, for a message.
---@param result scope3.TransferResult
---@param known? scope3.Known
---@return string
function service_error.describe_body(result, known)
  local body = result.body or ""
  if body == "" then
    return "an empty body"
  end
  local kind = headers.first(result.headers, "content-type") or ""
  if kind:find("html", 1, true) or body:find("^[ \t-\r]*<[!A-Za-z]") then
    local title = page_title(body)
    return "an HTML page" .. (title and " (" .. redacted(title, known) .. ")" or "")
  end
  return "something that is not JSON: " .. redacted(body, known)
end

local function wants_tls(result)
  local body = result.body or ""
  if result.secure or result.status ~= 400 or #body >= SHORT_PAGE then
    return false
  end
  for _, text in ipairs(WANTS_TLS) do
    if body:find(text, 1, true) then
      return true
    end
  end
  return false
end

-- What to do about a failure.
local function hint_of(result, code, known)
  local by_code = advice.of(code)
  if by_code then
    return by_code
  elseif result.status == 401 and known and known.admitted then
    return EXPIRED
  elseif wants_tls(result) then
    return SPEAKS_TLS
  end
  return HINTS[result.status]
end

-- What a body says outside of the fields of the contract.
local function explanation(decoded, known)
  local parts = {}
  for _, name in ipairs(EXPLANATIONS) do
    local value = decoded[name]
    if type(value) == "string" and value ~= "" and #parts < MOST_EXPLANATIONS then
      parts[#parts + 1] = redacted(value, known)
    end
  end
  return #parts > 0 and table.concat(parts, ": ") or nil
end

-- The part of a body that states the problem: a table, a text, or nothing.
local function problem_of(decoded)
  if type(decoded) ~= "table" then
    return nil
  end
  local problem = stated(decoded.error)
  if problem ~= nil then
    return problem
  elseif present(decoded.message) or present(decoded.code) then
    return decoded
  end
  local list = stated(decoded.errors)
  return type(list) == "table" and list[1] or list
end

-- What the service says in words.
local function statement(result, decoded, problem, known)
  local said
  if type(problem) == "table" then
    said = type(problem.message) == "string" and redacted(problem.message, known) or nil
  elseif type(problem) == "string" then
    said = redacted(problem, known)
  elseif decoded == nil then
    said = "it answered " .. service_error.describe_body(result, known)
  end
  if type(decoded) ~= "table" or said and type(problem) ~= "string" then
    return said
  end
  local more = explanation(decoded, known)
  return said and more and said .. ": " .. more or said or more
end

--- The error that a reply states.
---@param result scope3.TransferResult
---@param decoded any  its body; nil where that is not JSON
---@param now number  seconds since 1970
---@param known? scope3.Known  what the error's texts must not repeat
---@return scope3.Error
function service_error.read(result, decoded, now, known)
  local status, problem = result.status, problem_of(decoded)
  local fields = { status = status, retryable = RETRYABLE[status], uncertain = UNCERTAIN[status] }
  fields.retry_after, fields.asked = retry_after.read(result, now)
  if type(problem) == "table" then
    fields.code, fields.field = word(problem.code, known), word(problem.field, known)
    fields.issues = read_issues(present(problem.details), known)
  end
  local hint, said = hint_of(result, fields.code, known), statement(result, decoded, problem, known)
  return errors.new(KINDS[status] or "http", ("the service answered %d"):format(status)
    .. (fields.code and " " .. fields.code or "")
    .. (hint and " (" .. hint .. ")" or "")
    .. (said and ": " .. said or ""), fields)
end

return service_error
