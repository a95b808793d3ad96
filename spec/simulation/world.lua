-- One simulated world: its time, its seeded numbers, what will happen in it, and the coroutines of its programs.
local current = require "spec.simulation.current"
local dice_of = require "spec.simulation.dice"
local disk = require "spec.simulation.disk"
local doubts = require "spec.simulation.doubts"
local engines = require "scope3.http.engines"
local events = require "spec.simulation.events"
local network = require "spec.simulation.network"
local once = require "spec.simulation.once"
local rates = require "spec.simulation.rates"
local service = require "spec.simulation.service"
local switches = require "spec.simulation.switches"

local world = {}

local World = {}
World.__index = World

-- Since a run of a job began: more mean that it never ends. A world has some dozens of runs, and a job that may be
-- cancelled takes four turns a second: so patient ones in a bad world take long, and end.
local MOST_TURNS = 200000
local MOST_LOOKS = 1000 * 1000 -- at the clock, of one program that does not wait
local DIE = {}

--- Makes one and makes it the current one.
function world.new(seed, plan)
  local self = setmetatable({
    seed = seed, now = 0, epoch = 1790000000, plan = plan, profile = plan.profile, faults = {}, troubles = 0,
    programs = {}, requests = 0, looks = 0, turns = 0, trace = plan.trace and {} or nil, failures = {},
    clean_texts = {},
  }, World)
  current.world = self
  local function numbers(which)
    return dice_of.new(seed * 16 + which)
  end
  self.client_dice, self.turn_dice = numbers(1), numbers(2)
  self.events = events.new(numbers(3))
  self.switches = switches.new(numbers(4), plan)
  self.disk = disk.new(self)
  self.network = network.new(self, numbers(5))
  self.service = service.new(self, numbers(6), plan.service)
  self.rates = rates.new(self)
  return self
end

-- --- what the checks hear of ---

--- Writes a line of the trace.
function World:log(form, ...)
  if self.trace then
    self.trace[#self.trace + 1] = ("%.6f "):format(self.now) .. form:format(...)
  end
end

--- Notes that a promise was broken.
function World:fail(message)
  self:log("BROKEN: %s", message)
  self.failures[#self.failures + 1] = message
end

function World:count_fault(name)
  self.faults[name] = (self.faults[name] or 0) + 1
end

--- Whether a fault may still happen: in some worlds they are few.
function World:trouble(name)
  if self.troubles >= self.profile.most_faults or self.now >= self.profile.calm_from then
    return false
  end
  self.troubles = self.troubles + 1
  self:count_fault(name)
  self:log("fault: %s", name)
  return true
end

--- A request has left the client.
function World:sent(transfer)
  self.requests = self.requests + 1
  self:log("sends %d: %s %s %s", transfer.id, transfer.method, transfer.target, transfer.text or "")
  self.rates:sent(transfer.process.client, transfer)
  once.sent(self, transfer)
end

--- A client reads the result of a request.
function World:answered(transfer)
  self.rates:answered(transfer.process.client, transfer)
  once.answered(transfer)
  doubts.answered(transfer)
end

function World:on_accepted(record)
  self:log("accepts %s", record.task.id)
  if self.listener then
    self.listener(record)
  end
end

-- --- programs: coroutines that use the library ---

local never_ends
-- Ends a program that works on and on: it raises until nothing of it catches that any more.
never_ends = function()
  debug.sethook(never_ends, "", 100)
  error("it works on and on without waiting for anything", 0)
end

--- The time, for the program that runs now. A hook that counts instructions would find each program that never waits,
--- but it costs a seventh of all time.
function World:look()
  self.looks = self.looks + 1
  if self.looks > MOST_LOOKS then
    never_ends()
  end
  return self.now
end

--- The program that runs now.
function World:process()
  return self.running
end

--- The program that runs now ends here, as by kill -9.
function World:die() -- luacheck: ignore self
  coroutine.yield(DIE)
end

--- A run of a job begins. There are few of them, so a world in which each ends does so too.
function World:run_begins()
  self.turns = 0
end

--- Starts a program. `main` is called in a coroutine.
function World:start(main)
  local program = { thread = coroutine.create(main), at = self.now }
  self.programs[#self.programs + 1] = program
  return program
end

-- What a program that was killed leaves behind.
local function bury(self, program)
  doubts.killed(program)
  self.disk:forget(program)
  local shared = engines.get(world.loop)
  for _, id in ipairs(self.network:forget(program)) do
    shared:cancel(id)
  end
end

local function remove(list, one)
  for i, item in ipairs(list) do
    if item == one then
      return table.remove(list, i)
    end
  end
end

local function resume(self, program)
  self.running, self.looks = program, 0
  local ok, wish, waiter = coroutine.resume(program.thread)
  self.running = nil
  if not ok then
    remove(self.programs, program)
    self:fail("raised: " .. tostring(wish) .. "\n" .. debug.traceback(program.thread))
  elseif wish == DIE then
    remove(self.programs, program)
    bury(self, program)
    self:log "killed"
    if program.on_death then
      program.on_death()
    end
  elseif coroutine.status(program.thread) == "dead" then
    remove(self.programs, program)
  else
    program.at, program.waiter = wish, waiter
  end
end

-- The programs that can go on now.
local function runnable(self)
  local has_news, list = self.network.ended[1] ~= nil, {}
  for _, program in ipairs(self.programs) do
    local waiter = program.waiter
    if program.at <= self.now or waiter and (waiter.woken or has_news) then
      list[#list + 1] = program
    end
  end
  return list
end

-- When something happens next.
local function next_time(self)
  local at = self.events:next_at()
  for _, program in ipairs(self.programs) do
    at = math.min(at, program.at)
  end
  return at
end

--- Lets what is due happen, up to a time.
function World:advance(to)
  while self.events:next_at() <= to do
    local event = self.events:take()
    self.now = math.max(self.now, event.at)
    event.act()
  end
  self.now = math.max(self.now, to)
end

--- Runs until every program has ended.
function World:run()
  while self.turns < MOST_TURNS do
    self.turns = self.turns + 1
    if #self.programs == 0 or self.failures[1] then
      return
    end
    local list = runnable(self)
    if list[1] then
      resume(self, #list == 1 and list[1] or self.turn_dice:one_of(list))
    else
      local at = next_time(self)
      self:advance(at)
    end
  end
  self:fail "it does not end"
end

-- --- the loop that the clients are given ---

--- The same for all simulations: the library keeps an engine for each.
world.loop = { name = "simulation" }

function world.loop.now()
  return current.world:look()
end

function world.loop.sleep(seconds)
  coroutine.yield(current.world.now + seconds)
end

local EARLY = 0.03 -- the share of waits that end at once: that does no harm

function world.loop.wait(_, seconds, waiter)
  local here = current.world
  coroutine.yield(here.now + (here.turn_dice:happens(EARLY) and 0 or seconds), waiter)
end

function world.loop.wake() end

function world.loop.rest()
  local here = current.world
  if here.turn_dice:happens(0.2) then
    coroutine.yield(here.now)
  end
end

return world
