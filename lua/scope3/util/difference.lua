--- What differs between two tables of plain values, in the words that journals and states say it in.
local entries = require "scope3.util.entries"

---@param was table<string, any>
---@param is table<string, any>
---@return string?  such as "account was 25 and is now 26"; nil where nothing differs
return function(was, is)
  local names = {}
  for _, t in ipairs { was, is } do
    for name in entries(t) do
      names[name] = true
    end
  end
  local sorted = {}
  for name in entries(names) do
    sorted[#sorted + 1] = name
  end
  table.sort(sorted)
  for _, name in ipairs(sorted) do
    if was[name] ~= is[name] then
      return ("%s was %s and is now %s"):format(name, tostring(was[name]), tostring(is[name]))
    end
  end
end
