--- The text of a script that sends a file that was looked at, with comments for the person who goes on with it.
local plural = require "scope3.util.plural"
local proposal = require "scope3.input.look.proposal"

local script_text = {}

local WIDTH = 100

local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true "
  .. "until while"):gmatch("%l+") do
  KEYWORDS[word] = true
end

-- A text as Lua reads it. It holds no control characters.
local function quoted(text)
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

local function value_of(value)
  if type(value) == "string" then
    return quoted(value)
  end
  return type(value) == "number" and ("%.0f"):format(value) or tostring(value)
end

-- The key of a table, before its equals sign.
local function key_of(key)
  if type(key) == "string" and key:find("^[A-Za-z_][A-Za-z0-9_]*$") and not KEYWORDS[key] then
    return key
  end
  return ("[%s]"):format(value_of(key))
end

-- Adds a comment over several lines.
local function comment(lines, indent, words)
  local line = indent .. "--"
  for word in words:gmatch("[^ ]+") do
    if #line + 1 + #word > WIDTH and line ~= indent .. "--" then
      lines[#lines + 1] = line
      line = indent .. "--"
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
end

-- The columns of a field: one, or a list of them.
local function columns_of(field, column)
  if #field.columns == 1 then
    return value_of(column(field.columns[1]))
  end
  local list = {}
  for i, facts in ipairs(field.columns) do
    list[i] = value_of(column(facts))
  end
  return "{ " .. table.concat(list, ", ") .. " }"
end

local function add_reading(lines, fields)
  for _, field in ipairs(fields) do
    lines[#lines + 1] = ("  %s = %s,"):format(field.key, value_of(field.value))
  end
end

local function add_consent(lines, made, column)
  local facts = made.consent
  if not facts then
    return
  end
  -- The date of an answer is no yes: it is there, or it is not.
  local where = ("  where = { %s = { %s = %s } },"):format(key_of(column(facts)),
    facts.dates > facts.filled / 2 and "present" or "yes", made.refusal and "false" or "true")
  if made.sure_of_consent then
    comment(lines, "  ", "Only rows of people who agreed are sent.")
    lines[#lines + 1] = where
  else
    comment(lines, "  ", ("All rows are sent. If '%s' says who %s, take the two dashes from the next line.")
      :format(proposal.call(facts), made.refusal and "refused" or "agreed"))
    lines[#lines + 1] = "  --" .. where:sub(2)
  end
end

local function add_map(lines, made, column)
  lines[#lines + 1] = "  map = {"
  for _, field in ipairs(made.fields) do
    lines[#lines + 1] = ("    %s = %s, -- %s"):format(key_of(field.field), columns_of(field, column), field.why)
  end
  lines[#lines + 1] = "  },"
end

local function add_choices(lines, made)
  if made.region then
    lines[#lines + 1] = ("  region = %s, -- the country of phones without a country code"):format(quoted(made.region))
  elseif made.near then
    local others = {}
    for i = 2, #made.near do
      others[i - 1] = quoted(made.near[i])
    end
    comment(lines, "  ", "Phones without a country code do not go. If they are of one country, name it in the next "
      .. "line, and take its two dashes away.")
    lines[#lines + 1] = ("  -- region = %s, -- or %s"):format(quoted(made.near[1]), table.concat(others, ", "))
  end
  if made.ids then
    lines[#lines + 1] = ("  ids = %s, -- the SHA-256 of the email or phone is the id"):format(quoted(made.ids))
  end
end

---@class scope3.ScriptNames
---@field file string  of the rows, fit for a comment
---@field audience string  its id
---@field column fun(facts: scope3.LookFacts): string|integer
---@field fields {key: string, value: any}[]  how the file is read

--- The text of the script.
---@param seen scope3.Look  with a proposal that is usable
---@param words scope3.ScriptNames
---@return string
function script_text.of(seen, words)
  local made, lines = seen.proposal, {}
  comment(lines, "", ("Made by scope3 init, which looked at %s of %s. docs/scripts.md says what may stand here.")
    :format(plural.of(seen.rows, "row"), words.file))
  if #made.unsure > 0 then
    comment(lines, "", "Not sure:")
    for _, sentence in ipairs(made.unsure) do
      comment(lines, "", "- " .. sentence)
    end
  end
  lines[#lines + 1] = "return {"
  comment(lines, "  ", "The audience to fill. consent_basis may be consent, legitimate_interest, contract or "
    .. "legal_obligation.")
  lines[#lines + 1] = ("  audience = { id = %s, name = %s },"):format(quoted(words.audience), quoted(words.audience))
  add_reading(lines, words.fields)
  add_consent(lines, made, words.column)
  add_map(lines, made, words.column)
  add_choices(lines, made)
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n") .. "\n"
end

return script_text
