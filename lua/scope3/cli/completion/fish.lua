--- The script for fish.
local HEAD = [[
# What fish offers for scope3. Load it by:  scope3 completion fish | source
function __scope3_command
    for word in (commandline -opc)[2..-1]
        if contains -- $word @COMMANDS@
            echo $word
            return 0
        end
    end
    return 1
end
function __scope3_in
    set -l command (__scope3_command)
    contains -- "$command" $argv
end
function __scope3_first
    __scope3_in $argv
    and test (count (commandline -opc)) -eq 2
end
complete -c scope3 -f
]]

local function quoted(text)
  return "'" .. text:gsub("[\\']", "\\%0") .. "'"
end

-- The rest of a line that says what a value may be.
local function value(offer)
  if offer.values == "files" then
    return " -r -F"
  elseif offer.takes ~= "one" then
    return ""
  end
  return offer.values and " -x -a " .. quoted(table.concat(offer.values, " ")) or " -x"
end

local function line_of_option(option, condition)
  local names = {}
  for i, name in ipairs(option.names) do
    names[i] = name:find("^%-%-") and "-l " .. name:sub(3) or "-s " .. name:sub(2)
  end
  return ("complete -c scope3 -n %s %s%s -d %s"):format(quoted(condition), table.concat(names, " "), value(option),
    quoted(option.about))
end

local function line_of_argument(argument, name)
  if argument.values == "files" then
    return ("complete -c scope3 -n '__scope3_in %s' -F"):format(name)
  elseif argument.values then
    return ("complete -c scope3 -n '__scope3_first %s' -a %s"):format(name,
      quoted(table.concat(argument.values, " ")))
  end
end

---@param offers scope3.cli.Offers[]
---@return string
return function(offers)
  local names, lines = {}, {}
  for _, command in ipairs(offers) do
    local condition = command.name == "" and "not __scope3_command >/dev/null" or "__scope3_in " .. command.name
    if command.name ~= "" then
      names[#names + 1] = command.name
      lines[#lines + 1] = ("complete -c scope3 -n 'not __scope3_command >/dev/null' -a %s -d %s"):format(command.name,
        quoted(command.about))
    end
    for _, option in ipairs(command.options) do
      lines[#lines + 1] = line_of_option(option, condition)
    end
    for _, argument in ipairs(command.arguments) do
      lines[#lines + 1] = line_of_argument(argument, command.name)
    end
  end
  return (HEAD:gsub("@COMMANDS@", table.concat(names, " "))) .. table.concat(lines, "\n") .. "\n"
end
