--- Turns a decoded reply of the service into declared types, whatever it holds, or gives an error. Other modules see
--- only these types, never a raw reply. Replies have camelCase names; Lua has AdCP's snake_case.
local codec = require "scope3.api.codec"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local field_types = require "scope3.api.field_types"
local json = require "scope3.util.json"

local response = {}

---@class scope3.Task  a task of the service; further fields are as it sends them, in snake_case
---@field task_id string
---@field status string  submitted, working, completed, failed, canceled, rejected, input-required, auth-required, or
---  what the service says
---@field task_type? string
---@field resource_type? string
---@field resource_id? string
---@field retry_after_seconds? number
---@field created_at? string
---@field updated_at? string
---@field response? table
---@field metadata? table
---@field error? any
---@field warnings? scope3.Problem[]
---@field audience? scope3.AudienceRow  after a wait for one
---@field [string] any
local TASK = {
  task_id = "id", task_type = "word", status = "task_status", resource_type = "word", resource_id = "id",
  retry_after_seconds = "amount", created_at = "moment", updated_at = "moment",
  response = "object", metadata = "object", error = "any", warnings = "problems", audience = "object",
}

---@class scope3.AudienceRow  an audience of the account; further fields are as the service sends them, in snake_case
---@field audience_id string
---@field name? string
---@field account_id? string
---@field status? string  PROCESSING, READY, TOO_SMALL, ERROR, SUSPENDED, or what the service says
---@field deleted? boolean
---@field uploaded_count? integer  the service does not say whether of all uploads or only of the last
---@field matched_count? integer
---@field total_uploaded_count? integer
---@field minimum_size? integer
---@field effective_match_rate? number  the service's own
---@field match_breakdown? {id_type: string, rate: number?, matched: integer?, uploaded: integer?}[]  by identifier type
---@field created_at? string
---@field updated_at? string
---@field last_synced_at? string
---@field [string] any
local AUDIENCE = {
  audience_id = "id", name = "title", account_id = "id", status = "audience_status", deleted = "flag",
  uploaded_count = "count", matched_count = "count", total_uploaded_count = "count", minimum_size = "count",
  created_at = "moment", updated_at = "moment", last_synced_at = "moment",
  effective_match_rate = "amount", match_breakdown = "breakdown",
}

---@class scope3.Syndication  where an audience is offered, and how far it is; further fields are as the service sends
---  them, in snake_case
---@field id? string
---@field customer_id? string
---@field advertiser_id? string
---@field resource_type? string
---@field resource_id? string
---@field audience_id? string
---@field event_source_id? string
---@field catalog_id? string
---@field adcp_agent_id? string
---@field adcp_agent_account_id? string
---@field enabled? boolean
---@field status? string  PENDING, SYNCING, COMPLETED, FAILED, DISABLED, or what the service says
---@field error_message? string  redacted
---@field created_at? string
---@field updated_at? string
---@field last_synced_at? string
---@field [string] any
local SYNDICATION = {
  id = "id", customer_id = "id", advertiser_id = "id", resource_type = "word", resource_id = "id",
  audience_id = "id", event_source_id = "id", catalog_id = "id", adcp_agent_id = "id", adcp_agent_account_id = "id",
  enabled = "flag", status = "word", error_message = "error_text",
  created_at = "moment", updated_at = "moment", last_synced_at = "moment",
}

---@class scope3.Health  what /health says of the service
---@field version? string
---@field commit_sha? string
local HEALTH = { version = "release", commit_sha = "commit" }

---@class scope3.TaskReply  the answer to a question for a task
---@field task scope3.Task
---@field envelope? table  the fields round the task, in snake_case; nil where the reply is the task itself

---@class scope3.AcceptedTask  the answer to a request that was accepted
---@field task_id? string  nil where the reply names no task, or not in the form of a task's id
---@field status? string  as of scope3.Task
---@field body table  the whole reply, in snake_case

---@class scope3.Page  a page of a list
---@field rows any[]  raw: response.audience() or response.syndication() reads each
---@field total? number  rows of the whole list
---@field is_last boolean  the service says that no page follows
---@field has_more boolean  the service says that a page follows

--- The declared fields of a task and of an audience, by name. Others are the service's own.
response.TASK, response.AUDIENCE = TASK, AUDIENCE

local function underscored(capital)
  return "_" .. core.lower(capital)
end

-- Not %u and lower(): in a Turkish locale these make another name of taskId.
local function in_snake_case(key)
  return (key:gsub("[A-Z]", underscored))
end

local function capital_of(letter)
  return core.upper(letter)
end

-- The names of declared fields by the service's own, because each reply has the same.
local SNAKE = {}
for _, fields in ipairs { TASK, AUDIENCE, SYNDICATION } do
  for name in entries(fields) do
    SNAKE[name:gsub("_([a-z])", capital_of)] = name
  end
end

local function snake(key)
  return SNAKE[key] or in_snake_case(key)
end

local to_integer = math.tointeger or function() end -- Lua 5.3 and later

local function read_number(value)
  if value ~= value or value == math.huge or value == -math.huge then
    return nil
  end
  return to_integer(value) or value
