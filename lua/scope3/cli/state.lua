--- `scope3 state`: what a state belongs to and what it holds, and who is in it. Only `members` names people, because
--- that is what was asked for.
local context = require "scope3.cli.context"
local json = require "scope3.util.json"
local members_of = require "scope3.mirror.members"
local output = require "scope3.cli.output"
local protocol = require "scope3.mirror.protocol"
local report_body = require "scope3.cli.report_body"
local state_file = require "scope3.cli.state_file"
local text = require "scope3.cli.text"
local visible = require "scope3.util.visible"

local state = {}

local iso = state_file.iso

-- --- what it holds ---

-- Until when the requests of a chunk may still be carried out; nil where none may.
local function open_until(chunk)
  local latest, requests = nil, 0
  for _, try in ipairs(chunk.tries) do
    if not protocol.is_ended { count = 0, tries = { try } } then
      latest, requests = math.max(latest or 0, try.begun + protocol.SETTLING), requests + 1
    end
  end
  return latest, requests
end

local function open_chunks_of(chunks)
  local list = json.array {}
  for _, chunk in ipairs(chunks) do
    local latest, requests = open_until(chunk)
    if latest then
      list[#list + 1] = { chunk = chunk.n, night = chunk.run, requests = requests, bytes = chunk.size,
        ["until"] = iso(latest) }
    end
  end
  return list
end

local function audiences_of(kept, counts)
  local list = json.array {}
  for i, audience in ipairs(kept.about.audiences) do
    local of = counts[i] or {}
    list[i] = { audience_id = audience.id, name = audience.name, consent_basis = audience.consent_basis,
      known = of.known or 0, unsure = of.unsure or 0, open = of.open or 0 }
  end
  return list
end

