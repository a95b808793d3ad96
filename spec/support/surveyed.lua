-- A night over rows of a small file, with a state before it. Specs run it where memory runs out.
local has_crypto, crypto = pcall(require, "scope3.crypto")

local surveyed = {}

local KEY = "0123456789abcdef"
local MAP = { { "external_id", 1 }, { "email", 2 }, { "phone", 3 } }
local EMAILS = { "p%d@example.org", "nobody", " P%d@Example.org" }

local function rows(n)
  local list = { "id,mail,tel,keep" }
  for i = 1, n do
    list[#list + 1] = ("%d,%s,,%d"):format(i, EMAILS[i % 3 + 1]:format(i), i % 5)
  end
  return table.concat(list, "\n") .. "\n"
end

local function source_of(core, text, hold)
  local source = hold(core.source { format = "csv" })
  source:feed(text)
  source:finish()
  return source
end

-- A chunk of people who are not in the file.
local function gone(core, hold, audiences)
  local chunk = hold(core.mirror.chunk(1))
  for i = 1, 6 do
    local id = ("gone-%d"):format(i):rep(i)
    assert(chunk:add("add", i % (audiences or 1), id, core.mirror.key_hash(KEY, id), ("c"):rep(8), ("m"):rep(8)))
  end
  return assert(chunk:blob()), { { first = 1, last = 6, outcome = "applied" } }
end

-- A chunk that a crash left: of seven rows, some of which still come to the members that it has, and of two removals.
local function left(core, hold)
  local night = hold(assert(core.mirror.night { key = KEY, parts = 1 }))
  local builder = hold(core.builder { max_member = 1000, map = MAP })
  local text = rows(7):gsub("nobody", "some@example.org")
  assert(builder:survey(night, source_of(core, text, hold), 0, 1e6, 60) == "end")
  assert(night:merge(0, nil))
  local payload, chunk = hold(core.payload { max_members = 9, max_bytes = 2000 }), hold(core.mirror.chunk(1))
  local said = builder:build(payload, source_of(core, text, hold), night, chunk, hold(core.mirror.chunk(1)), 0, 1e6, 60)
  assert(said == "end" and chunk:count() == 7, said)
  for i = 1, 2 do
    local id = "left-" .. i
    assert(chunk:add("remove", 0, id, core.mirror.key_hash(KEY, id)))
  end
  return assert(chunk:blob()), { { first = 1, last = 9, outcome = "open", again = true } }, 12345
end

local function keep_again(parts, payload, list)
  local chunks, numbers = list:numbers()
  for i, number in ipairs(chunks) do
    parts[#parts + 1] = number .. " " .. numbers[i] .. payload:text("add", i, i) .. payload:text("remove", i, i)
  end
end

-- What a night of two audiences sends, which take rows of their own.
local function several(core, folder, n, hold)
  local text, parts = rows(n), {}
  local night = hold(assert(core.mirror.night { key = KEY, parts = 1, folder = folder, audiences = 2 }))
  local builder = hold(core.builder { max_member = 1000, map = MAP,
    conditions = { { "ne", 4, { "0" }, audience = 1 } }, wheres = { [2] = function(row) return row.keep ~= "1" end } })
  assert(night:chunk(gone(core, hold, 2)))
  local state, why = builder:survey(night, source_of(core, text, hold), 0, 1e6, 60)
  assert(state == "end", why)
  assert(night:merge(0, nil))
  local source = source_of(core, text, hold)
  local said, message
  for _, op in ipairs { "add", "remove" } do
    repeat
      local payloads, chunks, notes = {}, {}, hold(core.mirror.chunk(1))
      for i = 1, 2 do
        payloads[i] = hold(core.payload { max_members = 3, max_bytes = 1000 })
        chunks[i] = hold(core.mirror.chunk(1))
      end
      if op == "add" then
        said, message = builder:build(payloads, source, night, chunks, notes, 0, 1e6, 60)
      else
        said, message = builder:leave(payloads, night, chunks)
      end
      assert(said == "full" or said == "end", message or said)
      parts[#parts + 1] = assert(notes:blob())
      for i, payload in ipairs(payloads) do
        parts[#parts + 1] = assert(chunks[i]:blob()) .. payload:text(op, 1, math.max(1, payload:count()))
      end
    until said == "end"
  end
  return table.concat(parts, "\n")
end

-- What a night sends that keeps its rows: short ones, and one that lies in several blocks.
local function kept(core, folder, hold)
  local text = rows(3) .. "long," .. ("x"):rep(9000) .. "@example.org,+12065550142,5\n" .. "last,l@example.org,,5\n"
  local night = hold(assert(core.mirror.night { key = KEY, parts = 1, folder = folder,
    cipher = hold(assert(crypto.cipher())) }))
  local builder = hold(core.builder { max_member = 20000, map = MAP })
  local payload, chunk = hold(core.payload { max_members = 9, max_bytes = 20000 }), hold(core.mirror.chunk(1))
  assert(night:keep(true))
  local said, why = builder:survey(night, source_of(core, text, hold), 0, 1e6, 60)
  assert(said == "end", why)
  assert(night:merge(0, nil))
  said, why = builder:build(payload, nil, night, chunk, hold(core.mirror.chunk(1)), 0, 1e6, 60)
  assert(said == "end" and payload:count() == 4, why or said)
  return payload:text("add", 1, 4) .. assert(chunk:blob())
end

--- What nights send: payloads and chunks, as one text. Raises the message of whatever fails.
---@param core table  scope3.core
---@param folder string  of the temporary file
---@param n integer  rows
---@param hold fun(object: table): table  takes each object, to close it
---@return string
function surveyed.run(core, folder, n, hold)
  local text, parts = rows(n), {}
  local night = hold(assert(core.mirror.night { key = KEY, parts = 2, folder = folder }))
  local builder = hold(core.builder { max_member = 1000, rejections = true, map = MAP,
    conditions = { { "ne", 4, { "0" } } }, where = function(row) return row.keep ~= "1" end })
  assert(night:chunk(gone(core, hold)))
  assert(night:chunk(left(core, hold)))
  local state, why = builder:survey(night, source_of(core, text, hold), 0, 1e6, 60)
  assert(state == "end", why)
  builder:rejections()
  for part = 0, 1 do
    assert(night:merge(part, nil))
  end
  local source = source_of(core, text, hold)
  repeat
    local payload, list = hold(core.payload { max_members = 1, max_bytes = 1000 }), hold(core.mirror.list())
    local said = builder:build_again(payload, source, night, list, 0, 1e6, 60)
    assert(said == "full" or said == "end", said)
    keep_again(parts, payload, list)
  until said == "end"
  source = source_of(core, text, hold)
  repeat
    local payload = hold(core.payload { max_members = 4, max_bytes = 1000 })
    local chunk, notes = hold(core.mirror.chunk(1)), hold(core.mirror.chunk(1))
    local said = builder:build(payload, source, night, chunk, notes, 0, 1e6, 60)
    assert(said == "full" or said == "end", said)
    parts[#parts + 1] = assert(chunk:blob())
    parts[#parts + 1] = assert(notes:blob())
    parts[#parts + 1] = payload:text("add", 1, math.max(1, payload:count()))
    builder:rejections()
  until said == "end"
  repeat
    local payload, list = hold(core.payload { max_members = 1, max_bytes = 1000 }), hold(core.mirror.list())
    local said, message = builder:leave_again(payload, night, list)
    assert(said, message)
    keep_again(parts, payload, list)
  until said == "end"
  repeat
    local payload, chunk = hold(core.payload { max_members = 4, max_bytes = 1000 }), hold(core.mirror.chunk(1))
    local said, message = builder:leave(payload, night, chunk)
    assert(said, message)
    parts[#parts + 1] = assert(chunk:blob())
    parts[#parts + 1] = payload:text("remove", 1, payload:count())
  until said == "end"
  parts[#parts + 1] = several(core, folder, n, hold)
  parts[#parts + 1] = has_crypto and kept(core, folder, hold) or ""
  return table.concat(parts, "\n")
end

return surveyed
