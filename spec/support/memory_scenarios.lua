-- Scenarios in which memory runs out, by name: the text of each returns a table of functions for a Lua state.
-- `prepare` runs before memory gets short, `act` while it is, and `check` afterwards returns what is wrong.
local COMMON = require "spec.support.memory_common"

-- fill() over some rows, and to their end when there is memory again.
local function filling(format, script)
  return COMMON .. ([=[
local builder, payload, rows
return {
  prepare = function()
    builder = core.builder(%s)
    payload = core.payload { max_members = 100, max_bytes = 100000 }
    rows = source("%s", %s(6))
  end,
  act = function()
    builder:fill(payload, rows, 1e9, 600)
    builder:rejections()
    builder:missing()
    return sums(builder)
  end,
  check = function()
    local problem = sums(builder)
    for _ = 1, 6 do
      if builder:fill(payload, rows, 1e9, 600) == "end" then
        break
      end
    end
    builder:missing()
    local c = builder:counts()
    if c.rows ~= 6 or c.rejected_rows ~= (c.rejected.no_memory or 0) + (c.rejected.script_error or 0) then
      problem = problem or ("%%d rows, %%d rejected"):format(c.rows, c.rejected_rows)
    end
    if payload:living() ~= c.members or c.members ~= c.used_rows then
      problem = problem or ("%%d members, %%d living"):format(c.members, (payload:living()))
    end
    close(builder, payload, rows)
    collect()
    return problem
  end,
}]=]):format(script, format, format)
end

local SCENARIOS = {}

for _, format in ipairs { "csv", "jsonl" } do
  local map = format == "csv" and "MAP" or "NAMED"
  SCENARIOS["reading " .. format] = COMMON .. ([=[
local rows
return {
  prepare = function() rows = source("%s", %s(5)) end,
  act = function()
    rows:columns()
    while rows:read() do end
    rows:lines()
  end,
  check = function()
    while rows:read() do end -- it goes on
    local n = rows:rows()
    close(rows)
    collect()
    return n ~= 5 and n .. " rows" or nil
  end,
}]=]):format(format, format)
  SCENARIOS["filling " .. format .. " by a map"] = filling(format,
    "{ max_member = 1000, rejections = true, map = " .. map
    .. ", conditions = { { 'present', " .. (format == "csv" and "1" or "'id'") .. ", {} } } }")
  SCENARIOS["filling " .. format .. " by member"] = filling(format,
    "{ max_member = 1000, rejections = true, member = function(row) "
    .. "return { { external_id = row.id .. 'a', email = row.mail, phone = row.tel } } end }")
  SCENARIOS["filling " .. format .. " by where"] = filling(format,
    "{ max_member = 1000, rejections = true, map = " .. map
    .. ", where = function(row) return row.mail ~= nil end }")
end

-- In other encodings and layouts. A byte that is no character of the encoding refuses its row.
local LAYOUTS = {
  ["CSV in UTF-16"] = [[{ format = "csv" }, "\255\254" .. csv(5):gsub(".", "%0\0")]],
  ["CSV in UTF-16 of the other order"] = [[{ format = "csv", encoding = "utf-16be" }, (csv(5):gsub(".", "\0%0"))]],
  ["CSV in windows-1252"] = [[{ format = "csv", encoding = "windows-1252" }, (csv(5):gsub("example", "ex\228mple"))]],
  ["a JSON array"] = [[{ format = "jsonl", decode = core.json_decode }, "[" .. jsonl(5):gsub("\n(.)", ",\n%1") .. "]"]],
  ["JSON objects over lines"] = [[{ format = "jsonl", decode = core.json_decode }, (jsonl(5):gsub(",", ",\n"))]],
  ["a JSON array in UTF-16"] = [[{ format = "jsonl", decode = core.json_decode },
    "\255\254" .. ("[" .. jsonl(5):gsub("\n(.)", ",\n%1") .. "]"):gsub(".", "%0\0")]],
}
for name, shape in pairs(LAYOUTS) do
  SCENARIOS["reading " .. name] = COMMON .. ([=[
local function shape() return %s end
local rows, seen
return {
  prepare = function()
    local opts, text = shape()
    rows, seen = core.source(opts), 0
    rows:feed(text)
    rows:finish()
  end,
  act = function()
    while rows:read() do seen = seen + 1 end
    rows:lines()
    rows:encoding()
    rows:advice()
  end,
  check = function()
    repeat
      local row, why = rows:read()
    until row == nil and why == "end" or why == "fatal"
    local n, fatal = rows:rows(), rows:lines().refused_rows
    close(rows)
    collect()
    return (n ~= 5 or fatal ~= 0) and ("%%d rows, %%s refused"):format(n, tostring(fatal)) or nil
  end,
}]=]):format(shape)
end

