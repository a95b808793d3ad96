-- Whether requests keep to the rates: those of each client, those of all that share a limiter, and polls. Whether a 429
-- holds back all that follow with the same key, and whether what was too large goes in smaller requests afterwards.
local rates = {}

local Rates = {}
Rates.__index = Rates

local MINUTE, ROUNDING = 60, 1e-6
local MARGIN = 0.05 -- seconds after a Retry-After, of the tenth that the library adds

function rates.new(world)
  return setmetatable({ world = world, logs = {}, denials = 0, refusals = 0, begun_after = {} }, Rates)
end

--- A request has begun; it may leave later, because of a limit.
function Rates:begun(body)
  self.begun_after[body] = self.refusals
end

-- Requests of what is to stay under a rate.
local function log_of(self, rate)
  local log = { rate = rate, all = {}, polls = {} }
  self.logs[#self.logs + 1] = log
  return log
end

--- A client is made. `shared`: the limiter's own log, which all of its clients have in common.
function Rates:client(rate, shared)
  local client = { log = log_of(self, rate), shared = shared, held = {}, begun = {}, due = {} }
  if shared then
    shared.log = shared.log or log_of(self, 0)
    shared.log.rate = math.max(shared.log.rate, rate)
    client.held = shared.held or {}
    shared.held = client.held
  end
  return client
end

local function note(log, at, is_poll)
  log.all[#log.all + 1] = at
  if is_poll then
    log.polls[#log.polls + 1] = at
  end
end

-- The library divides no request of fewer bytes. Of one that was too large no more than this part goes at once.
local DIVISIBLE, LARGEST_PART, ROUGHLY = 1024, 0.75, 50

-- Whether a request that is too large goes in parts. One that does not says nothing of those that follow.
local function is_divisible(text)
  local _, members = text:gsub("externalId", "")
  return members > 1 and #text > DIVISIBLE
end

-- A request that began before may be sent as it is.
local function check_size(self, client, transfer)
  local begun_after = self.begun_after[transfer.body] -- nil while it begins
  local is_first = not client.begun[transfer.body] and (not begun_after or begun_after >= (client.refusal or 0))
  local text = transfer.text
  local _, members = text:gsub("externalId", "")
  client.begun[transfer.body] = true
  local may_pass = math.max(DIVISIBLE, (client.too_large or math.huge) * LARGEST_PART) + ROUGHLY
  if is_first and members > 1 and #text > may_pass then
    self.world:fail(("a request of %d bytes, after one of %d was too large"):format(#text, client.too_large))
  end
end

-- The first request with another key goes by the limits of the key before: a client asks for it after the limiter.
local function check_hold(self, client, key)
  local held, now = client.held[key], self.world.now
  if held and now < held and client.last_key == key then
    self.world:fail(("a request %.3f s before a Retry-After is over"):format(held - now))
  end
  client.last_key = key
end

--- A request leaves.
function Rates:sent(client, transfer)
  local now, is_poll = self.world.now, transfer.target:find("/tasks/", 1, true) ~= nil
  note(client.log, now, is_poll)
  if client.shared then
    note(client.shared.log, now, is_poll)
  end
  if transfer.text then
    check_size(self, client, transfer)
    if now < (client.due[transfer.body] or 0) - ROUNDING then
      self.world:fail "a request is sent again before its own Retry-After is over"
    end
  end
  check_hold(self, client, transfer.headers.authorization)
end

--- A client has read a reply.
function Rates:answered(client, transfer)
  local result = transfer.result
  if result.status == 413 and transfer.text and is_divisible(transfer.text) then
    self.refusals = self.refusals + 1
    client.refusal = self.refusals
    client.too_large = math.min(client.too_large or math.huge, #transfer.text)
  end
  if result.status and result.status >= 500 and transfer.text and not result.code then
    client.due[transfer.body] = self.world.now + (tonumber(result.headers["retry-after"]) or 0)
  end
  self.denials = self.denials + (result.status == 429 and 1 or 0)
  local seconds = result.status == 429 and not result.code and tonumber(result.headers["retry-after"])
  if seconds then
    local key = transfer.headers.authorization
    client.held[key] = math.max(client.held[key] or 0, self.world.now + math.min(seconds, 3600) + MARGIN)
  end
end

-- The first moment at which more than `rate` are in a minute.
local function overrun(times, rate)
  for i = rate + 1, #times do
    local seconds = times[i] - times[i - rate]
    if seconds < MINUTE - ROUNDING then
      return ("%d requests in %.3f s at a rate of %d a minute"):format(rate + 1, seconds, rate)
    end
  end
end

-- Whether nothing but this one request after the other uses the announced limit.
local function is_alone(plan)
  local job = plan.jobs[1]
  return plan.profile.kind == "calm" and #plan.jobs == 1 and not plan.neighbour
    and job.opts.concurrency == 1 and not job.kills
end

--- Fails where a rate was not kept, or where a client that is alone ran into a limit that was announced.
function Rates:check()
  if self.denials > 0 and is_alone(self.world.plan) then
    self.world:fail(("%d answers of 429, although the limit was announced"):format(self.denials))
  end
  for _, log in ipairs(self.logs) do
    local problem = overrun(log.all, log.rate) or overrun(log.polls, math.max(1, math.floor(log.rate * 9 / 10)))
    if problem then
      return self.world:fail(problem)
    end
  end
end

return rates
