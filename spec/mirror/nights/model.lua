-- What a mirror knows of each member, slowly: records, what an entry of a chunk makes of them, the difference between
-- them and an export, and the fold. The code in C is to come to the same.
--
-- A record is { id, cells, member, rejected, refused = { [audience] = true }, status = { [audience] = "K" or "U" } }.
-- `member` is the version of each audience that is K. `cells` are its cells, unless they were rejected, or the audience
-- refused them.
local model = {}

local function cells_of(record, entry)
  if record.cells ~= entry.cells then
    record.refused = {}
  end
  record.cells, record.rejected = entry.cells, false
end

-- Who has another version is not known to have that of the entry.
local function doubt_others(record, entry, but)
  for audience, status in pairs(record.status) do
    if status == "K" and record.member ~= entry.member and not but[audience] then
      record.status[audience] = "U"
    end
  end
end

local function is_known_anywhere(record)
  for _, status in pairs(record.status) do
    if status == "K" then
      return true
    end
  end
  return false
end

local function add_applied(record, entry)
  doubt_others(record, entry, {})
  record.refused[entry.audience] = nil
  cells_of(record, entry)
  record.member, record.status[entry.audience] = entry.member, "K"
end

local function add_unsure(record, entry, rules)
  record.status[entry.audience] = "U"
  if not rules.unsure_keeps_flags then
    record.refused[entry.audience] = nil
  end
  if not is_known_anywhere(record) then
    local rejected, refused = record.rejected, record.refused
    cells_of(record, entry)
    record.member = entry.member
    if rules.unsure_keeps_flags then
      record.rejected, record.refused = rejected, refused
    end
  end
end

local function refuse(record, entry, rules)
  cells_of(record, entry)
  record.refused[entry.audience] = true
  for audience = 1, rules.refusals_are_of or 0 do
    record.refused[audience] = true
  end
  if not rules.refusals_leave_others then
    doubt_others(record, entry, record.refused)
  end
end

local apply = {}

function apply.add(record, entry, outcome, refused, rules)
  if outcome == "applied" then
    add_applied(record, entry)
  elseif outcome == "unsure" then
    add_unsure(record, entry, rules)
  end
  if refused then
    refuse(record, entry, rules)
  end
end

function apply.remove(record, entry, outcome)
  if outcome == "applied" then
    record.status[entry.audience] = nil
  elseif outcome == "unsure" and record.status[entry.audience] then
    record.status[entry.audience] = "U"
  end
end

function apply.note(record, entry, _, _, rules)
  if record.member == entry.member then
    local rejected, refused = record.rejected, record.refused
    cells_of(record, entry)
    if rules.note_keeps_flags then
      record.rejected, record.refused = rejected, refused
    end
  end
end

function apply.rejected(record, entry)
  cells_of(record, entry)
  record.rejected, record.refused = true, {}
end

--- What an entry makes of a record, which is changed. Gives nil where nothing is left to know.
function model.apply(record, entry, outcome, refused, rules)
  record = record or { id = entry.id, status = {}, refused = {} }
  apply[entry.op](record, entry, outcome, refused, rules)
  if next(record.status) == nil and not record.rejected and next(record.refused) == nil then
    return nil
  end
  return record
end

function model.copy(record)
  local status, refused = {}, {}
  for audience, one in pairs(record.status) do
    status[audience] = one
  end
  for audience in pairs(record.refused) do
    refused[audience] = true
  end
  return { id = record.id, cells = record.cells, member = record.member, rejected = record.rejected,
    refused = refused, status = status }
end

--- Applies the entries of a chunk that belong to a part to its records. What is open is left, and given to `on_open`.
function model.apply_chunk(records, chunk, ranges, belongs, rules, on_open)
  for _, range in ipairs(ranges) do
    for number = range.first, range.last do
      local entry = chunk.entries[number]
      local is_sent = entry.op == "add" or entry.op == "remove"
      if not belongs(entry.id) then -- luacheck: ignore 542
      elseif is_sent and range.outcome == "open" then
        on_open(entry)
      else
        records[entry.id] = model.apply(records[entry.id], entry, range.outcome, range.refused, rules)
      end
    end
  end
end

