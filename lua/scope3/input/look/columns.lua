--- What the columns of a file hold, counted over the rows that were looked at.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local mask = require "scope3.input.look.mask"
local names = require "scope3.input.look.names"
local phones = require "scope3.input.look.phones"

local columns = {}

local SAMPLES = 3
local SAMPLED = 300 -- cells whose masks are made
-- Types whose values have a form of their own.
local UID_TYPES = { uid2 = true, euid = true, maid = true, id5 = true, rampid = true, rampid_derived = true,
  pairid = true }
local NATIONAL_MAX = 1000 -- phones that are kept to find their country

---@class scope3.LookFacts  what a column holds
---@field name? string
---@field hidden? boolean  its name may be a value of a row, and is not shown
---@field number? integer
---@field filled integer  cells with a value
---@field share number  of the rows that have one, 0 to 1
---@field odd boolean  it has values of JSON that are neither texts nor whole numbers
---@field distinct integer  different values
---@field emails integer  values that are valid emails
---@field hashes integer  values that are SHA-256
---@field phones integer  values that are valid phones in international form
---@field national integer  values that may be phones in national form
---@field regions? scope3.LookRegion[]  of phones in national form
---@field region_is_told? boolean  phones with a plus say that they are of the first
---@field valid_by_row? integer  phones that are valid by the country of their row
---@field seen_by_row? integer  of so many
---@field countries integer  values that name a country
---@field codes? string[]  the most frequent countries
---@field yes integer  values that say yes, and those that say no
---@field no integer
---@field uid_type? string  of universal ids, where the name says one and the values have its form
---@field samples string[]  masked

local function begin(column)
  return {
    name = column.name, number = column.number, filled = 0, distinct = 0, emails = 0, hashes = 0, phones = 0,
    national = 0, countries = 0, yes = 0, no = 0, decimals = 0, dates = 0, codes = {}, samples = {},
  }
end

local function is_date(text)
  return text:find("^[ \t]*[0-9][0-9][0-9][0-9][-/.][0-9][0-9]?[-/.][0-9][0-9]?")
    or text:find("^[ \t]*[0-9][0-9]?[-/.][0-9][0-9]?[-/.][0-9][0-9]")
end

-- What a value is that begins with a digit, a plus or a bracket.
local function number_kind(text, first, may_be_phone)
  if first == "+" and core.phone_normalize(text) then
    return "phone"
  elseif may_be_phone and select(2, text:gsub("[0-9]", "")) >= 5 then
    return "national"
  elseif is_date(text) then
    return "date"
  end
  return text:find("^[ \t]*[0-9]+[.,][0-9][0-9]?[ \t]*$") and "decimal" or "other"
end

-- What a value is that has no "@". Each is looked at once, however often it comes.
local function classify(text, may_be_phone)
  if #text >= 43 and core.hashed(text) then
    return "hash"
  elseif core.yes(text) ~= nil then
    return core.yes(text) and "yes" or "no", core.region(text) -- NO is Norway, too
  end
  local first = text:match("^[ \t]*([+0-9(])")
  if first then
    return number_kind(text, first, may_be_phone)
  end
  local region = #text <= 60 and core.region(text)
  return region and "country" or "other", region or nil
end

local function kind_of(text, may_be_phone)
  if text:find("@", 1, true) then
    return core.email_normalize(text, true) and "email" or "other"
  end
  return classify(text, may_be_phone)
end

local COUNTERS = { email = "emails", hash = "hashes", phone = "phones", national = "national", yes = "yes", no = "no",
  decimal = "decimals", date = "dates" }

