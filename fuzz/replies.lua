-- Replies of the service, and of what stands before it, through http/reply and api/response.
-- Every body gives values of the declared types, or an error that says something and no key.
--
-- An input is a line with the transfer (a letter for the call, one for the status, one for how it ended), a line with
-- the header Retry-After, and the body.
local core = require "scope3.core"
local errors = require "scope3.error"
local field_types = require "scope3.api.field_types"
local json = require "scope3.util.json"
local reply = require "scope3.http.reply"
local response = require "scope3.api.response"
local service_error = require "scope3.http.service_error"

local NOW = 1776520800
local KEY = "scope3_kD93hfP0aaQ7"
local HASH = ("0123456789abcdef"):rep(4)
local TASK_ID = "task_456"

local STATUSES = { 200, 201, 202, 204, 301, 400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504 }
local ENDS = {
  {}, {}, {}, { early = true }, { code = "PARTIAL_FILE", body_sent = true }, { code = "TOO_LARGE" },
  { code = "OPERATION_TIMEDOUT", seconds = 3 }, { code = "COULDNT_CONNECT", begun = false, cause = "refused" },
}

-- What the value of a field of each type has to be.
local IS = {
  text = function(value)
    return type(value) == "string"
  end,
  flag = function(value)
    return type(value) == "boolean"
  end,
  object = function(value)
    return type(value) == "table"
  end,
  id = function(value)
    return type(value) == "string" and value ~= ""
  end,
  amount = function(value)
    return type(value) == "number" and value >= 0 and value < math.huge
  end,
  count = function(value)
    return type(value) == "number" and value >= 0 and value <= 2 ^ 53 and value % 1 == 0
  end,
  any = function()
    return true
  end,
}
for _, name in ipairs { "word", "title", "moment", "task_status", "audience_status", "error_text", "release" } do
  IS[name] = IS.text
end
for _, name in ipairs { "problems", "breakdown" } do
  IS[name] = IS.object
end

local function check_fields(row, declared)
  for name, kind in pairs(declared) do
    local value = row[name]
    assert(value == nil or IS[kind](value), name)
  end
end

-- What is read once more stays as it is, and can be written.
local function check_written(value)
  local text = json.encode(value)
  assert(json.encode(response.read(value)) == text, "another reading")
  assert(json.decode(text) ~= nil, "what was written is no JSON")
end

local SYNDICATION = {
  id = "id", enabled = "flag", status = "word", error_message = "error_text", created_at = "moment",
}

local CALLS = {}

function CALLS.t(data)
  local answer, err = response.task(data, TASK_ID)
  if answer then
    assert(answer.task.task_id == TASK_ID and type(answer.task.status) == "string")
    check_fields(answer.task, response.TASK)
  end
  return answer == nil and err
end

function CALLS.s(data)
  local accepted = response.accepted(data)
  assert(accepted.task_id == nil or IS.id(accepted.task_id))
  assert(accepted.status == nil or IS.text(accepted.status))
  check_written(accepted.body)
end

local function check_rows(data, name, read_row, declared)
  local page, err = response.page(data, name)
  if not page then
    return err
  end
  assert(page.total == nil or type(page.total) == "number")
  for i = 1, #page.rows do
    local row = read_row(page.rows[i])
    if row then
      check_fields(row, declared)
    end
  end
end

function CALLS.a(data)
  return check_rows(data, "audiences", response.audience, response.AUDIENCE)
end

function CALLS.y(data)
  return check_rows(data, "items", response.syndication, SYNDICATION)
end

function CALLS.r(data)
  local records, err = response.syndications(data)
  for _, record in ipairs(records or {}) do
    check_fields(record, SYNDICATION)
  end
  return records == nil and err
end

function CALLS.h(data)
  local health = response.health(data)
  check_fields(health, { version = "release", commit_sha = "text" })
end

local function check_error(err)
  assert(errors.is(err), "no error")
  assert(type(err.message) == "string" and err.message ~= "", "no message")
  for _, name in ipairs { "code", "field", "task_id" } do
    assert(err[name] == nil or type(err[name]) == "string", name)
  end
  assert(err.retry_after == nil or err.retry_after >= 0 and err.retry_after <= 3600, "retry_after")
  for _, issue in ipairs(err.issues or {}) do
    assert(type(issue.message) == "string" and (issue.path == nil or type(issue.path) == "string"), "an issue")
  end
  local text = json.encode { message = err.message, code = err.code, field = err.field,
    issues = err.issues and json.array(err.issues) }
  assert(not text:find(KEY, 1, true) and not text:find(HASH, 1, true), "what may not be told is told")
  assert(reply.speaks_of_size(err) ~= nil)
end

-- A letter chooses one of a list.
local function choose(list, letter)
  return list[(letter:byte() or 0) % #list + 1]
end

local function transfer(status, ended, retry_after, body)
  local result = { id = 1, status = status, headers = { ["retry-after"] = retry_after ~= "" and retry_after or nil },
    body = body, begun = true, body_sent = true, secure = true, seconds = 0.1, connections = 1 }
  for name, value in pairs(ended) do
    result[name] = value
  end
  return result
end

-- The readers of single fields take any value.
local function check_readers(value)
  for name, is_kind in pairs(IS) do
    local got = field_types[name](value)
    assert(got == nil or got == false or is_kind(got), name)
  end
  assert(core.json_scalar(tostring(value)))
end

return function(input)
  local call, status, ended, retry_after, body = input:match "^(%a)(%a)(%a)[^\n]*\n([^\n]*)\n(.*)$"
  if not call then
    return
  end
  local result = transfer(choose(STATUSES, status), choose(ENDS, ended), retry_after, body)
  local known = { key = KEY, task = call == "t", strict = call ~= "s" }
  local data, err = reply.read(result, NOW, known)
  if data == nil then
    return check_error(err)
  end
  err = CALLS[call] and CALLS[call](data)
  if err then
    check_error(err)
  end
  for _, value in pairs(data) do
    check_readers(value ~= json.null and value or nil)
    assert(service_error.stated(value) == nil or value ~= json.null)
  end
end
