-- The mutants that change nothing that can be seen, each with its reason: spec/mutants/equivalent.tsv. An entry is
-- known by the text of its line, not by its number, and means every such line of its file.
local shell = require "spec.mutants.shell"

local equivalent = {}

---@class scope3.EquivalentList
---@field entries {file: string, source: string, operator: string, from: string, to: string, reason: string}[]
local List = {}
List.__index = List

local function key_of(one)
  return table.concat({ one.file, one.source, one.operator, one.from, one.to }, "\t")
end

---@param path string
---@return scope3.EquivalentList
function equivalent.read(path)
  local self = setmetatable({ entries = {}, by_key = {} }, List)
  for _, row in ipairs(shell.rows(path)) do
    local entry = { file = row[1], source = row[2], operator = row[3], from = row[4], to = row[5], reason = row[6] }
    assert((entry.reason or "") ~= "", "an entry has no reason: " .. table.concat(row, "\t"))
    self.entries[#self.entries + 1] = entry
    self.by_key[key_of(entry)] = entry
  end
  return self
end

---@param mutant scope3.Mutant
---@return string? reason
function List:reason(mutant)
  local entry = self.by_key[key_of(mutant)]
  if entry then
    entry.met = true
    return entry.reason
  end
end

--- The entries of some files that no mutant has met.
---@param files table<string, any>
---@return table[]
function List:unmet(files)
  local list = {}
  for _, entry in ipairs(self.entries) do
    if files[entry.file] and not entry.met then
      list[#list + 1] = entry
    end
  end
  return list
end

return equivalent
