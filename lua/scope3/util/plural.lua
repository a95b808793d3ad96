--- Counts and the words that depend on them: "1 row has", "2 rows have".
local plural = {}

--- The words behind a count.
---@param n number
---@param one string
---@param many? string  with an s unless given
---@return string
function plural.words(n, one, many)
  return n == 1 and one or many or one .. "s"
end

--- A count with its words.
---@param n number
---@param one string
---@param many? string
---@return string
function plural.of(n, one, many)
  return ("%.0f %s"):format(n, plural.words(n, one, many))
end

return plural
