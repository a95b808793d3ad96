--- From a finished transfer to data or an error: both envelopes, and everything a gateway may answer instead (docs/contract.md section 4).
local advice = require "scope3.http.advice"
local core = require "scope3.core"
local errors = require "scope3.error"
local json = require "scope3.util.json"
local redact = require "scope3.util.redact"
local unreached = require "scope3.http.network_error"
local waits = require "scope3.http.waits"

local reply = {}

local function header(result, name)
  local value = result.headers and result.headers[name]
  return type(value) == "table" and value[1] or value
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

-- Days since 1970 of a date of the proleptic Gregorian calendar.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

-- Texts of digits as numbers: arithmetic on texts asks the locale.
local function in_seconds(hours, minutes, seconds)
  return tonumber(hours) * 3600 + tonumber(minutes) * 60 + tonumber(seconds)
end

--- Seconds since 1970 of an HTTP date (RFC 9110 section 5.6.7, the preferred form), or nil.
---@param text string
---@return number?
function reply.http_date(text)
  local day, month, year, h, m, s = text:match("^[A-Z][a-z]+, (%d%d) ([A-Z][a-z][a-z]) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  if day and MONTHS[month] then
    return days(tonumber(year), MONTHS[month], tonumber(day)) * 86400 + in_seconds(h, m, s)
  end
end

--- Seconds since 1970 of an ISO 8601 time with its offset, or nil. One without an offset counts as UTC.
---@param text any
---@return number?
function reply.iso_time(text)
  if type(text) ~= "string" then
    return nil
  end
  local year, month, day, h, m, s, rest =
    text:sub(1, 80):match("^(%d%d%d%d)-(%d%d)-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)(.*)$")
  local fraction, zone = (rest or ""):match("^[.,](%d+)(.*)$")
  zone = zone or rest
  year, month, day, h, m, s = tonumber(year), tonumber(month), tonumber(day), tonumber(h), tonumber(m), tonumber(s)
  if not year or month < 1 or month > 12 or day < 1 or day > 31 or h > 24 or m > 59 or s > 60 then
    return nil
  end
  local at = days(year, month, day) * 86400 + h * 3600 + m * 60 + s + (fraction and core.number("0." .. fraction) or 0)
  local sign, zone_h, zone_m = zone:match("^([+-])(%d%d):?(%d%d)$")
  if sign then
    at = at - (sign == "-" and -1 or 1) * in_seconds(zone_h, zone_m, 0)
  elseif zone ~= "" and zone ~= "Z" and zone ~= "z" then
    return nil
  end
  return at
end

--- The time by the service's own clock, where it tells that, because ours may be wrong; else nil.
---@param result table  a finished transfer
---@return number?  seconds since 1970
function reply.time(result)
  return reply.http_date(header(result, "date") or "")
end

--- Seconds that a reply asks to wait (RFC 9110 section 10.2.3), or nil.
---@param result table  a finished transfer
---@param now number  seconds since 1970
---@return number?  at most an hour
---@return number? longer  what it asked for, where that is more
function reply.retry_after(result, now)
  local value = header(result, "retry-after")
  if not value then
    return nil
  end
  now = reply.time(result) or now
  local fraction = value:match("^[0-9]+%.?()") -- in two steps: two runs of digits before "$" would take turns
  -- tonumber() reads "0x10" too, and asks the locale.
  local seconds = fraction and value:find("^[0-9]*$", fraction) and core.number(value)
  if not seconds then
    local at = reply.http_date(value)
    seconds = at and math.max(0, at - now)
  end
  if seconds and seconds >= 0 then
    return waits.bound(seconds, now)
  end
end

local function present(value)
  if value ~= json.null then
    return value
  end
end

-- A text of a reply as it may be told. Of what is read nobody here knows the members.
local function told(text, known)
  return known and known.strict and redact.strict(text, known) or redact.text(text, known)
end

-- An error that a reply states: what is empty states none.
local function stated(value)
  if value ~= json.null and value ~= false and value ~= "" and not (type(value) == "table" and next(value) == nil) then
    return value
  end
end

local TITLE_WITHIN = 16384 -- bytes of a page

-- What a body that is no JSON begins with, for an error message.
local function describe(result, known)
  local body = result.body or ""
  if body == "" then
    return "an empty body"
  end
  local kind = header(result, "content-type") or ""
  if kind:find("html", 1, true) or body:find("^[ \t-\r]*<[!A-Za-z]") then
    local _, from = body:sub(1, TITLE_WITHIN):find("<[Tt][Ii][Tt][Ll][Ee]>")
    local to = from and body:find("</", from + 1, true)
    local title = to and told(body:sub(from + 1, math.min(to - 1, from + 4000)), known)
    return "an HTML page" .. (title and " (" .. title .. ")" or "")
  end
  return "something that is not JSON: " .. told(body, known)
end

-- A path as one text: it may be a dotted string or an array.
local function join_path(path)
  if type(path) ~= "table" then
    return type(path) == "string" and path or nil
  end
  local parts = {}
  for i = 1, math.min(#path, 32) do
    local part = path[i]
    if type(part) == "number" then
      parts[i] = part >= 0 and part < 1e9 and part % 1 == 0 and ("[%.0f]"):format(part) or "[?]"
    else
      parts[i] = (i > 1 and "." or "") .. (type(part) == "string" and part or "?")
    end
  end
  return #parts > 0 and table.concat(parts) or nil
end

-- A path as it may be told: as far as it is made of the service's own words, which is what finds the member.
local function shown_path(path)
  local known_part = path:sub(1, 200)
  while known_part do
    if redact.is_path(known_part) then
      return known_part == path and path or known_part .. ".[redacted]"
    end
    known_part = known_part:match("^(.*)[.%[]")
  end
  return "[redacted]"
end

-- Validation lists its problems in details.issues[].
local function read_issues(details, known)
  local list = type(details) == "table" and present(details.issues)
  if type(list) ~= "table" or #list == 0 then
    return nil
  end
  local issues, texts, of = {}, {}, {}
  local function tell(text, issue, key)
    texts[#texts + 1], of[#of + 1] = text, { issue, key }
  end
  for i, item in ipairs(list) do
    local issue = {}
    issues[i] = issue
    if type(item) == "table" then
      local path = join_path(present(item.path))
      issue.path = path and shown_path(path)
      tell(type(item.message) == "string" and item.message or "no message", issue, "message")
    else
      tell(type(item) == "string" and item or "no message", issue, "message")
    end
  end
  for i, text in ipairs(redact.texts(texts, known)) do
    of[i][1][of[i][2]] = known and known.strict and redact.strict(text, known) or text
  end
  return issues
end

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

-- A port of TLS that is spoken to in plain http says so in words, where it says anything.
local function wants_tls(result)
  local body = result.body or ""
  return not result.secure and result.status == 400 and #body < 8192
    and (body:find("plain HTTP request was sent to HTTPS port", 1, true) or body:find("HTTP request to an HTTPS server",
      1, true)
      or body:find("speaking plain HTTP to an SSL", 1, true) or body:find("requires TLS", 1, true))
end

local function hint_of(result, known)
  if result.status == 401 and known and known.admitted then
    return EXPIRED
  elseif wants_tls(result) then
    return "this port speaks TLS: base_url must begin with https://"
  end
  return HINTS[result.status]
end

-- What a reply of another form says of its failure: a problem of RFC 9457, or of a gateway or a login.
local function said_elsewhere(decoded, known)
  local parts = {}
  for _, name in ipairs { "title", "detail", "error_description", "Message", "msg", "description", "reason" } do
    local value = decoded[name]
    if type(value) == "string" and value ~= "" and #parts < 2 then
      parts[#parts + 1] = told(value, known)
    end
  end
  return #parts > 0 and table.concat(parts, ": ") or nil
end

local function kind_of(status)
  if status == 429 then
    return "rate_limited"
  elseif status == 404 then
    return "not_found"
  elseif status == 400 or status == 422 then
    return "invalid"
  end
  return "http"
end

local RETRYABLE = { [429] = true, [500] = true, [502] = true, [503] = true, [504] = true }
-- What a request asked for may have been done although one of these came back.
local UNCERTAIN = { [500] = true, [502] = true, [504] = true }

-- A code or the name of a field: short, and redacted where it is neither.
local function word(value, known)
  if type(value) == "string" then
    return known and known.strict and redact.code(value, known) or redact.is_path(value) and value
      or redact.text(value, known)
  end
end

local function refused(result, decoded, now, known)
  local status = result.status
  local fields = { status = status, retryable = RETRYABLE[status], uncertain = UNCERTAIN[status] }
  fields.retry_after, fields.asked = reply.retry_after(result, now)
  local said
  local problem = type(decoded) == "table" and stated(decoded.error) or nil
  if problem == nil and type(decoded) == "table" and (present(decoded.message) or present(decoded.code)) then
    problem = decoded
  end
  if problem == nil and type(decoded) == "table" then
    local errors_of = stated(decoded.errors)
    problem = type(errors_of) == "table" and errors_of[1] or errors_of
  end
  if type(problem) == "table" then
    fields.code = word(problem.code, known)
    fields.field = word(problem.field, known)
    fields.issues = read_issues(present(problem.details), known)
    said = type(problem.message) == "string" and told(problem.message, known) or nil
  elseif type(problem) == "string" then
    said = told(problem, known)
  elseif decoded == nil then
    said = "it answered " .. describe(result, known)
  end
  if type(decoded) == "table" and (said == nil or type(problem) == "string") then
    local more = said_elsewhere(decoded, known)
    said = said and more and said .. ": " .. more or said or more
  end
  local message = ("the service answered %d"):format(status)
  if fields.code then
    message = message .. " " .. fields.code
  end
  local hint = advice.of(fields.code) or hint_of(result, known)
  if hint then
    message = message .. " (" .. hint .. ")"
  end
  if said then
    message = message .. ": " .. said
  end
  return errors.new(kind_of(status), message, fields)
end

--- Whether a rejection is about the size of the request: a smaller one may pass.
---@param err scope3.Error
---@return boolean
function reply.speaks_of_size(err)
  if err.status == 413 then
    return true
  elseif err.status ~= 400 and err.status ~= 422 then
    return err.kind == "timeout" and err.code == "OPERATION_TIMEDOUT" and not err.uncertain -- while it was being sent
  end
  local text = core.lower((err.code or "") .. " " .. err.message)
  return text:find("too[ _]large") ~= nil or text:find("too[ _]big") ~= nil or text:find("too many members", 1, true) ~= nil
    or text:find("size limit", 1, true) ~= nil or text:find("maximum size", 1, true) ~= nil
end

local function redirected(result, known)
  local host = (result.redirect_url or ""):match("^[A-Za-z]+://([^/?#@]+)")
  return errors.new("http", ("the service answered %d and points to %s; redirects are never followed, "
    .. "because the key would go along: set base_url to the right host"):format(result.status,
    host and redact.text(host, known) or "another place"), { status = result.status, code = "REDIRECT" })
end

-- A success that cannot be read: what was asked may have been done.
local function broken(result, message)
  return errors.new("http", ("the service answered %d with %s"):format(result.status, message),
    { status = result.status, code = "BAD_REPLY", uncertain = true })
end

-- Whether a body says that its success is none. A task without its envelope has an error of its own.
local function denies(body, known)
  local is_task = known and known.task and type(body.status) == "string"
  local holds = false
  for _, name in ipairs { "data", "task", "audiences", "items", "taskId", "task_id", "operationId", "operation_id" } do
    holds = holds or present(body[name]) ~= nil
  end
  return not is_task and (stated(body.error) ~= nil or body.success == false or stated(body.errors) ~= nil and not holds)
end

-- The error of such a reply. Where it names a task, or holds data beside the error, what was asked may be under way.
local function contradicted(result, decoded, now, known)
  local err = refused(result, decoded, now, known)
  local message = err.message
    :gsub("^the service answered (%d+)", "the service answered %1, but says that it failed:", 1)
    :gsub("failed::", "failed:", 1):gsub(":$", "")
  local data = type(decoded.data) == "table" and decoded.data or decoded
  local uncertain = data ~= decoded or data.taskId ~= nil or data.task_id ~= nil or data.operationId ~= nil
    or data.operation_id ~= nil
  return errors.with(err, { code = err.code or "REFUSED", message = message, uncertain = uncertain or errors.NOTHING })
end

--- The error of a transfer that brought no whole reply.
---@param result table
---@return scope3.Error
function reply.failure(result)
  local code = result.code
  local lost = result.status and result.status >= 300 and code ~= "TOO_LARGE" and result.status -- all that is known of the reply
  local fields = { code = code, retryable = true, uncertain = result.body_sent or nil, status = not lost and result.status or nil }
  local never = unreached.error(result)
  if never then
    return never
  end
  if lost then -- refused is refused, whatever more was to be said
    fields.uncertain = UNCERTAIN[lost] and fields.uncertain
    return errors.new("network", ("the service answered %d, and the connection broke before it had said more (%s)"):format(lost, code), fields)
  end
  if code == "OPERATION_TIMEDOUT" then
    return errors.new("timeout", ("no answer within %.0f s"):format(result.seconds or 0), fields)
  elseif code == "TOO_LARGE" then
    fields.retryable = nil
    return errors.new("http", "the answer is over 8 MiB, or its headers over 256 kB, and was not read to its end",
      fields)
  end
  return errors.new("network", unreached.broken(result) .. " (" .. tostring(code) .. ")", fields)
end

-- A rejection of which libcurl dropped all but the status, with its stream. These say all by it; of others the rest is worth asking again.
local SAY_ALL = { [401] = true, [402] = true, [403] = true, [413] = true }

--- Data of a finished transfer, or its error.
---@param result table  as engine:result() gives it
---@param now number  seconds since 1970
---@param known? scope3.Known  what the error's texts must not say
---@return any data  decoded, without its envelope
---@return scope3.Error? err
function reply.read(result, now, known)
  local status = result.status
  if result.code then
    if not result.begun and result.begun ~= nil then
      return nil, unreached.refused_by_proxy(result, reply.retry_after(result, now)) or reply.failure(result)
    elseif not status or status < 300 or result.code == "TOO_LARGE" or not (next(result.headers)
      or SAY_ALL[status]) then
      return nil, reply.failure(result)
    end
    return nil, status < 400 and redirected(result, known)
      or refused(result, result.body ~= "" and json.decode(result.body, true) or {}, now, known)
  end
  if status >= 300 and status < 400 then
    return nil, redirected(result, known)
  end
  local decoded = result.body and result.body ~= "" and json.decode(result.body, true) or nil
  if status < 200 or status >= 300 then
    return nil, refused(result, decoded, now, known)
  end
  if type(decoded) ~= "table" then
    return nil, broken(result, describe(result, known))
  elseif result.early then
    return nil, broken(result, "a success before the whole request had left: what it had not read cannot be meant")
  end
  if denies(decoded, known) then
    return nil, contradicted(result, decoded, now, known)
  end
  if decoded.data ~= nil and (decoded.error ~= nil or decoded.success == nil) then
    if type(decoded.data) ~= "table" then
      return nil, broken(result, "an empty envelope")
    end
    local data = decoded.data
    if denies(data, known) then
      return nil, contradicted(result, data, now, known)
    end
    -- A wrapped page may keep its counts beside the data.
    if decoded.meta ~= nil and data.meta == nil and data[1] == nil then
      data.meta = decoded.meta
    end
    -- So may one that was accepted, and tells of problems.
    for _, name in ipairs { "errors", "warnings" } do
      if present(decoded[name]) ~= nil and data[name] == nil and data[1] == nil then
        data[name] = decoded[name]
      end
    end
    return data
  end
  return decoded
end

return reply
