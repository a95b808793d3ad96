--- Makes batches of the members in spool files: as many at once as requests of one size hold, so memory stays the same
--- however many wait.
local audience_payloads = require "scope3.nginx.audience_payloads"
local core = require "scope3.core"
local nginx_log = require "scope3.util.nginx_log"
local plural = require "scope3.util.plural"
local validate = require "scope3.api.validate"

local ngx = ngx

local file_batches = {}

local READ_AT_ONCE = 2000 -- members read from files before others run: half a millisecond

-- Fills payloads with the oldest members in files. The number of members that no request can carry.
local function fill(state, payloads, marks, before)
  local max_bytes, more, unfit = state.config.max_bytes, true, 0
  -- Takes members whose label is not readable.
  local unreadable = core.payload { max_members = validate.MAX_MEMBERS, max_bytes = max_bytes }
  local function payload_for(label)
    local entry = payloads:labelled(label)
    return entry and entry.payload or unreadable
  end
  while more and payloads.bytes < max_bytes and payloads.count < validate.MAX_MEMBERS do
    local passed
    passed, more = state.spool:read { payload_for = payload_for, marks = marks, most = READ_AT_ONCE, before = before }
    unfit = unfit + passed
    payloads:measure_all()
    if more then
      state.loop.rest()
    end
  end
  unfit = unfit + unreadable:count()
  unreadable:close()
  return unfit
end

--- Gives back what was read and did not become a batch: its thread was stopped. It is read again.
---@param state scope3.WorkerState
function file_batches.drop(state)
  if state.reading then
    state.spool:rewind()
    state.reading:give_back()
    state.reading = false
  end
end

--- Counts members that are given up: no request can carry them.
---@param state scope3.WorkerState
---@param unfit integer
function file_batches.give_up(state, unfit)
  state.stats:add("rejected", unfit)
  nginx_log.say(ngx.ERR, ("scope3: %s larger than a request may be (max_bytes), or of no audience, and %s given up")
    :format(plural.of(unfit, "member of the spool is", "members of the spool are"), plural.words(unfit, "was", "were")))
end

-- Makes a batch of the oldest members in files.
local function read_batch(state, before)
  file_batches.drop(state)
  local payloads, marks = audience_payloads.new(state.pool, state.audience), {}
  state.reading = payloads
  local unfit = fill(state, payloads, marks, before)
  if unfit > 0 then
    file_batches.give_up(state, unfit)
  end
  if payloads.count > 0 then
    state.outbox:put_first(payloads, marks)
  else
    state.spool:release(marks)
    payloads:give_back()
  end
  state.reading = false -- now it is a batch, or was nothing
  state:count()
end

--- Reads members from files until a batch of them waits first, or one in memory that is older.
---@param state scope3.WorkerState
function file_batches.read_oldest(state)
  local spool, first = state.spool, state.outbox.batches[1]
  while not (first and first.marks) and spool:has_before(first and first.stamp) do
    local unread = spool:unread()
    read_batch(state, first and first.stamp)
    if spool:unread() >= unread then -- another process wrote to a file: what can be read is counted anew
      spool:rewind()
      break
    end
    first = state.outbox.batches[1]
  end
end

--- Has the members of batches that were read from files read again: in one order with those that were adopted since.
---@param state scope3.WorkerState
function file_batches.put_back(state)
  for _, batch in ipairs(state.outbox:clear(true)) do
    state.spool:put_back(batch.marks) -- first: what is in neither place would wait for another worker
    batch.payloads:give_back()
  end
end

return file_batches
