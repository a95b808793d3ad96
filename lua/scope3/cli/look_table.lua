--- What a look at a file found, in 80 columns for a person.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local proposal = require "scope3.input.look.proposal"
local suggestion = require "scope3.cli.suggestion"
local text = require "scope3.cli.text"

local look_table = {}

local WIDTH, NAME = 80, 22
local SHOWN_MAX = 60 -- columns of a wide file

local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

-- A text that takes up so many columns at most.
local function cut(words, most)
  local shown, n = {}, 0
  for character in text.visible(words):gmatch(CHARACTER) do
    n = n + 1
    if n == most then
      local rest = #table.concat(shown) + #character < #text.visible(words)
      shown[n] = rest and "…" or character
      break
    end
    shown[n] = character
  end
  return table.concat(shown)
end

-- A sentence over several lines.
local function wrap(words, first, other)
  local lines, line, used = {}, first, #first
  for word in words:gmatch("[^ ]+") do
    if used > #first and #line + 1 + #word > WIDTH then
      lines[#lines + 1] = line
      line = other .. word
    else
      line = used > #first and line .. " " .. word or line .. word
    end
    used = #first + 1
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n") .. "\n"
end

local function of_rows(seen)
  local rows = text.plural(seen.rows, "row")
  if seen.all and seen.rows == 0 then
    return "no rows"
  elseif seen.all then
    return rows .. ", which are all"
  end
  return ("the first %s looked at"):format(rows)
end

local function encoding_of(seen)
  local name = seen.encoding == "utf-8" and "UTF-8" or seen.encoding
  return (seen.guessed_encoding and "most likely " or "") .. name .. (seen.marked and " with a byte order mark" or "")
end

-- How the file is written.
local function written(seen)
  local opts, parts = seen.opts, { "JSON Lines" }
  if opts.format == "csv" then
    parts = { "CSV", suggestion.delimiter(seen.delimiter or ",") }
  end
  parts[#parts + 1] = encoding_of(seen)
  if opts.header == false then
    parts[#parts + 1] = "no header"
  elseif opts.skip_lines and opts.skip_lines > 0 then
    parts[#parts + 1] = text.plural(opts.skip_lines, "line") .. " before the header"
  end
  for _, key in ipairs { "quote", "escape", "null" } do
    parts[#parts + 1] = opts[key] and ("%s %s"):format(key, opts[key]) or nil
  end
  return table.concat(parts, " · ")
end

local function reasons_of(faults)
  local keys, parts = {}, {}
  for key in entries(faults) do
    keys[#keys + 1] = key
  end
  table.sort(keys, core.before)
  for i, key in ipairs(keys) do
    parts[i] = ("%s (%.0f)"):format(core.reasons[key] or key, faults[key])
  end
  return table.concat(parts, ", ")
end

local function head(seen)
  local name = seen.path == "-" and "standard input" or seen.path
  local lines = cut(name, WIDTH) .. "\n" .. wrap(("%s · %s"):format(written(seen), of_rows(seen)), "", "")
  if seen.refused > 0 then
    lines = lines .. wrap(("%s cannot be read: %s"):format(text.plural(seen.refused, "row"), reasons_of(seen.faults)),
      "", "")
  end
  if seen.broken then
    local why = tostring(seen.broken):gsub("^scope3: ", "")
    lines = lines .. wrap("It is damaged, and was read only so far: " .. text.visible(why), "", "")
  end
  return lines
end

local function phones_of(facts)
  local region = facts.regions and facts.regions[1]
  local parts = { facts.phones > 0 and proposal.percent(facts.phones, facts.filled) .. " phones with +" or nil }
  if facts.national > 0 then
    parts[#parts + 1] = ("%s national%s"):format(proposal.percent(facts.national, facts.filled),
      region and (", %s of them in %s"):format(proposal.percent(region.share, 1), region.region) or " phones")
  end
  return table.concat(parts, ", ")
end

-- What a column holds, in words.
local function contents(facts)
  local filled, percent = facts.filled, proposal.percent
  if filled == 0 then
    return "empty"
  elseif facts.uid_type then
    return facts.uid_type
  elseif facts.emails > filled / 10 then
    return percent(facts.emails, filled) .. " valid emails" .. (facts.hashes > 0 and ", some hashed" or "")
  elseif facts.hashes > filled / 2 then
    return percent(facts.hashes, filled) .. " SHA-256"
  elseif facts.phones > filled / 10 or facts.regions and #facts.regions > 0 then
    return phones_of(facts)
  elseif facts.countries > 0.9 * filled then
    return "countries: " .. table.concat(facts.codes, ", ")
  elseif facts.yes + facts.no > 0.9 * filled then
    return ("yes or no: %s yes"):format(percent(facts.yes, facts.yes + facts.no))
  elseif facts.dates > 0.9 * filled then
    return "dates"
  elseif facts.distinct == filled and filled > 1 then
    return "differs in each row"
  end
  return text.plural(facts.distinct, "different value")
end

local function column_lines(facts, at, rows)
  local name = cut(proposal.call(facts), NAME)
  local _, more = name:gsub("[\128-\191]", "")
  local line = ("%3d  %s%s  %6s  %s"):format(facts.number or at, name, (" "):rep(NAME - #name + more),
    proposal.percent(facts.filled, rows), contents(facts))
  local samples = table.concat(facts.samples, "   ")
  return cut(line, WIDTH) .. "\n" .. (samples ~= "" and (" "):rep(37) .. cut(samples, WIDTH - 37) .. "\n" or "")
end

local function columns_of(seen)
  local lines = { ("\n     %s%s  filled  holds; forms of its values\n"):format("column", (" "):rep(NAME - 6)) }
  for i = 1, math.min(#seen.columns, SHOWN_MAX) do
    lines[#lines + 1] = column_lines(seen.columns[i], i, seen.rows)
  end
  if #seen.columns > SHOWN_MAX then
    lines[#lines + 1] = ("     and %s more (--json has all)\n"):format(text.plural(#seen.columns - SHOWN_MAX, "column"))
  end
  return table.concat(lines)
end

local function consent_row(made)
  local facts = made.consent
  return { made.refusal and "(refusal)" or "(consent)", cut(proposal.call(facts), NAME),
    facts.yes + facts.no > 0 and proposal.percent(facts.yes, facts.filled) .. " say yes" or "" }
end

local function map_rows(seen)
  local rows = {}
  for _, field in ipairs(seen.proposal.fields) do
    for i, facts in ipairs(field.columns) do
      rows[#rows + 1] = { i == 1 and field.field or "", cut(proposal.call(facts), NAME),
        i == 1 and cut(field.why, 40) or "where that gives nothing" }
    end
  end
  if seen.proposal.consent then
    rows[#rows + 1] = consent_row(seen.proposal)
  end
  if seen.proposal.region then
    rows[#rows + 1] = { "region", seen.proposal.region, "of phones without a country code" }
  elseif seen.proposal.near then
    rows[#rows + 1] = { "(region)", "left open", "may be " .. table.concat(seen.proposal.near, ", ") }
  end
  return rows
end

-- What became of the rows that were looked at.
local function trial_of(tried)
  if not tried then
    return ""
  end
  local parts = { text.plural(tried.members, "member") }
  parts[#parts + 1] = tried.skipped > 0 and text.plural(tried.skipped, "row") .. " skipped" or nil
  if tried.rejected_rows > 0 then
    parts[#parts + 1] = ("%s rejected: %s"):format(text.plural(tried.rejected_rows, "row"), reasons_of(tried.rejected))
  end
  return wrap("Of these rows it makes " .. table.concat(parts, "; "), "  ", "  ")
end

--- What is proposed, with reasons, and what is not sure.
---@param seen scope3.Look
---@return string
function look_table.proposal(seen)
  local rows = map_rows(seen)
  local lines = { #rows > 0 and "\nProposed map\n" .. text.columns(rows, nil, "  ") or "", trial_of(seen.trial) }
  if #seen.proposal.unsure > 0 then
    lines[#lines + 1] = "\nNot sure\n"
    for _, sentence in ipairs(seen.proposal.unsure) do
      lines[#lines + 1] = wrap(text.visible(sentence), "  - ", "    ")
    end
  end
  return table.concat(lines)
end

look_table.PRIVATE = "Nothing left this machine: no key was used, and no network. Values are masked.\n"

look_table.UNWRITABLE = "A name of the file or of a column cannot be written in a command: it has control "
  .. "characters, signs of --where, or is not UTF-8. Rename it."

--- All of it.
---@param seen scope3.Look
---@return string
function look_table.of(seen)
  local words = seen.proposal.usable and suggestion.words(seen, { "--dry-run" })
  local last = words and "\nTry it, without sending:\n\n" .. suggestion.lines(words)
    or seen.proposal.usable and "\n" .. wrap(look_table.UNWRITABLE, "", "") or ""
  return head(seen) .. columns_of(seen) .. look_table.proposal(seen) .. last .. "\n" .. look_table.PRIVATE
end

return look_table
