-- A season: a new mirror and a new service, some dozens of nights in which everything goes wrong, and some quiet
-- nights. After each night what the state says is compared with what the service has.
local dice_of = require "spec.simulation.dice"
local export_of = require "spec.mirror.nights.export"
local model = require "spec.mirror.nights.model"
local night = require "spec.mirror.nights.night"
local service_of = require "spec.mirror.nights.service"

local season = {}

local HOUR = 3600
local QUIET_NIGHTS = 8

local World = {}
World.__index = World

-- How often something goes wrong in seasons that have it; at most, and in the worst ones.
local FAULTS = {
  { "crash", 0.03, 0.1 }, { "lost_request", 0.3, 0.6 }, { "lost_reply", 0.3, 0.6 }, { "ghost", 0.3, 0.7 },
  { "slow", 0.6, 1 }, { "endless", 0.2, 0.5 }, { "lost_task", 0.2, 0.5 }, { "failure", 0.4, 0.7 },
  { "refusal", 0.2, 0.5 }, { "too_large", 0.3, 0.6 }, { "refuses_content", 0.7, 1 }, { "lost_poll", 0.5, 0.8 },
  { "hidden_task", 0.3, 0.8 }, { "stopped", 0.1, 0.5 }, { "putting_back", 1, 1 },
}

local function faults_of(dice)
  local faults = { fold = dice:unit() }
  for _, fault in ipairs(FAULTS) do
    local kind = dice:unit()
    faults[fault[1]] = kind < 0.4 and 0 or dice:unit() * (kind < 0.85 and fault[2] or fault[3])
  end
  return faults
end

local function quiet()
  local faults = { fold = 0.7 }
  for _, fault in ipairs(FAULTS) do
    faults[fault[1]] = 0
  end
  return faults
end

function World:count(name, more)
  self.totals[name] = (self.totals[name] or 0) + (more or 1)
end

function World:say(...)
  if self.trace then
    print(("%7.2f h  %s"):format(self.service.now / HOUR, string.format(...)))
  end
end

function World:now()
  return self.service.now + self.clock_error
end

--- The clock of a process. Where it may be wrong, the service has hours less for what it carries out late: the settling
--- time has to cover both.
function World:set_clock()
  self.clock_error = (self.dice:unit() * 2 - 1) * self.most_error
end

-- A breach of order that has done no harm yet. Mutants must do harm, but for one whose harm is too rare to wait for.
function World:breach(...)
  if not self.rules.is_broken or self.rules.breaches_count then
    self:fail(...)
  end
end

function World:fail(...)
  self.problem = self.problem or string.format(...)
  self:say("WRONG: " .. string.format(...))
end

function World.shown(entries)
  local words = {}
  for i, entry in ipairs(entries) do
    words[i] = ("%s %d%s"):format(entry.op, entry.id, entry.audience and "@" .. entry.audience or "")
      .. (entry.member and " " .. entry.member or "") .. (entry.cells and " " .. entry.cells or "")
  end
  return table.concat(words, ", ")
end

local function later_text(later)
  for i, one in ipairs(later) do
    later[i] = one or "nothing"
  end
  return table.concat(later, ", ")
end

-- What is known must be what the service has, and whatever is under way must bring the same.
local function check_one(self, id, audience, known)
  local has, later = self.service:has(audience, id)
  local is_right = has == known
  for _, one in ipairs(later) do
    is_right = is_right and (one or nil) == known
  end
  if not is_right then
    self:fail("member %d of audience %d is %s by the state, the service has %s, and will have (%s)", id, audience,
      known or "absent", has or "nothing", later_text(later))
  end
end

--- The claim of every night.
function World:check()
  local records, open, twice = model.view(self.state, self.rules)
  if twice then
    self:breach("member %d of audience %d is open twice", twice.id, twice.audience)
  end
  for id = 1, #self.export.people do
    local record = records[id]
    for audience = 1, self.audiences do
      local status = record and record.status[audience]
      if status ~= "U" and not (open[id] and open[id][audience]) then
        check_one(self, id, audience, status == "K" and record.member or nil)
      end
    end
  end
end

-- The claim after quiet nights: nothing is open or unsure, the audiences are those of the export, and no id is kept
-- that is in neither. Where the service refuses the content of a row, it may have an older version, or nothing.
local function check_end(self, sent)
  local records, open = model.view(self.state, self.rules)
  local rows = {}
  for _, row in ipairs(self.export:rows()) do
    rows[row.id] = row
  end
  for id = 1, #self.export.people do
    local record, row = records[id], rows[id]
    for audience = 1, self.audiences do
      local wanted = row and row.wanted[audience] and row.member or nil
      local has = self.service:has(audience, id)
      if has ~= wanted and not (wanted and self.service:refuses(audience, wanted)) then
        self:fail("at last member %d of audience %d is %s, and should be %s", id, audience, has or "absent",
          wanted or "absent")
      end
    end
    if open[id] then
      self:breach("at last member %d is open", id)
    elseif record and not row then
      self:breach("at last the state keeps the id %d, which is nowhere", id)
    end
  end
  if sent > 0 then
    self:breach("at last a night without changes has something to do")
  end
end

local function run_night(self, number)
  self.nights = self.nights + 1
  self:say("night %d", number)
  local before = self.state.next
  local fine, why = pcall(night.run, self)
  if not fine and why ~= night.CRASH then
    error(why, 0)
  end
  self:check()
  return fine, self.state.next - before
end

local function change_faults(self)
  if self.dice:happens(0.1) then
    self.faults = faults_of(self.dice)
  end
end

--- Runs one. Gives its world: how many nights there were, and the problem of the last one, if it was wrong.
function season.run(seed, rules, trace)
  local dice = dice_of.new(seed)
  local audiences = dice:whole(1, 3)
  local most_error = dice:happens(0.25) and 11 * HOUR or 0
  local world = setmetatable({ dice = dice, rules = rules, trace = trace, audiences = audiences,
    most_error = most_error, clock_error = 0, nights = 0, process = 0, totals = {}, faults = faults_of(dice),
    service = service_of.new(dice, audiences, 71 * HOUR - 2 * most_error),
    export = export_of.new(dice, dice:whole(2, 14), audiences),
    state = { run = 0, request = 0, next = 1, chunks = {}, parts = { { records = {}, folded = {} },
      { records = {}, folded = {} } } } }, World)
  function rules.now() -- for a mutant
    return world:now()
  end
  local share, shortest = dice:time(0.05, 0.6), dice:time(HOUR, 24 * HOUR)
  for number = 1, dice:whole(10, 60) do
    change_faults(world)
    local fine = run_night(world, number)
    if world.problem then
      return world
    end
    world.service:advance(fine and dice:happens(0.8) and dice:time(shortest, 30 * HOUR) or dice:time(60, 100 * HOUR))
    world.export:change(share)
  end
  world.faults = quiet()
  local sent
  for number = 1, QUIET_NIGHTS do
    world.service:advance(30 * HOUR)
    local _
    _, sent = run_night(world, number)
    if world.problem then
      return world
    end
  end
  check_end(world, sent)
  return world
end

return season
