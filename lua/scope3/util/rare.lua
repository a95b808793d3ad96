--- Rare branches, which a simulation takes often: a slice that ends early, a request that is halved, small buffers.
---
--- In production both functions give what is usual. They are asked once a slice, a turn or a request, never a row.
--- Only spec/simulation replaces them. No option and no variable of the environment does.
local rare = {}

--- A number that a simulation may make another: a size, a count, a time.
---@param _ string  its name
---@param usual number
---@return number
function rare.number(_, usual)
  return usual
end

--- Whether something happens that is not needed and must do no harm.
---@param _ string  its name
---@return boolean
function rare.happens(_)
  return false
end

return rare
