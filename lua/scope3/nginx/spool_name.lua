--- The names of a collector's spool files: `<collector>-<made>-<configuration>-<process>-<token>.<kind>`, with times in
--- microseconds.
---
--- Names sort by age: each is later than all that its maker saw in the folder, whatever the clock says, and none comes
--- twice. `configuration` is when nginx read the configuration of the worker that made the file. The token is random,
--- so a name is one of its kind among all machines, too. Earlier releases wrote
--- `<collector>-<configuration>-<made>-<process>-<number>`.
local core = require "scope3.core"
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

local spool_name = {
  ACTIVE = ".spool", REJECTED = ".refused", DAMAGED = ".damaged", LOCK = ".lock",
  --- When nginx read this configuration. Workers of an earlier one have another time.
  CONFIGURATION = math.floor(core.time() * 1e6),
}

local TOKEN = 16 -- digits: no number of an earlier release has so many

--- The path of a new file.
---@param prefix string  folder and name of the collector
---@param made number  microseconds
---@param pid integer
---@param kind string  such as spool_name.ACTIVE
---@return string
function spool_name.path(prefix, made, pid, kind)
  local token = core.random() * 10 ^ TOKEN
  return ("%s-%016.0f-%016.0f-%d-%016.0f%s"):format(prefix, made, spool_name.CONFIGURATION, pid, token, kind)
end

--- What the path of a file says; nil where it is none of these.
---@param path string
---@return number? configuration
---@return number? made
---@return integer? pid
function spool_name.parse(path)
  local made, configuration, pid, token = path:match("%-(%d+)%-(%d+)%-(%d+)%-(%d+)%.%a+$")
  if token and #token < TOKEN then
    made, configuration = configuration, made
  end
  return tonumber(configuration), tonumber(made), tonumber(pid)
end

--- The collector and the process of a file; nil where it is none of these.
---@param path string
---@return string? name
---@return integer? pid
function spool_name.owner(path)
  local _, _, pid = spool_name.parse(path)
  return pid and path:match("([^/-]+)%-[^/]*$"), pid -- pattern: the system's limit of a path bounds it
end

--- What a file is called among all files of all machines: its name without folder and kind.
---@param path string
---@return string
function spool_name.identity(path)
  return (path:match("([^/]*)%.%a+$")) -- pattern: the system's limit of a path bounds it
end

--- The paths of the active files.
---@param folder string
---@param name string  of the collector
---@return string[]
function spool_name.list(folder, name)
  return core.glob(("%s/%s-*%s"):format(folder:gsub("[%*%?%[%]\\]", "\\%0"), name, spool_name.ACTIVE)) or {}
end

--- Makes this configuration later than all whose files are in a folder. For the master: all its workers have one.
---@param folder string
---@param name string  of the collector
function spool_name.begin(folder, name)
  for _, path in ipairs(spool_name.list(folder, name)) do
    local configuration = spool_name.parse(path) or 0
    spool_name.CONFIGURATION = math.max(spool_name.CONFIGURATION, configuration + 1)
  end
end

return spool_name
