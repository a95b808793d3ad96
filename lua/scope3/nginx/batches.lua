--- The batches of a collector: what was gathered, and what is read from files, in one order.
local core = require "scope3.core"
local lanes_of = require "scope3.nginx.lanes"
local log = require "scope3.nginx.log"
local rules = require "scope3.api.validate"

local ngx = ngx

local batches = {}

local SHORTEST = 0.02 -- seconds by which a timer may be early
local AT_A_TIME = 2000 -- members read from files before others have their turn: half a millisecond

-- Members that wait: in the payloads that are being filled, in the outbox, and in files that were not read yet.
function batches.count(own)
  own.held = own.lanes.living + own.outbox.waiting + (own.spools and own.spools.unread or 0)
  own.worker_stats:holds(own.held, math.min(own.held, own.alone + own.outbox.alone))
end

-- Closes the payloads that are being filled, and begins others.
function batches.seal(own)
  if own.lanes.living > 0 then
    own.outbox:put(own.lanes, own.marks, own.alone)
    own.lanes, own.marks, own.alone = lanes_of.new(own.pool, own.default), {}, 0
    if own.spools and #own.outbox.batches == 1 then -- it is sent now: its file can go with it
      own.spools:turn()
    end
  end
  own.since, own.wanted = nil, nil
end

-- Takes everything that waits out of memory. Not where it is in no file: that would lose it.
local function clear(own)
  batches.seal(own)
  local list = own.outbox:clear()
  for _, batch in ipairs(list) do
    batch.lanes:give_back()
  end
  return list
end

-- Has everything that waits read from files, those of this worker too: so that it comes in one order.
local function read_all(own)
  if own.alone + own.outbox.alone > 0 then
    return -- what is in no file cannot be read: what was adopted goes first
  end
  own.spools:take_back(clear(own))
end

-- Gives the files to others, who find them. False where that would lose something.
function batches.hand_over(own)
  if own.alone + own.outbox.alone > 0 then
    return false
  end
  clear(own)
  own.spools:close()
  batches.count(own)
  return true
end

-- Adopts what workers left that are no more. Gives why nothing may be sent now.
function batches.look_for_orphans(own, rest)
  local found, wait, replaced = own.spools:look(rest)
  if replaced then
    batches.hand_over(own)
  elseif found then
    own.worker_stats:add("adopted", found.members)
    own.worker_stats:add("lost", found.lost)
    if found.members > 0 then
      read_all(own)
      batches.count(own)
    end
  end
  return wait
end

-- Makes a batch of the oldest members in files.
local function read_batch(self, own)
  local lanes, marks, more, unfit = lanes_of.new(own.pool, self.audience), {}, true, 0
  local astray = core.payload { max_members = rules.MAX_MEMBERS, max_bytes = self.config.max_bytes } -- whose audience nobody can read
  local function payload_for(label)
    local lane = lanes:labelled(label)
    return lane and lane.payload or astray
  end
  own.reading = lanes -- whoever is stopped in here has read what did not become a batch
  while more and lanes.bytes < self.config.max_bytes and lanes.count < rules.MAX_MEMBERS do
    local _, passed
    _, passed, more = own.spools:read(payload_for, marks, AT_A_TIME)
    unfit = unfit + passed
    for _, lane in ipairs(lanes.list) do
      lanes:measure(lane)
    end
    if more then
      self.client.loop.rest()
    end
  end
  own.reading = nil
  unfit = unfit + astray:count()
  astray:close()
  if unfit > 0 then
    own.worker_stats:add("rejected", unfit)
    log.say(ngx.ERR, ("scope3: %d members of the spool are larger than a request may be (max_bytes), or of no audience, and "
      .. "were given up"):format(unfit))
  end
  if lanes.count > 0 then
    own.outbox:put(lanes, marks, 0, true)
  else
    own.spools:done(marks)
    lanes:give_back()
  end
  batches.count(own)
end

-- What is to be sent now: the oldest that waits. Nothing where it is not time yet, or where somebody else has members that are older, and why.
function batches.next(self, own)
  local list, config = own.outbox.batches, self.config
  if list[1] and list[1].begun then
    return list[1]
  end
  if own.spools then
    local wait = batches.look_for_orphans(own, self.client.loop.rest)
    list = own.outbox.batches
    while own.spools.unread > 0 and not (list[1] and list[1].read) do
      local before = own.spools.unread
      read_batch(self, own)
      if own.spools.unread >= before then -- somebody else wrote to a file: what can be read is counted anew
        own.spools:rewind()
        break
      end
    end
    if wait and own.held > 0 then
      return nil, wait
    end
  end
  if not list[1] and own.since and (own.wanted or own.lanes.count >= config.flush_members
    or self.client.loop.now() - own.since >= config.flush_seconds - SHORTEST) then
    batches.seal(own)
  end
  return list[1]
end

return batches
