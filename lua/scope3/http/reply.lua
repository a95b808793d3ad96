--- Turns a finished transfer into data or an error: with an envelope or without, and whatever a gateway answers instead
--- (docs/contract.md section 4).
local core = require "scope3.core"
local errors = require "scope3.error"
local json = require "scope3.util.json"
local network_error = require "scope3.http.network_error"
local redact = require "scope3.util.redact"
local retry_after = require "scope3.http.retry_after"
local service_error = require "scope3.http.service_error"

local present, stated = service_error.present, service_error.stated

local reply = {}

-- What a success holds where it names a task or brings data.
local HOLDINGS = { "data", "task", "audiences", "items", "taskId", "task_id", "operationId", "operation_id" }
-- What names a task that may be under way.
local TASK_IDS = { "taskId", "task_id", "operationId", "operation_id" }
-- What services say of a request that is too large.
local SIZE_PATTERNS = { "too[ _]large", "too[ _]big", "too many members", "size limit", "maximum size" }

-- Statuses that say everything. libcurl may drop the rest of such a reply with its stream.
local COMPLETE_STATUS = { [401] = true, [402] = true, [403] = true, [413] = true }

-- Whether any of some fields is present.
local function has_any(body, names)
  for _, name in ipairs(names) do
    if present(body[name]) ~= nil then
      return true
    end
  end
  return false
end

--- Whether an error is about the size of the request: a smaller one may pass.
---@param err scope3.Error
---@return boolean
function reply.speaks_of_size(err)
  if err.status == 413 then
    return true
  elseif err.status ~= 400 and err.status ~= 422 then
    -- The time was over while the request was being sent.
    return err.kind == "timeout" and err.code == "OPERATION_TIMEDOUT" and not err.uncertain
  end
  local text = core.lower((err.code or "") .. " " .. err.message)
  for _, pattern in ipairs(SIZE_PATTERNS) do
    if text:find(pattern) then -- pattern: one of the list above, without repetitions
      return true
    end
  end
  return false
end

-- --- replies that are no success ---------------------------------------------------------------------------------

local function redirect_error(result, known)
  local host = (result.redirect_url or ""):match("^[A-Za-z]+://([^/?#@]+)")
  return errors.new("http", ("the service answered %d and points to %s; redirects are never followed, "
    .. "because the key would go along: set base_url to the right host"):format(result.status,
    host and redact.text(host, known) or "another place"), { status = result.status, code = "REDIRECT" })
end

-- A success that cannot be read: the request may have been carried out.
local function bad_reply(result, message)
  return errors.new("http", ("the service answered %d with %s"):format(result.status, message),
    { status = result.status, code = "BAD_REPLY", uncertain = true })
end

-- Whether the body of a success says that it is none. A task without its envelope has an error of its own.
local function states_failure(body, known)
  if known and known.task and type(body.status) == "string" then
    return false
  end
  return stated(body.error) ~= nil or body.success == false
    or stated(body.errors) ~= nil and not has_any(body, HOLDINGS)
end

-- Whether a body names a task. JSON's null counts: then the service was about to name one.
local function names_task(body)
  for _, name in ipairs(TASK_IDS) do
    if body[name] ~= nil then
      return true
    end
  end
  return false
end

-- The error of a success that says that it is none. The request may be under way where the reply names a task, or has
-- data as well as the error.
local function contradiction(result, decoded, now, known)
  local err = service_error.read(result, decoded, now, known)
  local message = err.message
    :gsub("^the service answered (%d+)", "the service answered %1, but says that it failed:", 1)
    :gsub("failed::", "failed:", 1):gsub(":$", "")
  return errors.with(err, { code = err.code or "REFUSED", message = message,
    uncertain = (type(decoded.data) == "table" or names_task(decoded)) or errors.NOTHING })
end

