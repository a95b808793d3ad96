-- What a mirror costs beside sending the whole file each night: the command, from its start to its end, against a
-- service that does nothing. Processor time is the command's alone.
--   make bench-state STATE_ROWS=1000000 STATE_RUNS=5
-- Rows are those of bench/make_data.lua with ids of 16 bytes, shuffled. On the next day 1 % have another email, 0.5 %
-- are gone, and 0.3 % are new. Every way runs in turn with sending the whole file: medians of the quotients.
local rows, rounds, folder = tonumber(arg[1]) or 1000000, tonumber(arg[2]) or 5, arg[3] or "build/bench"

local core = require "scope3.core"
local json = require "cjson"
local stand_in = require "bench.stand_in"
local world = require "spec.support.world"

local LUA = arg[-1]
local MB = 1e6
local REMOVAL = #'{"externalId":"A000000000000001"},'

local function say(...)
  io.write(string.format(...), "\n")
  io.flush()
end

local function sh(...)
  local command = string.format(...)
  local ok = os.execute(command)
  assert(ok == true or ok == 0, command)
end

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

-- --- the exports ---

local function path_of(day)
  return ("%s/state-%d-%s"):format(folder, rows, day)
end

-- A file of that name whose rows are those written to it, in the order of `sort` or another one.
local function shuffled(day, sort)
  local path = path_of(day)
  return assert(io.popen(("(read -r head; printf '%%s\\n' \"$head\"; %s) >%s"):format(
    sort or ("shuf --random-source=" .. path_of "sorted.csv"), path), "w"))
end

-- Another case of every email, which is the same one; another domain of every email.
local function recased(line)
  return (line:gsub("[%w.]+@[%w.]+", string.upper, 1))
end

local function renamed(line)
  return (line:gsub("@", "@x.", 1))
end

local function make_days()
  say("making %s", path_of "*")
  sh("%s bench/make_data.lua %d | sed '2,$s/^/A/' >%s", LUA, math.floor(rows * 1.003), path_of "all.csv")
  sh("head -n %d %s >%s", rows + 1, path_of "all.csv", path_of "sorted.csv")
  local of = { one = shuffled "day1.csv", two = shuffled "day2.csv", alone = shuffled("alone.csv", "cat"),
    recased = shuffled "recased.csv", renamed = shuffled "renamed.csv" }
  local number = -1
  for line in io.lines(path_of "all.csv") do
    number = number + 1
    line = line .. "\n"
    local thousand = number % 1000
    local is_old, is_head = number <= rows, number == 0
    local is_changed = is_old and thousand >= 100 and thousand < 110
    local today = is_changed and renamed(line) or line
    if is_old then
      of.one:write(line)
      of.recased:write(is_head and line or recased(line))
      of.renamed:write(is_head and line or renamed(line))
    end
    if is_head or not is_old or thousand >= 5 then
      of.two:write(today)
    end
    if is_head or not is_old or is_changed then
      of.alone:write(today)
    end
  end
  for _, file in next, of do
    file:close()
  end
  os.remove(path_of "all.csv")
  sh("gzip -kf %s %s", path_of "day1.csv", path_of "day2.csv")
end

if not world.exists(path_of "day2.csv.gz") then
  make_days()
end

-- --- runs ---

local server = stand_in.start(512 * 2 ^ 20)

-- Runs the command. Gives what it took and what it said.
local function run(day, state)
  local used, out, wrote = world.path ".used", world.path ".json", world.path ".written"
  local mirror, preload = "", ""
  if state then
    mirror = "--mirror --state " .. state
    preload = ("WRITTEN_OF=%s WRITTEN_TO=%s LD_PRELOAD=%s/written.so"):format(state, wrote, folder)
  end
  os.execute(("SCOPE3_API_KEY=scope3_bench SCOPE3_BASE_URL=%s/api/v2/buyer %s/measure %s env %s "
    .. "bin/scope3 sync %s --account 25 --audience crm --json --wait --rate 100000000 --map external_id='Customer Id' "
    .. "--map email=Email --map phone='Phone 1' --map region=Country %s >%s 2>&1"):format(server.url, folder, used,
    preload, path_of(day), mirror, out))
  local user, system, kb, status = world.read(used):match("(%S+) (%S+) (%S+) (%S+)")
  assert(status == "0", world.read(out))
  return { cpu = tonumber(user) + tonumber(system), peak = tonumber(kb) * 1024 / MB,
    said = json.decode(world.read(out)), written = state and tonumber((world.read(wrote))) or 0 }
