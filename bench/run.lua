-- Runs ours and every peer that is installed over the same made-up file, in turn and several times, and prints
-- CPU seconds with start-up taken off, ratios to ours, and peak memory; then what a person waits for a small file,
-- start-up included. FOLDER/figures.tsv keeps both.
--   make bench BENCH_ROWS=1000000 BENCH_RUNS=3
package.path = "./?.lua;" .. package.path
local figures = require "bench.rows.figures"
local machine = require "bench.rows.machine"

local rows, runs, folder = tonumber(arg[1]) or 1000000, tonumber(arg[2]) or 3, arg[3] or "build/bench"
local SMALL = 10000
local small_runs = 2 * runs + 1 -- an odd number, for its medians; they cost little

local function shell(command)
  local ok = os.execute(command)
  return ok == true or ok == 0
end

local function read(path)
  local file = io.open(path)
  local text = file and file:read("*a") or ""
  if file then
    file:close()
  end
  return text
end

local function said_by(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read "*l"
  pipe:close()
  return line
end

local function head(from, lines, to)
  assert(shell(("head -n %d %s > %s.new && mv %s.new %s"):format(lines, from, to, to, to)))
end

local function make_data(n)
  local path = ("%s/%d.csv"):format(folder, n)
  if not io.open(path) then
    print(("making %s …"):format(path))
    assert(shell(("%s bench/make_data.lua %d > %s.new && mv %s.new %s"):format(arg[-1], n, path, path, path)))
  end
  return path
end

local data, small, one = make_data(rows), make_data(SMALL), folder .. "/1.csv"
head(data, 2, one)

local root = said_by "pwd"
local function absolute(path)
  return root .. "/" .. path
end

local own = 0 -- CPU seconds of all that was measured

-- CPU seconds, peak megabytes and seconds by the clock of a command.
local function measure(command, file)
  local out = os.tmpname()
  -- The shell between is replaced by the program, so that nothing but the program is measured.
  local line = ("exec " .. command:format(absolute(file))):gsub("^exec cd (%S+) && ",
    "cd %1 && exec "):gsub("'", "'\\''")
  assert(shell(("%s/measure %s sh -c '%s' >/dev/null"):format(absolute(folder), out, line)))
  local user, system, kb, status, wall = read(out):match("(%S+) (%S+) (%S+) (%S+) (%S+)")
  os.remove(out)
  assert(status == "0", command .. " failed")
  own = own + user + system
  return user + system, kb / 1024, tonumber(wall)
end

-- Of several runs the one that took least: what else a machine does only ever adds.
local function least(list)
  local best = list[1]
  for _, value in ipairs(list) do
    best = math.min(best, value)
  end
  return best
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) / 2]
end

local function whole(x)
  return math.floor(x + 0.5)
end

local present = {}
for _, peer in ipairs(require "bench.rows.peers"(root, folder)) do
  if not peer.needs or shell(peer.needs .. " >/dev/null 2>&1") then
    present[#present + 1] = peer
    peer.file, peer.rows = data, rows
    if peer.share then
      peer.rows = math.floor(rows * peer.share)
      peer.file = ("%s/%d.csv"):format(folder, peer.rows)
      head(data, peer.rows + 1, peer.file)
    end
    peer.spent, peer.start, peer.peak, peer.wall, peer.cpu, peer.times = {}, {}, 0, {}, {}, {}
  else
    print(("%s: not installed, left out (%s)"):format(peer.name, peer.missing or "make bench-deps"))
  end
end

local before = machine.now()
for run = 1, runs do
  for _, peer in ipairs(present) do
    local spent, peak = measure(peer.command, peer.file)
    peer.spent[run], peer.peak = spent, math.max(peer.peak, peak)
    peer.start[run] = (measure(peer.command, one))
  end
end
for run = 1, small_runs do
  for _, peer in ipairs(present) do
    local spent, _, wall = measure(peer.command, small)
    peer.cpu[run], peer.wall[run] = spent, wall
    peer.times[run] = wall / present[1].wall[run] -- of the same turn
  end
end
local cores = tonumber(said_by "getconf _NPROCESSORS_ONLN") or 1

local list = {
  rows = ("%d rows, best of %d runs; CPU without start-up"):format(rows, runs),
  small = ("%d rows, medians of %d runs; start-up included"):format(SMALL, small_runs),
  machine = ("%s, %s"):format(os.date "!%Y-%m-%d", machine.since(before, own, cores)),
}
for i, peer in ipairs(present) do
  list[i] = {
    name = peer.name, phones = peer.phones, peak = whole(peer.peak),
    ns = math.max(1, whole((least(peer.spent) - least(peer.start)) / peer.rows * 1e9)),
    times = whole(100 * median(peer.times)),
  }
  -- Sorted only now: turns were paired until here.
  list[i].wall, list[i].cpu = whole(1e6 * median(peer.wall)), whole(1e6 * median(peer.cpu))
end
local file = assert(io.open(folder .. "/figures.tsv", "w"))
assert(file:write(figures.write(list)))
file:close()
print("\n" .. figures.tables(list) .. "\n" .. list.machine)
