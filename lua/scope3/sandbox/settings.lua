--- The settings of the sandbox, with their defaults and allowed values (docs/sandbox.md).
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"
local faults = require "scope3.sandbox.faults"
local json = require "scope3.sandbox.json"

local settings = {}

local function is_number(value, least, most)
  return type(value) == "number" and value == value and value >= least and value <= (most or math.huge)
end

local function is_whole(value, least, most)
  return is_number(value, least, most or 2 ^ 53) and value % 1 == 0
end

local function list_of(fits)
  return function(value)
    if type(value) ~= "table" then
      return false
    end
    for key, item in entries(value) do
      if type(key) ~= "number" or not fits(item) then
        return false
      end
    end
    return true
  end
end

local function is_word(value)
  return type(value) == "string" and value ~= ""
end

local function one_of(...)
  local words = { ... }
  return { "one of " .. table.concat(words, ", "), function(value)
    for _, word in ipairs(words) do
      if value == word then
        return true
      end
    end
    return false
  end }
end

local SECONDS = { "a number of seconds, 0 or more", function(value)
  return is_number(value, 0) and value < math.huge
end }
local WORDS = { "a list of strings", list_of(is_word) }

-- A kind: what to say, and whether a value is one. A setting with false as its default may be false again, or null.
local function kind(default, want, least, most)
  if type(want) == "table" then
    return { default = default, says = want[1], fits = want[2] }
  end
  return { default = default, says = want, fits = function(value)
    return is_whole(value, least, most)
  end }
end

local function share(value)
  return is_number(value, 0, 1)
end

local KNOWN = {
  accounts = kind(false, WORDS), keys = kind(false, WORDS),
  envelope = kind("bare", one_of("bare", "data")),
  syndicate_reply = kind("data", one_of("data", "bare")),
  task_seconds = kind(0.2, SECONDS), audience_seconds = kind(0.1, SECONDS), task_jitter = kind(0, SECONDS),
  task_shows_after = kind(0, SECONDS),
  retry_after = kind(0.1, { "a number of seconds, or false", function(value)
    return value == false or SECONDS[2](value)
  end }),
  min_size = kind(100, "a whole number, 0 or more", 0),
  match_rate = kind(0.7, { "a number from 0 to 1", share }),
  task_outcomes = kind({}, WORDS),
  task_lengths = kind({}, { "a list of seconds", list_of(SECONDS[2]) }),
  task_shares = kind(false, { "an object of outcomes and their shares from 0 to 1", function(value)
    for outcome, part in entries(type(value) == "table" and value or { 0 }) do
      if not is_word(outcome) or not share(part) then
        return false
      end
    end
    return true
  end }),
  task_order = kind("in", one_of("in", "reversed", "strict")),
  max_take = kind(250, "a whole number, 1 or more", 1),
  pagination = kind("body", one_of("body", "meta")),
  page_repeats = kind(0, "a whole number, 0 or more", 0),
  rate_limit = kind(false, "a whole number, 1 or more", 1),
  rate_form = kind("fields", one_of("fields", "single")),
  retry_after_form = kind("seconds", one_of("seconds", "date")),
  date_skew = kind(0, { "a number of seconds", function(value)
    return is_number(value, -1e9, 1e9)
  end }),
  seed = kind(1, "a whole number, 0 or more", 0),
  clock = kind("real", one_of("real", "manual")),
  callback_key = kind("webhook-signing", one_of("webhook-signing", "request-signing")),
  max_body = kind(64 * 1024 * 1024, "a whole number of bytes", 0),
  max_members = kind(100000, "a whole number, 1 or more", 1),
  refuse = kind(false, WORDS),
  log_bodies = kind(false, { "true or false", function(value)
    return value == true
  end }),
  issues_listed = kind(100, "a whole number, 1 or more", 1),
  faults = kind({}, { "a list of faults", faults.problem }),
}

--- The names of all settings, in order.
---@return string[]
function settings.names()
  local names = {}
  for name in entries(KNOWN) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- A copy: lists are used up, and rules count down, without what they were set from.
local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, item in entries(value) do
    made[key] = copy(item)
  end
  return (json.is_array(value) or value[1] ~= nil) and json.array(made) or made
end

-- Nulls of JSON stand for false, also within faults.
local function without_nulls(value)
  if value == json.null then
    return false
  end
  return copy(value)
end

-- What is wrong with a value, or nil.
local function problem_of(name, value)
  local known = KNOWN[name]
  if not known then
    local names = settings.names()
    local meant = arguments.meant(name, names)
    return ("unknown setting %s (%sknown: %s)"):format(tostring(name),
      meant and ("did you mean %s? "):format(meant) or "", table.concat(names, ", "))
  elseif value == false and known.default == false then
    return nil
  elseif name == "faults" then
    return faults.problem(value)
  elseif not known.fits(value) then
    return ("%s must be %s"):format(name, known.says)
  end
end

--- Sets every setting to its default.
---@param config table
function settings.reset(config)
  for name, known in entries(KNOWN) do
    config[name] = type(known.default) == "table" and json.array {} or known.default
  end
end

--- Changes settings, all of them or none.
---@param config table
---@param changes table<string, any>
---@return string? problem  what is wrong with the first that is
function settings.change(config, changes)
  local made = {}
  for name, value in entries(changes) do
    value = without_nulls(value)
    local problem = problem_of(name, value)
    if problem then
      return problem
    end
    if type(value) == "table" and type(KNOWN[name].default) == "table" then
      value = json.array(value)
    end
    made[name] = value
  end
  for name, value in entries(made) do
    config[name] = value
  end
end

--- A setting as the command line has it, NAME=VALUE: the value is JSON, or a word.
---@param text string
---@return string? name
---@return any value  or the message
function settings.read(text)
  local name, value = text:match("^([a-z_]+)=(.*)$")
  if not name then
    return nil, "it takes NAME=VALUE, such as envelope=data"
  end
  local decoded = json.decode(value)
  if decoded == nil then
    decoded = value
  end
  decoded = without_nulls(decoded)
  local problem = problem_of(name, decoded)
  if problem then
    return nil, problem
  end
  return name, decoded
end

return settings
