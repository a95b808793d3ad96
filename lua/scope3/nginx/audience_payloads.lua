--- The members of a batch: a payload for each of its audiences.
---
--- An audience has one payload per batch, so the last operation on a member replaces the ones before. Of its names and
--- consent bases the last ones that were given count.
local audience_label = require "scope3.api.audience_label"

---@class scope3.AudiencePayloads
---@field list scope3.AudiencePayload[]
---@field living integer  members to send
---@field count integer  members that were added, those replaced since included
---@field bytes integer
local AudiencePayloads = {}
AudiencePayloads.__index = AudiencePayloads

local audience_payloads = {}

---@class scope3.AudiencePayload
---@field audience {id: string, name: string?, consent_basis: string?}
---@field payload table
---@field size integer  bytes that the payload may take
---@field living integer
---@field count integer
---@field bytes integer

---@param pool scope3.PayloadPool
---@param default {id: string, name: string?, consent_basis: string?}?  of members without a label
---@return scope3.AudiencePayloads
function audience_payloads.new(pool, default)
  return setmetatable({ pool = pool, default = default, by_id = {}, by_label = {}, list = {},
    living = 0, count = 0, bytes = 0 }, AudiencePayloads)
end

--- The entry of an audience. It is made where there is none.
---@param audience {id: string, name: string?, consent_basis: string?}
---@return scope3.AudiencePayload
function AudiencePayloads:of(audience)
  local entry = self.by_id[audience.id]
  if not entry then
    local payload, size = self.pool:take(audience)
    entry = { audience = { id = audience.id }, payload = payload, size = size, living = 0, count = 0, bytes = 0 }
    self.by_id[audience.id] = entry
    self.list[#self.list + 1] = entry
  end
  local own = entry.audience
  own.name, own.consent_basis = audience.name or own.name, audience.consent_basis or own.consent_basis
  return entry
end

--- The entry of members with a label. Nil where the label is not readable.
---@param label string
---@return scope3.AudiencePayload?
function AudiencePayloads:labelled(label)
  local audience = self.by_label[label]
  if audience == nil then
    audience = label == "" and self.default or audience_label.read(label) or false
    self.by_label[label] = audience
  end
  return audience and self:of(audience) or nil
end

--- Counts an entry anew, whose payload has changed.
---@param entry scope3.AudiencePayload
function AudiencePayloads:measure(entry)
  local adds, removes = entry.payload:living()
  local living, count, bytes = adds + removes, entry.payload:count(), entry.payload:bytes()
  self.living, self.count = self.living + living - entry.living, self.count + count - entry.count
  self.bytes = self.bytes + bytes - entry.bytes
  entry.living, entry.count, entry.bytes = living, count, bytes
end

--- Counts all entries anew.
function AudiencePayloads:measure_all()
  for _, entry in ipairs(self.list) do
    self:measure(entry)
  end
end

--- Gives the payloads back to the pool. They must not be read any more.
function AudiencePayloads:give_back()
  local list = self.list
  -- First: given back twice, a payload would be used by two audiences.
  self.list, self.by_id, self.by_label, self.living, self.count, self.bytes = {}, {}, {}, 0, 0, 0
  for _, entry in ipairs(list) do
    self.pool:give_back(entry.audience.id, entry.payload, entry.size)
  end
end

--- Frees the payloads: at once, or when the request that reads them has ended.
function AudiencePayloads:close()
  for _, entry in ipairs(self.list) do
    entry.payload:close()
  end
end

return audience_payloads
