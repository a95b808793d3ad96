--- What the rows of a job come from: files, a source or an iterator.
local files = require "scope3.job.files"
local rows = require "scope3.job.rows"
local shape = require "scope3.job.shape"
local source = require "scope3.input.source"

---@class scope3.JobInput  what rows come from
---@field shape table  what the builder is given
---@field files? scope3.JobFiles  nil for a source and an iterator
---@field read fun(reader: scope3.RowReader, on_file: fun(file: table?)?): scope3.Error?
---@field close fun()

local inputs = {}

--- Looks at an input before anything is sent: the header of every file is read.
---@param plan scope3.Plan
---@param input scope3.Source|(fun(): table?)|string[]
---@param opts table  checked
---@return scope3.JobInput?
---@return scope3.Error? err
function inputs.open(plan, input, opts)
  local found, err
  if type(input) == "function" then
    return { shape = shape.for_tables(plan), close = function() end, read = function(reader)
      return rows.from_iterator(reader, input)
    end }
  elseif source.is(input) then
    found, err = shape.for_source(plan, input, opts)
    return found and { shape = found, close = function() end, read = function(reader)
      return rows.from_source(reader, input)
    end }, err
  end
  found, err = files.check(plan, input, opts)
  return found and { shape = found.shape, files = found, close = function()
    found:close()
  end, read = function(reader, on_file)
    return found:read(reader, on_file)
  end }, err
end

return inputs
