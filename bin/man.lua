--- Writes the manual pages of the command, from the parser and the words of its help.
---
---   lua bin/man.lua FOLDER
local argparse = require "argparse"
local help = require "scope3.cli.help"
local parser = require "scope3.cli.parser"
local version = require "scope3.version"
local words = require "scope3.cli.help_words"

local folder = assert(arg[1], "usage: lua bin/man.lua FOLDER")

-- The day of the pages. Builds that are to be repeated name it.
local day = os.date("!%Y-%m-%d", tonumber(os.getenv "SOURCE_DATE_EPOCH" or "") or os.time())

local SHORT = 60 -- characters of the line that apropos shows

-- Text that roff takes as it is. A line must not begin with a dot or an apostrophe, which command it.
local function text(s)
  s = s:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("…", "...")
  return (s:gsub("^([.'])", "\\&%1"):gsub("\n([.'])", "\n\\&%1"))
end

local function bold(s)
  return "\\fB" .. text(s) .. "\\fR"
end

local function italic(s)
  return "\\fI" .. text(s) .. "\\fR"
end

-- The first clause of a description, without its full stop and with a small letter.
local function purpose(description)
  local clause = description:gsub("%.$", "")
  while #clause > SHORT and clause:find(",", 1, true) do
    clause = clause:gsub(",[^,]*$", "")
  end
  return clause:sub(1, 1):lower() .. clause:sub(2)
end

local page = {}

local function add(...)
  for _, line in ipairs { ... } do
    page[#page + 1] = line
  end
end

local function begin(name, description)
  page = {}
  add((".TH %s 1 %s \"scope3 %s\" \"User Commands\""):format(text(name:upper()), day, version), ".SH NAME",
    text(name) .. " \\- " .. text(purpose(description)), ".SH SYNOPSIS")
end

local function write(name)
  local file = assert(io.open(("%s/%s.1"):format(folder, name), "w"))
  assert(file:write(table.concat(page, "\n"), "\n"))
  assert(file:close())
end

-- An option with its value: names are bold, and what stands for a value is italic.
local function label_of(option)
  local names = {}
  for i, name in ipairs(option._aliases) do
    names[i] = bold(name)
  end
  local value = table.concat(option:_get_argument_list(), " ")
  return table.concat(names, ", ") .. (value ~= "" and " " .. italic(value) or "")
end

local function add_options(title, elements)
  local shown = false
  for _, element in ipairs(elements) do
    if not element._hidden then
      if not shown then
        add(".SS " .. title)
        shown = true
      end
      add(".TP", label_of(element), text(element._description))
    end
  end
end

-- The options by their groups, and then those that have none.
local function add_groups(command)
  local grouped = {}
  add ".SH OPTIONS"
  for _, group in ipairs(command._groups) do
    add_options(group.name, group)
    for _, element in ipairs(group) do
      grouped[element] = true
    end
  end
  local others = {}
  for _, option in ipairs(command._options) do
    others[#others + 1] = not grouped[option] and option or nil
  end
  add_options("Other options", others)
end

local function add_arguments(command)
  if command._arguments[1] then
    add ".SH ARGUMENTS"
  end
  for _, argument in ipairs(command._arguments) do
    add(".TP", italic(argument._name), text(argument._description))
  end
end

local function add_examples(list)
  add ".SH EXAMPLES"
  for i, example in ipairs(list) do
    if i > 1 then
      add ".PP"
    end
    add(text(example.why) .. ":", ".PP", ".RS 4", ".nf")
    for _, line in ipairs(example) do
      add(text(line))
    end
    add(".fi", ".RE")
  end
end

local function add_pairs(title, rows)
  add(".SH " .. title)
  for _, row in ipairs(rows) do
    add(".TP", bold(row[1]), text(row[2]:sub(1, 1):upper() .. row[2]:sub(2):gsub("%.$", "")) .. ".")
  end
end

local function add_see_also(names)
  local lines = {}
  for i, name in ipairs(names) do
    lines[i] = (".BR %s (1)%s"):format(text(name), i < #names and " ," or "")
  end
  add(".SH SEE ALSO", table.concat(lines, "\n"))
end

local function write_command(command)
  local name = "scope3-" .. command._name
  begin(name, command._description)
  add(bold("scope3 " .. command._name) .. " " .. text(words.USAGE[command._name]), ".SH DESCRIPTION",
    text(command._description))
  add_arguments(command)
  add_groups(command)
  add_pairs("ENVIRONMENT", words.ENVIRONMENT)
  add_pairs("EXIT STATUS", words.EXIT_CODES)
  add_examples(words.EXAMPLES[command._name])
  add_see_also { "scope3" }
  write(name)
end

local function write_root(root)
  begin("scope3", root._description)
  add(bold "scope3" .. " " .. text "<command> [options]", ".SH DESCRIPTION", text(root._description))
  add ".SH COMMANDS"
  for _, group in ipairs(root._groups) do
    add(".SS " .. group.name)
    for _, command in ipairs(group) do
      add(".TP", bold(command._name), text(command._description))
    end
  end
  add ".SH OPTIONS"
  for _, option in ipairs(root._options) do
    add(".TP", label_of(option), text(option._description))
  end
  add_pairs("ENVIRONMENT", words.ENVIRONMENT)
  add_pairs("EXIT STATUS", words.EXIT_CODES)
  add_examples(words.FIRST_STEPS)
  local names = {}
  for i, command in ipairs(root._commands) do
    names[i] = "scope3-" .. command._name
  end
  add_see_also(names)
  write "scope3"
end

local root = parser.build(argparse, version, function()
  return function() end
end)
help.dress(root)
write_root(root)
for _, command in ipairs(root._commands) do
  write_command(command)
end
