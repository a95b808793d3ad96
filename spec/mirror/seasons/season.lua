-- A season: nights of the command with one state, against a service that misbehaves, by one seed.
local audiences = require "spec.mirror.seasons.audiences"
local checks = require "spec.mirror.seasons.checks"
local core = require "scope3.core"
local dice_of = require "spec.mirror.seasons.dice"
local entries = require "scope3.util.entries"
local export_of = require "spec.mirror.seasons.export"
local plan = require "spec.mirror.seasons.plan"
local process = require "spec.mirror.seasons.process"
local world = require "spec.support.world"

local Season = {}
Season.__index = Season

local season = {}

local USUAL = { faults = {}, task_outcomes = {}, task_lengths = {}, max_body = 64 * 1024 * 1024, refuse = false }

local function shell(command)
  local code = os.execute(command)
  assert(code == 0 or code == true, command)
end

--- Begins one.
---@param seed integer
---@param opts? {people: integer?, folder: string?, say: fun(line: string)?, watch: string?, several: boolean?}
---  `several`: whether there are several audiences, else by chance
function season.new(seed, opts)
  opts = opts or {}
  local dice = dice_of.new(seed)
  local self = setmetatable({ seed = seed, dice = dice, folder = opts.folder or world.path ".season", number = 0,
    ahead = 0, last = 0, points = 300, say = opts.say or function() end, watched = opts.watch, tally = {},
    known = { ever = {}, strangers = {}, refused = {}, settled = {} } }, Season)
  shell("mkdir -p " .. self.folder)
  self.state = self.folder .. "/crm.state"
  self:choose_audiences(opts.several)
  self.export = export_of.new(dice, opts.people or 40, self.audiences)
  self.ids = {}
  for i, person in ipairs(self.export.people) do
    self.ids[i] = person.id
  end
  self.service = process.service(process.SETTINGS)
  self.service:configure { seed = seed % 1000000 }
  if dice:happens(0.8) then
    self:add_strangers()
  end
  return self
end

-- One audience; or two, to which a third may come later; or three.
function Season:choose_audiences(several)
  local by_chance = self.dice:happens(0.5)
  if several == nil then
    several = by_chance
  end
  self.audiences, self.to_come = audiences.ONE, nil
  if several then
    local all = audiences.SEVERAL
    self.audiences, self.to_come, self.script = { all[1], all[2] }, all[3], self.folder .. "/script.lua"
    if self.dice:happens(0.5) then
      self:grow()
    end
    audiences.write(self.audiences, self.script)
  end
end

