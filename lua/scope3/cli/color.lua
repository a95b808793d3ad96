--- Whether what the command says is coloured, and how.
---
--- Without --color a terminal is, unless NO_COLOR is set to something or TERM is dumb. Under --json nothing is.
local core = require "scope3.core"

local color = {}

local RESET, BOLD = "\27[0m", "\27[1m"
local PAINTS = { error = "\27[1;31m", warning = "\27[1;33m" }

local always, on_terminals = false, false -- until a command has begun

-- The value of the last --color among the words. argparse refuses one that is none.
local function asked(words)
  local found = "auto"
  for i, word in ipairs(words) do
    if word == "--" then
      break
    elseif word == "--color" then
      found = words[i + 1]
    else
      found = word:match("^%-%-color=(.*)$") or found
    end
  end
  return found
end

--- Begins a command: it is as its words and the environment ask. A script that runs later cannot change that.
---@param words string[]
---@param as_json boolean
function color.begin(words, as_json)
  local mode = as_json and "never" or asked(words)
  always = mode == "always"
  on_terminals = mode ~= "never" and (os.getenv("NO_COLOR") or "") == "" and os.getenv("TERM") ~= "dumb"
end

--- Whether a descriptor is coloured.
---@param descriptor integer  1 or 2
---@return boolean
function color.on(descriptor)
  return always or on_terminals and core.isatty(descriptor)
end

--- A word that tells of an error or a warning.
---@param descriptor integer
---@param kind "error"|"warning"
---@param word string
---@return string
function color.word(descriptor, kind, word)
  return color.on(descriptor) and PAINTS[kind] .. word .. RESET or word
end

local function bold(word)
  return BOLD .. word .. RESET
end

-- One line of a help. Names stand behind three spaces, and two more or the end follow them.
local function line_of_help(line)
  local usage, rest = line:match("^(Usage:)(.*)$")
  if usage then
    return bold(usage) .. rest
  elseif line:find("^%u.*:$") then
    return bold(line)
  end
  local name, after = line:match("^   (%-%S.*)$"), ""
  if name then
    local at = name:find("  ", 1, true)
    if at then
      name, after = name:sub(1, at - 1), name:sub(at)
    end
    return "   " .. name:gsub("%-[%w-]+", bold) .. after
  end
  local word, more = line:match("^   (%l[%w_]*)(  .*)$")
  return word and "   " .. bold(word) .. more or line
end

--- A help with its headings and names in bold, where standard output is coloured.
---@param help string
---@return string
function color.help(help)
  return color.on(1) and (help:gsub("[^\n]+", line_of_help)) or help
end

return color
