--- Names on the wire and names in Lua: camelCase there, AdCP's snake_case here. The only place that knows both.
local core = require "scope3.core"
local json = require "scope3.util.json"
local redact = require "scope3.util.redact"

local wire = {}

local function snake(key)
  return (key:gsub("[A-Z]", function(c) -- not %u and lower(), which ask the locale: in Turkish taskId is no task_id
    return "_" .. core.lower(c)
  end))
end

-- A count is an integer where Lua has them, whatever the JSON library made of it.
local integer = math.tointeger or function() end

local LARGEST = 2 ^ 53 -- up to it every whole number is exact

local function is_whole(value)
  return type(value) == "number" and value >= -LARGEST and value <= LARGEST and value % 1 == 0
end

-- An id, also where it came as a number: larger ones than are exact were left as the texts that they are.
local function read_id(value)
  if is_whole(value) and value > -LARGEST and value < LARGEST then
    value = ("%.0f"):format(value)
  end
  return type(value) == "string" and value ~= "" and value or nil
end

--- A decoded value of a reply as Lua users see it: snake_case keys, nulls and infinities gone, ids as strings.
---@param value any
---@return any
function wire.read(value)
  if value == json.null then
    return nil
  elseif type(value) == "number" then
    if value ~= value or value == math.huge or value == -math.huge then
      return nil
    end
    return integer(value) or value
  elseif type(value) ~= "table" then
    return value
  end
  local out = {}
  if json.is_array(value) then -- nulls leave no holes
    json.array(out)
    for i = 1, #value do
      out[#out + 1] = wire.read(value[i])
    end
    return out
  end
  for key, item in pairs(value) do
    local name = type(key) == "string" and snake(key) or key
    item = wire.read(item)
    if type(item) == "number" and type(name) == "string" and name:find("_id$") then
      item = read_id(item)
    end
    if item ~= nil and (out[name] == nil or key ~= name) then -- where both spellings are there, the service's own
      out[name] = item
    end
  end
  return out
end

-- --- rows of the types that are declared --------------------------------------------------------------------------

local TASK_STATUS, AUDIENCE_STATUS = {}, {}
for word in ([[submitted working completed failed canceled rejected input-required auth-required
  unknown]]):gmatch("[^%s]+") do
  TASK_STATUS[word] = word
end
TASK_STATUS.cancelled = "canceled"
for word in ([[PROCESSING READY TOO_SMALL ERROR SUSPENDED]]):gmatch("[^%s]+") do
  AUDIENCE_STATUS[word] = word
end

local readers = {}

function readers.text(value)
  return type(value) == "string" and value or nil
end

-- The name of an audience is what somebody typed: an address in it is not repeated.
function readers.title(value)
  return type(value) == "string" and (value:find("@", 1, true) and redact.patterns(value) or value) or nil
end

readers.id = read_id

-- A flag, also where it came as a text or a number: an audience that is deleted must not pass for one that is there.
function readers.flag(value)
  local low = type(value) == "string" and core.lower(value)
  if value == true or value == 1 or low == "true" then
    return true
  elseif value == false or value == 0 or low == "false" then
    return false
  end
end

function readers.count(value)
  return is_whole(value) and value >= 0 and value or nil
end

function readers.amount(value)
  return type(value) == "number" and value >= 0 and value < math.huge and value or nil
end

function readers.object(value)
  return type(value) == "table" and value or nil
end

-- A word of the service, such as a type: no text, and no value of anybody.
function readers.word(value)
  return type(value) == "string" and #value <= 64 and value:find("^[A-Za-z][A-Za-z0-9_ .-]*$")
    and not value:find("[0-9][0-9]") and value or nil
end

-- A word of a service in lower case, with `between` between its parts, however it is written: "inputRequired",
-- "INPUT_REQUIRED", " Input Required".
local function plain_word(value, between)
  value = value:sub(1, 100):gsub("([a-z])([A-Z])", "%1 %2"):gsub("[_%- \t\r\n]+", " ")
  return (core.lower(value:gsub("^ ", ""):gsub(" $", "")):gsub(" ", between))
end

-- Words that are known are read in any case, with any of "-", "_" and blanks between; others stay as they are. What is
-- no word is not known either.
function readers.task_status(value)
  if type(value) == "string" and value ~= "" then
    return TASK_STATUS[plain_word(value, "-")] or readers.word(value) or "unknown"
  end
end

function readers.audience_status(value)
  if type(value) == "string" and value ~= "" then
    return AUDIENCE_STATUS[core.upper(plain_word(value, "_"))] or readers.word(value) or "UNKNOWN"
  end
end

-- A time as text: it may be none that can be read.
function readers.moment(value)
  return type(value) == "string" and #value <= 64 and value:find("^[0-9][0-9][0-9][0-9]%-[0-9][0-9]%-[0-9][0-9][0-9A-Za-z:+., -]*$")
    and value or nil
end

function readers.any(value)
  return value
end

-- What a service says of the matching of each type of identifiers, by any of the names that are in use; what is no type
-- is left out.
local BREAKDOWN = {
  id_type = { "word", "id_type", "type", "uid_type", "identifier_type" },
  rate = { "amount", "match_rate", "effective_match_rate", "rate" },
  matched = { "count", "matched_count", "matched" },
  uploaded = { "count", "submitted_count", "submitted", "uploaded_count", "uploaded", "total_count", "total" },
}
local MOST_TYPES = 50

function readers.breakdown(value)
  local list = {}
  for i = 1, type(value) == "table" and math.min(#value, MOST_TYPES) or 0 do
    local entry = {}
    for name, from in pairs(BREAKDOWN) do
      for k = 2, type(value[i]) == "table" and #from or 1 do
        if entry[name] == nil then
          entry[name] = readers[from[1]](value[i][from[k]])
        end
      end
    end
    list[#list + 1] = entry.id_type and entry or nil
  end
  return #list > 0 and list or nil
end

-- The text of an error of the service, as it may be told of people that are not in hand.
function readers.said(value)
  return type(value) == "string" and redact.strict(value) or nil
end

-- A version of the service, and the commit that it was built from.
function readers.release(value)
  return type(value) == "string" and #value <= 64 and value:find("^[A-Za-z0-9][A-Za-z0-9._+-]*$") and value or nil
end

function readers.commit(value)
  return type(value) == "string" and #value >= 7 and #value <= 64 and not value:find("[^0-9a-fA-F]") and value or nil
end

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

---@class scope3.AudienceRow  an audience of the account; further fields are as the service sends them, in snake_case
---@field audience_id string
---@field name? string
---@field account_id? string
---@field status? string  PROCESSING, READY, TOO_SMALL, ERROR, SUSPENDED, or what the service says
---@field deleted? boolean
---@field uploaded_count? integer  whether of all uploads or of the last alone, the service does not say
---@field matched_count? integer
---@field total_uploaded_count? integer
---@field minimum_size? integer
---@field effective_match_rate? number  the service's own
---@field match_breakdown? {id_type: string, rate: number?, matched: integer?, uploaded: integer?}[]  by type of identifier
---@field created_at? string
---@field updated_at? string
---@field last_synced_at? string
---@field [string] any

---@class scope3.Syndication  where an audience is offered, and how far it is
---@field id? string
---@field resource_type? string
---@field resource_id? string
---@field adcp_agent_id? string
---@field enabled? boolean
---@field status? string  PENDING, SYNCING, COMPLETED, FAILED, DISABLED, or what the service says
---@field created_at? string
---@field updated_at? string

local TASK = {
  task_id = "id", task_type = "word", status = "task_status", resource_type = "word", resource_id = "id",
  retry_after_seconds = "amount", created_at = "moment", updated_at = "moment", response = "object", metadata = "object", error = "any",
}

local AUDIENCE = {
  audience_id = "id", name = "title", account_id = "id", status = "audience_status", deleted = "flag",
  uploaded_count = "count", matched_count = "count", total_uploaded_count = "count", minimum_size = "count",
  created_at = "moment", updated_at = "moment",
  last_synced_at = "moment", effective_match_rate = "amount", match_breakdown = "breakdown",
}
wire.TASK, wire.AUDIENCE = TASK, AUDIENCE -- the names of declared fields

local SYNDICATION = {
  customer_id = "id", advertiser_id = "id", audience_id = "id", event_source_id = "id", catalog_id = "id",
  adcp_agent_account_id = "id", error_message = "said", last_synced_at = "moment",
  id = "id", resource_type = "word", resource_id = "id", adcp_agent_id = "id", enabled = "flag", status = "word",
  created_at = "moment", updated_at = "moment",
}

-- A row whose fields have their declared types: what has another is left out, as if it were null. Fields that nobody
-- declared stay.
local function typed(value, fields)
  if type(value) ~= "table" or value == json.null then
    return nil
  end
  local row = wire.read(value)
  for name, kind in pairs(fields) do
    if row[name] ~= nil then
      row[name] = readers[kind](row[name])
    end
  end
  return row
end

--- A task of a reply; nil where it is none, because it has no status.
---@param value any
---@return scope3.Task?
function wire.task(value)
  local task = typed(value, TASK)
  return task and task.status and task or nil
end

--- A row of an audience; nil where it is none, because it names no audience.
---@param value any
---@return scope3.AudienceRow?
function wire.audience(value)
  local row = typed(value, AUDIENCE)
  if row and row.status and core.upper(row.status) == "DELETED" then
    row.deleted = true
  end
  return row and row.audience_id and row or nil
end

--- A record of a syndication; nil where it is none.
---@param value any
---@return scope3.Syndication?
function wire.syndication(value)
  return typed(value, SYNDICATION)
end

--- What /health tells of the service.
---@param value any
---@return {version: string?, commit_sha: string?}
function wire.health(value)
  local about = typed(value, { version = "release", commit_sha = "commit" }) or {}
  return { version = about.version, commit_sha = about.commit_sha }
end

--- Whether a text has the form of a task's id: 1 to 255 letters, digits and `. _ : ~ -`, and not dots alone, which mean
--- something else in a path.
---@param id any
---@return boolean
function wire.is_task_id(id)
  return type(id) == "string" and #id <= 255 and id:find("^[A-Za-z0-9._:~-]+$") ~= nil and id:find("[^.]") ~= nil
end

--- The task that an accepted request was given: nil where the reply names none, or what it names has not the form of
--- one.
---@param data table
---@return string?
function wire.accepted_task(data)
  for _, key in ipairs { "taskId", "task_id", "operationId", "operation_id" } do
    if wire.is_task_id(data[key]) then
      return data[key]
    end
  end
end

local jit = rawget(_G, "jit") -- a host may let no global be read that is not there
if jit then
  -- LuaJIT of March 2022, as Debian 12 has it, skips entries of such a loop once it was compiled and left often: a reply without its status.
  jit.off(wire.read, true)
  jit.off(typed, true)
end

--- Percent-encodes one segment of a path (RFC 3986 section 2.3).
---@param text string
---@return string
function wire.escape(text)
  return (text:gsub("[^A-Za-z0-9%-_.~]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

--- The text before the members of one audience in a request (docs/contract.md section 2): everything but `add` and `remove`.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return string
function wire.audience_head(audience)
  local head = '{"audienceId":' .. json.encode(audience.id)
  if audience.name then
    head = head .. ',"name":' .. json.encode(audience.name)
  end
  if audience.consent_basis then
    head = head .. ',"consentBasis":' .. json.encode(audience.consent_basis)
  end
  return head
end

--- The end of a request after its audiences.
---@param push table?  push notification config, checked
---@param delete_missing? boolean
---@return string
function wire.request_tail(push, delete_missing)
  local tail = delete_missing and '],"deleteMissing":true' or "]"
  if not push then
    return tail .. "}"
  end
  local auth = push.authentication
  return tail .. ',"pushNotificationConfig":' .. json.encode({
    url = push.url,
    operation_id = push.operation_id,
    token = push.token,
    authentication = auth and { schemes = { auth.scheme or auth.schemes[1] }, credentials = auth.credentials },
  }) .. "}"
end

wire.request_head = '{"audiences":['
wire.delete = ',"delete":true}'
wire.add_open, wire.remove_open, wire.list_close = ',"add":[', ',"remove":[', "]"
wire.audience_close = "}"

--- The body of a syndication (docs/contract.md section 3).
---@param audience_id string
---@param agent_ids string[]
---@param enabled boolean
---@return string
function wire.syndicate(audience_id, agent_ids, enabled)
  local body = json.encode({
    resourceType = "AUDIENCE", resourceId = audience_id, adcpAgentIds = agent_ids, enabled = enabled,
  })
  return body
end

return wire
