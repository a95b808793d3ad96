--- Removes keys and personal data from what a reply holds in fields that are not declared.
local codec = require "scope3.api.codec"
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"
local problems = require "scope3.api.problems"
local redact = require "scope3.util.redact"
local response = require "scope3.api.response"

local sanitize = {}

local GONE = "[redacted]"
local TEXTS_MAX = 1000 -- texts of one task that are looked at; later ones are not shown
local DEEPEST = 6 -- levels of an audience's undeclared fields
local MANY_DIGITS = 1e6 -- a number from here on may be a phone, or an id

local function set_of(names)
  local set = {}
  for name in names:gmatch("[^%s]+") do
    set[name] = true
  end
  return set
end

-- Fields of a task by what their texts are: words of the service, ids, or sentences.
local WORDS = set_of "id_type action status code recovery resource_type task_type type"
local IDS = set_of "audience_id task_id operation_id account_id resource_id adcp_agent_id"
local SENTENCES = set_of [[message suggestion detail details error errors warnings field path title description reason]]

-- Endings of the names of fields whose numbers count something, and what such names hold.
local COUNTS = { "count$", "rate$", "size$", "seconds$", "total", "matched$", "submitted$", "^retry_after$" }

local function is_moment(value)
  -- pattern: of less than 40 bytes
  return #value < 40 and value:find("^%d%d%d%d%-%d%d%-%d%d[T ][%d:.]+[Z+%-:%d]*$") ~= nil
end

local function is_count(name)
  for _, pattern in ipairs(COUNTS) do
    if name:find(pattern) then -- pattern: no quantifier
      return true
    end
  end
  return false
end

local function clean_id(value)
  -- pattern: no quantifier
  return codec.is_task_id(value) and not value:find(("%x"):rep(64)) and value or redact.patterns(value)
end

-- A text under a name. `state` counts the texts of one task.
local function clean_text(value, name, state)
  state.left = state.left - 1
  if state.left < 0 then
    return GONE
  elseif WORDS[name] then
    return redact.code(value, state.known)
  elseif IDS[name] then
    return clean_id(value)
  elseif is_moment(value) then
    return value
  elseif SENTENCES[name] then
    return redact.is_path(value) and value or redact.strict(value, state.known)
  end
  return GONE
end

local function clean_scalar(value, name, state)
  if type(value) == "string" then
    return clean_text(value, name, state)
  elseif type(value) == "number" then
    return is_count(name) and value or GONE
  elseif type(value) == "boolean" then
    return value
  end
  return nil
end

local clean

local function clean_array(value, name, state)
  local out = json.array {}
  for i, item in ipairs(value) do
    out[i] = clean(item, name, state)
  end
  return out
end

local function clean_object(value, state)
  local out = {}
  for name, item in entries(value) do
    local shown = type(name) == "string" and #name <= 40 and name:find("^[a-z][a-z_]*$") and name or GONE
    out[shown] = clean(item, shown, state)
  end
  return out
end

-- A value of a task. Words of the service stay. What may be a person's value does not.
clean = function(value, name, state)
  if type(value) ~= "table" then
    return clean_scalar(value, name, state)
  end
  return json.is_array(value) and clean_array(value, name, state) or clean_object(value, state)
end

-- The names of a row's fields that its type does not declare.
local function undeclared(row, fields)
  local names = {}
  for name in entries(row) do
    if not fields[name] then
      names[#names + 1] = name
    end
  end
  return names
end

-- A copy of a row without what may be a value: in these fields `clean_field` says what of each stays, as a table of
-- fields. A status or a type that is no word of a service is hidden.
local function sanitized(row, names, clean_field, known)
  local out = {}
  for name, value in entries(row) do
    out[name] = value
  end
  for _, name in ipairs(names) do
    out[name] = nil
    for key, shown in entries(type(name) == "string" and clean_field { [name] = row[name] } or {}) do
      out[key] = shown
    end
  end
  for _, field in ipairs { "status", "task_type", "resource_type" } do
    local word = type(out[field]) == "string" and out[field]:gsub(" ", "_")
    if word and redact.code(word, known) ~= word then
      out[field] = field == "status" and "unknown" or nil
    end
  end
  return out
end

--- Removes keys and personal data from a task: from its error, response, metadata, warnings and undeclared
--- fields.
---@param task scope3.Task
---@param known? scope3.Known
---@return scope3.Task task  a copy
function sanitize.task(task, known)
  local state = { left = TEXTS_MAX, known = known }
  local names = undeclared(task, response.TASK)
  for _, name in ipairs { "error", "response", "metadata", "audience" } do
    names[#names + 1] = name
  end
  local out = sanitized(task, names, function(field)
    return clean(field, "", state)
  end, known)
  out.warnings = task.warnings and problems.redacted(task.warnings, known) or nil
  return out
end

-- A value of an audience's undeclared field.
local function plain(value, known, depth)
  if type(value) == "string" then
    return is_moment(value) and value or redact.strict(value, known)
  elseif type(value) == "number" then
    return value < MANY_DIGITS and value > -MANY_DIGITS and value or GONE
  elseif type(value) ~= "table" then
    return value
  elseif depth > DEEPEST then
    return nil
  end
  local out = json.is_array(value) and json.array {} or {}
  for name, item in entries(value) do
    out[type(name) == "string" and redact.code(name, known) or name] = plain(item, known, depth + 1)
  end
  return out
end

--- Removes keys and personal data from an audience's row. Only its id and its name stay as they are.
---@param row scope3.AudienceRow
---@param known? scope3.Known
---@return scope3.AudienceRow row  a copy
function sanitize.audience(row, known)
  return sanitized(row, undeclared(row, response.AUDIENCE), function(field)
    return plain(field, known, 0)
  end, known)
end

return sanitize
