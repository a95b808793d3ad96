--- Keys that a map, a condition or a script looks for and that no row had: an error where therefore no row could be
--- used, else a warning. This concerns JSON Lines and rows that are tables. CSV has a header to check before.
local errors = require "scope3.error"
local redact = require "scope3.util.redact"
local result = require "scope3.result"
local source_errors = require "scope3.input.source_errors"

local missing_keys = {}

local SHOWN_MAX = 20 -- keys of a message

-- What looks for a key: "map.email", "where"; "the script" where the plan names none.
local function seekers_of(plan, key)
  local paths, seen = {}, {}
  for _, want in ipairs(plan.wanted) do
    local path = want.is_condition and want.path or "map." .. want.path
    if want.column == key and not seen[path] then
      seen[path] = true
      paths[#paths + 1] = path
    end
  end
  return #paths > 0 and table.concat(paths, ", ") or "the script"
end

-- Whether a plan has columns of a kind, and rows lack all of them. `is_of_kind` looks at a role.
local function lacks_all(plan, lacks, is_of_kind)
  local has_some = false
  for _, target in ipairs(plan.targets or {}) do
    if is_of_kind(target.role) then
      has_some = true
      if not lacks[target.column] then
        return false
      end
    end
  end
  return has_some
end

local function is_id(role)
  return role == "external_id"
end

local function is_identifier(role)
  return role ~= "external_id" and role ~= "region"
end

-- Whether a condition cannot be met by rows without these keys.
local function lacks_condition(plan, lacks)
  for _, condition in ipairs(plan.conditions) do
    if lacks[condition.column] and condition.operator ~= "absent" and condition.operator ~= "ne" then
      return true
    end
  end
  return false
end

-- Whether rows without these keys can give no member.
local function is_needed(plan, lacks, mode)
  return lacks_condition(plan, lacks) or lacks_all(plan, lacks, is_id)
    or mode ~= "remove" and lacks_all(plan, lacks, is_identifier)
end

local function sorted(list)
  table.sort(list, function(a, b)
    return tostring(a) < tostring(b)
  end)
  return list
end

--- Adds the keys that the rows of one input lacked, or had twice, to a list.
---@param list table  for missing_keys.report()
---@param builder table
---@param name string  of the input
---@param there? string[]  keys that its rows have
---@param wrapped? string|boolean  names of an array of objects inside the only row
function missing_keys.add(list, builder, name, there, wrapped)
  local missing, twice = builder:missing()
  if #missing + #twice > 0 then
    list[#list + 1] = { name = name, keys = sorted(missing), twice = sorted(twice), there = there, wrapped = wrapped }
  end
end

-- The keys that rows have, each once, as a line for people.
local function list_of(there)
  local shown, seen = {}, {}
  for _, key in ipairs(there or {}) do
    if not seen[key] and #shown < SHOWN_MAX then
      seen[key] = true
      shown[#shown + 1] = key:gsub("[%z\1-\31\127].*", "…")
    end
  end
  return #shown > 0 and "; keys that rows have are: " .. table.concat(shown, ", ") or ""
end

-- The keys as issues, the first ones.
local function issues_of(plan, list, message)
  local issues = {}
  for i = 1, math.min(#list, SHOWN_MAX) do
    local said = message:format(redact.people(tostring(list[i])))
    issues[i] = { path = seekers_of(plan, list[i]), message = said, key = list[i] }
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

--- Warns of keys that were missing, or gives the error.
---@param list table  as missing_keys.add() fills it
---@param plan table
---@param res scope3.Result
---@param counts table  of the builder
---@param mode string?  of the job
---@param unbuilt? boolean  rows were read, and members not built yet
---@return scope3.Error? err
function missing_keys.report(list, plan, res, counts, mode, unbuilt)
  if plan.script.prepared then
    return nil -- a member has the keys that it needs
  end
  for _, lack in ipairs(list) do
    local lacks = {}
    for _, key in ipairs(lack.keys) do
      lacks[key] = true
    end
    local missing = issues_of(plan, lack.keys, "looks for '%s', which no row has")
    local twice = issues_of(plan, lack.twice,
      "looks for '%s', which may be one of two keys of a row: name the one you mean")
    if (counts.used_rows == 0 or unbuilt) and is_needed(plan, lacks, mode) then
      local err = failure(lack.name, "missing_key", missing)
      return errors.with(err, {
        message = err.message .. (lack.wrapped and "; its only row is an object with others inside"
          .. source_errors.array_advice(lack.wrapped) or list_of(lack.there)),
      })
    elseif counts.used_rows == 0 and #twice > 0 then
      return failure(lack.name, "ambiguous_key", twice)
    end
    warn(res, lack.name, "missing_key", missing)
    warn(res, lack.name, "ambiguous_key", twice)
  end
end

return missing_keys