--- What the state says, with all chunks: its records (which may be changed), and the operations that are open, by id
--- and audience.
function model.view(state, rules)
  local records, open, twice = {}, {}, nil
  local function on_open(entry)
    open[entry.id] = open[entry.id] or {}
    twice = twice or open[entry.id][entry.audience] and entry
    open[entry.id][entry.audience] = entry
  end
  local ranges = {}
  for i, chunk in ipairs(state.chunks) do
    ranges[i] = rules.protocol.outcomes(chunk)
  end
  for number, part in ipairs(state.parts) do
    for id, record in pairs(part.records) do
      records[id] = model.copy(record)
    end
    for i, chunk in ipairs(state.chunks) do
      if not part.folded[chunk.number] then
        model.apply_chunk(records, chunk, ranges[i], function(id)
          return model.part_of(state, id) == number
        end, rules, on_open)
      end
    end
  end
  return records, open, twice
end

function model.part_of(state, id)
  return id % #state.parts + 1
end

-- What becomes of one audience of an id tonight: a word for the counts.
local function class_of(record, open, wanted, audience, rules)
  local status = record and record.status[audience]
  local has_flag = record and (record.rejected or record.refused[audience]) and wanted
    and record.cells == wanted.cells
  local is_same = status == "K" and wanted and record.cells == wanted.cells
  if open and not rules.sends_what_is_open then
    return rules.protocol.while_open(open, wanted and wanted.cells)
  elseif not wanted then
    return status and "removed" or "nothing"
  elseif rules.flags_come_last and is_same then
    return "unchanged"
  elseif has_flag then
    return record.rejected and status and "removed" or "rejected_before"
  end
  return is_same and "unchanged" or "candidate"
end

local function entry_of(op, id, audience, row)
  return { op = op, id = id, audience = audience, cells = row and row.cells, member = row and row.member }
end

-- What is to be done about the candidates of one row, once its member has been built.
local function build(row, record, audiences, adds, removes)
  local notes = false
  for _, audience in ipairs(audiences) do
    local status = record and record.status[audience]
    if not row.member then
      notes = notes or "rejected"
      removes[#removes + 1] = status and entry_of("remove", row.id, audience) or nil
    elseif status == "K" and record.member == row.member then
      notes = "note"
    else
      adds[#adds + 1] = entry_of("add", row.id, audience, row)
    end
  end
  if notes then
    adds[#adds + 1] = entry_of(notes, row.id, nil, row)
  end
end

-- A flag whose row is gone is forgotten, so that the id of somebody who is at no audience is not kept.
local function forget(record, open, row, adds)
  if record and not row and not open and next(record.status) == nil then
    adds[#adds + 1] = entry_of("note", record.id, nil, { member = record.member })
  end
end

--- The difference between a state and the rows of tonight, in their order: what to add, note and flag, and what to
--- remove. `rows` has each id once: { id, cells, member (nil where it is rejected), wanted = { [audience] = true } }.
--- `counts.stale` is somebody who passes for unchanged, and is not.
function model.difference(records, open, rows, audiences, rules)
  local adds, removes, ids, seen = {}, {}, {}, {}
  for _, row in ipairs(rows) do
    ids[#ids + 1], seen[row.id] = row.id, row
  end
  for id in pairs(records) do
    if not seen[id] then
      ids[#ids + 1] = id
    end
  end
  for id in pairs(open) do
    if not seen[id] and not records[id] then
      ids[#ids + 1] = id
    end
  end
  local counts = {}
  for _, id in ipairs(ids) do
    local row, record, candidates = seen[id], records[id], {}
    for audience = 1, audiences do
      local wanted = row and row.wanted[audience] and row or nil
      local class = class_of(record, open[id] and open[id][audience], wanted, audience, rules)
      counts[class] = (counts[class] or 0) + 1
      if class == "unchanged" and record.member ~= row.member then
        counts.stale = id
      end
      if class == "removed" then
        removes[#removes + 1] = entry_of("remove", id, audience)
      elseif class == "candidate" then
        candidates[#candidates + 1] = audience
      end
    end
    if candidates[1] then
      build(row, record, candidates, adds, removes)
    end
    forget(record, open[id], row, adds)
  end
  return adds, removes, counts
end

return model
