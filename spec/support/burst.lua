-- How many requests of one key a limiter lets go at one moment.

local WHO = { host = "h", key = "k" }
local MOST = 5000 -- more than any spec allows

--- Asks until one has to wait.
---@param own scope3.Limiter
---@param rate integer  requests a minute
---@param poll boolean
---@param now number
---@return integer
return function(own, rate, poll, now)
  local n = 0
  while own:pass(WHO, rate, poll, now) == 0 do
    n = n + 1
    assert(n <= MOST, "no end")
  end
  return n
end
