--- The names of a collector's spool files:
--- `<collector>-<configuration>-<made>-<process>-<number>.<kind>`, with times in microseconds.
---
--- `configuration` is when nginx read the configuration of the worker that made the file. Times have a fixed length,
--- so that names sort by age.
local core = require "scope3.core"

local spool_name = {
  ACTIVE = ".spool", REJECTED = ".refused", DAMAGED = ".damaged", LOCK = ".lock",
  --- When nginx read this configuration. Workers of an earlier one have another time.
  CONFIGURATION = math.floor(core.time() * 1e6),
}

--- The path of a new file.
---@param prefix string  folder and name of the collector
---@param made number  microseconds
---@param pid integer
---@param number integer  of the files of this process
---@param kind string  such as spool_name.ACTIVE
---@return string
function spool_name.path(prefix, made, pid, number, kind)
  return ("%s-%016.0f-%016.0f-%d-%d%s"):format(prefix, spool_name.CONFIGURATION, made, pid, number, kind)
end

--- What the path of a file says; nil where it is none of these.
---@param path string
---@return number? configuration
---@return number? made
---@return integer? pid
function spool_name.parse(path)
  local configuration, made, pid = path:match("%-(%d+)%-(%d+)%-(%d+)%-%d+%.%a+$")
  return tonumber(configuration), tonumber(made), tonumber(pid)
end

--- A pattern of core.glob for the active files.
---@param folder string
---@param name string  of the collector
---@return string
function spool_name.glob(folder, name)
  return ("%s/%s-*%s"):format(folder:gsub("[%*%?%[%]\\]", "\\%0"), name, spool_name.ACTIVE)
end

return spool_name
