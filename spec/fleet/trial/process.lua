-- Processes of a trial that are started apart, and killed or stopped by their pid.
local quote = require "spec.support.quote"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local process = {}

--- A line for the shell.
---@param words any[]
---@return string
function process.line(words)
  local list = {}
  for i, word in ipairs(words) do
    list[i] = quote(word)
  end
  return table.concat(list, " ")
end

--- Starts one. What it prints goes to `<path>.out` and `<path>.err`.
---@param path string
---@param line string  for the shell, of one command
---@param surroundings? string  words such as NAME=value
---@return integer pid
function process.start(path, line, surroundings)
  os.execute(("%s %s >%s 2>%s </dev/null & echo $! >%s"):format(surroundings or "", line, quote(path .. ".out"),
    quote(path .. ".err"), quote(path .. ".pid")))
  return assert(tonumber(world.read(path .. ".pid"):match "%d+"))
end

--- Whether it runs, or is stopped.
---@param pid integer
---@return boolean
function process.lives(pid)
  local file = io.open(("/proc/%d/stat"):format(pid), "rb")
  local state = file and (file:read "*a" or ""):match "%) (%a)"
  if file then
    file:close()
  end
  return state ~= nil and state ~= "Z" and state ~= "X"
end

---@param pid integer
---@param name string  of the signal
function process.signal(pid, name)
  os.execute(("kill -%s %d 2>/dev/null"):format(name, pid))
end

--- Kills it, and waits until it is gone: what it was doing is over then.
---@param pid integer
function process.kill(pid)
  process.signal(pid, "KILL")
  until_true(function()
    return not process.lives(pid)
  end, "the end of a process that was killed")
end

return process
