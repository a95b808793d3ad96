--- The help of the command and of each of its commands: argparse lays out the options, in the groups of
--- scope3.cli.help_words.
local color = require "scope3.cli.color"
local context = require "scope3.cli.context"
local core = require "scope3.core"
local output = require "scope3.cli.output"
local words = require "scope3.cli.help_words"

local help = {}

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local WIDEST, NARROWEST = 80, 48 -- columns
local MARGIN = 26 -- where descriptions begin

-- The width of the help. More than 80 columns are hard to read, and under 48 hardly a word stands beside a name.
local function width_of(columns)
  return math.max(NARROWEST, math.min(WIDEST, columns or WIDEST))
end

-- Words in lines that fit, all but the first behind an indent.
local function wrapped(text, width, indent)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if line ~= "" and #line + 1 + #word > width - indent then
      lines[#lines + 1] = line
      line = word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n" .. (" "):rep(indent))
end

-- Rows of a name and what it means, in two columns.
local function two_columns(title, rows, width)
  local longest, lines = 0, { title .. ":" }
  for _, row in ipairs(rows) do
    longest = math.max(longest, #row[1])
  end
  for _, row in ipairs(rows) do
    lines[#lines + 1] = ("   %s  %s"):format(row[1] .. (" "):rep(longest - #row[1]),
      wrapped(row[2], width, 5 + longest))
  end
  return table.concat(lines, "\n")
end

-- Commands are not wrapped: a line that a person copies must stay one.
local function examples(title, list)
  local lines = { title .. ":" }
  for _, example in ipairs(list) do
    lines[#lines + 1] = "   " .. example.why .. ":"
    for _, line in ipairs(example) do
      lines[#lines + 1] = "      " .. line
    end
  end
  return table.concat(lines, "\n")
end

local function by_target(options)
  local found = {}
  for _, option in ipairs(options) do
    found[option:_get_default_target()] = option
  end
  return found
end

-- Gives a command its groups: those of its own first, and then those of all.
local function group_options(command)
  local left = by_target(command._options)
  for _, groups in ipairs { words.OWN_GROUPS[command._name] or {}, words.GROUPS } do
    for _, group in ipairs(groups) do
      local members = {}
      for _, name in ipairs(group.options) do
        members[#members + 1], left[name] = left[name], nil
      end
      if members[1] then
        command:group(group.name, unpack(members))
      end
    end
  end
end

-- The command of that name, or nil.
local function command_of(root, name)
  for _, command in ipairs(root._commands) do
    if command._name == name then
      return command
    end
  end
end

local function group_commands(root)
  for _, group in ipairs(words.COMMANDS) do
    local members = {}
    for i, name in ipairs(group.commands) do
      members[i] = command_of(root, name)
    end
    root:group(group.name, unpack(members))
  end
end

--- Gives the parser its groups and usages, once.
---@param root table
function help.dress(root)
  group_commands(root)
  for _, command in ipairs(root._commands) do
    group_options(command)
    command:usage(("Usage: scope3 %s %s"):format(command._name, words.USAGE[command._name]))
  end
end

--- The help of the root or of a command, at most 80 columns wide.
---@param root table  the parser, which is dressed by this
---@param command table  the root or one of its commands
---@param columns integer?  of the terminal
---@return string
function help.of(root, command, columns)
  local width = width_of(columns)
  help.dress(root)
  root:help_max_width(width):usage_max_width(width):help_description_margin(MARGIN)
  local parts = { command:get_help() }
  if command == root then
    parts[2] = examples("First steps", words.FIRST_STEPS)
    parts[3] = two_columns("From the environment", words.ENVIRONMENT, width)
    parts[4] = two_columns("Exit codes, the first that holds", words.EXIT_CODES, width)
    parts[5] = "scope3 help COMMAND shows the options of a command, and examples."
  else
    parts[2] = examples("Examples", words.EXAMPLES[command._name])
  end
  return table.concat(parts, "\n\n")
end

--- Shows the help of the root or of a command.
---@param root table
---@param command table
---@param exit table
---@return integer code
function help.show(root, command, exit)
  if output.is_json() then
    output.object { help = help.of(root, command) }
  else
    output.say(color.help(help.of(root, command, core.terminal_width(1))) .. "\n")
  end
  return exit.OK
end

--- Where to find help: of the command that was named, or of all.
---@param root table
---@param name string?
---@return string
function help.pointer(root, name)
  if command_of(root, name) then
    return ("Try 'scope3 %s --help'.\n"):format(name)
  end
  return root:get_usage() .. "\nTry 'scope3 --help'.\n"
end

--- `scope3 help`.
---@param args table
---@param exit table
---@param root table
---@return integer code
function help.main(args, exit, root)
  local topic = args.topic
  local command = topic and command_of(root, topic) or root
  if topic and command == root then
    context.wrong_usage(require("scope3.cli.suggest").unknown_command("there is no command", topic, root), exit)
    io.stderr:write("\n", help.pointer(root))
    return exit.USAGE
  end
  return help.show(root, command, exit)
end

return help
