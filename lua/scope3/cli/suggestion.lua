--- What somebody may run after a look at a file: the options that read and map it, as words of a command.
local core = require "scope3.core"
local proposal = require "scope3.input.look.proposal"
local source = require "scope3.input.source"
local text = require "scope3.cli.text"

local suggestion = {}

local WIDTH = 80

local LOST = "\239\191\189" -- stands for bytes that are not UTF-8: a name that is shown so is another in the file
local NAMES = { [","] = "comma", [";"] = "semicolon", ["\t"] = "tab", ["|"] = "pipe", [" "] = "space" }

--- A delimiter as an option takes it.
---@param delimiter string
---@return string
function suggestion.delimiter(delimiter)
  return NAMES[delimiter] or delimiter:find("[%z\1-\31]") and ("\\x%02x"):format(delimiter:byte()) or delimiter
end

-- How often each name stands in the header, but for case, spaces and marks.
local function count_names(columns)
  local count = {}
  for _, facts in ipairs(columns) do
    local bare = facts.name and core.lower(facts.name):gsub("[ _.-]", "") or ""
    count[bare] = (count[bare] or 0) + 1
  end
  return count
end

-- Whether a person can type a name, and it is what stands in the file.
local function is_typed(name)
  return core.utf8_valid(name) and text.visible(name) == name and not name:find(LOST, 1, true)
    and not name:find("^#?[0-9]+$")
end

--- A function that gives the column of a map: its name, or its number where it has no name that a person can type, or
--- one that stands twice.
---@param seen scope3.Look
---@return fun(facts: scope3.LookFacts): string|integer
function suggestion.columns(seen)
  local count = count_names(seen.columns)
  return function(facts)
    local name = facts.name
    local bare = name and core.lower(name):gsub("[ _.-]", "") or ""
    local is_plain = name and bare ~= "" and count[bare] == 1 and is_typed(name) and name == proposal.call(facts)
    return (is_plain or not facts.number) and name or facts.number
  end
end

--- A path as an argument takes it: one that begins with a dash would be an option.
---@param path string
---@return string
function suggestion.path(path)
  return path ~= "-" and path:sub(1, 1) == "-" and "./" .. path or path
end

--- Whether a text can be pasted into a terminal as it is.
---@param value string
---@return boolean
function suggestion.is_writable(value)
  return core.utf8_valid(value) and text.visible(value) == value
end

--- The name of a file without its folder and its endings; customers for standard input.
---@param path string
---@return string
function suggestion.stem(path)
  local base = path:match("^.*/(.*)$") or path
  base = base:gsub("%.[Gg][Zz]$", "")
  base = base:match("^(.+)%.[A-Za-z0-9]*$") or base
  return base ~= "-" and base ~= "" and base or "customers"
end

--- The id of an audience that is called as the file.
---@param path string
---@return string
function suggestion.audience(path)
  local words = {}
  for word in core.lower(suggestion.stem(path)):sub(1, 60):gmatch("[a-z0-9]+") do
    words[#words + 1] = word
  end
  return #words > 0 and table.concat(words, "-") or "customers"
end

--- The options that read the file, where its name and its first lines do not say them by themselves.
---@param seen scope3.Look
---@return {key: string, value: any}[]
function suggestion.fields(seen)
  local list, opts = {}, seen.opts
  for _, key in ipairs { "format", "delimiter", "skip_lines", "quote", "escape", "null", "encoding", "header" } do
    local value = opts[key]
    if key == "delimiter" and value then
      value = suggestion.delimiter(value)
    elseif key == "format" and value == source.format_of(seen.path, {}) then
      value = nil
    end
    list[#list + 1] = value ~= nil and { key = key, value = value } or nil
  end
  return list
end

-- The condition that takes only rows of people who agreed, where it is sure which they are. False where --where cannot
-- name the column: without the condition the others would be sent, too.
local function consent_condition(seen, column)
  local made = seen.proposal
  if not made.sure_of_consent then
    return nil
  end
  local at = column(made.consent)
  if type(at) == "number" or at:find("[<>=!~]") or at:find("^[-#]") then
    at = made.consent.number and ("#%.0f"):format(made.consent.number)
  end
  return at and at .. "=yes" or false
end

local Words = {}
Words.__index = Words

-- Adds an option and its value. One that begins with a dash would be an option, if it stood by itself.
function Words:add(option, value, field)
  if not value then
    return
  elseif value == true then
    self[#self + 1] = option
    return
  end
  self.unwritable = self.unwritable or not suggestion.is_writable(value)
  value = (field or "") .. text.word(value)
  self[#self + 1] = option .. (value:find("^'?-") and "=" or " ") .. value
end

local function add_reading(words, seen)
  for _, field in ipairs(suggestion.fields(seen)) do
    local value = field.value
    words:add(value == false and "--no-header" or "--" .. field.key:gsub("_", "-"), value == false
      or type(value) == "number" and ("%.0f"):format(value) or value)
  end
end

local function add_map(words, seen, column)
  for _, field in ipairs(seen.proposal.fields) do
    for _, facts in ipairs(field.columns) do
      local at = column(facts)
      local value = type(at) == "number" and (seen.opts.header == false and "%.0f" or "#%.0f"):format(at) or at
      words:add("--map", value, field.field .. "=")
    end
  end
end

--- The words of `scope3 sync` that would send the file, each option with its value.
---@param seen scope3.Look
---@param more? string[]  options at the end
---@return string[]?  nil where no terminal takes them: a name has control characters, or is not UTF-8
function suggestion.words(seen, more)
  local words, column = setmetatable({}, Words), suggestion.columns(seen)
  words[1] = "scope3 sync " .. text.word(suggestion.path(seen.path))
  words.unwritable = not suggestion.is_writable(seen.path)
  words:add("--audience", suggestion.audience(seen.path))
  add_reading(words, seen)
  add_map(words, seen, column)
  words:add("--region", seen.proposal.region)
  local condition = consent_condition(seen, column)
  words:add("--where", condition)
  words:add("--ids", seen.proposal.ids)
  if words.unwritable or condition == false then
    return nil
  end
  words.unwritable = nil
  for _, word in ipairs(more or {}) do
    words[#words + 1] = word
  end
  return setmetatable(words, nil)
end

--- Words of a command over several lines, none wider than a terminal where that can be.
---@param words string[]
---@return string
function suggestion.lines(words)
  local lines, line = {}, nil
  for _, word in ipairs(words) do
    if line and #line + #word + 3 > WIDTH then
      lines[#lines + 1] = line .. " \\"
      line = "    " .. word
    else
      line = line and line .. " " .. word or word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n") .. "\n"
end

return suggestion
