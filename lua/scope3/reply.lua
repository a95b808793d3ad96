--- From a finished transfer to data or an error: both envelopes, and everything a gateway may answer instead (docs/contract.md section 4).
local errors = require "scope3.error"
local json = require "scope3.json"
local redact = require "scope3.redact"

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

--- Seconds since 1970 of an HTTP date (RFC 9110 section 5.6.7, the preferred form), or nil.
---@param text string
---@return number?
function reply.http_date(text)
  local day, month, year, h, m, s = text:match("^%a+, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
  if day and MONTHS[month] then
    return days(tonumber(year), MONTHS[month], tonumber(day)) * 86400 + h * 3600 + m * 60 + s
  end
end

--- Seconds since 1970 of an ISO 8601 time with its offset, or nil.
---@param text any
---@return number?
function reply.iso_time(text)
  if type(text) ~= "string" then
    return nil
  end
  local year, month, day, h, m, s, zone = text:match("^(%d%d%d%d)-(%d%d)-(%d%d)[T ](%d%d):(%d%d):([%d.]+)(.*)$")
  if not year then
    return nil
  end
  local at = days(tonumber(year), tonumber(month), tonumber(day)) * 86400 + h * 3600 + m * 60 + s
  local sign, zone_h, zone_m = zone:match("^([+-])(%d%d):?(%d%d)$")
  if sign then
    at = at - tonumber(sign .. "1") * (zone_h * 3600 + zone_m * 60)
  end
  return at
end

--- Seconds that a reply asks to wait (RFC 9110 section 10.2.3), or nil.
---@param result table  a finished transfer
---@param now number  seconds since 1970
---@return number?
function reply.retry_after(result, now)
  local value = header(result, "retry-after")
  if not value then
    return nil
  end
  local seconds = tonumber(value)
  if not seconds then
    -- Both dates by the service's clock, where it tells its own: ours may be wrong.
    local at = reply.http_date(value)
    seconds = at and math.max(0, at - (reply.http_date(header(result, "date") or "") or now))
  end
  return seconds and seconds >= 0 and seconds or nil
end

local function present(value)
  if value ~= json.null then
    return value
  end
end

-- What a body that is no JSON begins with, for an error message.
local function describe(result)
  local body = result.body or ""
  if body == "" then
    return "an empty body"
  end
  local kind = header(result, "content-type") or ""
  if kind:find("html", 1, true) or body:find("^%s*<[!%a]") then
    local title = body:match("<[Tt][Ii][Tt][Ll][Ee]>(.-)</")
    return "an HTML page" .. (title and " (" .. redact.text(title) .. ")" or "")
  end
  return "something that is not JSON: " .. redact.text(body:sub(1, 200))
end

-- Validation lists its problems in details.issues[]; a path may be a dotted string or an array.
local function read_issues(details)
  local list = type(details) == "table" and present(details.issues)
  if type(list) ~= "table" or #list == 0 then
    return nil
  end
  local issues = {}
  for i, issue in ipairs(list) do
    if type(issue) == "table" then
      local path = present(issue.path)
      if type(path) == "table" then
        local parts = {}
        for j, part in ipairs(path) do
          parts[j] = type(part) == "number" and ("[%d]"):format(part) or (j > 1 and "." or "") .. tostring(part)
        end
        path = table.concat(parts)
      end
      issues[i] = {
        path = type(path) == "string" and redact.text(path) or nil,
        message = redact.text(type(issue.message) == "string" and issue.message or "no message"),
      }
    else
      issues[i] = { message = redact.text(tostring(issue)) }
    end
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

local function refused(result, decoded, now)
  local status = result.status
  local fields = { status = status, retryable = RETRYABLE[status], uncertain = UNCERTAIN[status], retry_after = reply.retry_after(result, now) }
  local said
  local problem = type(decoded) == "table" and present(decoded.error) or nil
  if problem == nil and type(decoded) == "table" and (present(decoded.message) or present(decoded.code)) then
    problem = decoded
  end
  if type(problem) == "table" then
    fields.code = type(problem.code) == "string" and redact.text(problem.code) or nil
    fields.field = type(problem.field) == "string" and redact.text(problem.field) or nil
    fields.issues = read_issues(present(problem.details))
    said = type(problem.message) == "string" and redact.text(problem.message) or nil
  elseif type(problem) == "string" then
    said = redact.text(problem)
  elseif decoded == nil then
    said = "it answered " .. describe(result)
  end
  local message = ("the service answered %d"):format(status)
  if fields.code then
    message = message .. " " .. fields.code
  end
  if HINTS[status] then
    message = message .. " (" .. HINTS[status] .. ")"
  end
  if said then
    message = message .. ": " .. said
  end
  return errors.new(kind_of(status), message, fields)
end

--- Whether a refusal is about the size of the request: a smaller one may pass.
---@param err scope3.Error
---@return boolean
function reply.speaks_of_size(err)
  if err.status == 413 then
    return true
  elseif err.status ~= 400 and err.status ~= 422 then
    return err.kind == "timeout" and err.code == "OPERATION_TIMEDOUT" and not err.uncertain -- while it was being sent
  end
  local text = ((err.code or "") .. " " .. err.message):lower()
  return text:find("too[ _]large") ~= nil or text:find("too[ _]big") ~= nil or text:find("too many members", 1, true) ~= nil
    or text:find("size limit", 1, true) ~= nil or text:find("maximum size", 1, true) ~= nil
end

local function redirected(result)
  local host = (result.redirect_url or ""):match("^%a+://([^/?#@]+)")
  return errors.new("http", ("the service answered %d and points to %s; redirects are never followed, "
    .. "because the key would go along: set base_url to the right host"):format(result.status,
    host and redact.text(host) or "another place"), { status = result.status, code = "REDIRECT" })
end

-- A success that cannot be read: what was asked may have been done.
local function broken(result, message)
  return errors.new("http", ("the service answered %d with %s"):format(result.status, message),
    { status = result.status, code = "BAD_REPLY", uncertain = true })
end

local NETWORK = {
  FORKED = "the process forked while the request was under way: it goes on in the parent alone",
  COULDNT_RESOLVE_HOST = "the host name was not found: check the base URL and the network",
  COULDNT_RESOLVE_PROXY = "the proxy's name was not found",
  COULDNT_CONNECT = "the host does not answer: check the base URL, the network and the proxy",
  PEER_FAILED_VERIFICATION = "the certificate of the host is not trusted; behind a company proxy set ca_file to its certificate",
  SSL_CACERT_BADFILE = "the file of CA certificates cannot be read: check ca_file",
  GOT_NOTHING = "the connection was closed without an answer",
  PARTIAL_FILE = "the answer was cut short",
  RECV_ERROR = "the connection broke while waiting for the answer",
  SEND_ERROR = "the connection broke while sending",
  SEND_FAIL_REWIND = "a kept connection had died; the request was not sent again, because it may have arrived",
  HTTP2 = "the connection broke while waiting for the answer",
  HTTP2_STREAM = "the request was broken off by the other side",
  REFUSED_STREAM = "the request was refused before anything of it was processed",
  WEIRD_SERVER_REPLY = "the answer is not HTTP",
  UNSUPPORTED_PROTOCOL = "the answer is not HTTP", -- libcurl takes it for HTTP/0.9
}

--- The error of a transfer that brought no whole reply.
---@param result table
---@return scope3.Error
function reply.failure(result)
  local code = result.code
  local lost = result.status and result.status >= 300 and code ~= "TOO_LARGE" and result.status -- all that is known of the reply
  local fields = { code = code, retryable = true, uncertain = result.body_sent or nil, status = not lost and result.status or nil }
  if lost then -- refused is refused, whatever more was to be said
    fields.uncertain = UNCERTAIN[lost] and fields.uncertain
    return errors.new("network", ("the service answered %d, and the connection broke before it had said more (%s)"):format(lost, code), fields)
  end
  if code == "OPERATION_TIMEDOUT" then
    return errors.new("timeout", ("no answer within %.0f s"):format(result.seconds or 0), fields)
  elseif code == "TOO_LARGE" then
    fields.retryable = nil
    return errors.new("http", "the answer is over 8 MiB and was not read to its end", fields)
  end
  local text = NETWORK[code] or redact.text(result.message or "the transfer failed")
  return errors.new("network", text .. " (" .. tostring(code) .. ")", fields)
end

-- A refusal of which libcurl dropped all but the status, with its stream. These say all by it; of others the rest is worth asking again.
local SAY_ALL = { [401] = true, [402] = true, [403] = true, [413] = true }

--- Data of a finished transfer, or its error.
---@param result table  as engine:result() gives it
---@param now number  seconds since 1970
---@return any data  decoded, without its envelope
---@return scope3.Error? err
function reply.read(result, now)
  local status = result.status
  if result.code then
    if not status or status < 300 or result.code == "TOO_LARGE" or not (next(result.headers) or SAY_ALL[status]) then
      return nil, reply.failure(result)
    end
    return nil, status < 400 and redirected(result) or refused(result, result.body ~= "" and json.decode(result.body) or {}, now)
  end
  if status >= 300 and status < 400 then
    return nil, redirected(result)
  end
  local decoded = result.body and result.body ~= "" and json.decode(result.body) or nil
  if status < 200 or status >= 300 then
    return nil, refused(result, decoded, now)
  end
  if type(decoded) ~= "table" then
    return nil, broken(result, describe(result))
  elseif result.early then
    return nil, broken(result, "a success before the whole request had left: what it had not read cannot be meant")
  end
  if present(decoded.error) ~= nil and decoded.data == json.null then
    return nil, refused(result, decoded, now)
  end
  if decoded.data ~= nil and (decoded.error ~= nil or decoded.success == nil) then
    if type(decoded.data) ~= "table" then
      return nil, broken(result, "an empty envelope")
    end
    -- A wrapped page may keep its counts beside the data.
    local data = decoded.data
    if decoded.meta ~= nil and data.meta == nil and data[1] == nil then
      data.meta = decoded.meta
    end
    return data
  end
  return decoded
end

return reply
