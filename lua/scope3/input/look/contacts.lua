--- Which columns hold emails, phones, hashes and countries.
local names = require "scope3.input.look.names"

local contacts = {}

local MOSTLY = 0.5 -- of the values of a column
local SOME = 0.1 -- of those of a column whose name says so
local COUNTRIES, NEARLY_ALL = 0.9, 0.98 -- the second where no name says that these are countries
local MANY = 10

local FALLBACKS_MAX = 4 -- columns of a field that are proposed

local function is_named(facts, test)
  return facts.name ~= nil and test(facts.name)
end

-- The columns of a kind, those first that fit better: by name, and then in the order of the file.
local function pick(facts, is_one)
  local list = {}
  for _, one in ipairs(facts) do
    if one.filled > 0 and #list < FALLBACKS_MAX and is_one(one) then
      list[#list + 1] = one
    end
  end
  return list
end

--- The columns of emails. One that is named so may also hold hashes.
---@param facts scope3.LookFacts[]
---@return scope3.LookFacts[]
function contacts.emails(facts)
  return pick(facts, function(one)
    local least = is_named(one, names.is_email) and SOME or MOSTLY
    return one.emails > 0 and one.emails >= least * (one.filled - one.hashes)
      and one.emails + one.hashes >= least * one.filled
  end)
end

--- The columns of phones.
---@param facts scope3.LookFacts[]
---@return scope3.LookFacts[]
function contacts.phones(facts)
  return pick(facts, function(one)
    local best = one.regions and one.regions[1]
    local valid = one.phones + (best and best.share * one.national or 0)
    return valid > 0 and valid >= (is_named(one, names.is_phone) and SOME or MOSTLY) * one.filled
  end)
end

--- The columns of hashes, by the field that their name says.
---@param facts scope3.LookFacts[]
---@return {hashed_email: scope3.LookFacts[], hashed_phone: scope3.LookFacts[], unclear: scope3.LookFacts[]}
function contacts.hashes(facts)
  local found = { hashed_email = {}, hashed_phone = {}, unclear = {} }
  for _, one in ipairs(facts) do
    if one.hashes > 0 and not one.uid_type and one.hashes >= MOSTLY * one.filled and one.emails == 0 then
      local email, phone = is_named(one, names.is_email), is_named(one, names.is_phone)
      local list = found[email and not phone and "hashed_email" or phone and not email and "hashed_phone" or "unclear"]
      list[#list + 1] = one
    end
  end
  return found
end

-- What the name of a column says of countries.
local function said_of(one)
  local said = one.name ~= nil and names.is_region(one.name)
  return said and "named" or said == nil and "doubtful" or "other"
end

local function holds_countries(one, said)
  local share, least = COUNTRIES, 1
  if said == "other" then
    share, least = NEARLY_ALL, MANY
  end
  return one.filled >= least and one.countries >= share * one.filled
end

--- The column of countries. Second: one that may hold something else with the same codes.
---@param facts scope3.LookFacts[]
---@return scope3.LookFacts?
---@return scope3.LookFacts? doubtful
function contacts.region(facts)
  local found = {}
  for _, one in ipairs(facts) do
    local said = said_of(one)
    if holds_countries(one, said) then
      found[said] = found[said] or one
    end
  end
  local region = found.named or found.other
  return region, not region and found.doubtful or nil
end

--- A column that is named for countries, and does not hold such as are known: "Niemcy", "Německo".
--- Asked for where contacts.region() finds none.
---@param facts scope3.LookFacts[]
---@return scope3.LookFacts?
function contacts.unread_region(facts)
  for _, one in ipairs(facts) do
    if one.filled > 0 and is_named(one, names.is_country) then
      return one
    end
  end
end

return contacts
