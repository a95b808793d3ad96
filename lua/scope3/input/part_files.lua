--- Files that hold no rows and are left out, among several: marks that jobs of Spark and Hadoop write with their part
--- files, and part files without a row.
local errors = require "scope3.error"
local result = require "scope3.result"

local part_files = {}

-- Names that such jobs give to other files: marks of success and of commits, check sums.
local MARKS = { "^_SUCCESS$", "^_started_[0-9]+$", "^_committed_[0-9]+$", "^%..+%.crc$" }

--- Whether a path has the name of such a mark. A single path is never one.
---@param path string
---@param count integer  of paths
---@return boolean
function part_files.is_mark(path, count)
  local name = path:gsub("^.*/", "")
  for _, pattern in ipairs(MARKS) do
    if count > 1 and name:find(pattern) then -- pattern: each is anchored
      return true
    end
  end
  return false
end

--- Whether a source is an empty file among several. An empty pipe is none: a program that failed writes nothing, too.
---@param source scope3.Source?
---@param err scope3.Error?
---@param count integer  of paths
---@return boolean
function part_files.is_empty(source, err, count)
  return count > 1 and source ~= nil and err ~= nil and err.code == "empty" and not source:once()
end

--- Warns that a file was left out.
---@param res scope3.Result
---@param path string
---@param is_mark boolean
function part_files.report(res, path, is_mark)
  if is_mark then
    result.warn(res, "mark_left_out", path .. ": a job wrote the file beside its parts, and it was left out",
      { file = path })
  else
    result.warn(res, "empty_file", path .. ": the file is empty, and was left out", { file = path })
  end
end

--- The error where every file was left out.
---@param path string  the first of them
---@return scope3.Error
function part_files.none(path)
  return errors.new("source", path .. ": the file is empty, and so are the others", { code = "empty" })
end

--- The error of an empty pipe among several paths, which says that therefore nothing was sent. Other errors stay.
---@param err scope3.Error
---@param count integer  of paths
---@return scope3.Error
function part_files.empty_pipe(err, count)
  if err.code == "empty" and count > 1 then
    return errors.with(err, { code = "empty_pipe",
      message = err.message .. ", so nothing of the others was sent: what wrote it may have failed" })
  end
  return err
end

return part_files
