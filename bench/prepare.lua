-- What scope3 prepare costs beside a dry run of scope3 sync over the same rows, and what sync costs over its lines.
--   make bench-prepare PREPARE_ROWS=300000 PREPARE_RUNS=9
-- Pairs of runs one after the other; medians of their quotients, of processor time with start-up taken off.
local rows, runs, folder = tonumber(arg[1]) or 300000, tonumber(arg[2]) or 9, arg[3] or "build/bench"

local MAP = "--map external_id='Customer Id' --map email=Email --map phone='Phone 1' --map region=Country"
local SYNC = "bin/scope3 sync %s --audience crm --dry-run --quiet %s"

local function shell(command)
  local ok = os.execute(command)
  assert(ok == true or ok == 0, command)
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

-- Processor seconds of a command.
local function measure(command, output)
  local out = os.tmpname()
  shell(("%s/measure %s sh -c '%s' > %s"):format(folder, out, ("exec " .. command):gsub("'", "'\\''"), output))
  local user, system, _, status = read(out):match "(%S+) (%S+) (%S+) (%S+)"
  os.remove(out)
  assert(status == "0", command)
  return user + system
end

local data, one, lines = ("%s/%d.csv"):format(folder, rows), folder .. "/1.csv", folder .. "/prepared.jsonl"
shell(("test -e %s || { %s bench/make_data.lua %d > %s.new && mv %s.new %s; }"):format(data, arg[-1], rows, data, data,
  data))
shell(("head -n 2 %s > %s"):format(data, one))

local WAYS = {
  { "dry run", SYNC, data, MAP, "/dev/null" },
  { "prepare to /dev/null", "bin/scope3 prepare %s --quiet %s", data, MAP, "/dev/null" },
  { "prepare to a file", "bin/scope3 prepare %s --quiet %s", data, MAP, lines },
  { "dry run of the lines", SYNC, lines, "", "/dev/null" },
}
shell(WAYS[3][2]:format(one, MAP) .. " > " .. folder .. "/prepared-one.jsonl")

local function seconds(way)
  local first = way[3] == lines and folder .. "/prepared-one.jsonl" or one
  local output = way[5] == lines and folder .. "/prepared-one.again" or way[5]
  return measure(way[2]:format(way[3], way[4]), way[5]) - measure(way[2]:format(first, way[4]), output)
end

local quotients, costs = {}, {}
for run = 0, runs do -- the first one warms up
  for i, way in ipairs(WAYS) do
    costs[i] = seconds(way)
    quotients[i] = quotients[i] or {}
    quotients[i][run] = costs[i] / costs[1]
  end
end
for i, way in ipairs(WAYS) do
  table.sort(quotients[i])
  print(("%-22s %5.2fx  %4.0f ns a row, the last time"):format(way[1], quotients[i][(runs + 1) / 2],
    costs[i] / rows * 1e9))
end
