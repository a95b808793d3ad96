-- Nights over random files come to what a slow model makes of their rows: whoever is added, noted, rejected and leaves,
-- in order, whatever the files look like and however their bytes come.
local core = require "scope3.core"
local nights = require "spec.support.night_of_files"
local seed = require "spec.support.seed"
local world = require "spec.support.world"

local CONDITIONS = { { "eq", 5, { "yes" } } }
local NAMED = { { "eq", "keep", { "yes" } } }
local NOTES = { "", "plain", 'two\nlines', '"quoted"', "a\r\nb\n\nc", "é, ü" }

local function one_of(list)
  return list[math.random(#list)]
end

local function random_email(i)
  local plain = ("p%d@example.org"):format(math.random(5) == 1 and i + 100 or i)
  return one_of { plain, plain, plain, plain, " " .. plain, plain:upper(), "", "  ", "nothing", "@" }
end

local function random_rows(people)
  local rows = {}
  for number = 1, math.random(0, 40) do
    local i = math.random(people)
    rows[number] = { id = math.random(12) == 1 and one_of { "", "who@example.org", "n/a" } or "id" .. i,
      email = random_email(i), keep = math.random(6) == 1 and "no" or "yes", note = one_of(NOTES) }
  end
  return rows
end

local function cell(text)
  if text:find '[",\r\n]' or math.random(4) == 1 then
    return '"' .. text:gsub('"', '""') .. '"'
  end
  return text
end

local function write_csv(rows)
  local eol = one_of { "\n", "\r\n" }
  local parts = { one_of { "", "\239\187\191" }, "id,email,phone,region,keep,note", eol }
  for _, row in ipairs(rows) do
    parts[#parts + 1] = math.random(8) == 1 and eol or ""
    parts[#parts + 1] = table.concat({ cell(row.id), cell(row.email), "", "US", cell(row.keep), cell(row.note) }, ",")
    parts[#parts + 1] = eol
  end
  if #rows > 0 and math.random(2) == 1 then
    parts[#parts] = nil
  end
  return table.concat(parts)
end

local function write_json(rows)
  local objects, between = {}, one_of { "\n", "\n\n", ",\n", " ", "\r\n" }
  for i, row in ipairs(rows) do
    objects[i] = ('{"note": %s,%s"keep":"%s", "email" :"%s", "id":"%s"}'):format(world.json.encode { row.note },
      one_of { "", " ", "\t" }, row.keep, row.email, row.id)
  end
  local text = table.concat(objects, between)
  return between == ",\n" and "[" .. text .. "]" or text
end

local function random_files(format, people)
  local files, all = {}, {}
  for number = 1, math.random(3) do
    local rows = random_rows(people)
    if format == "jsonl" and #rows == 0 then
      rows[1] = { id = "id1", email = "p1@example.org", keep = "yes", note = "" }
    end
    local text = format == "csv" and write_csv(rows) or write_json(rows)
    files[number] = { format = format, text = text, path = world.file(text) }
    for _, row in ipairs(rows) do
      all[#all + 1] = row
    end
  end
  return files, all
end

local function is_id(id)
  return id:find "^id" ~= nil
end

-- The rows that count, in order.
local function last_rows(all)
  local at, list = {}, {}
  for number, row in ipairs(all) do
    if row.keep == "yes" and is_id(row.id) then
      at[row.id] = number
    end
  end
  for number, row in ipairs(all) do
    if at[row.id] == number then
      list[#list + 1] = row
    end
  end
  return list
end

-- What a row becomes, and what is known of its person afterwards.
local function judge(row, known)
  local cells = row.email:find "%S" and row.email or ""
  local member = row.email:match "%S+@%S+"
  member = member and member:lower()
  if known and known.cells == cells and (known.member or known.rejected) then
    return nil, known
  elseif not member then
    return "rejected", { cells = cells, rejected = true }
  end
  return known and known.member == member and "note" or "add", { cells = cells, member = member }
end

-- One night of the model, in place.
local function model_night(state, all)
  local entries, notes, members, leavers, wanted = {}, {}, {}, {}, {}
  for _, row in ipairs(last_rows(all)) do
    local op, after = judge(row, state[row.id])
    wanted[row.id] = true
    if op and op ~= "add" then
      notes[#notes + 1] = op .. " " .. row.id
    end
    if op == "add" then
      entries[#entries + 1] = op .. " " .. row.id
      members[#members + 1] = { external_id = row.id, email = row.email }
    elseif op == "rejected" and state[row.id] and state[row.id].member then
      leavers[#leavers + 1] = row.id
    end
    state[row.id] = after
  end
  for id, known in pairs(state) do
    if not wanted[id] and known.member then
      leavers[#leavers + 1] = id
      state[id] = nil
    end
  end
  table.sort(leavers)
  for _, note in ipairs(notes) do
    entries[#entries + 1] = note
  end
  return entries, members, leavers
end

local function text_of(members)
  local builder, payload = core.builder { max_member = 1e5 }, core.payload { max_members = 1000, max_bytes = 1e6 }
  for _, member in ipairs(members) do
    builder:add(payload, member)
  end
  return payload:text("add", 1, math.max(1, payload:count()))
end

local function said(night)
  local list = {}
  for i, entry in ipairs(night.entries) do
    list[i] = entry.op .. " " .. entry.id
  end
  return list
end

local function without_empty(list)
  local some = {}
  for _, text in ipairs(list) do
    some[#some + 1] = text ~= "" and text or nil
  end
  return table.concat(some, ",")
end

-- A night in one way, beside what the model says.
local function compare(state, files, opts, model)
  local night = nights.night(state, files, opts)
  assert.equal("end", night.ended)
  assert.same(model.entries, said(night))
  assert.equal(text_of(model.members), without_empty(night.texts))
  assert.same(model.leavers, night.leavers)
  local filled = nights.fill(files, opts)
  assert.same({ filled.counts.rows, filled.counts.skipped }, { night.counts.rows, night.counts.skipped })
  return night
end

local function run(format)
  local model_state, state, people = {}, {}, math.random(3, 25)
  for _ = 1, 3 do
    local files, all = random_files(format, people)
    local model = {}
    model.entries, model.members, model.leavers = model_night(model_state, all)
    local opts = { conditions = format == "csv" and CONDITIONS or NAMED, map = format == "jsonl" and nights.KEYS or nil,
      max_members = math.random(30), bytes = one_of { 1, 100, 1e6 } }
    local night = compare(state, files, opts, model)
    for _, file in ipairs(files) do
      file.fed, file.piece = true, one_of { 1, 13, 500, 100000 }
    end
    local again = compare(state, files, opts, model)
    assert.same({ night.blobs, night.notes, night.removals }, { again.blobs, again.notes, again.removals })
    assert.same(night.rejections, again.rejections)
    if nights.can_keep then
      opts.keep = true
      local kept = compare(state, files, opts, model)
      assert.same({ night.blobs, night.notes, night.removals }, { kept.blobs, kept.notes, kept.removals })
      assert.same({ night.rejections, night.counts }, { kept.rejections, kept.counts })
    end
    state = night.state
  end
end

describe("nights over random files", function()
  after_each(world.clean)

  it("come to what the model says of their rows", function()
    print("   seed " .. seed)
    math.randomseed(seed)
    for _ = 1, world.thorough and 60 or 20 do
      run "csv"
      run "jsonl"
      world.clean()
    end
  end)
end)
