--- The files of a collector's folder: those of this worker, and those whose worker is no more.
local core = require "scope3.core"
local errors = require "scope3.error"
local json = require "scope3.json"

---@class scope3.Spools
local Spools = {}
Spools.__index = Spools

local spools = {}

local ENDING, REFUSED, DAMAGED = ".spool", ".refused", ".damaged"
local AGAIN = 1 -- seconds after which it is tried once more to make a file

local number = 0 -- of files that this worker has made: two collectors of one audience need names that differ

---@param folder string
---@param name string  of the collector: files of others are left alone
---@return scope3.Spools
function spools.new(folder, name)
  return setmetatable({ folder = folder, name = name, free = {}, open = {}, again_at = 0,
    damaged = {}, -- files of which not all could be read, as keys
    told = {}, -- paths of which the log knows that something is wrong with them
  }, Spools)
end

--- An empty file of this worker.
---@return table? spool
---@return scope3.Error? err
function Spools:take()
  local spool = table.remove(self.free)
  if spool then
    return spool
  end
  if core.now() < self.again_at then
    return nil, self.fault
  end
  number = number + 1
  local path = ("%s/%s-%d-%.0f-%d%s"):format(self.folder, self.name, ngx.worker.pid(), core.time() * 1000, number, ENDING)
  local made, message, locked = core.spool(path)
  if not made then
    if not locked then
      os.remove(path) -- it may be there and empty: the disk is full
    end
    self.again_at = core.now() + AGAIN
    self.fault = errors.new("spool", ("no file can be made in %s: %s"):format(self.folder, tostring(message)))
    return nil, self.fault
  end
  self.open[made] = path
  return made
end

-- Gives a file another name, under which nobody takes it any more.
local function put_aside(self, spool, path, ending)
  os.rename(path, path:sub(1, -#ENDING - 1) .. ending)
  spool:close()
  self.open[spool], self.damaged[spool] = nil, nil
end

local function tell(self, path, message)
  if not self.told[path] then
    self.told[path] = true
    ngx.log(ngx.ERR, "scope3: the spool ", path, " ", message)
  end
end

--- The members of a file have left. `refused` for good: then it is put aside, for somebody to look at; so is one of which not all could be read.
---@param spool table
---@param refused boolean?
function Spools:done(spool, refused)
  local path = self.open[spool]
  if refused or self.damaged[spool] then
    put_aside(self, spool, path, refused and REFUSED or DAMAGED)
  elseif #self.free < 2 and spool:reset() then
    self.free[#self.free + 1] = spool
  else
    if not spool:remove() then
      spool:close()
    end
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
    local spool, message, locked
    if not mine[path] then
      spool, message, locked = core.spool(path)
    end
    if spool and spool:damaged() > 0 then
      self.damaged[spool] = true
      tell(self, path, ("is damaged: %.0f bytes of it cannot be read"):format(spool:damaged()))
    elseif message and not locked then
      tell(self, path, "cannot be adopted: " .. message)
    end
    if spool and spool:count() == 0 then
      if self.damaged[spool] then
        put_aside(self, spool, path, DAMAGED)
      else
        spool:remove()
      end
    elseif spool and (any or spool:count() <= most) then
      self.open[spool] = path
      return spool
    elseif spool then
      self.damaged[spool] = nil
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
    if spool:count() == 0 and not self.damaged[spool] then
      spool:remove()
    else
      spool:close()
    end
  end
  self.open, self.free = {}, {}
end

return spools
