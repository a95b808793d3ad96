-- Runs in a process of its own, with spec/support/no_memory.c preloaded:
-- lua c_memory.lua <path of that library> <where temporary files may lie> <every how many points it refuses>.
-- The C library refuses our module memory at every point, or at some of each scenario;
-- what fails says so, and the counts hold. Prints what is wrong, and "swept" at the end.
local core = require "scope3.core"
local curl = require "scope3.engine"
local no_memory = assert(package.loadlib(arg[1], "luaopen_no_memory"))()
local gzip = require "scope3.gzip"
local mirrored = require "spec.support.mirrored"
local scope3 = require "scope3"
local surveyed = require "spec.support.surveyed"
local work, EVERY = arg[2], tonumber(arg[3])

-- gzip of "id,mail\n"
local PACKED = "\31\139\8\0\0\0\0\0\0\3\203\76\209\201\77\204\204\225\2\0\194\215\178\41\8\0\0\0"

local MAP = { { "external_id", 1 }, { "email", 2 }, { "phone", 3 } }
local NAMED = { { "external_id", "id" }, { "email", "mail" }, { "phone", "tel" } }

local function rows(format)
  local list = { format == "csv" and "id,mail,tel" or nil }
  for i = 1, 40 do
    list[#list + 1] = format == "csv" and ("%d,p%d@example.org,%s"):format(i % 30, i,
      i % 3 == 0 and "bad" or "+493012345" .. 100 + i)
      or ('{"id":"%d","mail":"p%d@ex\\u0061mple.org","deep":[1]}'):format(i % 30, i)
  end
  return table.concat(list, "\n") .. "\n"
end

local MIRRORED = mirrored.run(core, work, 700, function(object) return object end)
local SURVEYED = surveyed.run(core, work, 40, function(object) return object end)

