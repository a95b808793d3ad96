--- Spool files of which no collector here takes care: the account, the queue or the audience of theirs was changed, or
--- its `stream` came or went, while members waited in them. Nobody would ever miss them, so the log names them.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local nginx_log = require "scope3.util.nginx_log"
local plural = require "scope3.util.plural"
local process = require "scope3.nginx.process"
local spool_name = require "scope3.nginx.spool_name"

local ngx = ngx

local spool_strangers = {}

local known = {} -- names of collectors, and those that the log has

--- Notes that a collector of this name is here.
---@param name string
function spool_strangers.know(name)
  known[name] = true
end

-- The files of names that are not known, by these. Those of another process that lives are its own.
local function find(folder)
  local found = {}
  for _, path in ipairs(spool_name.list(folder, "*")) do
    local name, pid = spool_name.owner(path)
    if name and not known[name] and not process.is_alive(pid) then
      found[name] = found[name] or {}
      table.insert(found[name], path)
    end
  end
  return found
end

-- Whether members wait in one of some files. No further one is opened: each may be large.
local function has_members(paths)
  for _, path in ipairs(paths) do
    local opened = core.spool(path)
    local n = opened and opened:count() or 0
    if opened then
      opened:close()
    end
    if n > 0 then
      return true
    end
  end
  return false
end

--- Logs what is left in a folder, once for each name. One worker does so for all.
---@param folder string
function spool_strangers.look(folder)
  if ngx.worker.id() ~= 0 then
    return
  end
  for name, paths in entries(find(folder)) do
    if has_members(paths) then
      known[name] = true
      nginx_log.say(ngx.ERR, ("scope3: members wait in %s of %s/%s-*, and no collector here sends them: there was one "
        .. "with another account, queue or audience, or with or without stream"):format(plural.of(#paths, "file"),
        folder, name))
    end
  end
end

return spool_strangers
