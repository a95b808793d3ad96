--- Which of several files gave a night no row: a part of an export that broke, perhaps. Its people look as if gone.
local part_files = require "scope3.input.part_files"

---@class scope3.BlankFiles
---@field first? string  the first file without a row
---@field others integer  how many there are beside it
---@field count integer  of all files
---@field private builder table
---@field private file? {path: string, count: integer}  that is read
---@field private rows integer  before it
local Blank = {}
Blank.__index = Blank

local blank_files = {}

--- Begins to watch.
---@param builder table  of the rows
---@return scope3.BlankFiles
function blank_files.watch(builder)
  return setmetatable({ builder = builder, rows = 0, others = 0, count = 1 }, Blank)
end

--- Goes on with another file, or ends the last one. Rows that no condition takes are rows, and marks of jobs have none.
---@param file? {path: string, count: integer}  nil where there is only one
function Blank:turn_to(file)
  local last, rows = self.file, (self.builder:sums())
  if last and rows == self.rows and not part_files.is_mark(last.path, last.count) then
    self.others = self.first and self.others + 1 or 0
    self.first = self.first or last.path
  end
  self.file, self.rows, self.count = file, rows, file and file.count or self.count
end

return blank_files
