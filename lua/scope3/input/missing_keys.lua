--- Keys that a map, a condition or a script looks for and that no row had, of JSON Lines and of rows that are tables: an error where nothing could
--- be used for it, else a warning. Of CSV the header tells before anything is read.
local errors = require "scope3.error"
local result = require "scope3.result"
local source_of = require "scope3.input.source"

local keys = {}

local SHOWN = 20

-- What looks for a key: "map.email", "where"; "the script" where nothing of a plan does.
local function seekers_of(plan, key)
  local paths, seen = {}, {}
  for _, want in ipairs(plan.wanted) do
    local path = want.path == "where" and "where" or "map." .. want.path
    if want.column == key and not seen[path] then
      seen[path] = true
      paths[#paths + 1] = path
    end
  end
  return #paths > 0 and table.concat(paths, ", ") or "the script"
end

-- Whether rows without these keys can give nothing: no external id, no identifier, or a condition that cannot be met.
local function is_needed(plan, lacks, mode)
  local ids, identifiers = { 0, 0 }, { 0, 0 } -- columns of the map, and those that are missing
  for _, target in ipairs(plan.targets or {}) do
    local sum = target.role == "external_id" and ids or target.role ~= "region" and identifiers or nil
    if sum then
      sum[1], sum[2] = sum[1] + 1, sum[2] + (lacks[target.column] and 1 or 0)
    end
  end
  for _, condition in ipairs(plan.conditions) do
    if lacks[condition.column] and condition.operator ~= "absent" and condition.operator ~= "ne" then
      return true
    end
  end
  return ids[1] > 0 and ids[1] == ids[2] or mode ~= "remove" and identifiers[1] > 0 and identifiers[1] == identifiers[2]
end

local function sorted(list)
  table.sort(list, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return list
end

--- Notes what the rows of one input lacked, or had twice, in a list.
---@param list table
---@param builder table
---@param name string  of the input
---@param there? string[]  keys that its rows have
---@param wrapped? string|boolean  names of an array of objects inside the only row
function keys.note(list, builder, name, there, wrapped)
  local missing, twice = builder:missing()
  if #missing + #twice > 0 then
    list[#list + 1] = { name = name, keys = sorted(missing), twice = sorted(twice), there = there, wrapped = wrapped }
  end
end

-- The keys that rows have, each once, as a line for people.
local function list_of(there)
  local shown, seen = {}, {}
  for _, key in ipairs(there or {}) do
    if not seen[key] and #shown < SHOWN then
      seen[key] = true
      shown[#shown + 1] = key:gsub("[%z\1-\31\127].*", "…")
    end
  end
  return #shown > 0 and "; keys that rows have are: " .. table.concat(shown, ", ") or ""
end

-- The keys as issues, the first ones.
local function issues_of(plan, list, message)
  local issues = {}
  for i = 1, math.min(#list, SHOWN) do
    issues[i] = { path = seekers_of(plan, list[i]), message = message:format(tostring(list[i])), key = list[i] }
  end
  return issues
end

local function failure(name, code, issues)
  return errors.invalid(name, issues, { code = code })
end

local function warn(res, name, code, issues)
  for _, issue in ipairs(issues) do
    result.warn(res, code, ("%s: %s %s"):format(name, issue.path, issue.message), { file = name, key = issue.key })
  end
end

--- Warns of what was noted, or gives the error that it is.
---@param list table  of keys.note()
---@param plan table
---@param res scope3.Result
---@param counts table  of the builder
---@param mode string?  of the job
---@return scope3.Error? err
function keys.tell(list, plan, res, counts, mode)
  for _, lack in ipairs(list) do
    local lacks = {}
    for _, key in ipairs(lack.keys) do
      lacks[key] = true
    end
    local missing = issues_of(plan, lack.keys, "looks for '%s', which no row has")
    local twice = issues_of(plan, lack.twice, "looks for '%s', which may be one of two keys of a row: name the one you mean")
    if counts.used_rows == 0 and is_needed(plan, lacks, mode) then
      local err = failure(lack.name, "missing_key", missing)
      return errors.with(err, {
        message = err.message .. (lack.wrapped and "; its only row is an object with others inside"
          .. source_of.advice_for(lack.wrapped) or list_of(lack.there)),
      })
    elseif counts.used_rows == 0 and #twice > 0 then
      return failure(lack.name, "ambiguous_key", twice)
    end
    warn(res, lack.name, "missing_key", missing)
    warn(res, lack.name, "ambiguous_key", twice)
  end
end

return keys
