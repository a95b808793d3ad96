-- A slow model of what csrc/core/mirror does, with a table for each id: apply, a night and a fold. It knows nothing of
-- partitions, sorting and files, and packs records by itself.
--
-- An entry is { op, audience, id, hash, cells, member }, a record { id, hash, cells, member, run, rejected,
-- refused, standing }, where standing[audience] is "known", "unsure" or nil, and refused[audience] is true or nil.
local model = {}

local OPS = { "add", "remove", "note", "rejected", "refused" }
local NOTHING = ("\0"):rep(8)

-- Bytes of a number, the lowest first.
local function le(n, size)
  local bytes = {}
  for i = 1, size do
    bytes[i] = string.char(n % 256)
    n = math.floor(n / 256)
  end
  return table.concat(bytes)
end

--- What sorts hashes as the numbers that they are.
---@param hash string
---@return string
function model.order(hash)
  return (hash:reverse():gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

--- The partition of a hash, of 2^bits, where bits are at most 8.
function model.part(hash, bits)
  return math.floor(hash:byte(8) / 2 ^ (8 - bits))
end

-- --- apply ---

local function is_any_known(record)
  for _, standing in pairs(record.standing) do
    if standing == "known" then
      return true
    end
  end
  return false
end

local function take_cells(record, cells)
  if record.cells ~= cells then
    record.refused = {}
  end
  record.cells, record.rejected = cells, nil
end

local function take_over(record, entry)
  take_cells(record, entry.cells)
  record.member = entry.member
end

-- Audiences that have another version than the one of the entry are not known to have it.
local function forget_others(record, member, but)
  for audience, standing in pairs(record.standing) do
    if standing == "known" and record.member ~= member and not but[audience] then
      record.standing[audience] = "unsure"
    end
  end
end

local function refuse(record, entry, member)
  take_cells(record, entry.cells)
  record.refused[entry.audience] = true
  forget_others(record, member, record.refused)
end

local APPLY = {}

function APPLY.add(record, entry, outcome, refused, run)
  if outcome == "applied" then
    forget_others(record, entry.member, {})
    record.standing[entry.audience] = "known"
    record.refused[entry.audience] = nil
    record.run = run
    take_over(record, entry)
  elseif outcome == "unsure" then
    record.standing[entry.audience] = "unsure"
    record.refused[entry.audience] = nil
    if not is_any_known(record) then
      take_over(record, entry)
    end
  end
  if refused then
    refuse(record, entry, entry.member)
  end
end

function APPLY.remove(record, entry, outcome)
  if outcome == "applied" then
    record.standing[entry.audience] = nil
  elseif outcome == "unsure" and record.standing[entry.audience] then
    record.standing[entry.audience] = "unsure"
  end
end

function APPLY.note(record, entry)
  if record.is_new ~= true and record.member == entry.member then
    take_over(record, entry)
  end
end

function APPLY.rejected(record, entry)
  take_cells(record, entry.cells)
  record.rejected, record.refused = true, {}
end

function APPLY.refused(record, entry)
  refuse(record, entry, NOTHING) -- such an entry has no member
end

local function is_kept(record)
  return record.rejected or next(record.refused) ~= nil or next(record.standing) ~= nil
end

--- What becomes of a record by an entry; nil where the state has none any more. `record` may be nil. It is not changed.
function model.apply(record, entry, outcome, refused, run)
  local after = { id = entry.id, hash = entry.hash, cells = NOTHING, member = NOTHING, run = 0, standing = {},
    refused = {}, is_new = true }
  if record then
    for key, value in pairs(record) do
      after[key] = value
    end
    after.is_new, after.standing, after.refused = nil, {}, {}
    for _, name in ipairs { "standing", "refused" } do
      for audience, value in pairs(record[name]) do
        after[name][audience] = value
      end
    end
  end
  if outcome ~= "open" or entry.op == "note" or entry.op == "rejected" or entry.op == "refused" then
    APPLY[entry.op](after, entry, outcome, refused, run)
  end
  after.is_new = nil
  return is_kept(after) and after or nil
end

-- --- chunks ---

local function outcome_of(number, outcomes)
  for _, range in ipairs(outcomes) do
    if number >= range.first and number <= range.last then
      return range.outcome, range.refused, range.again
    end
  end
  return "none", false
end

-- Calls fn(entry, outcome, refused, run, again) for the entries of chunks in order.
local function each_entry(chunks, fn)
  for _, chunk in ipairs(chunks) do
    for number, entry in ipairs(chunk.entries) do
      local outcome, refused, again = outcome_of(number, chunk.outcomes)
      fn(entry, outcome, refused, chunk.run, again)
    end
  end
end

--- The state after chunks: another table from id to record.
function model.fold(state, chunks)
  local after = {}
  for id, record in pairs(state) do
    after[id] = record
  end
  each_entry(chunks, function(entry, outcome, refused, run)
    after[entry.id] = model.apply(after[entry.id], entry, outcome, refused, run)
  end)
  return after
end

-- --- packed ---

local STANDING = { known = 1, unsure = 2 }

local function packed_id(id)
  return (#id < 255 and le(#id, 1) or "\255" .. le(#id, 2)) .. id
end

local function packed_record(record, audiences)
  local standing = {}
  for first = 0, audiences - 1, 4 do
    local byte = 0
    for i = 0, 3 do
      byte = byte + 4 ^ i * (STANDING[record.standing[first + i]] or 0)
    end
    standing[#standing + 1] = le(byte, 1)
  end
  local refusing, all = 0, 2 ^ audiences - 1
  for audience in pairs(record.refused) do
    refusing = refusing + 2 ^ audience
  end
  local mark = record.rejected and 1 or refusing == all and 2 or refusing > 0 and 4 or 0
  return record.hash .. record.cells .. record.member .. le(record.run, 4) .. le(mark, 1) .. table.concat(standing)
    .. (mark == 4 and le(refusing, math.ceil(audiences / 8)) or "") .. packed_id(record.id)
end

--- A partition's blob without its checksum.
function model.pack(state, part, bits, audiences)
  local list = {}
  for _, record in pairs(state) do
    if model.part(record.hash, bits) == part then
      list[#list + 1] = record
    end
  end
  table.sort(list, function(a, b)
    return model.order(a.hash) < model.order(b.hash)
  end)
  local packed = { "\1" .. le(audiences, 1) .. le(#list, 4) }
  for _, record in ipairs(list) do
    packed[#packed + 1] = packed_record(record, audiences)
  end
  return table.concat(packed), #list
end

--- A chunk's blob without its checksum.
function model.pack_chunk(chunk)
  local packed = { "\130" .. le(chunk.run, 4) .. le(#chunk.entries, 4) }
  for _, entry in ipairs(chunk.entries) do
    local op
    for i, name in ipairs(OPS) do
      op = name == entry.op and i or op
    end
    local has_member = entry.op == "add" or entry.op == "note"
    packed[#packed + 1] = le(op, 1) .. le(entry.audience, 1) .. entry.hash
      .. (entry.op == "remove" and NOTHING or entry.cells) .. (has_member and entry.member or NOTHING)
      .. (entry.op == "note" and "" or packed_id(entry.id))
  end
  return table.concat(packed)
end

-- --- a night ---

local VERDICTS = { "added", "changed", "unchanged", "removed", "deferred", "under_way", "rejected_before", "excluded",
  "kept", "not_there", "before", "known", "leavers", "leavers_rejected", "leavers_excluded", "again",
  "leavers_again" }
local SAMPLED = { "added", "changed", "unchanged", "deferred", "under_way", "rejected_before", "excluded",
  "not_there" }

-- What an id comes to in an audience, and whether it leaves.
local function judge(person, audience, options)
  local record, row = person.record, person.row
  local standing = record and record.standing[audience]
  local asked = row ~= nil and row.audiences[audience] == true
  local wanted = asked and not person.excluded
  local open = person.open[audience]
  if not asked and (options.mode == "remove" or options.mode == "upsert" and not person.excluded) then
    return (open or standing) and "kept" or nil
  elseif options.mode == "remove" then
    if not open then
      return standing and "removed" or "not_there", standing ~= nil
    end
    wanted = false
  end
  if open and (wanted or options.mode ~= "upsert" or person.excluded) then
    local brings = wanted and open.op == "add" and open.cells == row.cells or not wanted and open.op == "remove"
    return brings and "under_way" or "deferred"
  end
  if not wanted then
    if standing and (options.mode == "mirror" or person.excluded) then
      return "removed", true
    end
    return asked and "excluded" or standing and "kept" or nil
  end
  if record and record.cells == row.cells then
    if record.rejected or record.refused[audience] then
      return "rejected_before", record.rejected and standing ~= nil and options.mode == "mirror"
    elseif standing == "known" and record.run >= options.refresh then
      return "unchanged"
    end
  end
  return standing and "changed" or "added"
end

local function candidate_of(person, mask, options, audiences)
  local record, row = person.record, person.row
  local known, unsure = 0, 0
  for audience = 0, audiences - 1 do
    local standing = record and record.standing[audience]
    if standing == "known" and record.run < options.refresh then
      standing = "unsure"
    end
    known = known + (standing == "known" and 2 ^ audience or 0)
    unsure = unsure + (standing == "unsure" and 2 ^ audience or 0)
  end
  return { hash = row.hash, cells = row.cells, member = known > 0 and record.member or nil, mask = mask, known = known,
    unsure = unsure, row = row.row, offset = row.offset, file = row.file, asked = 0 }
end

-- Of a night that looks at all: whether somebody who stays as before has to be looked at.
local function is_asked(person, audience, verdict, options)
  local record = person.record
  return options.all and (verdict == "unchanged" or verdict == "rejected_before" and not record.rejected
    and record.standing[audience] ~= nil)
end

local function has_bit(mask, audience)
  return math.floor(mask / 2 ^ audience) % 2 == 1
end

-- A candidate of whom it is asked in these audiences if it is excluded: there it is neither known nor unsure.
local function ask(candidate, asked)
  for audience = 0, 15 do
    local name = has_bit(candidate.known, audience) and "known" or "unsure"
    candidate[name] = candidate[name] - (has_bit(asked, audience) and 2 ^ audience or 0)
  end
  candidate.asked, candidate.mask = asked, candidate.mask + asked
end

-- Whoever the state, a chunk, a row or an exclusion names, by id.
local function gather(state, chunks, rows, exclusions, counts)
  local people = {}
  local function of(id)
    people[id] = people[id] or { open = {} }
    return people[id]
  end
  for id, record in pairs(state) do
    of(id).record = record
  end
  each_entry(chunks, function(entry, outcome, refused, run, again)
    local person = of(entry.id)
    person.record = model.apply(person.record, entry, outcome, refused, run)
    if outcome == "open" and (entry.op == "add" or entry.op == "remove") then
      person.open[entry.audience] = { op = entry.op, cells = entry.cells, again = again }
    end
  end)
  for _, row in ipairs(rows) do
    counts.rows = counts.rows + 1
    counts.replaced = counts.replaced + (of(row.id).row and 1 or 0)
    people[row.id].row = row
  end
  for _, id in ipairs(exclusions) do
    of(id).excluded = true
  end
  return people
end

-- The first rows of each verdict, as file and row.
local function samples_of(seen, audiences)
  local samples = {}
  for audience = 1, audiences do
    samples[audience] = {}
    for _, verdict in ipairs(SAMPLED) do
      samples[audience][verdict] = {}
    end
  end
  for _, one in ipairs(seen) do
    local list = samples[one.audience][one.verdict]
    if list and one.row and one.row.audiences[one.audience - 1] then
      list[#list + 1] = { file = one.row.file, row = one.row.row }
    end
  end
  for _, of in ipairs(samples) do
    for _, verdict in ipairs(SAMPLED) do
      local list = of[verdict]
      table.sort(list, function(a, b)
        return a.file < b.file or a.file == b.file and a.row < b.row
      end)
      while #list > 3 do
        list[#list] = nil
      end
    end
  end
  return samples
end

--- What a night comes to: candidates in the order of their rows, leavers by id, counts, samples.
---@param options {audiences: integer, refresh: integer, mode: string, all: boolean?}
function model.night(options, state, chunks, rows, exclusions)
  local counts = { rows = 0, replaced = 0 }
  for audience = 1, options.audiences do
    counts[audience] = {}
    for _, verdict in ipairs(VERDICTS) do
      counts[audience][verdict] = 0
    end
  end
  local candidates, leavers, seen = {}, {}, {}
  for id, person in pairs(gather(state, chunks, rows, exclusions, counts)) do
    local mask, leaving, asked = 0, 0, 0
    for audience = 0, options.audiences - 1 do
      local verdict, leaves = judge(person, audience, options)
      local count = counts[audience + 1]
      if verdict then
        count[verdict] = count[verdict] + 1
      end
      if verdict == "under_way" and person.open[audience].again then
        local name = person.open[audience].op == "add" and "again" or "leavers_again"
        count[name] = count[name] + 1
      end
      local is_candidate = verdict == "added" or verdict == "changed"
      if is_asked(person, audience, verdict, options) then
        asked, is_candidate = asked + 2 ^ audience, true
      end
      if verdict and not (options.all and is_candidate) then
        local sampled = verdict == "removed" and person.excluded and "excluded" or verdict
        seen[#seen + 1] = { audience = audience + 1, verdict = sampled, row = person.row }
      end
      mask = mask + ((verdict == "added" or verdict == "changed") and 2 ^ audience or 0)
      leaving = leaving + (leaves and 2 ^ audience or 0)
      local standing = person.record and person.record.standing[audience]
      count.before = count.before + (standing and 1 or 0)
      count.known = count.known + (standing == "known" and 1 or 0)
      count.leavers = count.leavers + (leaves and 1 or 0)
      count.leavers_rejected = count.leavers_rejected + (leaves and verdict == "rejected_before" and 1 or 0)
      count.leavers_excluded = count.leavers_excluded + (verdict == "removed" and person.excluded and 1 or 0)
    end
    if mask + asked > 0 then
      candidates[#candidates + 1] = candidate_of(person, mask, options, options.audiences)
      ask(candidates[#candidates], asked)
      candidates[#candidates].member = asked > 0 and person.record.member or candidates[#candidates].member
    end
    if leaving > 0 then
      leavers[id] = leaving
    end
  end
  table.sort(candidates, model.is_before)
  return candidates, leavers, counts, samples_of(seen, options.audiences)
end

--- The order of candidates. Those of one row have none; here it is that of their hashes.
function model.is_before(a, b)
  if a.file ~= b.file then
    return a.file < b.file
  elseif a.row ~= b.row then
    return a.row < b.row
  end
  return model.order(a.hash) < model.order(b.hash)
end

return model
