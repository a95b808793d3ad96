-- Runs in a process of its own, with spec/support/failing_calls.c preloaded:
-- lua calls_that_fail.lua <path of that library> <where files may lie> <url of a server> <every which call fails>
-- Each call of the system that the C module makes in a scenario fails once, or every one from it on, in several ways.
-- Prints what is wrong, and at the end how many calls failed.
local core = require "scope3.core"
local curl = require "scope3.engine"
local mirrored = require "spec.support.mirrored"
local spooled = require "spec.support.spooled"
local failing_calls = assert(package.loadlib(arg[1], "luaopen_failing_calls"))()
local work, url, EVERY = arg[2], arg[3], tonumber(arg[4])

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then
    file:close()
  end
  return text
end

local function payload_of(id)
  local payload = core.payload { max_members = 100, max_bytes = 100000 }
  assert(core.builder { max_member = 1000 }:add(payload, { external_id = id, email = "a@example.org" }))
  return payload
end

local function ids(spool)
  local found = {}
  for json in spooled.members(spool) do
    found[#found + 1] = json:match '"externalId":"(.-)"'
  end
  return table.concat(found, " ")
end

local MIRRORED = 2000 -- people, so that both files are used
local came_to = mirrored.run(core, work, MIRRORED, function(object) return object end)

local ROWS = {}
for i = 1, 3000 do
  ROWS[i] = ("%d,p%d@example.org"):format(i, i)
end

-- What act() has been told, it notes in `state`, and check() holds that against what is there afterwards.
local SCENARIOS = {
  {
    name = "a file that is appended to",
    act = function(state)
      local file = state:open(core.append_file(work .. "/log"))
      for i = 1, 3 do
        assert(file:append(("%d\n"):rep(20):gsub("%%d", i)))
        state.sure = i
      end
      state.read = assert(file:read())
      assert(file:state())
      assert(file:truncate(80))
      state.cut = true
    end,
    check = function(state)
      local text, whole = read(work .. "/log"), ("1\n"):rep(20) .. ("2\n"):rep(20) .. ("3\n"):rep(20)
      assert(text == whole:sub(1, #text), "something else stands in it")
      assert((state.read or whole) == whole, "it read something else")
      assert(#text >= (state.cut and 80 or math.min(80, 40 * (state.sure or 0))), "what was written is gone")
      return os.remove(work .. "/log")
    end,
  },
  {
    name = "numbers that processes share",
    act = function(state)
      local counts = state:open(core.count_file(work .. "/counts"))
      for i = 1, 3 do
        assert(counts:lock())
        counts:set("a", i)
        counts:set("b", 10 * i)
        counts:delete "b"
        assert(counts:unlock())
        state.sure = i
      end
    end,
    check = function(state)
      local counts = assert(core.count_file(work .. "/counts"))
      assert(counts:lock(), "it stayed locked")
      local a, b = counts:get "a" or 0, counts:get "b" or 0
      counts:close()
      assert(a >= (state.sure or 0) and a <= 3 and b % 10 == 0, "other numbers")
      return os.remove(work .. "/counts")
    end,
  },
  {
    name = "a spool",
    act = function(state)
      local spool = state:open(core.spool(work .. "/spool", { capacity = 1048576 }))
      for i = 1, 3 do
        assert(spool:keep(payload_of(tostring(i)), 1, 1))
        state.sure = i
      end
      state.read = ids(spool)
      spool:close()
      spool = state:open(core.spool(work .. "/spool"))
      assert(spool:reset())
      state.sure = 0
      assert(spool:remove())
    end,
    check = function(state)
      assert((state.read or "1 2 3") == "1 2 3", "it read something else")
      local spool = assert(core.spool(work .. "/spool"))
      local found = ids(spool)
      assert(("1 2 3"):find("^" .. found) and #found >= 2 * (state.sure or 0) - 1, "it holds something else: " .. found)
      assert(spool:keep(payload_of "x", 1, 1), "it takes nothing any more")
      return spool:remove() and spool:close()
    end,
  },
  {
    name = "a file of rows",
    act = function(state)
      local source = state:open(core.source { format = "csv", path = work .. "/rows.csv" })
      local n = 0
      local row, err, fatal
      repeat
        row, err, fatal = source:read()
        n = n + (row and 1 or 0)
      until row == nil and err ~= "again"
      assert(err == "end", fatal and fatal.message)
      state.rows = n
    end,
    check = function(state)
      assert((state.rows or #ROWS) == #ROWS, "rows are missing without a word: " .. tostring(state.rows))
    end,
  },
  {
    name = "a number that nobody guesses",
    act = function(state)
      state.a, state.b = core.random(), core.random()
    end,
    check = function(state)
      assert(state.a ~= state.b and state.a >= 0 and state.a < 1, "it is no random number")
    end,
  },
  {
    name = "a night of a mirror",
    act = function(state)
      state.came_to = mirrored.run(core, work, MIRRORED, function(object) return state:open(object) end)
    end,
    check = function(state, failed)
      assert(state.came_to == nil or state.came_to == came_to, "it came to something else")
      local pipe = assert(io.popen("find " .. work .. " -name 'scope3-*' -print -delete"))
      local left = pipe:read "*a"
      pipe:close()
      -- All calls from one on may fail: then the last that did is that of the end.
      assert(left == "" or failed == "unlink" or failed == "close", "left behind: " .. left)
    end,
  },
  {
    name = "a request", library = "engine.so",
    act = function(state)
      local engine = state:open(curl.engine { connect_timeout = 5 })
      assert(engine:submit { method = "GET", url = url, headers = {}, timeout = 0.5 })
      local ended = core.now() + 30 -- its own time is shorter, and nothing may hinder that
      while not engine:step() do
        assert(core.now() < ended, "no result within its time")
        engine:wait(0.01)
      end
      state.result = assert(engine:result())
    end,
    check = function(state, failed, how)
      local result = state.result
      assert(not result or result.status or result.code, "a result that says nothing")
      assert(failed ~= "socket" or how ~= "EMFILE" or result.cause == "descriptors", "another cause")
    end,
  },
}

local MESSAGES = { "Input/output error", "Too many open files", "No space left", "Operation not supported",
  "memory or descriptors", "its name keeps changing", "not the file", "moved", "changed", "Interrupted", "removed" }

-- Signals interrupt these on file systems of a network only. Then that is said.
local OPENING = { open64 = true, flock = true }

local function is_clean(why)
  for _, message in ipairs(MESSAGES) do
    if tostring(why):find(message, 1, true) then
      return true
    end
  end
end

local function open(state, object, why)
  state.opened[#state.opened + 1] = assert(object, why)
  return object
end

-- How many calls there were, and whether one of them failed; what is wrong is printed.
local function attempt(scenario, how, k, count)
  local state = { opened = {}, open = open }
  failing_calls.of_library(scenario.library or "core.so", k, count, how)
  local fine, why = pcall(scenario.act, state)
  local asked, _, failed = failing_calls.stop()
  for i = #state.opened, 1, -1 do
    state.opened[i]:close()
  end
  local holds, problem = pcall(scenario.check, state, failed, how)
  local wrong = not holds and problem or not fine and not is_clean(why) and why
    or not fine and (how == "short" or how == "EINTR" and not OPENING[failed]) and why
  if wrong then
    print(("%s: %s, %s of call %d of %d, %d in a row: %s"):format(scenario.name, failed or "nothing", how, k, asked,
      count, tostring(wrong)))
  end
  return asked, failed ~= nil
end

-- How they fail, and how many in a row.
local WAYS = { EIO = 1, ENOSPC = 1e9, EMFILE = 1, EOPNOTSUPP = 1, EINTR = 1, short = 1e9 }

write(work .. "/rows.csv", "id,mail\n" .. table.concat(ROWS, "\n") .. "\n")
local sum = 0
for number, scenario in ipairs(SCENARIOS) do
  for how, count in pairs(WAYS) do
    local asked = attempt(scenario, how, 0, 0)
    for k = 1 + number % EVERY, asked, EVERY do
      local _, failed = attempt(scenario, how, k, count)
      sum = sum + (failed and 1 or 0)
    end
  end
end
print(sum > 300 / EVERY and "swept" or ("only %d failed"):format(sum))