end

local read

-- The values of an array, without its nulls.
local function read_array(value)
  local list = json.array {}
  for _, item in ipairs(value) do
    list[#list + 1] = read(item)
  end
  return list
end

local function read_object(value)
  local object = {}
  for key, item in entries(value) do
    local name = type(key) == "string" and snake(key) or key
    item = read(item)
    if type(item) == "number" and type(name) == "string" and name:find("_id$") then
      item = field_types.id(item)
    end
    if item ~= nil and (object[name] == nil or key ~= name) then -- of both spellings the service's own counts
      object[name] = item
    end
  end
  return object
end

read = function(value)
  if value == json.null then
    return nil
  elseif type(value) == "number" then
    return read_number(value)
  elseif type(value) ~= "table" then
    return value
  end
  return json.is_array(value) and read_array(value) or read_object(value)
end

--- A decoded value in the form that Lua has: snake_case names, no nulls, no infinities, ids as strings.
---@param value any  as json.decode() gives it
---@return any
function response.read(value)
  return read(value)
end

-- An object whose declared fields have their types. A field of another type is left out, as if it were null. Undeclared
-- fields stay.
local function typed(value, fields)
  if type(value) ~= "table" then
    return nil
  end
  local row = read(value)
  for name, kind in entries(fields) do
    if row[name] ~= nil then
      row[name] = field_types[kind](row[name])
    end
  end
  return row
end

local function bad_reply(message, status)
  return errors.new("http", message, { code = "BAD_REPLY", status = status })
end

--- Reads the answer to `GET /tasks/{id}`.
---@param data table  the decoded reply, without its envelope
---@param id string  of the task that was asked for
---@return scope3.TaskReply?
---@return scope3.Error? err  kind "http", code "BAD_REPLY": no task with a status, or another task
function response.task(data, id)
  local task = typed(type(data.task) == "table" and data.task or data, TASK)
  if not task or not task.status then
    return nil, bad_reply("the service answered a task without a status", 200)
  end
  local envelope = data.task ~= nil and read(data) or nil
  local named = task.task_id or envelope and codec.is_task_id(envelope.task_id) and envelope.task_id
  if named and core.lower(named) ~= core.lower(id) then
    return nil, bad_reply("the service answered another task than the one that was asked for", 200)
  end
  task.task_id = id
  return { task = task, envelope = envelope }
end

local TASK_ID_NAMES = { "taskId", "task_id", "operationId", "operation_id" }

--- Reads the answer to a sync request that was accepted.
---@param data table  the decoded reply, without its envelope
---@return scope3.AcceptedTask
function response.accepted(data)
  local accepted = { body = read(data) }
  accepted.status = field_types.task_status(accepted.body.status)
  for _, name in ipairs(TASK_ID_NAMES) do
    if not accepted.task_id and codec.is_task_id(data[name]) then
      accepted.task_id = data[name]
    end
  end
  return accepted
end

--- Reads a row of the list of audiences.
---@param value any
---@return scope3.AudienceRow?  nil where it names no audience
function response.audience(value)
  local row = typed(value, AUDIENCE)
  if row and row.status and core.upper(row.status) == "DELETED" then
    row.deleted = true
  end
  return row and row.audience_id and row or nil
end

--- Reads a record of a syndication.
---@param value any
---@return scope3.Syndication?  nil where it is no object
function response.syndication(value)
  return typed(value, SYNDICATION)
end

--- Reads the answer to a syndication: a list of records.
---@param data table  the decoded reply, without its envelope
---@return scope3.Syndication[]?
---@return scope3.Error? err  kind "http", code "BAD_REPLY"
function response.syndications(data)
  local records = {}
  for _, value in ipairs(data) do
    records[#records + 1] = response.syndication(value)
  end
  if #records < #data or #records == 0 and next(data) ~= nil then
    return nil, bad_reply "the service answered something that is no list of records"
  end
  return records
end

--- Reads the answer to `GET /health`.
---@param data table
---@return scope3.Health
function response.health(data)
  local health = typed(data, HEALTH) or {}
  return { version = health.version, commit_sha = health.commit_sha }
end

local function table_or_empty(value)
  return type(value) == "table" and value or {}
end

local function number_or_nil(value)
  return type(value) == "number" and value or nil
end

--- Reads a page of a list.
---@param data table  the decoded reply, without its envelope
---@param name string  the field that holds the rows
---@return scope3.Page?
---@return scope3.Error? err  kind "http", code "BAD_REPLY"
function response.page(data, name)
  local rows = data[name]
  if type(rows) ~= "table" or rows[1] == nil and next(rows) ~= nil then
    return nil, bad_reply "the service answered a page without rows"
  end
  local pagination = table_or_empty(table_or_empty(data.meta).pagination)
  return {
    rows = rows,
    total = number_or_nil(data.total) or number_or_nil(pagination.total),
    is_last = pagination.hasMore == false or pagination.has_more == false,
    has_more = pagination.hasMore == true or pagination.has_more == true,
  }
end

return response
