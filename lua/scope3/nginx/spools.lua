--- The files of a collector's folder: those of this worker, and those whose worker is no more.
local core = require "scope3.core"
local errors = require "scope3.error"
local json = require "scope3.json"

---@class scope3.Spools
local Spools = {}
Spools.__index = Spools

local spools = {}

local ENDING, REFUSED = ".spool", ".refused"

---@param folder string
---@param name string  of the collector: files of others are left alone
---@return scope3.Spools
function spools.new(folder, name)
  return setmetatable({ folder = folder, name = name, free = {}, open = {}, made = 0 }, Spools)
end

--- An empty file of this worker.
---@return table? spool
---@return scope3.Error? err
function Spools:take()
  local spool = table.remove(self.free)
  if spool then
    return spool
  end
  self.made = self.made + 1
  local path = ("%s/%s-%d-%.0f-%d%s"):format(self.folder, self.name, ngx.worker.pid(), core.time() * 1000, self.made, ENDING)
  local made, message = core.spool(path)
  if not made then
    return nil, errors.new("spool", ("no file can be made in %s: %s"):format(self.folder, tostring(message)))
  end
  self.open[made] = path
  return made
end

--- The members of a file have left. `refused` for good: then it is put aside, for somebody to look at.
---@param spool table
---@param refused boolean?
function Spools:done(spool, refused)
  local path = self.open[spool]
  if refused then
    os.rename(path, path:sub(1, -#ENDING - 1) .. REFUSED)
    spool:close()
    self.open[spool] = nil
  elseif #self.free < 2 then
    spool:reset()
    self.free[#self.free + 1] = spool
  else
    spool:remove()
    self.open[spool] = nil
  end
end

--- A file that nobody owns and that holds members, now owned by this worker; nil when there is none. Empty ones are removed on the way.
---@param most integer  members it may hold
---@param any boolean  however many it holds
---@return table?
function Spools:orphan(most, any)
  local mine = {}
  for _, path in pairs(self.open) do
    mine[path] = true
  end
  for _, path in ipairs(core.glob(("%s/%s-*%s"):format(self.folder, self.name, ENDING)) or {}) do
    local spool = not mine[path] and core.spool(path) or nil
    if spool and spool:count() == 0 then
      spool:remove()
    elseif spool and (any or spool:count() <= most) then
      self.open[spool] = path
      return spool
    elseif spool then
      spool:close()
    end
  end
end

--- The members of a file, as add() takes them.
---@param spool table
---@return fun(): table?
function spools.members(spool)
  local next_text = spool:members()
  return function()
    for text in next_text do
      local read = json.decode(text)
      if type(read) == "table" then
        return { external_id = read.externalId, hashed_email = read.hashedEmail, hashed_phone = read.hashedPhone, uids = read.uids }
      end
    end
  end
end

--- Lets go of all files. Those with members are for others to take.
function Spools:close()
  for spool in pairs(self.open) do
    if spool:count() == 0 then
      spool:remove()
    else
      spool:close()
    end
  end
  self.open, self.free = {}, {}
end

return spools
