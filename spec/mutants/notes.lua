-- The notes that spec/mutants/lines.c makes of the lines that run: a file that every process of a spec maps.
local shell = require "spec.mutants.shell"

local notes = {}

local NAME_SIZE, RECORD_SIZE = 96, 512 -- as in lines.c

--- Makes a file of notes, in which no line has run.
---@param path string
function notes.make(path)
  local names = shell.lines "find lua/scope3 -name '*.lua'"
  table.sort(names)
  for i, name in ipairs(names) do
    assert(#name < NAME_SIZE, name)
    names[i] = name .. ("\0"):rep(RECORD_SIZE - #name)
  end
  shell.write(path, table.concat(names))
end

--- The lines that ran.
---@param path string
---@return {[1]: string, [2]: integer}[]  file and line, in their order
function notes.read(path)
  local text, list = assert(shell.read(path)), {}
  for at = 1, #text, RECORD_SIZE do
    local name = text:match("^%Z+", at)
    for line = 1, RECORD_SIZE - NAME_SIZE - 1 do
      if text:byte(at + NAME_SIZE + line) ~= 0 then
        list[#list + 1] = { name, line }
      end
    end
  end
  return list
end

return notes
