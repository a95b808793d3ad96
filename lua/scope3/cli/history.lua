--- `scope3 history`: the nights of a state, and what each came to.
local nights = require "scope3.cli.nights"
local output = require "scope3.cli.output"
local state_file = require "scope3.cli.state_file"
local text = require "scope3.cli.text"

local history = {}

-- A count of a night as a cell: nil where it has none.
local function count_of(name)
  return function(night)
    local n = nights.count(night, name)
    return n and text.count(n)
  end
end

-- How long a night took. What it wrote down is more exact than the seconds of its ends, and leaves the wait out.
local function took(night)
  local seconds = nights.count(night, "seconds") or night.seconds
  return seconds and not night.interrupted and text.seconds(seconds) or nil
end

-- The columns: title, value, whether it is a text, and whether it is left out where no night has it.
local COLUMNS = {
  { "NIGHT", function(night) return text.count(night.night) end },
  { "BEGAN", function(night) return night.began end, is_text = true },
  { "TOOK", took },
  { "BEFORE", count_of "before", extra = true },
  { "ADDED", count_of "added" },
  { "CHANGED", count_of "changed" },
  { "REMOVED", count_of "removed" },
  { "UNCHANGED", count_of "unchanged" },
  { "DEFERRED", count_of "deferred", extra = true },
  { "SENT", function(night)
    local bytes = nights.count(night, "sent_bytes")
    return bytes and text.bytes(bytes)
  end, extra = true },
  { "NOTE", nights.note, is_text = true, extra = true },
}

local function table_of(list)
  local lines, right = { {} }, {}
  for _, column in ipairs(COLUMNS) do
    local values, any = {}, not column.extra
    for i, night in ipairs(list) do
      values[i] = column[2](night)
      any = any or values[i] ~= nil
    end
    if any then
      local at = #lines[1] + 1
      lines[1][at], right[at] = column[1], not column.is_text
      for i = 1, #list do
        lines[i + 1] = lines[i + 1] or {}
        lines[i + 1][at] = values[i] or column[1] ~= "NOTE" and "-" or nil
      end
    end
  end
  return text.columns(lines, right, "  ")
end

local NOT_ENDED = "\nThe last night has not ended: it is under way, or was interrupted. The next one goes on from "
  .. "there.\n"

local function show(args, kept)
  local list, err = nights.of(kept)
  if not list then
    return nil, err
  end
  output.object { service = kept.about.service, account_id = kept.about.account, nights = nights.objects(list) }
  output.say(("scope3 history · %s · %s\n\n"):format(state_file.name(args.state), state_file.place(kept.about)))
  if #list == 0 then
    output.say "The state has no nights yet.\n"
    return true
  end
  output.say(table_of(list) .. (list[#list].ended and "" or NOT_ENDED))
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
