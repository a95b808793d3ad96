-- Rare branches of the product (scope3.util.rare), which each simulation throws by its seed.
local switches = {}

local Switches = {}
Switches.__index = Switches

-- How small a number becomes, and in what share of the simulations. A slice must not end by the real clock.
local NUMBERS = {
  slice_bytes = { 1, 400 }, slice_rows = { 1, 9 }, turn = { -1, -1 }, smallest = { 1, 200 },
  adds_between_pumps = { 1, 7 }, held = { 1, 1 }, page = { 2, 4 }, payload_members = { 1, 9 },
  first_request = { 4096, 5000 }, kept_size = { 1, 1 },
}
local ORDER = { "slice_bytes", "slice_rows", "turn", "smallest", "adds_between_pumps", "held", "page",
  "payload_members", "first_request",
  "kept_size" }
local FIXED = { slice_seconds = 3600 }
local SHARE = 0.4

function switches.new(dice)
  local self = setmetatable({ dice = dice, numbers = {}, thrown = {}, halves = dice:happens(0.3) and 0.2 or 0 },
    Switches)
  for _, name in ipairs(ORDER) do
    if dice:happens(SHARE) then
      self.numbers[name] = dice:whole(NUMBERS[name][1], NUMBERS[name][2])
    end
  end
  return self
end

local function note(self, name)
  self.thrown[name] = (self.thrown[name] or 0) + 1
end

function Switches:number(name, usual)
  local mine = self.numbers[name]
  if mine then
    note(self, name)
  end
  return mine or FIXED[name] or usual
end

function Switches:happens(name)
  local does = self.dice:happens(self.halves)
  if does then
    note(self, name)
  end
  return does
end

return switches
