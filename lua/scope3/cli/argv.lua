--- The words of the command line: what argparse does not check, or says badly.
local entries = require "scope3.util.entries"

local argv = {}

-- Options that take a number. argparse's converter gives no message of use for another value.
local NUMBERS = {
  min_accepted = true, rate = true, concurrency = true, max_members = true, max_bytes = true, timeout = true,
  deadline = true, in_doubt_timeout = true, patience = true, skip_lines = true, port = true, task_seconds = true,
  rate_limit = true, rows = true, sample = true,
}

-- Options that take a whole number.
local COUNTS = {
  rate = "count", concurrency = "count", max_members = "count", max_bytes = "count", rate_limit = "count",
  skip_lines = "count", rows = "count", sample = "count",
}

-- The value of an option: after its equals sign, or the next word.
local function value_of(word, value, next_word)
  return word:find("=", 1, true) and value or next_word
end

-- A word in place of a number. One of `forget` may be an id, of which no output may hold a trace.
local function not_this(command, value, form)
  if command == "forget" then
    return ""
  end
  return form:format(require("scope3.util.redact").people(value))
end

-- argparse takes a negative number for an option.
local function negative_problem(command, name, word, value)
  if word == "--" .. name and value and value:find("^%-[%d.]") and tonumber(value) then
    return ("--%s takes a number that is not negative%s"):format(name, not_this(command, value, ", not %s"))
  end
end

-- --wait may have no value, so argparse would take the word after it for one.
local function wait_problem(command, word, value)
  if value and not tonumber(value) and (word ~= "--wait" or value:sub(1, 1) ~= "-") then
    return ("--wait takes a number of seconds%s (put --wait behind the other words, or write --wait=SECONDS)")
      :format(not_this(command, value, ", not '%s'"))
  end
end

-- What is wrong with one word and the word after it, or nil.
local function word_problem(command, word, next_word)
  local name, rest = word:match("^%-%-([%w-]+)=?(.*)$")
  if not name then
    return nil
  end
  local is_number, value = NUMBERS[(name:gsub("-", "_"))], value_of(word, rest, next_word)
  local problem = (name == "wait" or is_number) and negative_problem(command, name, word, next_word)
  if problem then
    return problem
  elseif name == "wait" and (command == "sync" or command == "run" or command == "forget") then
    return wait_problem(command, word, value)
  elseif is_number and value and not tonumber(value) then
    return ("--%s takes a number%s"):format(name, not_this(command, value, ", not '%s'"))
  end
end

--- What is wrong with the numbers among the words, or nil.
---@param words string[]
---@return string?
function argv.number_problem(words)
  for i, word in ipairs(words) do
    local problem = word_problem(words[1], word, words[i + 1])
    if problem then
      return problem
    end
  end
  return words[1] == "forget" and require("scope3.cli.forget_args").words_problem(words) or nil
end

--- What is wrong with the arguments that are whole numbers, or nil.
---@param args table
---@return string?
function argv.count_problem(args)
  local options = require "scope3.util.options"
  for key, kind in entries(COUNTS) do
    local problem = options.problem({ [key] = args[key] }, { [key] = kind })
    if problem then
      return "--" .. problem:gsub("_", "-")
    end
  end
end

--- A better message where argparse takes a value that begins with a dash for an option. It does not repeat the value.
---@param problem any  as argparse gives it
---@param words string[]
---@return any
function argv.explain(problem, words)
  if type(problem) ~= "string" or not problem:find("^unknown option '%-[%d.]") then
    return problem
  end
  for i, word in ipairs(words) do
    local before = words[i - 1] or ""
    if word:find("^%-[%d.]") then
      return before:find("^%-%-%l") and before .. " takes no value that begins with a dash"
        or "a value that begins with a dash is taken for an option: put -- before the values"
    end
  end
  return problem
end

--- Whether --json is given. Known also where the other words cannot be parsed.
---@param words string[]
---@return boolean
function argv.asks_for_json(words)
  for _, word in ipairs(words) do
    if word == "--" then
      return false
    elseif word == "--json" or word:find("^%-%-json=") then
      return true
    end
  end
  return false
end

--- Whether the words ask for the version and for nothing else.
---@param words string[]
---@return boolean
function argv.asks_for_version(words)
  local asks = false
  for _, word in ipairs(words) do
    if word == "--version" or word == "-V" then
      asks = true
    elseif word ~= "--json" then
      return false
    end
  end
  return asks
end

return argv
