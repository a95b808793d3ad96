--- Files among several that hold no rows and are left out: what jobs of Spark and Hadoop write beside their parts, and
--- parts without a row.
local errors = require "scope3.error"
local result = require "scope3.result"

local parts = {}

-- Names that such jobs give to files that are no parts: marks of success and of commits, check sums.
local MARKS = { "^_SUCCESS$", "^_started_[0-9]+$", "^_committed_[0-9]+$", "^%..+%.crc$" }

--- Whether a path is such a file by its name. One that stands alone is read as any other.
---@param path string
---@param count integer  of paths
---@return boolean
function parts.is_mark(path, count)
  local name = path:gsub("^.*/", "")
  for _, pattern in ipairs(MARKS) do
    if count > 1 and name:find(pattern) then -- pattern: each is anchored
      return true
    end
  end
  return false
end

--- Whether a source is an empty file beside others. An empty pipe is none: a program that failed writes nothing, too.
---@param source scope3.Source?
---@param err scope3.Error?
---@param count integer  of paths
---@return boolean
function parts.is_empty(source, err, count)
  return count > 1 and source ~= nil and err ~= nil and err.code == "empty" and not source:once()
end

--- Notes in the result of a job that a file was left out.
---@param res scope3.Result
---@param path string
---@param is_mark boolean
function parts.tell(res, path, is_mark)
  if is_mark then
    result.warn(res, "mark_left_out", path .. ": a job wrote the file beside its parts, and it was left out",
      { file = path })
  else
    result.warn(res, "empty_file", path .. ": the file is empty, and was left out", { file = path })
  end
end

--- The error where nothing is left.
---@param path string  the first of them
---@return scope3.Error
function parts.none(path)
  return errors.new("source", path .. ": the file is empty, and so are the others", { code = "empty" })
end

--- What to say of a pipe that gives nothing, beside others that are not sent because of it.
---@param err scope3.Error
---@param count integer  of paths
---@return scope3.Error
function parts.empty_pipe(err, count)
  if err.code == "empty" and count > 1 then
    return errors.with(err, { code = "empty_pipe",
      message = err.message .. ", so nothing of the others was sent: what wrote it may have failed" })
  end
  return err
end

return parts
