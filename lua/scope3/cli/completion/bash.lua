--- The script for bash. It works from bash 3.2 on, which macOS has, where compopt is missing.
local HEAD = [=[
# What bash offers for scope3. Load it by:  eval "$(scope3 completion bash)"
_scope3() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local command='' word values='' files='' i
  COMPREPLY=()
  # bash splits --mode=upsert into three words, and email=Email too.
  if [[ $cur == '=' ]]; then
    cur=''
    [[ $prev == -* ]] || return 0
  elif [[ $prev == '=' ]]; then
    prev=${COMP_WORDS[COMP_CWORD-2]}
    [[ $prev == -* ]] || return 0
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      @COMMANDS@) command=$word; break ;;
    esac
  done
  case "$command $prev" in
@VALUES@
    *)
      case $command in
@WORDS@
      esac ;;
  esac
  if [[ -n $files ]]; then
    local IFS=$'\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$values" -- "$cur"))
    [[ ${COMPREPLY[0]-} != *[=:] ]] || compopt -o nospace 2>/dev/null
  fi
  return 0
}
complete -F _scope3 scope3
]=]

-- What is done for values: their words, the names of files, or nothing.
local function action(values)
  if values == "files" then
    return "files=1"
  end
  return values and ("values='%s'"):format(table.concat(values, " ")) or "return 0"
end

-- The cases of words behind an option that takes a value, those with the same values together.
local function cases_of_options(offers)
  local order, patterns = {}, {}
  for _, command in ipairs(offers) do
    for _, option in ipairs(command.options) do
      if option.takes == "one" then
        local done = action(option.values)
        if not patterns[done] then
          order[#order + 1], patterns[done] = done, {}
        end
        for _, name in ipairs(option.names) do
          table.insert(patterns[done], ("'%s %s'"):format(command.name, name))
        end
      end
    end
  end
  local lines = {}
  for i, done in ipairs(order) do
    lines[i] = ("    %s) %s ;;"):format(table.concat(patterns[done], " | "), done)
  end
  return table.concat(lines, "\n")
end

local function names_of(options)
  local names = {}
  for _, option in ipairs(options) do
    for _, name in ipairs(option.names) do
      names[#names + 1] = name
    end
  end
  return names
end

-- What a command offers where no option waits for its value. Only the first argument may have known values.
local function case_of_command(command, commands)
  local first = command.arguments[1]
  local other = ":"
  if command.name == "" then
    other = ("values='%s'"):format(commands)
  elseif first and type(first.values) == "table" then
    other = ("[[ $COMP_CWORD != 2 ]] || %s"):format(action(first.values))
  elseif first and first.values then
    other = action(first.values)
  end
  return ("        %s) if [[ $cur == -* ]]; then values='%s'; else %s; fi ;;"):format(
    command.name == "" and "''" or command.name, table.concat(names_of(command.options), " "), other)
end

---@param offers scope3.cli.Offers[]
---@return string
return function(offers)
  local names, lines = {}, {}
  for i = 2, #offers do
    names[i - 1] = offers[i].name
  end
  for i, command in ipairs(offers) do
    lines[i] = case_of_command(command, table.concat(names, " "))
  end
  local parts = { COMMANDS = table.concat(names, " | "), VALUES = cases_of_options(offers),
    WORDS = table.concat(lines, "\n") }
  return (HEAD:gsub("@(%u+)@", parts))
end
