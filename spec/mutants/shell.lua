-- Files and commands, as the scripts here need them.
local quote = require "spec.support.quote"

local shell = { quote = quote }

---@param command string
---@return integer code
function shell.code(command)
  local _, how, code = os.execute(command)
  return how == "signal" and 128 + code or code or 1
end

---@param command string
function shell.run(command)
  local code = shell.code(command)
  assert(code == 0, ("status %d of: %s"):format(code, command))
end

---@param command string
---@return string[]
function shell.lines(command)
  local list = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do
    list[#list + 1] = line
  end
  pipe:close()
  return list
end

---@param path string
---@return string?
function shell.read(path)
  local file = io.open(path, "rb")
  if file then
    local text = file:read "a"
    file:close()
    return text
  end
end

---@param path string
---@param text string
---@param mode? "wb"|"ab"
function shell.write(path, text, mode)
  local file = assert(io.open(path, mode or "wb"))
  file:write(text)
  assert(file:close())
end

--- The fields of each line of a table of tabs. A line that begins with # is a comment.
---@param path string
---@return string[][]
function shell.rows(path)
  local rows = {}
  for line in (shell.read(path) or ""):gmatch "[^\n]+" do
    if line:sub(1, 1) ~= "#" then
      local fields = {}
      for field in (line .. "\t"):gmatch "([^\t]*)\t" do
        fields[#fields + 1] = field
      end
      rows[#rows + 1] = fields
    end
  end
  return rows
end

--- When the files below some folders were last changed: seconds since 1970 by path.
---@param folders string
---@return table<string, number>
function shell.times(folders)
  local times = {}
  for _, line in ipairs(shell.lines(("find %s -type f -printf '%%T@ %%p\\n'"):format(folders))) do
    local at, path = line:match "^(%S+) (.*)$"
    times[path] = tonumber(at)
  end
  return times
end

--- Seconds since the system began, with their fraction.
---@return number
function shell.now()
  return tonumber(shell.read("/proc/uptime"):match "^%S+")
end

return shell
