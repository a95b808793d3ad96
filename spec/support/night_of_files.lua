-- Nights of a mirror over real files: every row into a night, and its candidates out of it. A state is kept as
-- partitions in memory, and every chunk is taken to have been applied.
local core = require "scope3.core"

local has_crypto, crypto = pcall(require, "scope3.crypto")

local files = {}

--- Whether a night of this build can keep rows.
files.can_keep = has_crypto

local KEY = "sixteen bytes..."
local PARTS = 4
local NAMES = { "add", "remove", "note", "rejected", "refused" }

files.KEY = KEY
files.MAP = { { "external_id", 1 }, { "email", 2 }, { "phone", 3 }, { "region", 4 } }
files.KEYS = { { "external_id", "id" }, { "email", "email" }, { "phone", "phone" }, { "region", "region" } }

-- A note has no id: it is of somebody whom an entry before it named.
local id_of = {}

--- What a chunk holds, read as its format says (csrc/core/mirror/chunk.h).
---@param blob string
---@return {op: string, id: string, hash: string, cells: string, member: string}[]
function files.entries(blob)
  local list, at = {}, 10
  local function bytes(n)
    at = at + n
    return blob:sub(at - n, at - 1)
  end
  while at <= #blob - 4 do
    local entry = { op = NAMES[bytes(1):byte()] }
    assert(bytes(1) == "\0", "another audience")
    entry.hash, entry.cells, entry.member = bytes(8), bytes(8), bytes(8)
    if entry.op ~= "note" then
      local n = bytes(1):byte()
      if n == 255 then
        local low, high = bytes(2):byte(1, 2)
        n = low + high * 256
      end
      id_of[entry.hash] = bytes(n)
    end
    entry.id = id_of[entry.hash]
    list[#list + 1] = entry
  end
  return list
end

-- Calls `step` until it answers something else than that it wants to go on. A source without a path is fed meanwhile.
local function drive(step, source, input)
  while true do
    local state, detail, row, line = step()
    if state == "need" then
      local piece = input.text:sub(input.at, input.at + (input.piece or 1000) - 1)
      if piece ~= "" then
        source:feed(piece)
        input.at = input.at + #piece
      else
        source:finish()
      end
    elseif state ~= "more" then
      return state, detail, row, line
    end
  end
end

-- The source of a file; none where it is built of rows that the night keeps.
local function open(input, is_kept)
  local options = {}
  if is_kept then
    return nil
  end
  for name, value in pairs(input.source or {}) do
    options[name] = value
  end
  input.at = 1
  options.format, options.path = input.format or "csv", not input.fed and input.path or nil
  return assert(core.source(options))
end

local function builder_of(opts)
  return core.builder { max_member = opts.max_bytes or 100000, rejections = true, map = opts.map or files.MAP,
    conditions = opts.conditions, where = opts.where, ids = opts.ids, region = "US", repair = opts.repair,
    phone_repairs = opts.phone_repairs }
end

local function payload_of(opts)
  return core.payload { max_members = opts.max_members or 1000, max_bytes = opts.max_bytes or 100000 }
end

local function take(list, rejections)
  for _, rejection in ipairs(rejections or {}) do
    list[#list + 1] = ("%d:%d:%s:%s:%s"):format(rejection.row, rejection.line or 0, rejection.reason,
      tostring(rejection.column), tostring(rejection.dropped))
  end
end

--- What filling one payload after another makes of the same files.
---@return {text: string, counts: table, rejections: string[], states: string[]}
function files.fill(inputs, opts)
  local builder, texts, states, rejections = builder_of(opts), {}, {}, {}
  local short = 0
  for _, input in ipairs(inputs) do
    local source, payload = open(input), core.payload { max_members = 1e6, max_bytes = 1e8 }
    repeat
      local state, detail, row, line = drive(function()
        return builder:fill(payload, source, 1e6, 1)
      end, source, input)
      states[#states + 1] = state == "script" and ("script:%s:%s:%s"):format(detail, row, tostring(line)) or state
    until state ~= "script"
    texts[#texts + 1] = payload:text("add", 1, math.max(1, payload:count()))
    short = short + source:lines().short_rows
    source:close()
  end
  take(rejections, builder:rejections())
  return { text = table.concat(texts, "\n"), counts = builder:counts(), rejections = rejections, states = states,
    short_rows = short }
end

-- Gives a night all rows.
local function survey(out, night, builder, inputs, opts)
  for number, input in ipairs(inputs) do
    local source = open(input)
    repeat
      local said, detail, row, line = drive(function()
        return builder:survey(night, source, number - 1, opts.bytes or 1e6, 1)
      end, source, input)
      out.states[#out.states + 1] = said == "script" and ("script:%s:%s:%s"):format(detail, row, tostring(line)) or said
    until said ~= "script"
    out.short_rows = out.short_rows + source:lines().short_rows
    source:close()
  end
  take(out.rejections, builder:rejections())
  out.surveyed = builder:counts()
end

-- Keeps what goes again: of each member the number of its chunk, that of its entry, and its JSON.
local function keep_again(out, op, payload, list)
  local chunks, numbers = list:numbers()
  assert(#chunks == payload:count() and #numbers == #chunks and list:count() == #chunks)
  for i, number in ipairs(chunks) do
    out.again[#out.again + 1] = ("%s %d %d %s"):format(op, number, numbers[i], payload:text(op, i, i))
  end
end

local function close(source)
  if source then
    source:close()
  end
end

-- Takes those candidates into payloads whose entries go again.
local function build_again(out, night, builder, inputs, opts)
  local payload, list = payload_of(opts), core.mirror.list()
  for number, input in ipairs(inputs) do
    local source = open(input, opts.keep)
    repeat
      out.ended = drive(function()
        return builder:build_again(payload, source, night, list, number - 1, opts.bytes or 1e6, 1)
      end, source, input)
      if out.ended == "full" then
        keep_again(out, "add", payload, list)
        payload, list = payload_of(opts), core.mirror.list()
      end
    until out.ended ~= "full"
    close(source)
    if out.ended ~= "end" then
      return
    end
  end
  keep_again(out, "add", payload, list)
  take(out.rejections, builder:rejections())
end

-- Takes its candidates into payloads and chunks.
local function build(out, night, builder, inputs, opts)
  local payload, chunk, notes
  local function begin()
    payload, chunk, notes = payload_of(opts), core.mirror.chunk(opts.run or 1), core.mirror.chunk(opts.run or 1)
  end
  local function cut()
    assert(payload:count() == chunk:count())
    out.blobs[#out.blobs + 1] = assert(chunk:blob())
    out.notes[#out.notes + 1] = assert(notes:blob())
    out.texts[#out.texts + 1] = payload:text("add", 1, math.max(1, payload:count()))
    begin()
  end
  begin()
  for number, input in ipairs(inputs) do
    local source = open(input, opts.keep)
    repeat
      out.ended = drive(function()
        return builder:build(payload, source, night, chunk, notes, number - 1, opts.bytes or 1e6, 1)
      end, source, input)
      if out.ended == "full" then
        cut()
      end
    until out.ended ~= "full"
    out.read = source and source:bytes()
    close(source)
    if out.ended ~= "end" then
      return
    end
  end
  cut()
  take(out.rejections, builder:rejections())
end

local function leave_again(out, night, builder, opts)
  repeat
    local payload, list = payload_of(opts), core.mirror.list()
    local said = assert(builder:leave_again(payload, night, list))
    keep_again(out, "remove", payload, list)
  until said == "end"
end

-- Takes its leavers.
local function leave(out, night, builder, opts)
  repeat
    local payload, chunk = payload_of(opts), core.mirror.chunk(opts.run or 1)
    local said = assert(builder:leave(payload, night, chunk))
    assert(payload:count() == chunk:count())
    local blob = assert(chunk:blob())
    out.removals[#out.removals + 1] = blob
    out.removed[#out.removed + 1] = payload:text("remove", 1, math.max(1, payload:count()))
    for _, entry in ipairs(files.entries(blob)) do
      assert(entry.op == "remove" and entry.cells == ("\0"):rep(8) and entry.member == entry.cells)
      assert(entry.hash == core.mirror.key_hash(KEY, entry.id))
      out.leavers[#out.leavers + 1] = entry.id
    end
  until said == "end"
  table.sort(out.leavers)
end

--- The state after chunks that were applied: lists of blobs.
---@param lists string[][]
---@param state table<integer, string>
---@return table<integer, string>
function files.fold(lists, state)
  local made = assert(core.mirror.fold { parts = PARTS })
  for _, list in ipairs(lists) do
    for _, blob in ipairs(list) do
      assert(made:chunk(blob, { { first = 1, last = 2 ^ 31, outcome = "applied" } }))
    end
  end
  local after = {}
  for part = 0, PARTS - 1 do
    local members, why = made:part(part, state[part])
    assert(members or not why, why)
    after[part] = members or state[part]
  end
  return after
end

--- One night: what is sent, and the state after it. `entries` are those of what is sent, then of what is not, each by
--- row. Chunks that are open are taken to have been applied after it. With `opts.keep` the night keeps the rows.
---@param state table<integer, string>  partitions by number, as a night before gave them
---@return table
function files.night(state, inputs, opts)
  opts = opts or {}
  local night = assert(core.mirror.night { key = KEY, parts = PARTS, version = opts.version, mode = opts.mode,
    cipher = opts.keep and assert(crypto.cipher()) or nil })
  assert(night:keep(opts.keep or false) == (opts.keep or false))
  local builder = builder_of(opts)
  local out = { texts = {}, blobs = {}, notes = {}, removals = {}, removed = {}, entries = {}, states = {},
    rejections = {}, leavers = {}, again = {}, short_rows = 0 }
  local before = {}
  for i, chunk in ipairs(opts.open or {}) do
    assert(night:chunk(chunk.blob, chunk.outcomes, chunk.number))
    before[i] = chunk.blob
  end
  survey(out, night, builder, inputs, opts)
  for part = 0, PARTS - 1 do
    assert(night:merge(part, state[part]))
  end
  if opts.between then
    opts.between()
  end
  if opts.open then
    build_again(out, night, builder, inputs, opts)
  end
  if out.ended == nil or out.ended == "end" then
    build(out, night, builder, inputs, opts)
  end
  for _, list in ipairs { out.blobs, out.notes } do
    for _, blob in ipairs(list) do
      for _, entry in ipairs(files.entries(blob)) do
        out.entries[#out.entries + 1] = entry
      end
    end
  end
  if out.ended == "end" then
    leave_again(out, night, builder, opts)
    leave(out, night, builder, opts)
    out.counts, out.night, out.built = builder:counts(), night:counts(), builder:built()
    out.samples = night:samples()
    out.state = files.fold({ before, out.notes, out.blobs, out.removals }, state)
  end
  return out
end

return files
