--- What a drain comes to: counted while it lasts, and its result.
local drained = {}

---@class scope3.Drained  what a drain came to; it holds no personal data
---@field queue string
---@field entries integer  that were removed from the queue
---@field members integer  of them, those that were replaced by later ones included
---@field accepted integer  members that the service accepted
---@field repeated integer  members of entries that may have been sent before, under an earlier lease or before Redis
---  began anew, those that were replaced by later ones included
---@field failed integer  members that were removed with requests that the service refused for good
---@field rejected_by_service integer  members that were removed and set aside, because the service refused them
---@field unreadable integer  lines and entries that are none, and members that an entry says to have and has not
---@field too_large integer  members that are larger than a request may be
---@field requests integer
---@field leases integer  how often the lease was taken
---@field lost integer  how often it was lost to another one, or ran out
---@field reconnects integer
---@field waiting? integer  entries in the queue, when it was looked at last
---@field oldest? number  seconds that the first of them waited then
---@field looked? number  second of the day of Unix when that was
---@field active? boolean  whether it had the lease then
---@field released boolean  the lease was handed over in the end, or not held
---@field warnings scope3.Warning[]
---@field seconds number

--- Counts of which nothing has happened yet.
---@param queue string
---@return scope3.Drained
function drained.new(queue)
  return { queue = queue, entries = 0, members = 0, accepted = 0, repeated = 0, failed = 0, rejected_by_service = 0,
    unreadable = 0, too_large = 0, requests = 0, leases = 0, lost = 0, reconnects = 0, released = true, warnings = {},
    seconds = 0 }
end

--- Adds a warning.
---@param counts scope3.Drained
---@param warning scope3.Warning
---@return boolean is_new  there was none of its code
function drained.warn(counts, warning)
  for _, one in ipairs(counts.warnings) do
    if one.code == warning.code then
      return false
    end
  end
  table.insert(counts.warnings, warning)
  return true
end

--- Counts a batch whose entries were removed.
---@param counts scope3.Drained
---@param batch scope3.DrainBatch
---@return table? event  that tells of it; nil where it ended inside its first entry
function drained.note(counts, batch)
  counts.entries, counts.members = counts.entries + batch.entries, counts.members + batch.members
  return batch.entries > 0 and { event = "drained", members = batch.members, entries = batch.entries } or nil
end

-- What leaves the queue without reaching the service.
local LOST = {
  { "unreadable", "%d cannot be read" },
  { "too_large", "%d larger than a request may be" },
  { "rejected_by_service", "%d refused by the service" },
  { "failed", "%d in requests that the service refused for good" },
}

--- Counts what has left the queue with a batch without reaching the service.
---@param counts scope3.Drained
---@param batch scope3.DrainBatch
---@param delivery scope3.Delivery  of that batch
---@return table? event  that tells of it: a drain may go on for months; nil where there is nothing
function drained.lost(counts, batch, delivery)
  local event, words = { event = "given_up" }, {}
  for _, kind in ipairs(LOST) do
    local name = kind[1]
    local n = batch[name] or delivery[name]
    if n > 0 then
      counts[name], event[name] = counts[name] + n, n
      words[#words + 1] = kind[2]:format(n)
    end
  end
  local why = event.failed and delivery.refusal or {}
  event.code, event.status = why.code, why.status
  event.message = table.concat(words, ", ") .. (why.message and ": " .. why.message or "")
  return words[1] and event or nil
end

return drained
