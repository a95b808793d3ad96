-- The network between client and service: what becomes of each transfer, decided by the seed.
local doubts = require "spec.simulation.doubts"
local engine = require "spec.simulation.engine"
local faults = require "spec.simulation.network_faults"

local network = {}

local Network = {}
Network.__index = Network

function network.new(world, dice)
  return setmetatable({ world = world, dice = dice, last = 0, count = 0, flying = {}, ended = {}, moved = false },
    Network)
end

-- The latency of one way, in seconds.
local function latency(self)
  local range = self.world.profile.latency
  return self.dice:time(range[1], range[2])
end

--- Ends a transfer: its result is there for the client, unless it has given up before.
function Network:finish(transfer, result)
  if transfer.done then
    return
  end
  transfer.done = true
  self.flying[transfer.id] = nil
  if transfer.cancelled then
    return
  end
  result.id, result.seconds = transfer.id, self.world.now - transfer.started
  result.headers, result.body = result.headers or {}, result.body or ""
  result.begun = result.begun ~= false
  result.body_sent = result.body_sent ~= false and result.begun
  result.uploaded = result.body_sent and #(transfer.text or "") or math.floor(#(transfer.text or "") / 2)
  result.connections, result.http_version = 1, "1.1"
  transfer.result, self.moved = result, true
  self.ended[#self.ended + 1] = transfer
  self.world:log("ends %d: %s %s", transfer.id, tostring(result.code), tostring(result.status))
end

-- What the engine reads until a transfer has ended must not change.
local function check_bytes(self, transfer)
  if transfer.body and not transfer.cancelled and not transfer.done and not engine.is_intact(transfer) then
    self.world:fail "the body of a request changed while it was under way"
  end
end

--- The request is at the service. `answer` gets what the service decides.
function Network:deliver(transfer, answer)
  check_bytes(self, transfer)
  transfer.arrived = self.world.now
  self.world.service:handle(transfer, answer)
end

--- A later time for something of a transfer.
function Network:after(seconds, act)
  self.world.events:at(self.world.now + seconds, act)
end

-- The headers of a reply as the engine gives them.
local function result_headers(reply)
  local headers = { ["content-length"] = tostring(#reply.body) }
  for _, pair in ipairs(reply.headers) do
    local name, before = pair[1]:lower(), headers[pair[1]:lower()]
    if type(before) == "table" then
      before[#before + 1] = tostring(pair[2])
    else
      headers[name] = before and { before, tostring(pair[2]) } or tostring(pair[2])
    end
  end
  return headers
end

--- A whole reply as a result.
function Network.result_of(reply)
  return { status = reply.status, headers = result_headers(reply), body = reply.body }
end

-- What the client sees of the service's decision, a latency later.
local function travel_back(self, transfer, decision)
  if decision.act == "hang" then
    return
  end
  self:after(latency(self), function()
    self:finish(transfer, faults.seen(self, decision))
  end)
end

--- Brings a request to the service and its answer back, with nothing wrong on the way.
function Network:round_trip(transfer)
  self:after(latency(self), function()
    self:deliver(transfer, function(decision)
      travel_back(self, transfer, decision)
    end)
  end)
end

function Network:send(transfer)
  local world = self.world
  self.last, self.count = self.last + 1, self.count + 1
  transfer.id = self.last
  self.flying[transfer.id] = transfer
  world:sent(transfer)
  self:after(transfer.timeout, function()
    check_bytes(self, transfer)
    self:finish(transfer, { code = "OPERATION_TIMEDOUT", message = "timed out", body_sent = transfer.unsent ~= true })
  end)
  local fault = faults.choose(self, transfer)
  if fault then
    fault(self, transfer)
  else
    self:round_trip(transfer)
  end
  return transfer.id
end

function Network:take()
  local transfer = table.remove(self.ended, 1)
  if not transfer then
    return nil
  end
  self.count = self.count - 1
  self.world:answered(transfer)
  if transfer.result.status then
    transfer.process.has_been_answered = true
  end
  return transfer.result
end

-- Takes a transfer out of a list.
local function remove_from(list, id)
  for i, transfer in ipairs(list) do
    if transfer.id == id then
      return table.remove(list, i)
    end
  end
end

--- The client gives a transfer up. What has left may still arrive.
function Network:cancel(id)
  local transfer = self.flying[id] or remove_from(self.ended, id)
  if not transfer or transfer.cancelled then
    return false
  end
  self.count = self.count - 1
  doubts.cancelled(transfer)
  transfer.cancelled, self.flying[id] = true, nil
  transfer.dropped = not transfer.arrived and self.dice:happens(0.5)
  return true
end

--- A process has ended: its connections are closed.
function Network:forget(process)
  local ids = {}
  for id, transfer in pairs(self.flying) do
    ids[#ids + 1] = transfer.process == process and id or nil
  end
  for _, transfer in ipairs(self.ended) do
    ids[#ids + 1] = transfer.process == process and transfer.id or nil
  end
  table.sort(ids)
  return ids
end

return network
