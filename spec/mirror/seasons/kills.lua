-- One night of a mirror, killed at each of its writes and sends: a fold of 260 requests, and 20 requests of its own.
-- After that comes another night, and one when nothing can be under way any more. One audience, or two: then half as
-- many people are in both, and some change from one to the other.
local audiences = require "spec.mirror.seasons.audiences"
local entries = require "scope3.util.entries"
local process = require "spec.mirror.seasons.process"
local world = require "spec.support.world"

local Kills = {}
Kills.__index = Kills

local kills = {}

--- What Kills:at() gives where all is well.
kills.GOOD = { none = true, exact = true, ["exact unseen"] = true, later = true }

local PEOPLE = 260 -- more chunks than a state leaves unfolded
local SETTLED = 73 * 3600

local function shell(command)
  local code = os.execute(command)
  assert(code == 0 or code == true, command)
end

local function email(n, version)
  return ("p%d.v%d@example.org"):format(n, version)
end

-- The people of the first night, or those of the next: 4 are gone, 4 new, and 12 changed.
local function people_of_one(is_next)
  local rows = {}
  for n = is_next and 5 or 1, PEOPLE + (is_next and 4 or 0) do
    rows[#rows + 1] = { id = "c" .. n, mail = email(n, is_next and n <= 16 and 2 or 1), city = "here", tier = "gold" }
  end
  return rows
end

-- The same of two audiences: 2 are gone, 2 new, and 4 changed, each in both; 2 leave one for the other.
local function people_of_two(is_next)
  local rows = {}
  for n = is_next and 3 or 1, PEOPLE / 2 + (is_next and 3 or 1) do
    local row = { id = "c" .. n, mail = email(n, is_next and n <= 6 and 2 or 1), city = "here", tier = "gold" }
    if n == 7 or n == 8 then
      row.tier = is_next and "gold" or "tin"
      row.city = is_next and "there" or "here"
    end
    rows[#rows + 1] = row
  end
  return rows
end

local function write(path, rows)
  local lines = { "id,mail,consent,city,tier" }
  for i, row in ipairs(rows) do
    lines[i + 1] = ("%s,%s,yes,%s,%s"):format(row.id, row.mail, row.city, row.tier)
  end
  world.write(path, table.concat(lines, "\n") .. "\n")
end

-- Who is to be in which audience, by place.
local function wanted_of(list, rows)
  local wanted = {}
  for _, row in ipairs(rows) do
    for _, audience in ipairs(list) do
      if audience.takes(row) then
        wanted[audiences.place(audience.id, row.id)] = require("scope3").email.hash(row.mail)
      end
    end
  end
  return wanted
end

-- One run of the command: what came of it, and of its night.
local function run(self, file, how)
  local args = process.words(self.script, { { self.folder .. "/" .. file, "--state", self.state, "--base-url",
    self.service.url, "--mirror", "--max-members", "1", "--wait=6000", "--timeout", "2000", "--concurrency",
    how.concurrency or "1" } })
  local ran = process.run(self.folder, args,
    { ahead = self.ahead, speed = process.SPEED, at = how.at, half = how.half, signal = how.at and 9 })
  local result = world.json.decode(ran.output)
  ran.mirror = result and result.mirror
  return ran
end

-- Whether each audience is what the second export wants.
local function is_exact(self)
  local seen = self.service:look(self.last)
  self.sent = #seen.came
  for id, hash in entries(self.wanted) do
    if seen.members[id] ~= hash then
      return false
    end
  end
  for id in entries(seen.members) do
    if not self.wanted[id] then
      return false
    end
  end
  return true
end

--- Sends everybody, a request each, and keeps state and service as they are then.
---@param several? boolean  two audiences
function kills.new(several)
  local self = setmetatable({ folder = world.path ".kills", ahead = 0, wanted = {} }, Kills)
  local people, list = several and people_of_two or people_of_one, audiences.ONE
  shell("mkdir -p " .. self.folder)
  self.state = self.folder .. "/crm.state"
  if several then
    list, self.script = { audiences.SEVERAL[1], audiences.SEVERAL[2] }, self.folder .. "/script.lua"
    audiences.write(list, self.script)
  end
  self.wanted = wanted_of(list, people(true))
  write(self.folder .. "/first.csv", people(false))
  write(self.folder .. "/next.csv", people(true))
  self.service = process.service(process.SETTINGS)
  local ran = run(self, "first.csv", { concurrency = "8" })
  assert(ran.code == 0, ran.complaint)
  self.last = self.service:look(0).last
  assert(self.last == PEOPLE, self.last)
  self.service:save()
  shell(("cp %s %s/base"):format(self.state, self.folder))
  return self
end

function Kills:close()
  self.service:close()
  shell("rm -rf " .. self.folder)
end

--- State and service are again as they were before the night.
function Kills:again()
  shell(("rm -f %s* && cp %s/base %s"):format(self.state, self.folder, self.state))
  self.service:restore()
  self.ahead = 0
end

--- How many points the night has where nothing ends it.
---@return integer
function Kills:points()
  self:again()
  local ran = run(self, "next.csv", {})
  assert(ran.code == 0 and is_exact(self) and self.sent == 20, ran.complaint .. tostring(self.sent))
  return ran.points
end

local function is_clean(ran)
  return ran.code == 0 and ran.mirror and ran.mirror.deferred + ran.mirror.under_way == 0
end

--- Kills the night at a point, and lets others follow.
---@param point integer
---@param half? boolean  in the middle of the write
---@return string what  "none" (that point is none of the night), "exact" (the next night ends exact, and says so),
---  "exact unseen" (it is exact, and waits for what it does not know), "later" (it waits), or what is wrong
---@return string call  at which it was killed
function Kills:at(point, half)
  self:again()
  local killed = run(self, "next.csv", { at = point, half = half and 1 or nil })
  if killed.code ~= 137 then
    return "none", killed.call
  end
  self.ahead = self.ahead + 3600
  self.service:advance(3600)
  local ran = run(self, "next.csv", {})
  local exact, clean = is_exact(self), is_clean(ran)
  if ran.code ~= 0 then
    return "the next night ended with " .. ran.code .. ": " .. ran.complaint, killed.call
  elseif clean and not exact then
    return "the next night is wrong", killed.call
  end
  local what = clean and "exact" or exact and "exact unseen" or "later"
  self.ahead = self.ahead + SETTLED
  self.service:advance(SETTLED)
  ran = run(self, "next.csv", {})
  if not is_clean(ran) or not is_exact(self) then
    return "the night after the settling time is not exact: " .. ran.complaint, killed.call
  end
  local before = self.sent
  ran = run(self, "next.csv", {})
  if not is_clean(ran) or not is_exact(self) or self.sent ~= before then
    return "a quiet night sends something", killed.call
  end
  return what, killed.call
end

return kills