SCENARIOS["adding and taking"] = COMMON .. [=[
local builder, payload
return {
  prepare = function()
    builder = core.builder { max_member = 1000, rejections = true, map = MAP, columns = { "id", "mail", "tel" } }
    payload = core.payload { max_members = 100, max_bytes = 100000 }
  end,
  act = function()
    builder:add(payload, { external_id = 1, email = "a@example.org", uids = { maid = "6d92078a-8246-4ba4-ae5b-76104861e7dc" } })
    builder:add(payload, { external_id = "2", email = "nobody" })
    builder:add(payload, { external_id = "3", email = "c@example.org", phone = "0301", region = "Nowhere" })
    builder:take(payload, { id = "4", mail = "d@example.org" })
    builder:take(payload, setmetatable({}, { __index = function(_, key) return key .. "5@example.org" end }))
    builder:rejections()
    return sums(builder)
  end,
  check = function()
    local problem = sums(builder)
    builder:flush(payload)
    builder:take(payload, { id = "6", mail = "e@example.org" })
    builder:add(payload, { external_id = "7", email = "f@example.org" })
    problem = problem or sums(builder)
    local c = builder:counts()
    if payload:living() ~= c.members then
      problem = problem or ("%d members, %d living"):format(c.members, (payload:living()))
    end
    close(builder, payload)
    collect()
    return problem
  end,
}]=]

SCENARIOS["making and changing"] = COMMON .. [=[
return {
  prepare = function() end,
  act = function()
    local set = core.id_set()
    local payload = core.payload { max_members = 100, max_bytes = 100000 }
    local later = core.payload { max_members = 100, max_bytes = 100000 }
    local builder = core.builder { max_member = 1000, map = NAMED, region = "DE", phone_repairs = { "plus" },
      conditions = { { "eq", "land", { "x", "y", 3, true }, ignore_case = true } } }
    builder:columns(NAMED, { { "ne", "land", { "z" } } })
    builder:epoch(set, later)
    builder:add(payload, { external_id = "1", email = "a@example.org" })
    builder:add(later, { external_id = "1", email = "a@example.org" })
    set:seal(payload)
    set:meets(later)
    payload:hide("a text that says 1", 1, 1)
    local taken = payload:replace(later, 1, 1)
    payload:digest()
    local made = core.source { format = "csv", delimiter = ";", null = "NULL" }
    made:feed "id;mail\n"
    core.email_normalize(" <A@Example.org>", true)
    core.phone_normalize("+49 30 12345678", "DE", { "plus" })
    core.glob "/tmp/*"
    core.json_decode('{"a":["\\u0062",1,null,{"c":true}]}')
    core.json_scalar('a "text"')
    core.hmac_sha256(("k"):rep(100), "a", "b")
    core.check_json_object('{"a":1,"a":2}')
    close(builder, payload, later, made)
  end,
  check = function() collect() end,
}]=]

