-- The sandbox's service, called directly. Remembers what it was in fact asked and what it did, for the checks.
local exchange = require "scope3.sandbox.exchange"
local http = require "scope3.sandbox.http"
local instance = require "scope3.sandbox.instance"
local refusals = require "spec.simulation.refusals"

local service = {}

local Service = {}
Service.__index = Service

-- The operations of a body, { audience, id, hash or nil }: those that its task carries out, and those that it refuses.
local function operations_of(body, refuses)
  local list, refused = {}, {}
  for _, audience in ipairs(body.audiences) do
    local into = audience.audienceId == refuses and refused or list
    for _, member in ipairs(audience.add or {}) do
      into[#into + 1] = { audience = audience.audienceId, id = member.externalId, hash = member.hashedEmail }
    end
    for _, member in ipairs(audience.remove or {}) do
      into[#into + 1] = { audience = audience.audienceId, id = member.externalId }
    end
  end
  return list, refused
end

function service.new(world, dice, settings)
  local self = setmetatable({ world = world, dice = dice, accepted = {} }, Service)
  self.instance = instance.new(settings, function()
    return world.epoch + world.now
  end, function()
    return dice:whole(0, 15)
  end)
  local state = self.instance.state
  local accept = state.accept
  state.accept = function(store, account, body, number)
    local task = accept(store, account, body, number)
    if #body.audiences > 1 and not body.deleteMissing and dice:happens(world.plan.refuses_audiences) then
      refusals.refuse_one(store, task, dice)
    end
    self:note(task, body)
    return task
  end
  local show = state.show_task
  state.show_task = function(store, task)
    return refusals.show(task, show(store, task))
  end
  return self
end

-- Remembers a task with what it is to do.
function Service:note(task, body)
  local transfer = self.handling
  local operations, refused = operations_of(body, task.refuses)
  local record = { task = task, transfer = transfer, operations = operations, refused = refused, at = self.world.now }
  self.accepted[task.id] = record
  transfer.tasks = transfer.tasks or {}
  table.insert(transfer.tasks, record)
  self.world:on_accepted(record)
end

-- Answers a request that is wholly there.
local function respond(self, transfer, call, answer)
  self.handling = transfer
  local decision = exchange.answer(call, #(transfer.text or "") > self.instance.config.max_body)
  self.handling = nil
  self.world:log("service: %s %s -> %s %s", transfer.method, transfer.target, decision.act,
    tostring(decision.reply and decision.reply.status))
  answer(decision)
end

--- Handles a request that has arrived. `answer` gets the decision, unless the service never answers.
function Service:handle(transfer, answer)
  if transfer.dropped then
    return
  end
  local path, query = http.read_target(transfer.target)
  local call = exchange.begin(self.instance, {
    method = transfer.method, target = transfer.target, path = path, query = query, headers = transfer.headers,
    length = transfer.text and #transfer.text,
  }, 1)
  local before = exchange.before_body(call)
  if call.rule then
    self.world:count_fault("service: " .. call.rule.act .. " " .. tostring(call.rule.status or ""))
  end
  if before and before.act ~= "delay" then
    before.unread = true
    return answer(before)
  end
  exchange.note_body(call, transfer.text)
  if not before then
    return respond(self, transfer, call, answer)
  end
  self.world.events:at(self.world.now + before.seconds, function()
    respond(self, transfer, call, answer)
  end)
end

--- Brings the service up to date with the clock.
function Service:settle()
  self.instance.state:settle()
end

--- The members of an audience: id -> hash.
function Service:members(audience)
  local found, members = self.instance.state:account("25").by_id[audience], {}
  for id, stored in pairs(found and found.members or {}) do
    members[id] = stored:match "^%S+"
  end
  return members
end

return service
