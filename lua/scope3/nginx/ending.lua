--- Sends what a collector has, once or until nothing is left, and gives back what it had.
local batches = require "scope3.nginx.batches"
local errors = require "scope3.error"
local lanes_of = require "scope3.nginx.lanes"
local log = require "scope3.nginx.log"
local schedule = require "scope3.nginx.schedule"

local ngx = ngx

local ending = {
  active = {}, -- collectors that have something in this Lua state -> true
}

local SHORTEST = 0.02 -- seconds between two looks

-- Whoever was sending was stopped in the middle.
function ending.interrupted(own, err)
  own.outbox:interrupted(err)
  if own.reading then
    own.reading:give_back()
    own.reading = nil
    own.spools:rewind()
  end
end

-- Sends what there is. `deadline` in seconds; `now` although the service was away a moment ago.
function ending.flush(own, now, deadline)
  own.wanted = own.wanted or now
  own.untold = nil
  own.rejections:tell()
  local before = { accepted = own.outbox.accepted, failed = own.outbox.failed, rejected_by_service = own.outbox.rejected_by_service }
  local fine, ok, err = pcall(own.outbox.send, own.outbox, now, { deadline = deadline })
  if own.released then
    return false, err -- it was closed meanwhile, and everything was counted then
  end
  if not fine then
    ok, err = false, errors.new("script", "a listener failed: " .. tostring(ok))
    ending.interrupted(own, err)
  end
  for key, value in pairs(before) do
    own.worker_stats:add(key, own.outbox[key] - value)
  end
  batches.count(own)
  if not ok then
    log.say(ngx.WARN, ("%s; %d members wait"):format(tostring(err), own.held))
  elseif err then
    log.say(ngx.ERR, tostring(err) .. "; the service refused these members for good")
  end
  return ok, err
end

-- Gives everything back. What is still there stays in its files, or is lost, and counted: how many of each.
function ending.release(self, own, forget)
  local alone = math.min(own.held, own.alone + own.outbox.alone)
  local lost = own.spools and alone or own.held
  own.rejections:tell()
  own.worker_stats:leave(own.held, alone)
  self.own, ending.active[self], own.released = nil, nil, true
  schedule.forget(self)
  if own.spools then
    own.spools:close()
  end
  own.lanes:close()
  for _, batch in ipairs(own.outbox:clear()) do
    batch.lanes:close()
  end
  lanes_of.close(own.pool)
  own.builder:close()
  if forget then
    own.worker_stats:forget()
  end
  return own.held - lost, lost
end

local function finish(self, ok, err, counts)
  local closing = self.closing
  closing.ok, closing.err, closing.counts, closing.done = ok, err, counts, true
end

-- Sends until nothing waits, the time is over or it fails. Gives why something waits.
local function drain(self, own, ends)
  local now = self.client.loop.now
  repeat
    local ok, err = ending.flush(own, true, math.max(0, ends - now()))
    while own.outbox.sending and now() < ends do -- another timer, which was told the deadline
      self.client.loop.sleep(SHORTEST)
    end
    if own.outbox.sending then
      ending.interrupted(own)
      batches.count(own)
      return errors.new("timeout", "a request was under way")
    elseif not ok then
      return err
    end
  until own.held == 0 or now() >= ends
  return errors.new("timeout", "the time was over")
end

--- Sends what there is, for at most the seconds that it was given, and gives everything back. It waits, or blocks where nothing else runs.
function ending.shut(self)
  local closing, own = self.closing, self.own
  if closing.taken then
    return
  end
  closing.taken = true
  if not own or own.pid ~= ngx.worker.pid() then
    return finish(self, true)
  end
  local fine, why = pcall(drain, self, own, self.client.loop.now() + closing.seconds)
  if not fine then
    why = errors.new("script", tostring(why))
    ending.interrupted(own, why)
    batches.count(own)
  end
  local kept, lost = ending.release(self, own, true)
  local counts = own.worker_stats:own()
  counts.held, counts.audiences, counts.closed = kept, 0, true
  if kept + lost == 0 then
    return finish(self, true, nil, counts)
  end
  local text = kept > 0 and ("%d members wait in the spool for the next collector of this account and audience"):format(kept) or ""
  text = text .. (kept > 0 and lost > 0 and ", and " or "") .. (lost > 0 and ("%d members are lost"):format(lost) or "")
  local err = errors.new(why.kind, ("the collector was closed: %s: %s"):format(text, why.message), { retained = kept, lost = lost })
  log.say(lost > 0 and ngx.ERR or ngx.WARN, tostring(err))
  finish(self, nil, err, counts)
end

return ending
