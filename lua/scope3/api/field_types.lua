--- Readers of single fields of a reply, by the name of a type. response.lua has tables of these names.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local problems = require "scope3.api.problems"
local redact = require "scope3.util.redact"

---@alias scope3.FieldReader fun(value: any): any  takes a decoded value; returns it in the declared type, or nil

---@type table<string, scope3.FieldReader>
local field_types = {}

local LARGEST = 2 ^ 53 -- up to here every whole number is exact

local function is_whole(value)
  return type(value) == "number" and value > -LARGEST and value <= LARGEST and value % 1 == 0
end

local function set_of(words)
  local set = {}
  for word in words:gmatch("[^%s]+") do
    set[word] = word
  end
  return set
end

local TASK_STATUS = set_of "submitted working completed failed canceled rejected input-required auth-required unknown"
TASK_STATUS.cancelled = "canceled"
local AUDIENCE_STATUS = set_of "PROCESSING READY TOO_SMALL ERROR SUSPENDED"

-- A word of the service in lower case, with `between` between its parts. It reads "inputRequired", "INPUT_REQUIRED" and
-- " Input Required" alike.
local function plain_word(value, between)
  value = value:gsub("([a-z])([A-Z])", "%1 %2"):gsub("[_%- \t\r\n]+", " ")
  return (core.lower(value:gsub("^ ", ""):gsub(" $", "")):gsub(" ", between))
end

function field_types.any(value)
  return value
end

function field_types.text(value)
  return type(value) == "string" and value or nil
end

function field_types.object(value)
  return type(value) == "table" and value or nil
end

-- An id, also one sent as a number. The decoder leaves numbers that are too large to be exact as texts.
function field_types.id(value)
  if is_whole(value) and value < LARGEST then
    value = ("%.0f"):format(value)
  end
  return type(value) == "string" and value ~= "" and value or nil
end

-- The name of an audience is typed by a person. An address in it is not repeated.
function field_types.title(value)
  return type(value) == "string" and (value:find "@" and redact.patterns(value) or value) or nil
end

-- A flag, also one sent as a text or a number: a deleted audience must not be taken for an existing one.
function field_types.flag(value)
  local low = type(value) == "string" and core.lower(value)
  if value == true or value == 1 or low == "true" then
    return true
  elseif value == false or value == 0 or low == "false" then
    return false
  end
end

function field_types.count(value)
  return is_whole(value) and value >= 0 and value or nil
end

function field_types.amount(value)
  return type(value) == "number" and value >= 0 and value < math.huge and value or nil
end

-- A word of the service, such as a type. It is short and holds no two digits in a row, so it is no personal data.
function field_types.word(value)
  return type(value) == "string" and #value <= 64 and value:find("^[A-Za-z][A-Za-z0-9_ .-]*$")
    and not value:find("[0-9][0-9]") and value or nil
end

function field_types.task_status(value)
  if type(value) == "string" and value ~= "" then
    return TASK_STATUS[plain_word(value, "-")] or field_types.word(value) or "unknown"
  end
end

function field_types.audience_status(value)
  if type(value) == "string" and value ~= "" then
    return AUDIENCE_STATUS[core.upper(plain_word(value, "_"))] or field_types.word(value) or "UNKNOWN"
  end
end

-- A time as text. It begins with a date, but need not be a valid one.
function field_types.moment(value)
  return type(value) == "string" and #value <= 64
    and value:find("^[0-9][0-9][0-9][0-9]%-[0-9][0-9]%-[0-9][0-9][0-9A-Za-z:+., -]*$") and value or nil
end

-- The text of an error, redacted without knowledge of the members it may speak of.
function field_types.error_text(value)
  return type(value) == "string" and redact.strict(value) or nil
end

function field_types.problems(value)
  local list = problems.list(value)
  return #list > 0 and list or nil
end

function field_types.release(value)
  return type(value) == "string" and #value <= 64 and value:find("^[A-Za-z0-9][A-Za-z0-9._+-]*$") and value or nil
end

function field_types.commit(value)
  return type(value) == "string" and #value >= 7 and #value <= 64 and not value:find("[^0-9a-fA-F]") and value or nil
end

-- The match breakdown's fields: the type of each, then the names that services use for it.
local BREAKDOWN = {
  id_type = { "word", "id_type", "type", "uid_type", "identifier_type" },
  rate = { "amount", "match_rate", "effective_match_rate", "rate" },
  matched = { "count", "matched_count", "matched" },
  uploaded = { "count", "submitted_count", "submitted", "uploaded_count", "uploaded", "total_count", "total" },
}
local BREAKDOWN_MAX = 50 -- entries that are read

-- An entry of a match breakdown, nil where it names no type of identifier.
local function read_breakdown_entry(value)
  if type(value) ~= "table" then
    return nil
  end
  local entry = {}
  for name, names in entries(BREAKDOWN) do
    for k = 2, #names do
      if entry[name] == nil then
        entry[name] = field_types[names[1]](value[names[k]])
      end
    end
  end
  return entry.id_type and entry or nil
end

-- The matching of each type of identifier.
function field_types.breakdown(value)
  if type(value) ~= "table" then
    return nil
  end
  local list = {}
  for i, entry in ipairs(value) do
    if i > BREAKDOWN_MAX then
      break
    end
    list[#list + 1] = read_breakdown_entry(entry)
  end
  return #list > 0 and list or nil
end

return field_types
