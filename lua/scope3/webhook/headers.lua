--- The headers of a request, under lowercase names.
local core = require "scope3.core"
local entries = require "scope3.util.entries"

local headers = {}

--- Lists of values by lowercase name, without the blanks round them.
---
--- Names that differ only in case are one header. Its values are in the order of the names.
---@param given table<string, string|string[]>
---@return table<string, string[]>?
---@return string? problem  a wrong shape, to raise; holds names and no values
function headers.collect(given)
  local names, found = {}, {}
  for name in entries(given) do
    if type(name) ~= "string" then
      return nil, "request.headers must map names to values, and has a " .. type(name) .. " for a name"
    end
    names[#names + 1] = name
  end
  table.sort(names, core.before)
  for _, name in ipairs(names) do
    local value, list = given[name], found[core.lower(name)] or {}
    for _, item in ipairs(type(value) == "table" and value or { value }) do
      if type(item) ~= "string" then
        return nil, ("the header '%s' must be a string or a list of strings, not a %s"):format(name, type(item))
      end
      -- From the end first: "(.-)[ \t]*$" would look at every run of blanks again from each of its places.
      list[#list + 1] = (item:match("^.*[^ \t]") or ""):match("^[ \t]*(.*)$")
    end
    found[core.lower(name)] = list
  end
  return found
end

--- A header that may be there once: its value; nil when it is missing; false when it is there twice.
---@param found table<string, string[]>
---@param name string
---@return string|false|nil
function headers.one(found, name)
  local list = found[name]
  if list and list[2] then
    return false
  end
  return list and list[1]
end

--- All values of a header as one (RFC 9110 section 5.3).
---@param found table<string, string[]>
---@param name string
---@return string?
function headers.all(found, name)
  return found[name] and table.concat(found[name], ", ")
end

return headers