-- What a module of spec.support comes to, which is the same whenever it comes to anything.
local function coming_to_the_same(module)
  return COMMON .. ([=[
local module = require "spec.support.%s"
local expected, open = nil, {}
local function run(n)
  return module.run(core, "/tmp", n, function(object)
    open[#open + 1] = object
    return object
  end)
end
return {
  prepare = function() expected = expected or run(40) end,
  act = function()
    local came_to = run(40)
    return came_to ~= expected and came_to or nil
  end,
  check = function()
    while open[1] do
      close(table.remove(open))
    end
    collect()
  end,
}]=]):format(module)
end

SCENARIOS["a night of a mirror"] = coming_to_the_same "mirrored"
SCENARIOS["a night over a file"] = coming_to_the_same "surveyed"

SCENARIOS["a spool"] = COMMON .. [=[
local path, members, spool = os.tmpname(), nil, nil
os.remove(path)
return {
  prepare = function()
    local builder = core.builder { max_member = 1000 }
    members = core.payload { max_members = 100, max_bytes = 100000 }
    for i = 1, 5 do
      builder:add(members, { external_id = tostring(i), email = "a@example.org" })
    end
  end,
  act = function()
    spool = assert(core.spool(path, { capacity = 65536 }))
    assert(spool:keep(members, 1, 5, 7, "audience a"))
    local into = core.payload { max_members = 100, max_bytes = 100000 }
    local read = spool:reader()
    read()
    read(into, 7, 2, "audience b")
    read(into, 7, 2, "audience a")
    into:reset()
    assert(select(2, into:take(members:as_lines(), 1)) == 5)
    into:close()
    local lines = core.lines()
    spool:entries("own", 10, 100000, 1000)(lines)
    assert(lines:text():find("audience a", 1, true))
    lines:close()
    spool:last()
    spool:release(2)
  end,
  check = function()
    close(spool)
    spool = nil
    collect() -- one that was made and given to nobody
    local again = assert(core.spool(path, { capacity = 65536 }))
    local n = again:count()
    close(again, members)
    os.remove(path)
    collect()
    return n ~= 0 and n ~= 5 and n ~= 3 and n .. " members" or nil
  end,
}]=]

SCENARIOS["replies of Redis"] = COMMON .. [=[
local decoder
local text = ("x"):rep(1000)
local wire = "*3\r\n$1000\r\n" .. text .. "\r\n-ERR no\r\n*1\r\n:5\r\n"
return {
  prepare = function() end,
  act = function()
    decoder = core.resp { bytes = 10000, values = 10, refuse = function(line)
      return { line }
    end }
    for at = 1, #wire, 300 do
      decoder:feed(wire:sub(at, at + 299))
      local there, reply = decoder:next()
      assert(there == (at + 299 >= #wire))
      assert(not there or reply[1] == text and reply[2][1] == "ERR no" and reply[3][1] == 5)
    end
  end,
  check = function()
    close(decoder)
    decoder = nil
    collect()
  end,
}]=]

SCENARIOS["files"] = COMMON .. [=[
local counts, log = os.tmpname(), os.tmpname()
return {
  prepare = function()
    os.remove(counts)
    os.remove(log)
  end,
  act = function()
    local file = assert(core.count_file(counts))
    assert(file:lock())
    file:set("a", 1)
    file:incr("b", 2, 3)
    file:get "b"
    assert(file:unlock())
    file:close()
    local lines = assert(core.append_file(log))
    lines:append "one line\n"
    lines:read()
    lines:state()
    lines:truncate(0)
    lines:close()
  end,
  check = function()
    collect()
    local file = assert(core.count_file(counts))
    local got = file:lock() -- nobody else has it
    close(file)
    local lines = assert(core.append_file(log))
    close(lines)
    os.remove(counts)
    os.remove(log)
    return not got and "the lock stayed" or nil
  end,
}]=]

SCENARIOS["a state"] = COMMON .. [=[
local journal, store = require "scope3.mirror.journal", require "scope3.mirror.store"
local path, kept, number = os.tmpname(), nil, 0
os.remove(path)
local ABOUT = { service = "s", account = "25", identity = "1", script = "x", audiences = { { id = "a" } } }
local function open()
  return store.open(path, ABOUT, { create = true, parts = 2 })
end
local function text_of(err)
  return err and tostring(err) or nil
end
return {
  prepare = function() number = number + 1 end,
  act = function()
    local err, run, night, ok
    kept, err = open()
    if not kept then
      return text_of(err)
    end
    run, err = kept:begin_run(1)
    if not run then
      return text_of(err)
    end
    night = journal.of(kept, run, function() return ("m"):rep(number) end)
    ok, err = night:open { max = 1 }
    if ok then
      ok, err = night:begin { request = number, batch = number, first = 1, last = 2, at = 5, digest = "d" }
    end
    if ok then
      ok, err = night:accepted { request = number, task_id = "t", at = 6 }
    end
    if ok then
      ok, err = kept:open_chunks()
    end
    return not ok and text_of(err) or nil
  end,
  check = function()
    close(kept)
    kept = nil
    collect() -- one that was opened and given to nobody
    local again, err = open()
    if not again then
      return tostring(err)
    end
    local chunks = again:open_chunks()
    local last = chunks and chunks[#chunks]
    local problem = not chunks and "no chunks" or last and #last.tries ~= 1 and "a chunk without its request"
      or last and last.tries[1].state == "accepted" and last.tries[1].task_id ~= "t" and "no task" or nil
    if last then
      err = select(2, again:fold(last.n, "", function(_, members) return members end))
    end
    close(again)
    return problem or err and tostring(err) or nil
  end,
}]=]

SCENARIOS["gzip"] = COMMON .. [=[
local gzip = require "scope3.gzip"
local file = assert(io.open(PACKED, "rb"))
local packed = file:read "*a"
file:close()
local z, bytes
local function read()
  while true do
    local piece, state = z:next()
    if piece then
      bytes = bytes + piece:size()
    elseif state == "need" then
      z:feed(nil)
    else
      return assert(state == "end" and state)
    end
  end
end
return {
  prepare = function()
    z, bytes = gzip.gunzip(), 0
    z:feed(packed)
  end,
  act = function()
    gzip.gunzip():close()
    read()
  end,
  check = function()
    local problem
    if bytes < 300000 then
      read()
    end
    problem = bytes ~= 300000 and bytes .. " bytes" or nil
    close(z)
    collect()
    return problem
  end,
}]=]

SCENARIOS["an audience"] = COMMON .. [=[
local scope3 = require "scope3"
local audience
return {
  prepare = function() audience = scope3.audience { id = "a", name = "A" } end,
  act = function()
    for i = 1, 4 do
      audience:add { external_id = i, email = ("p%d@example.org"):format(i) }
    end
    audience:remove { external_id = 9 }
  end,
  check = function()
    local before = audience:count()
    audience:add { external_id = "one more", email = "x@example.org" }
    audience:add { external_id = "two more", email = "x@example.org" }
    local adds, removes = audience:count()
    audience = nil
    collect()
    return (adds < before + 2 or adds > 6 or removes > 1) and ("%d, then %d and %d"):format(before, adds, removes) or nil
  end,
}]=]

SCENARIOS["leaving people out"] = COMMON .. [=[
local text = "email\n" .. ("x"):rep(40) .. "\n"
for i = 1, 200 do
  text = text .. ("p%d@example.org\nid%d\n+49301234%d\n"):format(i, i, 5100 + i)
end
local list, lines, builder, payload
return {
  prepare = function()
    lines, payload = core.source { format = "csv", header = false }, core.payload { max_members = 9, max_bytes = 9000 }
    lines:feed(text)
    lines:finish()
  end,
  act = function()
    list = core.exclusions { most = 1000 }
    list:add "+442079460001"
    list:read(lines, nil, 1e9, 600, true)
    list:read(lines, nil, 1e9, 600)
    list:counts()
    builder = core.builder { max_member = 1000, exclusions = list }
    builder:add(payload, { external_id = "a", email = "P1@example.org" })
    builder:add(payload, { external_id = "b", email = "b@example.org" })
    local c = builder:counts()
    return c.excluded ~= 1 and "who is excluded was not left out" or sums(builder)
  end,
  check = function()
    close(list, lines, builder, payload)
    list, lines, builder, payload = nil, nil, nil, nil
    collect()
  end,
}]=]

return SCENARIOS
