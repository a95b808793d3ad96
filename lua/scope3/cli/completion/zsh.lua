--- The script for zsh. It may be sourced, or stand as _scope3 in a folder of $fpath.
local HEAD = [[
#compdef scope3
# What zsh offers for scope3. Load it by:  source <(scope3 completion zsh)
_scope3() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  local -a commands
  commands=(
@COMMANDS@
  )
  _arguments -C \
@ROOT@
    '1: :->command' \
    '*:: :->arguments' && return 0
  case $state in
    command) _describe -t commands command commands ;;
    arguments)
      case $words[1] in
@CASES@
      esac ;;
  esac
}
if [ "${funcstack[1]}" = _scope3 ]; then _scope3 "$@"; else compdef _scope3 scope3; fi
]]

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function escaped(text)
  return (text:gsub("[%[%]:\\]", "\\%0"))
end

-- What _arguments offers for a value.
local function action(values)
  if values == "files" then
    return "_files"
  elseif values and values[1]:find("=$") then
    return 'compadd -S "" - ' .. table.concat(values, " ")
  end
  return values and ("(%s)"):format(table.concat(values, " ")) or " "
end

-- The entries of an option, one for each of its names.
local function entries_of(option)
  local made = {}
  for i, name in ipairs(option.names) do
    local others = #option.names > 1 and ("(%s)"):format(table.concat(option.names, " ")) or ""
    local before = option.repeats and "*" or others
    local sign = option.takes ~= "none" and "=" or ""
    local value = option.takes ~= "none"
      and ("%s:%s:%s"):format(option.takes == "maybe" and ":" or "", escaped(option.label), action(option.values)) or ""
    made[i] = quoted(("%s%s%s[%s]%s"):format(before, name, sign, escaped(option.about), value))
  end
  return made
end

local function lines_of(command, indent)
  local lines = {}
  for _, option in ipairs(command.options) do
    for _, entry in ipairs(entries_of(option)) do
      lines[#lines + 1] = indent .. entry .. " \\"
    end
  end
  for i, argument in ipairs(command.arguments) do
    lines[#lines + 1] = indent .. quoted(("%s:%s:%s"):format(argument.repeats and "*" or i, escaped(argument.label),
      action(argument.values))) .. " \\"
  end
  return table.concat(lines, "\n")
end

---@param offers scope3.cli.Offers[]
---@return string
return function(offers)
  local commands, cases = {}, {}
  for i = 2, #offers do
    local command = offers[i]
    commands[i - 1] = "    " .. quoted(command.name .. ":" .. escaped(command.about))
    cases[i - 1] = ("        %s) _arguments -s -S \\\n%s\n          && return 0 ;;"):format(command.name,
      lines_of(command, "          "))
  end
  local parts = { COMMANDS = table.concat(commands, "\n"), CASES = table.concat(cases, "\n"),
    ROOT = lines_of(offers[1], "    ") }
  return (HEAD:gsub("@(%u+)@", parts))
end
