--- Which column tells customers apart.
local names = require "scope3.input.look.names"

local ids = {}

-- Shares that a column of ids has at least, where its name does not say that it is one.
local FILLED, DISTINCT = 0.9, 0.8
local CLOSE = 15 -- points between the best two, where either may be meant
local CONTACT = -200 -- points of an email or phone: any other id is better

--- Whether a column holds emails or phones, which are no ids of their own.
---@param facts scope3.LookFacts
---@return boolean
function ids.is_contact(facts)
  return facts.emails + facts.phones + facts.national > facts.filled / 2
end

local function distinct_share(facts)
  return facts.filled > 0 and facts.distinct / facts.filled or 0
end

-- Whether nearly each row has a value of its own.
local function is_full(facts)
  return facts.share >= FILLED and distinct_share(facts) >= DISTINCT
end

-- Whether a column cannot be the id, whatever it is called.
local function is_other(facts)
  return facts.filled == 0 or facts.uid_type ~= nil or distinct_share(facts) < 0.05
    or facts.decimals + facts.dates + facts.countries > facts.filled / 2
    or facts.distinct <= 2 and facts.filled > 2
end

local function is_hash(facts)
  return facts.hashes > facts.filled / 2
end

local function weight_of(facts)
  return facts.name and names.id_weight(facts.name) or 0
end

-- How well a column fits; nil where it cannot be the id.
local function points_of(facts, is_first)
  local weight = weight_of(facts)
  if is_other(facts) or not is_full(facts) and (weight <= 0 or ids.is_contact(facts)) then
    return nil
  elseif ids.is_contact(facts) then
    return CONTACT + (facts.emails > 0 and 10 or 0)
  end
  return weight + 20 * distinct_share(facts) + 20 * facts.share + (is_first and 5 or 0) - (is_hash(facts) and 40 or 0)
end

-- The columns whose points are close to the most.
local function close_to(most, facts, points, best)
  local rivals = {}
  for i, one in ipairs(facts) do
    if one ~= best and points[i] and points[i] > 0 and points[i] >= most - CLOSE then
      rivals[#rivals + 1] = one
    end
  end
  return rivals
end

-- Whether a column only happens to differ in each row, such as one of names: an email is a better id.
local function is_weak(best)
  return not ids.is_contact(best) and best.name ~= nil and weight_of(best) <= 0
end

--- The column that is most likely the id, and those that may be meant as well.
---@param facts scope3.LookFacts[]
---@return scope3.LookFacts?
---@return scope3.LookFacts[] rivals
function ids.best(facts)
  local best, most, points = nil, nil, {}
  for i, one in ipairs(facts) do
    points[i] = points_of(one, i == 1)
    if points[i] and (not most or points[i] > most) then
      best, most = one, points[i]
    end
  end
  local contact = best and is_weak(best) and ids.contact(facts)
  if contact then
    return contact, { best }
  end
  return best, best and close_to(most, facts, points, best) or {}
end

--- The column of emails or phones that differ in nearly each row.
---@param facts scope3.LookFacts[]
---@return scope3.LookFacts?
function ids.contact(facts)
  for _, one in ipairs(facts) do
    if one.filled > 0 and ids.is_contact(one) and is_full(one) then
      return one
    end
  end
end

return ids
