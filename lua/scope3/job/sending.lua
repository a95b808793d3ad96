--- Tells a journal of each sending of a request, where it asks for that (`each_sending`).
---
--- A transport repeats requests by itself. An attempt that follows one without an answer is another sending, because
--- the service may carry out both. One that follows a definite answer takes the place of that one: nothing came of it.
local core = require "scope3.core"
local records = require "scope3.job.records"

---@class scope3.Sending  the last one of a request that the journal has
---@field private journal scope3.Journal
---@field private req scope3.JobRequest
---@field private at number  second since 1970 at which it was noted
---@field private lost integer  attempts of the sendings before, without an answer
local Sending = {}
Sending.__index = Sending

local sending = {}

--- The first sending of a request, which the journal has. nil where it does not ask for each.
---@param journal scope3.Journal
---@param req scope3.JobRequest
---@param at number  second since 1970 at which it was noted
---@return scope3.Sending?
function sending.of(journal, req, at)
  if not journal.each_sending or not req.id then
    return nil
  end
  return setmetatable({ journal = journal, req = req, at = at, lost = 0 }, Sending)
end

--- Notes an attempt that is about to go: as another sending, or anew where it goes so late that the journal would no
--- longer reckon with it.
---@param call scope3.Call
---@return scope3.Error? err  it must not go
function Sending:attempt(call)
  local journal, req, now = self.journal, self.req, math.floor(core.time())
  local ok, err
  if call.lost > self.lost then
    ok, err = journal:begin(records.beginning(req, now))
  elseif now - self.at > journal.send_within then
    ok, err = journal:begin_anew { request = req.id, at = now }
  else
    return nil
  end
  if not ok then
    return err
  end
  self.at, self.lost = now, call.lost
end

--- Whether what the journal has of a request may have been carried out without an answer: of its last sending, where
--- the journal has each.
---@param req scope3.JobRequest  that was answered, or will not be
---@return boolean?
function sending.in_doubt(req)
  local last, call = req.sending, req.call
  if not last then
    return req.uncertain
  end
  return call.data ~= nil or call.lost > last.lost or nil
end

return sending
