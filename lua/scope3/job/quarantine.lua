--- Members that the service refuses: found by the paths of its issues, and set aside so that the others may go.
local result = require "scope3.result"

local quarantine = {}

local LISTED = 1000 -- members that a result lists; all are counted

-- Which audience, operation and member (each counted from 0) a path such as audiences[0].add[17].hashedEmail means; dotted numbers too.
local function read(path)
  local plain = (path or ""):gsub("%[(%d+)%]", ".%1")
  local audience, operation, member = plain:match("^audiences%.(%d+)%.([A-Za-z]+)%.(%d+)%f[.%z]")
  if operation == "add" or operation == "remove" then
    return tonumber(audience), operation, tonumber(member)
  end
end

--- The members that issues point at. An issue of one gets its `row`.
---@param parts scope3.Part[]  of the request that was refused, as it was sent
---@param issues {path: string?, message: string}[]?
---@return {part: scope3.Part, index: integer, row: integer?, issue: table}[]
function quarantine.find(parts, issues)
  local found, seen = {}, {}
  for _, issue in ipairs(issues or {}) do
    local audience, operation, nth = read(issue.path)
    local part = audience and parts[audience + 1]
    local index = part and part.payload and part.payload:find(part.first, part.last, operation, nth)
    if index then
      issue.row = part.payload:row(index)
      local key = ("%d:%d"):format(audience, index)
      if not seen[key] then
        seen[key] = true
        found[#found + 1] = { part = part, index = index, row = issue.row, issue = issue }
      end
    end
  end
  return found
end

-- What an issue says of a member's field, without the member's place in the request.
local function field_of(path)
  return (path or ""):gsub("%[(%d+)%]", ".%1"):match("^audiences%.%d+%.[A-Za-z]+%.%d+%.([A-Za-z][A-Za-z0-9.]*)$")
end

--- Takes a member out of its payload; its identifiers do not go then.
---@param payload table
---@param index integer
---@param res scope3.Result
---@return boolean  whether it was there
function quarantine.take_out(payload, index, res)
  local was_there, emails, phones, uids, prehashed = payload:drop(index)
  result.take_off(res, emails, phones, uids, prehashed)
  return was_there
end

--- Takes members out of their payloads, and tells of them.
---@param found table[]  as quarantine.find() gives them
---@param res scope3.Result
---@param tell fun(rejection: table)?  `on_reject`
---@return integer n
function quarantine.set_aside(found, res, tell)
  for _, member in ipairs(found) do
    quarantine.take_out(member.part.payload, member.index, res)
    res.rejected_by_service = res.rejected_by_service + 1
    local field = field_of(member.issue.path)
    if #res.quarantine < LISTED then
      res.quarantine[#res.quarantine + 1] = { audience_id = member.part.audience.id, row = member.row, field = field, message = member.issue.message }
    end
    if tell and member.row then
      tell { row = member.row, column = field, reason = "rejected_by_service", dropped = false }
    end
  end
  return #found
end

return quarantine
