--- What was probably meant by a word of the command line that is not known.
---
--- The suggestion is always a name of ours. A word that was given may be a value, such as an id that begins with a
--- dash, and is repeated only where it is written as names of ours or of files are.
local arguments = require "scope3.util.arguments"

local suggest = {}

local function clause(meant, dashes)
  return meant and (": did you mean '%s%s'?"):format(dashes or "", meant) or ""
end

-- The command that the words name, or the root.
local function command_of(words, root)
  for _, command in ipairs(root._commands) do
    if command._name == words[1] then
      return command
    end
  end
  return root
end

-- The command that was probably meant, as the end of a message, or nothing.
local function command_meant(word, root)
  local known = {}
  for i, command in ipairs(root._commands) do
    known[i] = command._name
  end
  return clause(arguments.meant(word, known))
end

-- One letter for another would be no guess, so only long options are compared. Their dashes would count as letters.
local function option(word, command)
  local known = {}
  for _, one in ipairs(command._options) do
    for _, alias in ipairs(one._hidden and {} or one._aliases) do
      known[#known + 1] = alias:match("^%-%-(.+)$")
    end
  end
  return clause(arguments.meant(word:match("^%-%-(.+)$"), known), "--")
end

-- Commands whose words are of people: what is unknown there may be of one, however it is written.
local OF_PEOPLE = { forget = true, hash = true }

local function unknown_option(word, words, root)
  local meant = option(word, command_of(words, root))
  if OF_PEOPLE[words[1]] then
    return "unknown option" .. (meant ~= "" and meant
      or " (a value that begins with a dash is taken for one: put -- before the values)")
  end
  return "unknown option" .. (word:find "^%-%-?%a[%a-]*$" and (" '%s'"):format(word) or "") .. meant
end

--- What is said of a word in place of a command.
---@param said string  "unknown command"
---@param word string
---@param root table  the parser
---@return string
function suggest.unknown_command(said, word, root)
  local is_name = word:find "^[%a._/-]+$" ~= nil
  return said .. (is_name and (" '%s'"):format(word) or "") .. command_meant(word, root)
end

-- What stands in the words for an option, or for the first argument of a command: candidates, one of which is wrong.
local function given_for(name, words)
  local found = {}
  for i = 2, #words do
    local word = words[i]
    if name:sub(1, 2) ~= "--" then
      found[#found + 1] = word:sub(1, 1) ~= "-" and word or nil
    elseif word == name then
      found[#found + 1] = words[i + 1]
    elseif word:sub(1, #name + 1) == name .. "=" then
      found[#found + 1] = word:sub(#name + 2)
    end
  end
  return found
end

-- The choice that was meant, by argparse's list of them: "'upsert', 'remove'".
local function choice(name, list, words)
  local known, is_known = {}, {}
  for one in list:gmatch("'([^']+)'") do
    known[#known + 1], is_known[one] = one, true
  end
  for _, word in ipairs(given_for(name, words)) do
    local meant = not is_known[word] and arguments.meant(word, known)
    if meant then
      return clause(meant)
    end
  end
  return ""
end

--- A problem as argparse says it, with our suggestion in place of its own, which knows no choices.
---@param problem any
---@param words string[]
---@param root table  the parser
---@return any
function suggest.better(problem, words, root)
  if type(problem) ~= "string" then
    return problem
  end
  local said = problem:match("^(unknown %l+ '.*')\nDid you mean ") or problem
  local kind, word = said:match("^unknown (%l+) '(.*)'$")
  if kind == "option" then
    return unknown_option(word, words, root)
  elseif kind == "command" then
    return suggest.unknown_command("unknown command", word, root)
  end
  local name, list = said:match("'([^']+)' must be one of (.+)$")
  return name and said .. choice(name, list, words) or said
end

return suggest