-- The audience that is still to come is one of the script's from now on.
function Season:grow()
  self.audiences[#self.audiences + 1], self.to_come = self.to_come, nil
  audiences.write(self.audiences, self.script)
end

-- Another client adds people; some have the ids of people of the export.
function Season:add_strangers()
  local strangers = { stranger1 = ("a1"):rep(32), stranger2 = ("b2"):rep(32), stranger3 = ("c3"):rep(32) }
  strangers[self.dice:pick(self.ids)] = ("d4"):rep(32)
  local audience = self.dice:pick(self.audiences).id
  self.service:add(strangers, audience)
  for id, hash in entries(strangers) do
    self.known.strangers[audiences.place(audience, id)] = hash
  end
  self.last = self.service:look(0).last
end

function Season:close()
  self.service:close()
  shell("rm -rf " .. self.folder)
end

function Season:count(what)
  self.tally[what] = (self.tally[what] or 0) + 1
end

--- Time goes by.
function Season:advance(seconds)
  self.ahead = self.ahead + seconds
  self.service:advance(seconds)
end

-- What the model knows before the command runs.
local function note(self, night, tonight)
  local known = self.known
  for id, hash in entries(tonight.wanted) do
    known.ever[id] = known.ever[id] or {}
    known.ever[id][hash or "-"] = true
  end
  for id, hash in entries(known.settled) do
    if tonight.wanted[id] ~= hash then
      known.settled[id] = nil
    end
  end
  for _, id in ipairs(night.settings.refuse or {}) do
    known.refused[id] = known.refused[id] or {}
    known.refused[id][tonight.cells[id] or ""] = true
    known.settled[id] = nil
  end
end

local function args_of(self, night, tonight)
  local own = { "--state", self.state, "--max-members", night.max_members, "--concurrency", night.concurrency,
    "--timeout", night.timeout, "--base-url", self.service.url }
  local args = process.words(self.script, { tonight.paths, night.args, own })
  if night.mode == "mirror" then
    args[#args + 1] = "--mirror"
  end
  if night.wait then
    args[#args + 1] = "--wait=" .. night.wait
  end
  return args
end

-- Whether all that the night sent was carried out.
local function all_done(seen)
  for _, request in ipairs(seen.came) do
    if request.going or request.outcome ~= "completed" then
      return false
    end
  end
  return true
end

-- Whether the service refused members, and nothing else went wrong.
local function only_refuses(night, run)
  return night.name == "calm" and night.settings.refuse and run.code == 1
    and run.complaint:find "^scope3: %d+ members? rejected by the service;[^\n]*\n$" ~= nil
end

local function is_clean(night, run, mirror, seen)
  return (run.code == 0 or only_refuses(night, run)) and mirror and mirror.deferred + mirror.under_way == 0
    and night.mode == "mirror" and (night.wait or all_done(seen))
end

-- The places of which the night may have sent a copy that nobody saw arrive.
local function doubtful(night, seen)
  local places = {}
  for _, request in ipairs(night.settings.faults and seen.came or {}) do
    for id in entries(request.wishes) do
      places[id] = true
    end
  end
  return places
end

-- The audience is the export's from now on. What is under way are copies of what the night has sent.
local function settle(self, night, seen, tonight)
  local own = 0
  for _, request in ipairs(seen.came) do
    own = own + (request.going and 1 or 0)
  end
  if seen.open > own then
    return ("%d requests are under way after a night that says nothing of them"):format(seen.open - own)
  end
  local doubts = doubtful(night, seen)
  self.known.settled = {}
  for id, hash in entries(tonight.wanted) do
    self.known.settled[id] = hash and not doubts[id] and hash or nil
  end
  return checks.of_the_audience(self.known, seen, tonight)
end

local function judge(self, night, run, seen, tonight)
  local known = self.known
  local problem = checks.of_the_command(run) or checks.of_people(known, seen) or checks.of_requests(known, seen)
    or checks.of_repeats(known, seen, night)
  local result = run.code and run.code < 128 and world.json.decode(run.output) or {}
  local mirror = result.mirror
  problem = problem or mirror and checks.of_counts(mirror, tonight)
  local clean = is_clean(night, run, mirror, seen)
  self:count(clean and "clean" or run.call ~= "-" and "ended by a signal" or run.code == 0 and "not settled"
    or "failed")
  if night.refreshes then
    known.settled = {}
  end
  if not problem and clean then
    problem = settle(self, night, seen, tonight)
  end
  return problem, clean
end

-- A line of what happened, for those who look for a fault.
local function story(self, night, run, seen)
  local faults = {}
  for _, fault in ipairs(night.settings.faults or {}) do
    faults[#faults + 1] = ("%s %s%s +%d ×%d"):format(fault.on, fault.act, fault.status and " " .. fault.status or "",
      fault.after, fault.times)
  end
  local mirror = world.json.decode(run.output)
  mirror = mirror and mirror.mirror or {}
  local form = "%3d %s %s code %s, %d requests, %d open, points %d %s%s; +%s ~%s =%s -%s deferred %s under way %s; "
    .. "%s; %s; %s"
  return form:format(self.number, night.name, night.mode, tostring(run.code), #seen.came, seen.open, run.points,
    run.call, night.ends and (" signal %d%s"):format(night.ends.signal, night.ends.half and " half" or "") or "",
    tostring(mirror.added), tostring(mirror.changed), tostring(mirror.unchanged), tostring(mirror.removed),
    tostring(mirror.deferred), tostring(mirror.under_way), table.concat(faults, ", "),
    table.concat(night.settings.task_outcomes or {}, " "), (run.complaint:gsub("\n", " "):sub(1, 200)))
end

-- What became of one person, for those who look for a fault.
local function watch(self, id, seen, tonight)
  local wanted = tonight.wanted[id]
  local line = ("    wanted %s (%s), there %s"):format(wanted and wanted:sub(1, 6) or tostring(wanted),
    tostring(tonight.cells[id]), tostring(seen.members[id]):sub(1, 6))
  for _, request in ipairs(seen.came) do
    if request.wishes[id] then
      line = ("%s; request %d %s %s"):format(line, request.n, request.wishes[id]:sub(1, 10), request.outcome)
    end
  end
  self.say(line)
end

-- A sum of the state's file; nil where it has none.
function Season:sum()
  return world.exists(self.state) and core.sha256(world.read(self.state)) or nil
end

-- A dry run sends nothing, and leaves the state as it was.
local function dry_problem(self, before, run, seen)
  self:count "dry"
  return checks.of_the_command(run) or #seen.came > 0 and "a dry run has sent something"
    or self:sum() ~= before and "a dry run has changed the state" or nil
end

--- One night.
---@param night table  of spec.mirror.seasons.plan
---@param tonight? table  an export that was written; a new one unless given
---@return string? problem
---@return boolean clean  the audience is the export's
---@return table seen
---@return table tonight
function Season:night(night, tonight)
  self.number = self.number + 1
  tonight = tonight or self.export:write(self.folder)
  note(self, night, tonight)
  for name, value in entries(USUAL) do
    self.service:configure { [name] = night.settings[name] or value }
  end
  local ends, before = night.ends or {}, night.name == "dry" and self:sum()
  local run = process.run(self.folder, args_of(self, night, tonight),
    { ahead = self.ahead + night.late, speed = process.SPEED, at = ends.at, signal = ends.signal, half = ends.half })
  local seen = self.service:look(self.last)
  self.last = seen.last
  self.points = run.call == "-" and run.points > 30 and run.points or self.points
  local problem, clean
  if night.name == "dry" then
    problem, clean = dry_problem(self, before, run, seen), false
  else
    problem, clean = judge(self, night, run, seen, tonight)
  end
  self.say(story(self, night, run, seen))
  if self.watched then
    watch(self, self.watched, seen, tonight)
  end
  return problem and ("night %d of seed %d: %s"):format(self.number, self.seed, problem), clean, seen, tonight
end

-- A night without trouble, on which the service may refuse some of whom it is to add.
local function first_calm(self)
  local refuses = self.dice:happens(0.5)
  self.export:change(refuses and 0.5 or 0)
  local night, tonight = plan.calm(), self.export:write(self.folder)
  for _, place in ipairs(refuses and plan.refused(self.dice, self.ids, self.audiences, 12) or {}) do
    if tonight.wanted[place] then
      night.settings.refuse = night.settings.refuse or {}
      table.insert(night.settings.refuse, place)
    end
  end
  return night, tonight
end

--- Nights without trouble, once nothing can be under way: the first is clean, and another one sends nothing.
---@return string? problem
function Season:calm()
  self:advance((73 + plan.LATEST) * 3600)
  local night, tonight = first_calm(self)
  local problem, clean = self:night(night, tonight)
  if not problem and not clean then
    problem = ("night %d of seed %d: it is quiet, and still the night is not clean"):format(self.number, self.seed)
  end
  local again
  if not problem then
    problem, clean, again = self:night(plan.calm(), tonight)
  end
  if not problem and (not clean or #again.came > 0) then
    problem = ("night %d of seed %d: nothing has changed, and something was sent"):format(self.number, self.seed)
  end
  return problem
end

--- So many nights by chance, with calm ones between them and at the end.
---@param nights integer
---@return string? problem
function Season:run(nights)
  local dice = self.dice
  while self.number < nights do
    self:advance(plan.pause(dice))
    self.export:change(dice:pick { 0, 0.05, 0.1, 0.3 })
    if self.to_come and dice:happens(0.1) then
      self:grow()
    end
    local problem = self:night(plan.random(dice, self.ids, self.audiences, self.points))
    if not problem and dice:happens(0.06) then
      problem = self:calm()
    end
    if problem then
      return problem
    end
  end
  return self:calm()
end

return season
