-- The processes of a season: the service, which stays, and the command, once a night.
local compile = require "spec.support.compile"
local entries = require "scope3.util.entries"
local quote = require "spec.support.quote"
local world = require "spec.support.world"

local process = {}

local LUA = os.getenv "SCOPE3_LUA_BIN" or "lua5.4"

local Service = {}
Service.__index = Service

--- Starts the service with these settings.
function process.service(settings)
  local program = ("package.path, package.cpath = %q, %q require('spec.mirror.seasons.service').serve(%q)"):format(
    package.path, package.cpath, world.json.encode(settings))
  local pipe = assert(io.popen(("trap '' INT; exec %s -e %s </dev/null 2>&1"):format(LUA, quote(program)), "r"))
  local line = pipe:read "*l"
  assert(tonumber(line), line)
  return setmetatable({ pipe = pipe, url = "http://127.0.0.1:" .. line }, Service)
end

--- Ends it. An error within it is one of the season.
function Service:close()
  local pipe = self.pipe
  self.pipe = nil
  pipe:close()
end

local function call(self, method, path, value, headers)
  local result = world.http(method, self.url .. path, value and world.json.encode(value), { headers = headers })
  assert(result.status and result.status < 300, result.body or result.message)
  return world.json.decode(result.body)
end

function Service:configure(settings)
  call(self, "PUT", "/sandbox/config", settings)
end

function Service:advance(seconds)
  call(self, "PUT", "/sandbox/clock", { advance = seconds })
end

--- What it was asked for after its request `since`, and who is in which audience, by place.
function Service:look(since)
  return call(self, "GET", "/sandbox/season?since=" .. since)
end

--- Keeps what it has, where nothing is under way; and has it again.
function Service:save()
  assert(call(self, "POST", "/sandbox/save", {}).open == 0, "a task is under way")
end

function Service:restore()
  call(self, "POST", "/sandbox/restore", {})
end

--- Another client adds people to an audience, which this season's job never wanted.
function Service:add(people, audience)
  local members = world.json.array {}
  for id, hash in entries(people) do
    members[#members + 1] = { externalId = id, hashedEmail = hash }
  end
  call(self, "POST", "/api/v2/buyer/advertisers/25/audiences/sync",
    { audiences = world.json.array { { audienceId = audience, name = audience, add = members } } },
    { "Authorization: Bearer scope3_other", "Content-Type: application/json" })
end

--- What the nights of a season have in common: the options of the command besides those of the night.
process.ARGS = { "--account", "25", "--json", "--quiet", "--rate", "100000", "--patience", "20" }

--- Those of one audience, whose command is `sync`; a script has them where there are several.
process.MAP = { "--map", "external_id=id", "--map", "email=mail", "--where", "consent=yes", "--audience", "crm" }

--- The words of a command that sends files: with a script, where there is one.
---@param script? string  its path
---@param lists string[][]  paths and options
---@return string[]
function process.words(script, lists)
  local words = { script and "run" or "sync", script }
  for _, list in ipairs { script and {} or process.MAP, process.ARGS } do
    lists[#lists + 1] = list
  end
  for _, list in ipairs(lists) do
    for _, word in ipairs(list) do
      words[#words + 1] = word
    end
  end
  return words
end

--- The service of a season: it stands still in time, and is done at once.
process.SETTINGS = { task_seconds = 0, audience_seconds = 0, retry_after = false, min_size = 0, clock = "manual" }

process.SPEED = 20 -- times as fast as the clock on the wall

local library

-- A word for each of the surroundings of a night.
local function surroundings(night)
  local words = { "LD_PRELOAD=" .. quote((os.getenv "LD_PRELOAD" or "") .. " " .. library),
    "SCOPE3_API_KEY=scope3_season", "SCOPE3_ACCOUNT_ID=", "SCOPE3_BASE_URL=" }
  for name, value in entries { AHEAD = night.ahead, SPEED = night.speed, AT = night.at, SIGNAL = night.signal,
    HALF = night.half, POINTS = night.points, LOG = night.log } do
    words[#words + 1] = ("SEASON_%s=%s"):format(name, quote(value))
  end
  return table.concat(words, " ")
end

---@class scope3.SeasonRun
---@field code integer
---@field output string
---@field complaint string
---@field points integer  that the night had; those before its end where a signal came
---@field call string  at which a signal came; "-" where none came

--- Runs the command for a night.
---@param folder string  for what it prints
---@param args string[]
---@param night table  ahead, speed; at, signal, half; log
---@return scope3.SeasonRun
function process.run(folder, args, night)
  library = library or compile.night()
  night.points = folder .. "/points"
  local words = {}
  for i, word in ipairs(args) do
    words[i] = quote(word)
  end
  os.remove(night.points)
  os.execute(("(env %s %s bin/scope3.in %s </dev/null >%s/out 2>%s/err; echo $? >%s/code) 2>/dev/null"):format(
    surroundings(night), LUA, table.concat(words, " "), quote(folder), quote(folder), quote(folder)))
  local points = world.exists(night.points) and world.read(night.points) or "0 -"
  local n, at = points:match "^(%d+) (%S+)"
  return { code = tonumber(world.read(folder .. "/code")), output = world.read(folder .. "/out"),
    complaint = world.read(folder .. "/err"), points = tonumber(n), call = at }
end

return process
