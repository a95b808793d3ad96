--- What a drain comes to: counted while it lasts, and its result.
local drained = {}

---@class scope3.Drained  what a drain came to; it holds no personal data
---@field queue string
---@field entries integer  that were removed from the queue
---@field members integer  of them, those that were replaced by later ones included
---@field accepted integer  members that the service accepted
---@field repeated integer  members of entries that may have been sent before, under an earlier lease or before Redis
---  began anew, those that were replaced by later ones included
---@field failed integer  members of requests that the service refused for good
---@field rejected_by_service integer  members set aside because the service refused them
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

-- What leaves the queue without reaching the service.
local LOST = {
  { "unreadable", "%d cannot be read" },
  { "too_large", "%d larger than a request may be" },
  { "rejected_by_service", "%d refused by the service" },
  { "failed", "%d in requests that the service refused for good" },
}

--- What has left the queue without reaching the service since this was asked last.
---@param counts scope3.Drained
---@param told table<string, integer>  what was told before, which this adds to
---@return table<string, integer>? lost  nil where there is nothing new
---@return string? words
function drained.lost(counts, told)
  local lost, words = {}, {}
  for _, kind in ipairs(LOST) do
    local name = kind[1]
    local n = counts[name] - (told[name] or 0)
    if n > 0 then
      lost[name], told[name] = n, counts[name]
      words[#words + 1] = kind[2]:format(n)
    end
  end
  if words[1] then
    return lost, table.concat(words, ", ")
  end
end

return drained
