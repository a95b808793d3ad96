-- How many of some times lie in one minute, wherever it begins.

--- The most times that lie within any 60 seconds.
---@param times number[]
---@return integer
return function(times)
  local sorted = {}
  for i, at in ipairs(times) do
    sorted[i] = at
  end
  table.sort(sorted)
  local most, first = 0, 1
  for last, at in ipairs(sorted) do
    while sorted[first] <= at - 60 do
      first = first + 1
    end
    most = math.max(most, last - first + 1)
  end
  return most
end
