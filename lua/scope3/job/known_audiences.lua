--- The audiences that the service has, as far as requests have shown.
---
--- The service takes removals from any name. So a worker looks first before it removes from an unknown audience.

---@class scope3.KnownAudiences
local KnownAudiences = {}
KnownAudiences.__index = KnownAudiences

local known_audiences = {}

local MAX_NAMES = 10000 -- of audiences that are remembered
local UNLISTED = 60 -- seconds for which a new audience may not be listed yet
local ABSENT = { audience_unknown = true, audience_deleted = true }

---@return scope3.KnownAudiences
function known_audiences.new()
  return setmetatable({
    added = {}, -- ids of audiences that took members
    missed = {}, -- ids of audiences that were not listed -> since when
    names = 0, -- in both
  }, KnownAudiences)
end

--- Whether an audience has taken members.
---@param id string
---@return boolean
function KnownAudiences:has(id)
  return self.added[id] ~= nil
end

--- Notes that an audience has taken members.
---@param id string
function KnownAudiences:note_added(id)
  if self.names >= MAX_NAMES then
    self.added, self.missed, self.names = {}, {}, 0
  end
  self.names = self.added[id] and self.names or self.names + 1
  self.added[id], self.missed[id] = true, nil
end

--- Whether a look for an audience did not find it.
---@param err scope3.Error?
---@return boolean
function known_audiences.is_absent(err)
  return err ~= nil and ABSENT[err.code] == true
end

--- Notes that an audience was not listed. Whether that is so for longer than a new one needs.
---@param id string
---@param now number
---@return boolean
---@return boolean is_new  it was not noted before
function KnownAudiences:note_missing(id, now)
  local is_new = not self.missed[id]
  if is_new then
    self.missed[id], self.names = now, self.names + 1
  end
  return now - self.missed[id] >= UNLISTED, is_new
end

return known_audiences
