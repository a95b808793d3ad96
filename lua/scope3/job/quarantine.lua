--- Members that the service rejects: found by the paths of its issues, so that the others may go without them.
local entries = require "scope3.util.entries"

---@class scope3.RejectedMember
---@field part scope3.Part  of the request
---@field index integer  its number in the payload
---@field row? integer  of the source
---@field issue scope3.Issue

local quarantine = {}

-- A path such as audiences[0].add[17].hashedEmail with its indexes as dotted numbers, which the service writes too.
local function dotted(path)
  local plain = (path or ""):gsub("%[(%d+)%]", ".%1")
  return plain
end

-- Which audience, operation and member (each counted from 0) a path means.
local function read(path)
  local audience, operation, member = dotted(path):match("^audiences%.(%d+)%.([A-Za-z]+)%.(%d+)%f[.%z]")
  if operation == "add" or operation == "remove" then
    return tonumber(audience), operation, tonumber(member)
  end
end

-- The member that a path means, in the parts of the request.
local function locate(parts, path)
  local audience, operation, nth = read(path)
  local part = audience and parts[audience + 1]
  local index = part and part.payload and part.payload:find(part.first, part.last, operation, nth)
  if index then
    return part, index, ("%d:%d"):format(audience, index)
  end
end

--- The members that issues point at, each once.
---@param parts scope3.Part[]  of the request that was rejected, as it was sent
---@param issues scope3.Issue[]?
---@return scope3.RejectedMember[]
function quarantine.find(parts, issues)
  local found, seen = {}, {}
  for _, issue in ipairs(issues or {}) do
    local part, index, key = locate(parts, issue.path)
    if part and not seen[key] then
      seen[key] = true
      found[#found + 1] = { part = part, index = index, row = part.payload:row(index), issue = issue }
    end
  end
  return found
end

--- The issues with the rows of the members that they point at.
---@param parts scope3.Part[]  of the request, as it was sent
---@param issues scope3.Issue[]?
---@return scope3.Issue[]?
function quarantine.with_rows(parts, issues)
  if not issues then
    return nil
  end
  local list = {}
  for i, issue in ipairs(issues) do
    local copy = {}
    for key, value in entries(issue) do
      copy[key] = value
    end
    local part, index = locate(parts, issue.path)
    copy.row = part and part.payload:row(index) or issue.row
    list[i] = copy
  end
  return list
end

-- The field of a member that an issue points at, without the member's place in the request.
local function field_of(path)
  return dotted(path):match("^audiences%.%d+%.[A-Za-z]+%.%d+%.([A-Za-z][A-Za-z0-9.]*)$")
end

--- What a result says of a rejected member.
---@param member scope3.RejectedMember
---@return scope3.Quarantined
function quarantine.entry(member)
  return {
    audience_id = member.part.audience.id, row = member.row, field = field_of(member.issue.path),
    message = member.issue.message,
  }
end

--- Tells `on_reject` of members whose rows are known.
---@param members scope3.RejectedMember[]
---@param on_reject fun(rejection: scope3.Rejection)
function quarantine.report(members, on_reject)
  for _, member in ipairs(members) do
    if member.row then
      on_reject {
        row = member.row, column = field_of(member.issue.path), reason = "rejected_by_service", dropped = false,
      }
    end
  end
end

return quarantine