-- The most frequent of what was counted, at most so many.
local function top(counts, most)
  local list = {}
  for key in entries(counts) do
    list[#list + 1] = key
  end
  table.sort(list, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and core.before(a, b)
  end)
  for i = #list, most + 1, -1 do
    list[i] = nil
  end
  return list
end

local function samples_of(column, rows)
  local forms, looked, row = {}, 0, 1
  while row <= rows and looked < SAMPLED do
    local text = column.cells[row]
    if text then
      looked = looked + 1
      local masked = mask.value(text)
      forms[masked] = (forms[masked] or 0) + 1
    end
    row = row + 1
  end
  return top(forms, SAMPLES)
end

-- Which universal ids a column holds: its name says a type, and most values have its form.
local function uid_type_of(column, rows)
  local uid = column.name and core.uid_type(column.name)
  if not UID_TYPES[uid or ""] then
    return nil
  end
  local seen, valid, row = 0, 0, 1
  while row <= rows and seen < SAMPLED do
    if column.cells[row] then
      seen = seen + 1
      valid = valid + (core.uid_check(uid, column.cells[row]) and 1 or 0)
    end
    row = row + 1
  end
  return valid > seen / 2 and uid or nil
end

local function note(facts, national, codes, text, kind, code)
  local counter = COUNTERS[kind]
  if counter then
    facts[counter] = facts[counter] + 1
  end
  if kind == "national" and #national < NATIONAL_MAX then
    national[#national + 1] = text
  elseif code then
    facts.countries = facts.countries + 1
    codes[code] = (codes[code] or 0) + 1
  end
end

local function is_like_phone(text)
  return text:find("^[0(][0-9 ()/.-]+$") ~= nil and select(2, text:gsub("[0-9]", "")) >= 9
end

-- Whether digits of a column may be phones: its name says so, or it has none and most of its first cells look so.
local function may_hold_phones(column, rows)
  if column.name then
    return names.is_phone(column.name)
  end
  local seen, alike = 0, 0
  for row = 1, math.min(rows, SAMPLED) do
    local text = column.cells[row]
    if text then
      seen = seen + 1
      alike = alike + (is_like_phone(text) and 1 or 0)
    end
  end
  return alike > seen / 2
end

-- The first phones in international form, as E.164.
local function international_of(column, rows, kinds)
  local list, row = {}, 1
  while row <= rows and #list < SAMPLED do
    local text = column.cells[row]
    if text and kinds[text] == "phone" then
      list[#list + 1] = core.phone_normalize(text)
    end
    row = row + 1
  end
  return list
end

local function look_at(column, rows)
  local facts, national, codes, kinds, regions = begin(column), {}, {}, {}, {}
  local may_be_phone = may_hold_phones(column, rows)
  for row = 1, rows do
    local text = column.cells[row]
    if text then
      facts.filled = facts.filled + 1
      local kind = kinds[text]
      if not kind then
        kind, regions[text] = kind_of(text, may_be_phone)
        kinds[text] = kind
        facts.distinct = facts.distinct + 1
      end
      note(facts, national, codes, text, kind, regions[text])
    end
  end
  facts.odd = column.odd ~= nil
  facts.share = rows > 0 and facts.filled / rows or 0
  facts.samples = samples_of(column, rows)
  facts.codes = top(codes, SAMPLES)
  facts.uid_type = uid_type_of(column, rows)
  if #national > 0 then
    facts.regions, facts.region_is_told = phones.regions(national, international_of(column, rows, kinds))
  end
  return facts
end

--- What each column holds.
---@param found scope3.LookCells
---@return scope3.LookFacts[]
function columns.look(found)
  local list = {}
  for i, column in ipairs(found.columns) do
    list[i] = look_at(column, found.rows)
  end
  return list
end

--- Notes how many phones of a column are valid by the country of their row.
---@param found scope3.LookCells
---@param list scope3.LookFacts[]  as columns.look() gives them
---@param phone scope3.LookFacts
---@param region scope3.LookFacts
function columns.read_phones_by(found, list, phone, region)
  local cells = {}
  for i, facts in ipairs(list) do
    cells[facts] = found.columns[i].cells
  end
  phone.valid_by_row, phone.seen_by_row = phones.by_rows(cells[phone], cells[region], found.rows)
end

return columns
