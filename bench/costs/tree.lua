-- Runs commands of this tree in an environment that is the same on every machine.
local tree = {}

--- What a command prints, without blanks at its end.
---@param command string
---@return string
function tree.output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("*a"):gsub("%s+$", "")
  pipe:close()
  return text
end

--- The text of a file; "" where there is none.
---@param path string
---@return string
function tree.read(path)
  local file = io.open(path)
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  return text
end

-- The tree through a link whose name has the same length on every machine: longer names move addresses, too.
local ROOT = tree.output "pwd"

-- The paths of a Lua and its modules, and nothing else of the environment: the size of that moves addresses.
local ENVIRONMENT = "env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/nonexistent PWD=$ROOT "
  .. "SCOPE3_LUA_BIN=lua$LUA COSTS_MARKS=$FOLDER/counted-$LUA.so "
  .. "LUA_PATH='$ROOT/lua/?.lua;$ROOT/lua/?/init.lua;$ROOT/?.lua;;' LUA_CPATH='$MODULES/?.so;;' "

--- What a command begins with.
---@param lua "5.4"|"jit"
---@param folder string  where the libraries of `make costs` are
---@param build string  whose modules it loads: a folder of build/
---@return string
function tree.environment(lua, folder, build)
  local modules = ROOT .. "/build/" .. build
  return (ENVIRONMENT:gsub("%$(%u+)", { ROOT = ROOT, FOLDER = folder, LUA = lua, MODULES = modules }))
end

--- Runs a command. Raises where it fails, and shows what it said.
---@param folder string  for its log
---@param command string
---@return string said
function tree.run(folder, command)
  local log = folder .. "/log"
  local ok, _, code = os.execute(("%s >%s 2>&1 </dev/null"):format(command, log))
  if not ok then
    io.stderr:write(command, "\n", tree.read(log))
    error(("it ended with status %s"):format(code), 0)
  end
  return tree.read(log)
end

return tree
