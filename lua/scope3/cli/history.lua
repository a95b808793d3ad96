--- `scope3 history`: the nights of a state, and what each came to.
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"
local output = require "scope3.cli.output"
local state_file = require "scope3.cli.state_file"
local text = require "scope3.cli.text"

local history = {}

-- A count of a night: nil where it has none.
local function count_of(name)
  return function(night)
    local n = night.counts[name]
    return type(n) == "number" and text.count(n) or nil
  end
end

-- What is to be said of a night in words.
local function note_of(night)
  local notes = {}
  notes[1] = night.interrupted and "interrupted" or not night.ended and "not ended" or nil
  local forgotten = night.counts.forgotten
  notes[#notes + 1] = type(forgotten) == "number" and text.plural(forgotten, "person", "people") .. " forgotten" or nil
  return notes[1] and table.concat(notes, ", ") or nil
end

-- The columns: title, value, whether it is a text, and whether it is left out where no night has it.
local COLUMNS = {
  { "NIGHT", function(night) return text.count(night.night) end },
  { "BEGAN", function(night) return night.began end, is_text = true },
  { "TOOK", function(night) return night.seconds and not night.interrupted and text.seconds(night.seconds) or nil end },
  { "ADDED", count_of "added" },
  { "CHANGED", count_of "changed" },
  { "REMOVED", count_of "removed" },
  { "UNCHANGED", count_of "unchanged" },
  { "DEFERRED", count_of "deferred", extra = true },
  { "PEOPLE", count_of "people", extra = true },
  { "SENT", function(night)
    local bytes = night.counts.bytes
    return type(bytes) == "number" and text.bytes(bytes) or nil
  end, extra = true },
  { "NOTE", note_of, is_text = true, extra = true },
}

local function table_of(nights)
  local lines, right = { {} }, {}
  for _, column in ipairs(COLUMNS) do
    local values, any = {}, not column.extra
    for i, night in ipairs(nights) do
      values[i] = column[2](night)
      any = any or values[i] ~= nil
    end
    if any then
      local at = #lines[1] + 1
      lines[1][at], right[at] = column[1], not column.is_text
      for i = 1, #nights do
        lines[i + 1] = lines[i + 1] or {}
        lines[i + 1][at] = values[i] or column[1] ~= "NOTE" and "-" or nil
      end
    end
  end
  return text.columns(lines, right, "  ")
end

-- A night of a state, as --json has it. Its counts are what the run wrote down: another version may have had others.
local function night_of(run)
  local counts = {}
  for name, value in entries(run.counts or {}) do
    if type(value) == "number" or type(value) == "string" then
      counts[name] = value
    end
  end
  return { night = run.n, began = state_file.iso(run.began), ended = state_file.iso(run.ended),
    seconds = run.ended and math.max(0, run.ended - run.began) or nil,
    interrupted = (run.counts or {}).interrupted == true, counts = counts }
end

local function objects_of(nights)
  local list = json.array {}
  for i, night in ipairs(nights) do
    local object = {}
    for key, value in entries(night) do
      object[key] = value
    end
    object.ended, object.seconds = object.ended or json.null, object.seconds or json.null
    list[i] = object
  end
  return list
end

local NOT_ENDED = "\nThe last night has not ended: it is under way, or was interrupted. The next one goes on from "
  .. "there.\n"

local function show(args, kept)
  local runs, err = kept:runs()
  if not runs then
    return nil, err
  end
  local nights = {}
  for i, run in ipairs(runs) do
    nights[i] = night_of(run)
  end
  output.object { service = kept.about.service, account_id = kept.about.account, nights = objects_of(nights) }
  output.say(("scope3 history · %s · %s\n\n"):format(state_file.name(args.state), state_file.place(kept.about)))
  if #nights == 0 then
    output.say "The state has no nights yet.\n"
    return true
  end
  output.say(table_of(nights) .. (nights[#nights].ended and "" or NOT_ENDED))
  return true
end

---@param args table
---@param exit table
---@return integer
function history.main(args, exit)
  return state_file.read(args, exit, function(kept)
    return show(args, kept)
  end)
end

return history
