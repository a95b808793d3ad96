--- Members of failed tasks once more, for a job whose input can be read again: the files are read and cut as they
--- were, and the batches that failed are sent. Memory stays flat, because nothing was kept.
---
--- Outside epochs an id may be in several batches, and the last one counts. A batch that failed must not go behind one
--- that came after it and was accepted: so the rest of the input is read too, and members that later batches replaced
--- are taken out first.
local core = require "scope3.core"
local errors = require "scope3.error"
local batcher = require "scope3.job.batcher"

local rebuilding = {}

local HELD = 64 * 2 ^ 20 -- bytes of failed batches that are held while later ones are looked at; for more, the input is read once more

local function stamps_of(paths)
  local stamps = {}
  for i, path in ipairs(paths) do
    stamps[i] = core.file_stamp(path) or ""
  end
  return table.concat(stamps, "\n")
end

local function nothing() end

-- What the service took of each batch, in ranges of its members; and the last such batch.
local function accepted_ranges(work)
  local ranges, last = {}, 0
  for _, task in ipairs(work.result.tasks) do
    local one = work.work[task]
    if one and one.batch and one.first and (one.entry.state == "accepted" or one.entry.state == "completed") then
      ranges[one.batch] = ranges[one.batch] or {}
      table.insert(ranges[one.batch], one)
      last = math.max(last, one.batch)
    end
  end
  return ranges, last
end

-- Takes the members out of held batches that a batch replaced, which the service took in ranges.
local function replace(held, batch, ranges)
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

-- Stands for the job while its input is read once more. It holds the batches that are `wanted`, as many as there is
-- room for, until it is `done`.
local function sink_of(work, wanted, left)
  local ranges, last = accepted_ranges(work)
  local sink = { client = work.client, limits = { cancel = work.limits.cancel }, guard = work.guard, on_event = nothing,
    result = { failed = 0 },
    held = {}, bytes = 0 }
  function sink.is_to_stop()
    return sink.failure ~= nil
  end
  function sink.seconds()
    return work:seconds()
  end
  function sink.turn()
    return true
  end
  local function take(batch, works)
    wanted[batch.number], left = nil, left - 1
    sink.held[#sink.held + 1] = { batch = batch, works = works, replaced = {} }
    sink.bytes = sink.bytes + batch.parts[1].payload:bytes()
    sink.full = sink.bytes >= HELD
  end
  -- Between two slices of reading, as a job's: looks whether to stop.
  function sink.pump()
    local limits = work.limits
    if limits.alive then
      limits.alive()
    end
    if work:is_to_stop() then
      sink.failure = work.guard.fault or errors.new("cancelled", "stopped while the input was read once more")
    elseif limits.deadline and work.client.loop.now() >= limits.deadline then
      sink.failure = errors.new("timeout", (limits.over or "the deadline passed")
        .. " while the input was read once more")
    end
  end
  function sink:send(batch)
    local works, known = wanted[batch.number], ranges[batch.number]
    local sent = works and works[1] or known and known[1]
    if sent then
      local ok, err = work:same_members(batch, sent.outline)
      if not ok then
        batch.release()
        self.failure = err
        return nil, err
      end
    end
    if known and #self.held > 0 and not batch.in_epochs then
      replace(self.held, batch, known)
    end
    if works and not self.full then
      take(batch, works)
    else
      batch.release()
    end
    if (left == 0 or self.full) and (batch.in_epochs or batch.number >= last) then
      self.done, self.failure = true, errors.new("cancelled", "the rest of the input is not needed")
    end
    return not self.failure or nil, self.failure
  end
  return sink
end

-- Sends what is held, in the order of the input.
local function send_held(work, held)
  local ok, err = true, nil
  for _, one in ipairs(held) do
    if ok then
      ok, err = work:send_again(one.batch, one.works, one.replaced)
    else
      one.batch.release()
    end
  end
  return ok, err
end

--- Lets a job send members of failed tasks once more.
---@param work scope3.Job
---@param audience table
---@param paths string[]
---@param opts table  of the job
---@param shape table  of the first file
---@param read fun(again: table): scope3.Error?  reads all files, as for the job, into `again.batcher`
function rebuilding.allow(work, audience, paths, opts, shape, read)
  local before = stamps_of(paths)
  local quiet = {}
  for key, value in pairs(opts) do
    quiet[key] = value
  end
  quiet.on_reject, quiet.on_event, quiet.cancel = nil, nil, nil
  local function pass(wanted, left)
    local sink = sink_of(work, wanted, left)
    local again = { job = sink, opts = quiet, on_event = nothing, batcher = batcher.new(sink, audience, quiet, shape) }
    local err = read(again)
    if not err then
      again.batcher:finish()
      sink.done = sink.done or #sink.held == left
    end
    local ok, why
    if sink.done then
      ok, why = send_held(work, sink.held)
    else
      for _, one in ipairs(sink.held) do
        one.batch.release()
      end
      why = sink.failure or err or errors.new("source", "the input has changed since it was sent", { code = "changed_input" })
    end
    again.batcher:free_all()
    return ok, why, #sink.held
  end
  function work.rebuild(works)
    local wanted, left = {}, 0
    for _, one in ipairs(works) do
      left = left + (wanted[one.batch] and 0 or 1)
      wanted[one.batch] = wanted[one.batch] or {}
      table.insert(wanted[one.batch], one)
    end
    while left > 0 do
      if stamps_of(paths) ~= before then
        return nil, errors.new("source", "the input has changed since it was sent, so members of failed tasks could not be sent again",
          { code = "changed_input" })
      end
      local ok, err, sent = pass(wanted, left)
      if not ok then
        return nil, err
      end
      left = left - sent
    end
    return true
  end
end

return rebuilding