local open = {}
local function new(kind, ...)
  local object, why = (core[kind] or curl[kind])(...)
  open[#open + 1] = object
  return object or error(why, 0)
end

-- What libcurl and zlib ask for is refused, too.
local LIBRARIES = { "core.so", "engine.so", "libcurl.so", "libz.so" }

local function fill(format, script)
  return function(state)
    script.max_member, script.rejections, script.region = 1000, true, "DE"
    state.builder = new("builder", script)
    state.payload = new("payload", { max_members = 100, max_bytes = 100000 })
    local next_payload, ids = new("payload", { max_members = 100, max_bytes = 100000 }), core.id_set()
    state.builder:epoch(ids, next_payload)
    state.next = next_payload
    local source = new("source", { format = format, decode = format == "jsonl" and core.json_decode or nil })
    source:feed(rows(format))
    source:finish()
    while state.builder:fill(state.payload, source, 1e9, 600) ~= "end" do
      state.builder:rejections()
    end
    ids:seal(state.payload)
  end
end

local SCENARIOS = {
  function()
    local function hold(object)
      open[#open + 1] = object
      return object
    end
    assert(mirrored.run(core, work, 700, hold) == MIRRORED)
    assert(surveyed.run(core, work, 40, hold) == SURVEYED)
  end,
  fill("csv", { map = MAP }), fill("jsonl", { map = NAMED }),
  fill("csv", { member = function(row)
    return {
      { external_id = row.id, email = row.mail }, { external_id = "x" .. row.id, phone = "1", region = row.tel },
    }
  end }),
  fill("jsonl", { map = NAMED, where = function(row) return row.mail ~= nil end }),
  function(state)
    state.builder = new("builder", { max_member = 1000, rejections = true })
    state.payload = new("payload", { max_members = 100, max_bytes = 100000 })
    for i = 1, 40 do
      if state.builder:add(state.payload, { external_id = i, email = i % 2 == 0 and "nobody" or "a@example.org",
        phone = "0", region = "Nowhere" }) == false then
        assert(state.builder:flush(state.payload)) -- it says itself that there is no memory
      end
    end
  end,
  function(state)
    state.audience = scope3.audience "a"
    for i = 1, 40 do
      state.added = i
      state.audience:add { external_id = i, email = "a@example.org" }
    end
  end,
  function()
    local source = new("source", { format = "csv", path = work .. "/rows.csv" })
    while source:read() do end
  end,
  function()
    local builder = new("builder", { max_member = 1000 })
    local payload = new("payload", { max_members = 100, max_bytes = 100000 })
    builder:add(payload, { external_id = "1", email = "a@example.org" })
    local spool = new("spool", work .. "/spool", { capacity = 65536 })
    assert(spool:keep(payload, 1, 1))
    local into = new("payload", { max_members = 100, max_bytes = 100000 })
    spool:reader()(into)
    assert(spool:reset())
  end,
  function()
    local file = new("append_file", work .. "/log")
    assert(file:append "line\n")
    local counts = new("count_file", work .. "/counts")
    assert(counts:lock())
    counts:set("a", 1)
    assert(counts:unlock())
    core.hmac_sha256(("k"):rep(80), "text")
    core.check_json_object('{"a":{"b":1,"b":2}}')
  end,
  function()
    local engine = new("engine", { ca_file = "/nowhere" })
    local payload = new("payload", { max_members = 10, max_bytes = 10000 })
    new("builder", { max_member = 1000 }):add(payload, { external_id = "1", email = "a@example.org" })
    assert(engine:submit {
      method = "POST", url = "http://127.0.0.1:1/", headers = { "A: b" },
      body = { "[", { payload, "add", 1, 1 }, "]" }, timeout = 5,
    })
    for _ = 1, 100 do
      if engine:step() then
        break
      end
      engine:wait(0.05)
    end
    assert(engine:result())
  end,
  function()
    local url = assert(curl.parse_url "https://[::1]:8443/a/b?c=d#e")
    assert(url.host == "::1" and url.port == 8443 and url.path == "/a/b" and url.query == "c=d", "another URL")
  end,
  function()
    local gunzip = gzip.gunzip()
    open[#open + 1] = gunzip
    local source = core.source { format = "csv" }
    open[#open + 1] = source
    for _, piece in ipairs { PACKED:sub(1, 14), PACKED:sub(15), false } do -- what came before is kept for the second
      gunzip:feed(piece or nil)
      local view, state = gunzip:next()
      while view do
        source:feed(view)
        view, state = gunzip:next()
      end
      assert(state == (piece and "need" or "end"), state)
    end
    source:finish()
    local names = source:columns()
    assert(#names == 2 and names[1] == "id" and names[2] == "mail", "another text")
  end,
}

local function holds(state)
  if state.audience then -- it takes a member after an error as before
    local fine, why = pcall(state.audience.add, state.audience, { external_id = "later", email = "a@example.org" })
    local count = fine and state.audience:count()
    return not fine and why or count < state.added and ("%d of %d"):format(count, state.added) or nil
  end
  local c = state.builder and state.payload and state.builder:counts()
  if not c then
    return
  end
  if c.rows ~= c.skipped + c.rejected_rows + c.used_rows then
    return ("rows %d, skipped %d, rejected %d, used %d"):format(c.rows, c.skipped, c.rejected_rows, c.used_rows)
  end
  for _ = 1, 3 do
    if state.builder:flush(state.payload) then
      break
    end
  end
  c = state.builder:counts()
  local adds = state.payload:living() + (state.next and state.next:living() or 0)
  if adds ~= c.members - c.replaced then
    return ("%d members, %d replaced, %d living"):format(c.members, c.replaced, adds)
  end
end

local function attempt(number, scenario, library, k, count)
  local state = {}
  no_memory.fail(library, k, count)
  local fine, why = pcall(scenario, state)
  local asked = no_memory.asked()
  local message = tostring(why):gsub("^[^:]*:%d+: ", ""):lower() -- the name of this file has that word, too
  local problem = not fine and not message:find "memory" and message
    or (state.builder or state.audience) and holds(state)
  for i = #open, 1, -1 do
    open[i]:close()
    open[i]:close()
    open[i] = nil
  end
  collectgarbage()
  if problem then
    print(("scenario %d, %s, %d of %d, %d in a row: %s"):format(number, library, k, asked, count, problem))
  end
  return asked, fine
end

local file = assert(io.open(work .. "/rows.csv", "wb"))
file:write(rows "csv")
file:close()
local failed = 0
for number, scenario in ipairs(SCENARIOS) do
  for _, library in ipairs(LIBRARIES) do
    local asked = attempt(number, scenario, library, 0, 0)
    for _, count in ipairs { 1, 1e9 } do
      for k = 1 + number % EVERY, asked, EVERY do
        local _, fine = attempt(number, scenario, library, k, count)
        failed = failed + (fine and 0 or 1)
      end
    end
  end
end
print(failed > 20 and "swept" or ("only %d failed"):format(failed))
