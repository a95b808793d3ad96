--- Members of failed tasks once more, for a job whose input can be read again: the files are read and cut as they
--- were, and the batches that failed are given back. Memory stays flat, because nothing was kept.
---
--- Outside epochs an id may be in several batches, and the last one counts. A batch that failed must not go after one
--- that came later and was accepted: so the rest of the input is also read, and members that later batches replaced
--- are found.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local rare = require "scope3.util.rare"

local rebuild = {}

local HELD = 64 * 2 ^ 20 -- bytes of failed batches that are held at once; for more, the input is read once more

---@class scope3.BatchSource  builds batches of a job again
---@field rebuild fun(self, request: scope3.RebuildRequest, why_stop: function): scope3.RebuiltBatch[]?, scope3.Error?
---  gives at least one of the wanted batches; `why_stop` is asked now and then, and gives an error to stop

---@class scope3.RebuildRequest
---@field wanted table<integer, number|true>  numbers of batches, and the outlines that they had
---@field ranges table<integer, scope3.TaskWork[]>  what the service took of each batch
---@field last integer  the last batch of which it took something
---@field behind boolean  some are of an earlier epoch, so that batches of a later one may have replaced members

---@class scope3.RebuiltBatch
---@field batch scope3.Batch
---@field replaced integer[]  numbers of its members that later batches replaced

local function changed(message)
  return errors.new("source", message, { code = "changed_input" })
end

-- --- the collector: what takes the batches of the second reading ----------------------------------------------------

---@class scope3.BatchCollector: scope3.BatchSink
---@field held scope3.RebuiltBatch[]
---@field failure? scope3.Error  why reading ends
---@field done boolean  the rest of the input is not needed
local Collector = {}
Collector.__index = Collector

local function collector_of(request, why_stop, seconds)
  local missing, left = {}, 0
  for number in entries(request.wanted) do
    missing[number], left = true, left + 1
  end
  return setmetatable({ request = request, why_stop = why_stop, seconds = seconds, missing = missing, left = left,
    held = {}, bytes = 0, done = false }, Collector)
end

--- Epochs are cut as before; there is nothing to wait for.
function Collector.turn()
  return true
end

--- Called between two slices of reading: gives why to stop.
---@return scope3.Error?
function Collector:pause()
  self.failure = self.why_stop() or self.failure
  return self.failure
end

-- Whether a batch has the members that were sent.
local function is_as_sent(self, batch)
  local outline, known = self.request.wanted[batch.number], self.request.ranges[batch.number]
  if not outline and known then
    outline = known[1].outline
  end
  return type(outline) ~= "number" or batch.parts[1].payload:outline() == outline
end

-- Finds the members of held batches that this batch replaced, of which the service took the ranges.
local function note_replaced(held, batch, ranges)
  local later = batch.parts[1].payload
  for _, range in ipairs(ranges) do
    for _, index in ipairs(range.without or {}) do
      later:drop(index)
    end
  end
  for _, range in ipairs(ranges) do
    for _, one in ipairs(held) do
      for _, index in ipairs(one.batch.parts[1].payload:replace(later, range.first, range.last)) do
        table.insert(one.replaced, index)
      end
    end
  end
end

local function is_full(self)
  return self.bytes >= rare.number("held", HELD)
end

local function hold(self, batch)
  self.missing[batch.number], self.left = nil, self.left - 1
  self.held[#self.held + 1] = { batch = batch, replaced = {} }
  self.bytes = self.bytes + batch.parts[1].payload:bytes()
end

--- Takes a batch of the input.
---@param batch scope3.Batch
---@return true?
---@return scope3.Error? err  reading is to end
function Collector:send(batch)
  if not is_as_sent(self, batch) then
    batch.release()
    self.failure = changed("the input has changed since it was sent, or the script does not give the same members each "
      .. "time, so members of failed tasks could not be sent again")
    return nil, self.failure
  end
  local ranges = self.request.ranges[batch.number]
  local in_one_epoch = batch.in_epochs and not self.request.behind
  if ranges and #self.held > 0 and not in_one_epoch then
    note_replaced(self.held, batch, ranges)
  end
  if self.missing[batch.number] and not is_full(self) then
    hold(self, batch)
  else
    batch.release()
  end
  if (self.left == 0 or is_full(self)) and (in_one_epoch or batch.number >= self.request.last) then
    self.done, self.failure = true, errors.new("cancelled", "the rest of the input is not needed")
  end
  return not self.failure or nil, self.failure
end

-- --- the source ------------------------------------------------------------------------------------------------------

---@class scope3.FileBatches: scope3.BatchSource
local Files = {}
Files.__index = Files

function Files:rebuild(request, why_stop)
  local collector = collector_of(request, why_stop, self.seconds)
  local err = self.read(collector)
  if collector.done or not err and collector.left == 0 then
    return collector.held
  end
  for _, one in ipairs(collector.held) do
    one.batch.release()
  end
  return nil, collector.failure or err or changed "the input has changed since it was sent"
end

--- A source of the batches that files gave.
---@param seconds fun(): number  since the job began
---@param read fun(collector: scope3.BatchCollector): scope3.Error?  reads all files as for the job, and gives their
---  batches to the collector; refuses a file that was changed since
---@return scope3.BatchSource
function rebuild.files(seconds, read)
  return setmetatable({ seconds = seconds, read = read }, Files)
end

return rebuild
