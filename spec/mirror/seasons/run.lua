-- lua5.4 spec/mirror/seasons/run.lua SEED NIGHTS [SEASONS]: seasons of so many nights, from the seed on. Each night is a
-- process of the command. Needs the paths of `make env`. SAY=1 tells every night, WATCH=ID one person. Where something is wrong the seed and
-- the night are printed, and the files of that night are left.
package.path = "./?.lua;" .. package.path
local season = require "spec.mirror.seasons.season"
local world = require "spec.support.world"

local first, nights, seasons = tonumber(arg[1]) or 1, tonumber(arg[2]) or 200, tonumber(arg[3]) or 1
local wrong = 0
for seed = first, first + seasons - 1 do
  local one = season.new(seed, { say = os.getenv "SAY" and print or nil, watch = os.getenv "WATCH" })
  local problem = one:run(nights)
  local told = {}
  for what, n in pairs(one.tally) do
    told[#told + 1] = n .. " " .. what
  end
  table.sort(told)
  print(("seed %d: %d nights, %s%s"):format(seed, one.number, table.concat(told, ", "),
    problem and "\n  " .. problem .. "\n  its files: " .. one.folder or ""))
  io.stdout:flush()
  if problem then
    wrong = wrong + 1
    one.service:close()
  else
    one:close()
  end
end
world.clean()
os.exit(wrong == 0 and 0 or 1)
