-- run.lua SEED NIGHTS [SEASONS]: seasons of so many nights, from the seed on. Each night is a process of the command.
-- SAY=1 tells every night, WATCH=ID one person. Where something is wrong the seed and the night are printed, and the
-- files of that night are left. run.lua kills [STEP [FROM [TO]]]: one night, killed at each point, for one audience;
-- run.lua kills2 for two.
-- Needs the paths of `make env`; `make seasons` has them.
package.path = "./?.lua;" .. package.path
local entries = require "scope3.util.entries"
local kills_of = require "spec.mirror.seasons.kills"
local season_of = require "spec.mirror.seasons.season"
local world = require "spec.support.world"

local function told(tally)
  local list = {}
  for what, n in entries(tally) do
    list[#list + 1] = n .. " " .. what
  end
  table.sort(list)
  return table.concat(list, ", ")
end

-- Whether a season is right.
local function run_season(seed, nights)
  local season = season_of.new(seed, { say = os.getenv "SAY" and print or nil, watch = os.getenv "WATCH" })
  local problem = season:run(nights)
  print(("seed %d: %d nights, audiences: %d, %s%s"):format(seed, season.number, #season.audiences, told(season.tally),
    problem and "\n  " .. problem .. "\n  its files: " .. season.folder or ""))
  io.stdout:flush()
  if problem then
    season.service:close()
  else
    season:close()
  end
  return not problem
end

-- Whether a night is made good wherever it is killed.
local function run_kills(several, step, from, to)
  local kills, tally, right = kills_of.new(several), {}, true
  local points, done = kills:points(), 0
  for point = from, math.min(points, to), step do
    done = done + 1
    for _, half in ipairs { false, true } do
      local what, call = kills:at(point, half)
      what = what == "none" and what or ("%s after %s%s"):format(what, half and "a half of " or "", call)
      tally[what] = (tally[what] or 0) + 1
      if not kills_of.GOOD[what:gsub(" after .*", "")] then
        right = false
        print(("point %d: %s"):format(point, what))
      end
    end
  end
  print(("audiences: %d, killed at %d of %d points: %s"):format(several and 2 or 1, done, points, told(tally)))
  kills:close()
  return right
end

local right = true
if arg[1] == "kills" or arg[1] == "kills2" then
  right = run_kills(arg[1] == "kills2", tonumber(arg[2]) or 1, tonumber(arg[3]) or 1, tonumber(arg[4]) or math.huge)
else
  local first = tonumber(arg[1]) or 1
  for seed = first, first + (tonumber(arg[3]) or 1) - 1 do
    right = run_season(seed, tonumber(arg[2]) or 200) and right
  end
end
world.clean()
os.exit(right and 0 or 1)
