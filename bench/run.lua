-- Runs ours and every peer that is installed over the same made-up file, in turn and several times, and prints
-- CPU seconds with start-up taken off, ratios to ours, and peak memory. make bench BENCH_ROWS=1000000 BENCH_RUNS=3
local rows, runs, folder = tonumber(arg[1]) or 1000000, tonumber(arg[2]) or 3, arg[3] or "build/bench"

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

local function head(from, lines, to)
  assert(shell(("head -n %d %s > %s"):format(lines, from, to)))
end

local data, one = ("%s/%d.csv"):format(folder, rows), folder .. "/1.csv"
local size = io.open(data)
if size then
  size:close()
else
  print(("making %s …"):format(data))
  assert(shell(("%s bench/make_data.lua %d > %s.new && mv %s.new %s"):format(arg[-1], rows, data, data, data)))
end
head(data, 2, one)

local MAP = "--account 25 --audience crm --dry-run --quiet --map external_id='Customer Id' --map email=Email"
local FULL = MAP .. " --map phone='Phone 1' --map region=Country"
local function has(command)
  return shell(command .. " >/dev/null 2>&1")
end

-- The same under LuaJIT, where its module was built:
-- the command as it stands in the tree takes the paths of the environment.
local LUAJIT = "LUA_PATH='lua/?.lua;lua/?/init.lua;;' LUA_CPATH='build/jit/?.so;;' luajit "

-- `share` is the part of the rows that a slow peer gets; its time is multiplied.
local PEERS = {
  { name = "scope3, map (full validation)", command = "bin/scope3 sync %s " .. FULL },
  { name = "scope3, member(row)", command = "bin/scope3 run bench/member.lua %s --account 25 --dry-run --quiet" },
  {
    name = "scope3, member(row), LuaJIT",
    command = "env " .. LUAJIT .. "bin/scope3.in run bench/member.lua %s --account 25 --dry-run --quiet",
    needs = LUAJIT .. "-e 'require \"scope3.core\"'", missing = "make LUA=jit",
  },
  { name = "the floor (bench/floor.c)", command = folder .. "/floor %s" },
  { name = "DuckDB, one thread, SQL", command = ("cd %s && node ../../bench/peers/duckdb.mjs %%s"):format(folder),
    needs = ("cd %s && node -e 'require(\"@duckdb/node-api\")'"):format(folder) },
  { name = "Python, csv.DictReader, hashlib", command = "python3 bench/peers/python.py %s", share = 0.2,
    needs = "python3 -c 'import csv, hashlib'" },
  {
    name = "Node, csv-parse, libphonenumber-js",
    command = ("cd %s && node ../../bench/peers/node.mjs %%s"):format(folder), share = 0.1,
    needs = ("cd %s && node -e 'require(\"csv-parse\"); require(\"libphonenumber-js\")'"):format(folder),
  },
  { name = "Lua 5.4, luaossl, lua-cjson", command = "lua5.4 bench/peers/lua.lua %s", share = 0.1,
    needs = "lua5.4 -e 'require \"openssl.digest\"; require \"cjson\"'" },
}

local root = io.popen("pwd"):read("*l")
local function absolute(path)
  return root .. "/" .. path
end

-- CPU seconds and peak megabytes of a command.
local function measure(command, file)
  local out = os.tmpname()
  -- The shell between is replaced by the program, so that nothing but the program is measured.
  local line = ("exec " .. command:format(absolute(file))):gsub("^exec cd (%S+) && ",
    "cd %1 && exec "):gsub("'", "'\\''")
  assert(shell(("%s/measure %s sh -c '%s' >/dev/null"):format(absolute(folder), out, line)))
  local user, system, kb, status = read(out):match("(%S+) (%S+) (%S+) (%S+)")
  os.remove(out)
  assert(status == "0", command .. " failed")
  return tonumber(user) + tonumber(system), tonumber(kb) / 1024
end

-- Of several runs the one that took least: what else a machine does only ever adds.
local function least(list)
  local best = list[1]
  for _, value in ipairs(list) do
    best = math.min(best, value)
  end
  return best
end

local present = {}
for _, peer in ipairs(PEERS) do
  if not peer.needs or has(peer.needs) then
    present[#present + 1] = peer
    peer.file, peer.rows = data, rows
    if peer.share then
      peer.rows = math.floor(rows * peer.share)
      peer.file = ("%s/%d.csv"):format(folder, peer.rows)
      head(data, peer.rows + 1, peer.file)
    end
    peer.spent, peer.start, peer.peak = {}, {}, 0
  else
    print(("%s: not installed, left out (%s)"):format(peer.name, peer.missing or "make bench-deps"))
  end
end
for run = 1, runs do
  for _, peer in ipairs(present) do
    local spent, peak = measure(peer.command, peer.file)
    peer.spent[run], peer.peak = spent, math.max(peer.peak, peak)
    peer.start[run] = (measure(peer.command, one))
  end
end

print(("\n%d rows, best of %d runs; CPU without start-up"):format(rows, runs))
print(("%-38s %12s %12s %10s %10s"):format("", "ns a row", "s a million", "ratio", "peak MB"))
local ours
for _, peer in ipairs(present) do
  local a_row = (least(peer.spent) - least(peer.start)) / peer.rows
  ours = ours or a_row
  print(("%-38s %12.0f %12.2f %9.2fx %10.0f"):format(peer.name, a_row * 1e9, a_row * 1e6, a_row / ours, peer.peak))
end
