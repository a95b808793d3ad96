--- Whether the first line of a CSV file is a header, by what its names are and what stands below them.
local core = require "scope3.core"
local names = require "scope3.input.look.names"

local header = {}

local MOSTLY = 0.9 -- of the cells of a column

-- How many names of the first line are values of their columns, too.
local function count_repeated(found)
  local repeated = 0
  for _, column in ipairs(found.columns) do
    for row = 1, found.rows do
      if column.name and column.cells[row] == column.name then
        repeated = repeated + 1
        break
      end
    end
  end
  return repeated
end

--- Whether the first line is a row: a name of it is a number, data of people, or a value of other rows. Where all are
--- values of other rows, files were joined.
---@param found scope3.LookCells
---@return boolean
function header.is_row(found)
  local repeated = found.advice and 1 or count_repeated(found)
  if found.advice or repeated > 0 and repeated < #found.columns then
    return true
  end
  for _, name in ipairs(found.header) do
    if core.number(name) or core.hashed(name) or name:find("^[0-9][0-9][0-9][0-9]%-[0-9][0-9]%-[0-9][0-9]") then
      return true
    end
  end
  return false
end

-- Whether the values of a column have digits or at signs, and its name has none.
local function is_unlike_its_values(column, rows)
  local filled, alike = 0, 0
  for row = 1, rows do
    local text = column.cells[row]
    if text then
      filled = filled + 1
      alike = alike + (text:find("[0-9@]") and 1 or 0)
    end
  end
  return filled > 0 and alike >= MOSTLY * filled and not column.name:find("[0-9@]")
end

--- Whether nothing tells the first line from a row: no name is one that columns have, and none is unlike its values.
---@param found scope3.LookCells
---@return boolean
function header.is_doubtful(found)
  for _, column in ipairs(found.columns) do
    if column.name and (names.is_known(column.name) or is_unlike_its_values(column, found.rows)) then
      return false
    end
  end
  return #found.columns > 0
end

return header
