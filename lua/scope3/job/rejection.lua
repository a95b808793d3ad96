--- What a request becomes that the service refuses: smaller ones where it is too large, and one without the members that the service points at.
local splitter = require "scope3.job.splitter"
local quarantine = require "scope3.job.quarantine"

local rejection = {}

local SMALLEST = 1024 -- bytes: no request is made smaller than that
local ROUNDS = 2 -- times that a request is sent again without what was refused, before it is halved

--- Whether a request may go in two halves.
---@param req table
---@return boolean
function rejection.divisible(req)
  return req.bytes > SMALLEST and not req.batch.delete_missing and splitter.halve(req.parts) ~= nil
end

--- Puts the two halves of a request in its place.
---@param job scope3.Job
---@param req table
function rejection.halve(job, req)
  local first, second = splitter.halve(req.parts)
  local halves = { job:make(req.batch, first, req), job:make(req.batch, second, req) }
  for _, half in ipairs(halves) do
    half.without, half.excluded, half.replaced = req.without, req.excluded, req.replaced
  end
  job:queue_first(halves)
  job:close(req.batch)
end

--- The service finds the request too large: its halves go instead, and nothing of that size any more.
---@param job scope3.Job
---@param req table
function rejection.split(job, req)
  job.max_accepted_bytes = math.max(SMALLEST, math.floor(req.bytes / 2))
  req.entry.state = "split"
  job:note("ended", { request = req.id, status = "split" })
  job.on_event { event = "split", request = req.entry.request, bytes = job.max_accepted_bytes }
  rejection.halve(job, req)
end

--- Sets members aside that the service refuses, and sends the others.
---@param job scope3.Job
---@param req table
---@param err scope3.Error
---@return boolean handled  false when that leads nowhere
function rejection.quarantine(job, req, err)
  if err.status ~= 400 and err.status ~= 422 then
    return false
  end
  local found = quarantine.find(req.parts, err.issues)
  if #found == 0 or req.repairs.left < 1 then
    return false
  end
  req.entry.state = "refused"
  job:note("ended", { request = req.id, status = "refused" })
  quarantine.set_aside(found, job.result, job.opts.on_reject)
  job.on_event { event = "quarantined", request = req.entry.request, members = #found }
  req.without, req.excluded = req.without or {}, req.excluded or {}
  for _, member in ipairs(found) do
    table.insert(req.without, member.index)
    table.insert(req.excluded, member.row)
  end
  req.repairs.left = req.repairs.left - 1
  req.rounds = req.rounds + 1
  job:count(req)
  local parts = splitter.living(req.parts)
  if #parts == 0 then
    job:close(req.batch)
    return true
  end
  local lists = { parts }
  if req.rounds > ROUNDS then
    -- The list of issues is cut short, as it seems: half as many members have half as many issues.
    lists = { splitter.halve(parts) }
    lists = #lists > 0 and lists or { parts }
  end
  local again = {}
  for i, list in ipairs(lists) do
    again[i] = job:make(req.batch, list, req)
    again[i].rounds = #lists == 1 and req.rounds or 0
    again[i].without, again[i].excluded, again[i].replaced = req.without, req.excluded, req.replaced
  end
  job:queue_first(again)
  job:close(req.batch)
  return true
end

return rejection
