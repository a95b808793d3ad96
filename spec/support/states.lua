-- States of mirrors, for specs: what one belongs to, packed members that are random and have a checksum, and all that
-- a state says.
local core = require "scope3.core"
local store = require "scope3.mirror.store"
local world = require "spec.support.world"

local states = {}

states.ABOUT = {
  service = "https://api.example", account = "25", identity = "3.1", script = "s1",
  audiences = { { id = "crm", name = "CRM", consent_basis = "consent" }, { id = "vips" } },
}

--- What a state belongs to, with other fields.
function states.about(fields)
  local all = {}
  for _, t in ipairs { states.ABOUT, fields or {} } do
    for key, value in pairs(t) do
      all[key] = value
    end
  end
  return all
end

--- A name for a state; what is beside it goes with it when the specs end.
function states.path()
  local path = world.path ".state"
  for _, suffix in ipairs { "-wal", "-shm", "-lock", "-journal" } do
    world.forget(path .. suffix)
  end
  return path
end

--- Bytes of a page of a state's file, as it says itself.
function states.page(file)
  local high, low = file:byte(17, 18)
  return high * 256 + low
end

--- Opens one, of eight partitions.
function states.open(path, fields)
  return store.open(path, states.about(fields), { create = true, parts = 8 })
end

--- Random bytes that end with a checksum, as packed members do.
function states.packed(size)
  local bytes = {}
  for i = 1, size do
    bytes[i] = string.char(math.random(0, 255))
  end
  local text = table.concat(bytes)
  return text .. core.sha256(text):sub(1, 16)
end

--- Whether the checksum of packed bytes holds.
function states.sound(members)
  return members == "" or core.sha256(members:sub(1, -17)):sub(1, 16) == members:sub(-16)
end

--- The packed operations of a chunk as a text: SQLite copies what the view shows.
function states.chunk(kept, n)
  local row, message, code
  local ok, err = kept:show_chunk(n, function(view)
    row, message, code = kept.db:first("SELECT ?", view)
  end)
  if ok and not row then
    return kept:fail { message = message, code = code }
  end
  return ok and row[1], err
end

-- A text of a value, in which tables have their keys in order.
local function told(value)
  if type(value) == "number" then
    return ("%.0f"):format(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local keys, texts = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do
    texts[i] = tostring(key) .. "=" .. told(value[key])
  end
  return "{" .. table.concat(texts, ",") .. "}"
end

--- All that a state says, as one text; nil and an error where it cannot, or where packed members are not sound.
function states.said(kept)
  local said = { key = core.sha256(kept.key), parts = {}, chunks = {}, folding = kept.folding }
  for k = 0, kept.parts - 1 do
    local members, err = kept:part(k)
    if not members then
      return nil, err
    elseif not states.sound(members) then
      return nil, "checksum"
    end
    said.parts[k] = core.sha256(members)
  end
  local chunks, err = kept:open_chunks()
  if not chunks then
    return nil, err
  end
  for i, chunk in ipairs(chunks) do
    local members
    members, err = states.chunk(kept, chunk.n)
    if not members then
      return nil, err
    elseif not states.sound(members) then
      return nil, "checksum"
    end
    said.chunks[i] = { chunk, core.sha256(members) }
  end
  said.runs, err = kept:runs()
  if not said.runs then
    return nil, err
  end
  return told(said)
end

--- What a partition is with chunks folded into it, for these specs: their checksums behind its own members.
function states.fold_into(kept)
  return function(k, members, fold)
    local texts = { members:sub(1, -17) }
    for n = fold.first, fold.last do
      local operations, err = states.chunk(kept, n)
      if not operations then
        return nil, err
      end
      texts[#texts + 1] = operations:sub(1, 40 + k)
    end
    local text = table.concat(texts) .. fold.outcomes
    return text .. core.sha256(text):sub(1, 16)
  end
end

return states
