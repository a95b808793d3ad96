-- What became of each mutant: build/mutants/results.tsv, to which every end of a mutant is appended, so that a run goes
-- on where the last one stopped. The last line about a mutant counts.
local shell = require "spec.mutants.shell"

local results = {}

---@class scope3.MutantResult
---@field status "killed"|"survived"|"capped"
---@field killer string  the spec file, or ""
---@field seconds number
---@field at number  seconds since 1970
---@field cap number  that it had
---@field sum string  of the file's text

---@class scope3.MutantResults
local Results = {}
Results.__index = Results

--- FNV-1a, in 32 bits: tells whether a file is the one of before.
---@param text string
---@return string
function results.sum(text)
  local sum = 2166136261
  for i = 1, #text do
    sum = (sum ~ text:byte(i)) * 16777619 & 0xffffffff
  end
  return ("%08x"):format(sum)
end

---@param path string
---@return scope3.MutantResults
function results.read(path)
  local self = setmetatable({ path = path, by_name = {}, kills = {} }, Results)
  for _, row in ipairs(shell.rows(path)) do
    self:note(row[1], {
      status = row[2], killer = row[3], seconds = tonumber(row[4]), at = tonumber(row[5]), sum = row[6],
      cap = tonumber(row[7]),
    })
  end
  return self
end

function Results:note(name, result)
  self.by_name[name] = result
  if result.status == "killed" then
    local file = name:match "^[^:]+"
    self.kills[file] = self.kills[file] or {}
    self.kills[file][result.killer] = (self.kills[file][result.killer] or 0) + 1
  end
end

--- What became of a mutant, where that still holds: a mutant that lived may be killed by specs that changed since.
---@param name string
---@param sum string  of the file's text
---@param changed number  when its specs were
---@param cap number  one that was capped is tried again with more
---@return scope3.MutantResult?
function Results:holding(name, sum, changed, cap)
  local result = self.by_name[name]
  if not result or result.sum ~= sum then
    return nil
  elseif result.status == "killed" or result.at > changed and (result.status == "survived" or result.cap >= cap) then
    return result
  end
end

---@param name string
---@param sum string
---@param result scope3.MutantResult
function Results:add(name, sum, result)
  result.at, result.sum = os.time(), sum
  shell.write(self.path, ("%s\t%s\t%s\t%.1f\t%d\t%s\t%g\n"):format(name, result.status, result.killer, result.seconds,
    result.at, result.sum, result.cap), "ab")
  self:note(name, result)
end

return results