-- In whole numbers, which look alike in every locale.
local function duration(seconds)
  return seconds < 1 and ("%.0f ms"):format(seconds * 1000) or ("%.0f s"):format(seconds)
end

--- The error of a transfer that brought no whole reply.
---@param result scope3.TransferResult
---@return scope3.Error
function reply.failure(result)
  local known_cause = network_error.error(result)
  if known_cause then
    return known_cause
  end
  local code, status, uncertain = result.code, result.status, result.body_sent or nil
  if code == "TOO_LARGE" then
    return errors.new("http", "the answer is over 8 MiB, or its headers over 256 kB, and was not read to its end",
      { code = code, uncertain = uncertain, status = status })
  elseif status and status >= 300 then -- an error status stands, whatever the rest of the reply was to say
    return errors.new("network", ("the service answered %d, and the connection broke before it had said more (%s)")
      :format(status, code),
      { code = code, retryable = true, uncertain = service_error.is_uncertain(status) and uncertain })
  end
  local fields = { code = code, retryable = true, uncertain = uncertain, status = status }
  if code == "OPERATION_TIMEDOUT" then
    return errors.new("timeout", "no answer within " .. duration(result.seconds or 0), fields)
  end
  return errors.new("network", network_error.broken(result) .. " (" .. tostring(code) .. ")", fields)
end

-- The error of a transfer that libcurl broke off. The reply counts where its headers, or its status, say enough.
local function broken_off(result, now, known)
  local status = result.status
  if result.begun == false then
    return network_error.refused_by_proxy(result, (retry_after.read(result, now))) or reply.failure(result)
  end
  local is_readable = status and status >= 300 and result.code ~= "TOO_LARGE"
    and (next(result.headers) or COMPLETE_STATUS[status])
  if not is_readable then
    return reply.failure(result)
  elseif status < 400 then
    return redirect_error(result, known)
  end
  return service_error.read(result, result.body ~= "" and json.decode(result.body, true) or {}, now, known)
end

-- --- successes ---------------------------------------------------------------------------------------------------

-- The data of an envelope, with what the envelope itself says: counts of a page, problems of what was accepted.
local function unwrap(envelope)
  local data = envelope.data
  if data[1] ~= nil then
    return data
  end
  if envelope.meta ~= nil and data.meta == nil then
    data.meta = envelope.meta
  end
  for _, name in ipairs { "errors", "warnings" } do
    if present(envelope[name]) ~= nil and data[name] == nil then
      data[name] = envelope[name]
    end
  end
  return data
end

local function read_success(result, decoded, now, known)
  if type(decoded) ~= "table" then
    return nil, bad_reply(result, service_error.describe_body(result, known))
  elseif result.early then
    return nil, bad_reply(result,
      "a success before the whole request had left: what it had not read cannot be meant")
  elseif states_failure(decoded, known) then
    return nil, contradiction(result, decoded, now, known)
  elseif decoded.data == nil or decoded.error == nil and decoded.success ~= nil then
    return decoded
  elseif type(decoded.data) ~= "table" then
    return nil, bad_reply(result, "an empty envelope")
  elseif states_failure(decoded.data, known) then
    return nil, contradiction(result, decoded.data, now, known)
  end
  return unwrap(decoded)
end

--- Data of a finished transfer, or its error.
---@param result scope3.TransferResult  as engine:result() gives it
---@param now number  seconds since 1970
---@param known? scope3.Known  what the error's texts must not repeat
---@return any data  decoded, without its envelope
---@return scope3.Error? err
function reply.read(result, now, known)
  local status = result.status
  if result.code then
    return nil, broken_off(result, now, known)
  elseif status >= 300 and status < 400 then
    return nil, redirect_error(result, known)
  end
  local decoded = result.body and result.body ~= "" and json.decode(result.body, true) or nil
  if status < 200 or status >= 300 then
    return nil, service_error.read(result, decoded, now, known)
  end
  return read_success(result, decoded, now, known)
end

return reply
