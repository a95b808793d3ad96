-- Files and commands, for the scripts of this folder.
local files = {}

function files.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

function files.write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- What a command prints, by line.
---@param command string
---@return string[]
function files.lines_of(command)
  local pipe = assert(io.popen(command))
  local lines = {}
  for line in pipe:lines() do
    lines[#lines + 1] = line
  end
  assert(pipe:close(), command:sub(1, 100))
  return lines
end

--- The files of Lua that are counted, in the order of their bytes.
---@return string[]
function files.lua()
  return files.lines_of "find lua/scope3 -name '*.lua' | LC_ALL=C sort"
end

--- A checksum of each counted file: what ran in another version of it says nothing of this one.
---@return table<string, string>
function files.checksums()
  local sums = {}
  for _, line in ipairs(files.lines_of "find lua/scope3 csrc -name '*.lua' -o -name '*.[ch]' | xargs cksum") do
    local sum, size, path = line:match "^(%d+) (%d+) (.+)$"
    sums[path] = sum .. "-" .. size
  end
  return sums
end

return files
