-- Random choices that one number decides: the same on every Lua.
local Dice = {}
Dice.__index = Dice

local dice = {}

---@param seed integer
function dice.new(seed)
  local self = setmetatable({ state = seed % 2147483646 + 1 }, Dice)
  for _ = 1, 8 do
    self:fraction()
  end
  return self
end

--- A number of at least 0 and under 1.
function Dice:fraction()
  self.state = self.state * 48271 % 2147483647
  return (self.state - 1) / 2147483646
end

function Dice:happens(share)
  return self:fraction() < share
end

--- A whole number from `least` to `most`.
function Dice:whole(least, most)
  return least + math.floor(self:fraction() * (most - least + 1))
end

function Dice:pick(list)
  return list[self:whole(1, #list)]
end

--- One of a list of { weight, value }.
function Dice:weighted(list)
  local sum = 0
  for _, one in ipairs(list) do
    sum = sum + one[1]
  end
  local left = self:fraction() * sum
  for _, one in ipairs(list) do
    left = left - one[1]
    if left < 0 then
      return one[2]
    end
  end
  return list[#list][2]
end

function Dice:shuffle(list)
  for i = #list, 2, -1 do
    local k = self:whole(1, i)
    list[i], list[k] = list[k], list[i]
  end
end

return dice
