--- In which countries' national form the phones of a column are written.
local core = require "scope3.core"

local phones = {}

local TRIED = 60 -- values that every country is tried on
local COUNTED = 600 -- and those that the likely ones are
local BY_ROWS = 3000 -- rows whose phones are read by their own country
local KEPT = 8 -- countries that are counted
local NEAR = 0.1 -- share by which a country may be behind the best, and still be meant
local LEAST = 0.1 -- share of valid values below which a country is not named

-- Of countries that read a number alike, such as those of +1, the first is named.
local FIRST = { "US", "GB", "DE", "FR", "IT", "ES", "NL", "AU", "NO", "MA", "RU", "FI", "CA", "BR", "IN", "MX", "JP",
  "SE", "CH", "AT", "BE", "PL", "PT", "IE", "DK", "NZ", "ZA" }

local all

-- The countries that have a numbering plan, the likely ones first.
local function countries()
  if all then
    return all
  end
  local known = {}
  all = {}
  for _, code in ipairs(FIRST) do
    known[code] = true
    all[#all + 1] = code
  end
  for a = 65, 90 do
    for b = 65, 90 do
      local code = string.char(a, b)
      if not known[code] and core.region(code) == code then
        all[#all + 1] = code
      end
    end
  end
  return all
end

-- How many of the values a country's plan takes, and what the first of them become.
local function count(values, code, most)
  local valid, first = 0, nil
  for i = 1, math.min(#values, most) do
    local phone = core.phone_normalize(values[i], code)
    if phone then
      valid = valid + 1
      first = (first or "") .. phone
    end
  end
  return valid, first
end

-- The calling code of a country, as far as one of its numbers tells: what stands before the digits of the value.
local function calling_code(values, code)
  for i = 1, math.min(#values, COUNTED) do
    local phone = core.phone_normalize(values[i], code)
    if phone then
      local digits, same = values[i]:gsub("[^0-9]", ""), 0
      while same < #digits and phone:byte(-1 - same) == digits:byte(-1 - same) do
        same = same + 1
      end
      return phone:sub(1, -1 - same)
    end
  end
end

-- Puts the country first that most phones with a plus are of, where it is nearly as good as the best. Some plans, such
-- as Italy's, take nearly any number. Gives whether such phones have spoken.
local function prefer_code_of(found, values, international)
  for i, one in ipairs(found) do
    local code, hits = calling_code(values, one.region) or "", 0
    for _, phone in ipairs(international) do
      hits = hits + (#code > 1 and phone:sub(1, #code) == code and 1 or 0)
    end
    if one.share >= found[1].share - NEAR and hits > #international / 2 then
      table.insert(found, 1, table.remove(found, i))
      return true
    end
  end
  return false
end

---@class scope3.LookRegion
---@field region string
---@field valid integer
---@field share number  of the values that were tried

--- The countries in whose national form these values are valid, best first. Of those that give the same numbers only
--- one is named.
---@param values string[]  phones without a plus
---@param international string[]  of the same column, as E.164
---@return scope3.LookRegion[]
---@return boolean told  phones with a plus say that they are of the first
function phones.regions(values, international)
  local found, seen, tried = {}, {}, math.min(#values, TRIED)
  for order, code in ipairs(countries()) do
    local valid, same = count(values, code, TRIED)
    if valid > 0 and valid >= LEAST * tried and not seen[same] then
      seen[same] = true
      found[#found + 1] = { region = code, valid = valid, order = order }
    end
  end
  local function by_count(a, b)
    return a.valid > b.valid or a.valid == b.valid and a.order < b.order
  end
  table.sort(found, by_count)
  for i = #found, KEPT + 1, -1 do
    found[i] = nil
  end
  for _, one in ipairs(found) do
    one.valid = count(values, one.region, COUNTED)
    one.share = one.valid / math.min(#values, COUNTED)
  end
  table.sort(found, by_count)
  for _, one in ipairs(found) do
    one.order = nil
  end
  local told = prefer_code_of(found, values, international)
  return found, told
end

--- The countries that may be meant as well as the first.
---@param found scope3.LookRegion[]
---@return scope3.LookRegion[]
function phones.rivals(found)
  local near = {}
  for i = 2, #found do
    near[#near + 1] = found[i].share >= found[1].share - NEAR and found[i] or nil
  end
  return near
end

--- How many phones are valid by the country of their row, and how many rows have both.
---@param numbers table<integer, string>  by row
---@param regions table<integer, string>  names or codes of countries, by row
---@param rows integer
---@return integer valid
---@return integer seen
function phones.by_rows(numbers, regions, rows)
  local valid, seen = 0, 0
  for row = 1, math.min(rows, BY_ROWS) do
    if numbers[row] and regions[row] then
      seen = seen + 1
      valid = valid + (core.phone_normalize(numbers[row], regions[row]) and 1 or 0)
    end
  end
  return valid, seen
end

return phones
