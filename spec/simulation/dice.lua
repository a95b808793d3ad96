-- Random numbers that are the same for the same seed on every Lua.
local dice = {}

local Dice = {}
Dice.__index = Dice

local MODULUS = 2147483647 -- MINSTD: products stay under 2^53

function dice.new(seed)
  local self = setmetatable({ state = seed % (MODULUS - 1) + 1 }, Dice)
  for _ = 1, 3 do -- seeds that are neighbours begin with numbers that are neighbours
    self:unit()
  end
  return self
end

--- At least 0, under 1.
function Dice:unit()
  self.state = self.state * 48271 % MODULUS
  return (self.state - 1) / (MODULUS - 1)
end

--- A whole number of `least` to `most`.
function Dice:whole(least, most)
  return least + math.floor(self:unit() * (most - least + 1))
end

--- Whether something of that probability happens.
function Dice:happens(share)
  return share > 0 and self:unit() < share
end

--- One of a list.
function Dice:one_of(list)
  return list[self:whole(1, #list)]
end

--- A time whose logarithm is spread evenly.
function Dice:time(least, most)
  return least * (most / least) ^ self:unit()
end

return dice
