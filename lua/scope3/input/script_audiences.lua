--- The audiences that one script fills: each may take rows of its own among those that the script takes.
local arguments = require "scope3.util.arguments"
local filter = require "scope3.input.filter"
local options = require "scope3.util.options"

local script_audiences = {}

---@class scope3.ScriptAudience: scope3.AudienceMeta  an audience of several
---@field where? (fun(row: scope3.Row): boolean?)|table<string|integer, any>  which rows go there, as the script's

local MOST = 16 -- of a state (csrc/core/mirror/record.h)

local ENTRY = { id = "id", name = "string", consent_basis = "string", where = "any" }

-- What is wrong with one of them, or nil. Its conditions are read with those of the script.
local function entry_problem(entry, path)
  if type(entry) ~= "table" then
    return arguments.problem(path, "a table with id, name, consent_basis and where", entry)
  end
  local problem = options.problem(entry, ENTRY)
  if problem then
    return path .. ": " .. problem
  elseif entry.id == nil then
    return path .. " has no id"
  end
  local kind = type(entry.where)
  if entry.where ~= nil and kind ~= "function" and kind ~= "table" then
    return ("%s.where must be a function or a table of conditions, not a %s"):format(path, kind)
  end
end

--- What is wrong with the audiences of a script, or nil.
---@param script table
---@return string?
function script_audiences.problem(script)
  local list = script.audiences
  if list == nil then
    return nil
  elseif script.audience ~= nil then
    return "a script has either audience or audiences"
  end
  local n, hole = arguments.count(list)
  if hole then
    return ("audiences is a list with holes: entry %d is missing"):format(hole)
  elseif not n or n == 0 then
    return "audiences must be a list of tables with id, name, consent_basis and where"
  elseif n > MOST then
    return ("audiences has %d entries; %d are the most of one script"):format(n, MOST)
  end
  local seen = {}
  for i, entry in ipairs(list) do
    local path = ("audiences[%d]"):format(i)
    local problem = entry_problem(entry, path)
    if problem then
      return problem
    end
    local id = options.id(entry.id)
    if seen[id] then
      return ("%s has the id of audiences[%d]"):format(path, seen[id])
    end
    seen[id] = i
  end
end

-- The conditions of `where` of a script or an audience.
local function conditions_of(where)
  return filter.list(type(where) == "table" and where or {})
end

--- The conditions of a script and of its audiences, those of the script first.
---@param script table  its audiences are well formed
---@return scope3.Condition[]?
---@return string? problem
function script_audiences.conditions(script)
  local list, problem = conditions_of(script.where)
  if not list or not script.audiences then
    return list, problem
  end
  for i, entry in ipairs(script.audiences) do
    local own
    own, problem = conditions_of(entry.where)
    if not own then
      return nil, ("audiences[%d].%s"):format(i, problem)
    end
    for _, condition in ipairs(own) do
      list[#list + 1] = options.merge(condition, { audience = i, audience_id = options.id(entry.id) })
    end
  end
  problem = filter.size_problem(list, "all where together have")
  return not problem and list or nil, problem
end

--- The functions by which single audiences take rows, by their number; nil where there are none.
---@param script table
---@return table<integer, function>?
function script_audiences.functions(script)
  local found = {}
  for i, entry in ipairs(script.audiences or {}) do
    found[i] = type(entry.where) == "function" and entry.where or nil
  end
  return next(found) and found
end

return script_audiences