-- All that is said of a state, as --json has it.
local function facts_of(kept)
  local runs, chunks, figures, counts, err
  runs, err = kept:runs()
  if runs then
    chunks, err = kept:open_chunks()
  end
  if chunks then
    figures, err = kept:figures()
  end
  local reading = figures and members_of.open(kept)
  if reading then
    counts, err = reading:count()
    reading:close()
  end
  if not counts then
    return nil, err
  end
  local last, about = runs[#runs], kept.about
  return {
    service = about.service, account_id = about.account, identity = about.identity,
    audiences = audiences_of(kept, counts), people = counts.people, rejected = counts.rejected,
    refused = counts.refused, nights = #runs, last_night = last and iso(last.began) or json.null,
    last_night_ended = last and iso(last.ended) or json.null, folding = kept.folding and true or false,
    bytes = { file = figures.file, free = figures.free, members = figures.members, chunks = figures.chunks },
    chunks = #chunks, open_chunks = open_chunks_of(chunks),
  }
end

local function people_of(facts)
  local parts = { text.count(facts.people) }
  parts[#parts + 1] = facts.rejected > 0 and text.count(facts.rejected) .. " with a row that is rejected" or nil
  parts[#parts + 1] = facts.refused > 0 and text.count(facts.refused) .. " that the service refused" or nil
  return table.concat(parts, " · ")
end

local function nights_of(facts)
  if facts.nights == 0 then
    return "0"
  end
  return ("%s · the last %s%s"):format(text.count(facts.nights), facts.last_night,
    facts.last_night_ended == json.null and ", which has not ended" or "")
end

local function size_of(facts)
  local bytes = facts.bytes
  return text.bytes(bytes.file) .. (bytes.free > 0 and " · " .. text.bytes(bytes.free) .. " of it free" or "")
    .. (facts.chunks > 0 and (" · %s in %s that are not folded yet"):format(text.bytes(bytes.chunks),
      text.plural(facts.chunks, "chunk")):gsub("1 chunk that are", "1 chunk that is") or "")
end

local function audiences_table(facts)
  local rows = { { "AUDIENCE", "KNOWN", "UNSURE", "OPEN", "NAME" } }
  for i, audience in ipairs(facts.audiences) do
    rows[i + 1] = { audience.audience_id, text.count(audience.known), text.count(audience.unsure),
      text.count(audience.open), audience.name }
  end
  return { title = "Audiences, and how people stand in them:", rows = rows,
    right = { [2] = true, [3] = true, [4] = true } }
end

local function open_table(facts)
  local rows = {}
  for i, chunk in ipairs(facts.open_chunks) do
    rows[1] = { "CHUNK", "NIGHT", "REQUESTS", "UNTIL, AT MOST" }
    rows[i + 1] = { text.count(chunk.chunk), text.count(chunk.night), text.count(chunk.requests), chunk["until"] }
  end
  return { title = "Chunks whose requests may still be carried out:", rows = rows,
    right = { true, true, true } }
end

local function show(args, kept)
  local facts, err = facts_of(kept)
  if not facts then
    return nil, err
  end
  output.object(facts)
  output.say(("scope3 state · %s\n\n%s"):format(state_file.name(args.state), report_body.text {
    subject = "", rows = {
      { "belongs to", state_file.place(kept.about) }, { "people", people_of(facts) }, { "nights", nights_of(facts) },
      { "size", size_of(facts) },
    },
    tables = { audiences_table(facts), open_table(facts) },
    sentences = facts.folding and { "A fold has begun and has not ended: the next night ends it." } or nil,
  }))
  return true
end

-- --- who is in it ---

local WORDS = { k = "known", u = "unsure", o = "open", ["-"] = "" }
local MARKS = { rejected = "row", refused = "service" }
local BLOCK = 32768 -- bytes that are written at once

local function quoted(value)
  return value:find '[,"\r\n]' and '"' .. value:gsub('"', '""') .. '"' or value
end

-- The head of the columns.
local function head_of(audiences)
  local columns = { "external_id" }
  for _, audience in ipairs(audiences) do
    columns[#columns + 1] = quoted(#audiences > 1 and "status:" .. audience.id or "status")
  end
  return table.concat(columns, ",") .. ",last_accepted,rejected_by\n"
end

-- What a standing is in the columns. There are few of them, so each is made once.
local function statuses()
  return setmetatable({}, { __index = function(made, standing)
    local columns = {}
    for letter in standing:gmatch "." do
      columns[#columns + 1] = WORDS[letter]
    end
    made[standing] = "," .. table.concat(columns, ",") .. ","
    return made[standing]
  end })
end

-- A line of CSV for each person.
local function write_csv(kept, reading)
  local block, size = { head_of(kept.about.audiences) }, 0
  local status = statuses()
  local times = setmetatable({}, { __index = function(made, at)
    made[at] = iso(at)
    return made[at]
  end })
  local id, standing, at, mark = reading:next()
  local takes = true
  while id and takes do
    local line = quoted(id) .. status[standing] .. (at and times[at] or "") .. "," .. (MARKS[mark] or "") .. "\n"
    block[#block + 1], size = line, size + #line
    if size > BLOCK then
      takes = output.put(table.concat(block))
      block, size = {}, 0
      context.check_stop()
    end
    id, standing, at, mark = reading:next()
  end
  output.put(table.concat(block))
  return id ~= nil or not standing, standing
end

local function encode(object)
  return visible.json(json.encode(object))
end

-- An object of JSON for each person.
local function write_json(kept, reading)
  local id, standing, at, mark = reading:next()
  local takes = true
  while id and takes do
    local status = {}
    for i, audience in ipairs(kept.about.audiences) do
      local word = WORDS[standing:sub(i, i)]
      status[audience.id] = word ~= "" and word or nil
    end
    takes = output.put(encode { external_id = id, status = status, last_accepted = iso(at) or json.null,
      rejected_by = MARKS[mark] or json.null } .. "\n")
    context.check_stop()
    id, standing, at, mark = reading:next()
  end
  return id ~= nil or not standing, standing
end

local function members(args, kept)
  local reading, err = members_of.open(kept)
  if not reading then
    return nil, err
  end
  local write = write_csv
  if args.json then
    output.stream(encode)
    write = write_json
  end
  local fine, ok, why = pcall(write, kept, reading)
  reading:close()
  if not fine then
    error(ok, 0)
  end
  return ok or nil, why
end

local ACTIONS = { show = show, members = members }

---@param args table
---@param exit table
---@return integer
function state.main(args, exit)
  return state_file.read(args, exit, function(kept)
    return ACTIONS[args.action or "show"](args, kept)
  end)
end

return state