end

local function size_of(path)
  local file = assert(io.open(path, "rb"))
  local size = file:seek "end"
  file:close()
  return size
end

local state = folder .. "/bench.state"
local pipe = assert(io.popen("pwd"))
state = state:find "^/" and state or pipe:read "*l" .. "/" .. state
pipe:close()

local function forget()
  os.execute(("rm -f %s %s-*"):format(state, state))
end

-- The most that the file and those beside it take on the disk while `work` runs.
local function most_on_disk(work)
  local log = world.path ".sizes"
  os.execute(("(while [ ! -e %s.end ]; do du -cb %s %s-wal 2>/dev/null | tail -n 1; sleep 0.05; done) >%s &"):format(
    log, state, state, log))
  local given = work()
  world.write(log .. ".end", "")
  local most = 0
  for size in world.read(log):gmatch "(%d+)%s+total" do
    most = math.max(most, tonumber(size))
  end
  core.sleep(0.2)
  os.remove(log .. ".end")
  return given, most
end

say("%d rows, load %s", rows, world.read("/proc/loadavg"):match("^%S+ %S+"))
local whole = run "day1.csv"
local alone = run "alone.csv"
-- The states that ways begin with: the one after the first night, and the one after the night that folds it.
forget()
local _, most_loading = most_on_disk(function()
  return run("day1.csv", state)
end)
local first_size = size_of(state)
sh("cp %s %s/bench.first", state, folder)
local _, most_folding = most_on_disk(function()
  return run("day1.csv", state)
end)
local folded_size = size_of(state)
sh("cp %s %s/bench.folded", state, folder)

local WAYS = {
  { "the first night, shuffled", "day1.csv", nil, "day1.csv", 2 },
  { "the first night, sorted", "sorted.csv", nil, "day1.csv" },
  { "1 % changed, and the first night is folded", "day2.csv", "first", "day1.csv" },
  { "1 % changed", "day2.csv", "folded", "day1.csv", 0.6 },
  { "1 % changed, gzip beside gzip", "day2.csv.gz", "folded", "day1.csv.gz", 0.8 },
  { "every email in another case", "recased.csv", "folded", "day1.csv", 1.8 },
  { "every email another one", "renamed.csv", "folded", "day1.csv" },
}

say("%-44s %6s %7s %8s %8s %9s %9s %9s", "", "times", "at most", "CPU s", "peak MB", "sent MB", "written", "members")
say("%-44s %6s %7s %8.2f %8.1f %9.2f", "the whole file, sent", "1", "", whole.cpu, whole.peak,
  whole.said.bytes_sent / MB)
for _, way in ipairs(WAYS) do
  local name, day, from, beside, limit = way[1], way[2], way[3], way[4], way[5]
  local quotients, cpu, last = {}, {}, nil
  for round = 1, rounds do
    local full = run(beside)
    forget()
    if from then
      sh("cp %s/bench.%s %s", folder, from, state)
    end
    last = run(day, state)
    cpu[round], quotients[round] = last.cpu, last.cpu / full.cpu
  end
  way.last = last
  say("%-44s %6.2f %7s %8.2f %8.1f %9.2f %9.2f %9d", name, median(quotients), limit or "", median(cpu), last.peak,
    last.said.bytes_sent / MB, last.written / MB, last.said.members)
end

local night = WAYS[4].last
local alone_bytes = alone.said.bytes_sent + night.said.mirror.removed * REMOVAL
say("bytes of the night beside those of its members alone: %.2f (at most 1.2)", night.said.bytes_sent / alone_bytes)
say("of ten million rows that night is to write less than 20 MB, with a peak below 48")
say("the file, bytes a member: %.1f after the first night, %.1f folded (at most 52); at most %.1f while "
  .. "loading, %.1f while folding (104)", first_size / rows, folded_size / rows, most_loading / rows,
  most_folding / rows)
forget()
os.execute(("rm -f %s/bench.first %s/bench.folded"):format(folder, folder))
server:close "TERM"
world.clean()
