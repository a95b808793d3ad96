--- Cuts audiences into requests: as many members a request as the two limits allow, several small audiences together,
--- and never two parts of one audience in one request.
local body_size = require "scope3.api.body_size"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local request = require "scope3.api.request"

local planner = {}

--- An iterator of requests, each a list of parts and its bytes. Each may be larger than the one before, up to
--- `max_bytes` (api/body_size). Where one member alone is over `max_bytes`, it ends there and gives nil and the number
--- of that audience.
---@param audiences scope3.Audience[]
---@param limits {max_members: integer, max_bytes: integer, push: table?}
---@return fun(): scope3.Part[]?, integer?, integer?
function planner.requests(audiences, limits)
  local index, payload_index, first = 1, 1, 1
  local frame, size = request.frame(limits.push), body_size.first(limits.max_bytes)

  -- The next part that fits into what is left, or nil.
  local function next_part(members_left, bytes_left)
    local audience = audiences[index]
    local overhead = request.overhead(audience)
    if overhead > bytes_left then
      return nil
    end
    if audience.deleted then
      index = index + 1
      return { audience = audience, delete = true, adds = 0, removes = 0 }, overhead
    end
    local payload = audience.payloads[payload_index]
    local last, adds, removes, bytes = payload:cut(first, members_left, bytes_left - overhead)
    if bytes > bytes_left - overhead then
      return nil -- cut() always gives one member, which may be too much beside other audiences
    end
    local part = { audience = audience, payload = payload, first = first, last = last, adds = adds, removes = removes }
    first = last + 1
    if first > payload:count() then
      payload_index, first = payload_index + 1, 1
      if payload_index > #audience.payloads then
        index, payload_index = index + 1, 1
      end
    end
    return part, overhead + bytes
  end

  -- The parts of a request of at most so many members and bytes, and its size.
  local function fill(most_members, most_bytes)
    local parts, members, bytes = {}, 0, frame
    while index <= #audiences and members < most_members do
      local before = audiences[index]
      if #parts > 0 and parts[#parts].audience == before then
        break
      end
      local part, more = next_part(most_members - members, most_bytes - bytes)
      if not part then
        break
      end
      if part.delete or part.adds + part.removes > 0 then -- else all of a payload were set aside
        parts[#parts + 1] = part
        members, bytes = members + part.adds + part.removes, bytes + more
      end
    end
    return parts, bytes
  end

  return function()
    local parts, bytes = fill(limits.max_members, size)
    if #parts == 0 and index <= #audiences then -- one member alone is larger than the first requests are
      parts, bytes = fill(1, limits.max_bytes)
    end
    if #parts > 0 then
      size = body_size.after(size, bytes, limits.max_bytes)
      return parts, bytes
    end
    return nil, index <= #audiences and index or nil
  end
end

--- Gives a function that says of each request in turn whether it has an id in common with a request since the last
--- time that it said so. Such a request has to wait until the tasks of those have ended. Requests of one payload have
--- no id in common, so ids are compared only where an audience has several payloads.
---@return fun(parts: scope3.Part[]): boolean
function planner.repeats()
  local sealed = {} -- audience -> ids of payloads before the last one
  local last = {} -- audience -> the payload that requests since the last turn were of
  return function(parts)
    local repeated = false
    for _, part in ipairs(parts) do
      local id = part.audience.id
      if part.payload and last[id] and last[id] ~= part.payload then
        sealed[id] = sealed[id] or core.id_set()
        sealed[id]:seal(last[id])
        repeated = repeated or sealed[id]:meets(part.payload)
      end
    end
    if repeated then
      for _, set in entries(sealed) do
        set:clear()
      end
      last = {}
    end
    for _, part in ipairs(parts) do
      if part.payload then
        last[part.audience.id] = part.payload
      end
    end
    return repeated
  end
end

--- All requests at once, so that a member that fits into none is found before anything is sent.
---@param audiences scope3.Audience[]
---@param limits {max_members: integer, max_bytes: integer, push: table?}
---@return scope3.Part[][]?
---@return integer? misfit  the number of an audience with such a member
function planner.plan(audiences, limits)
  local next_request, list = planner.requests(audiences, limits), {}
  while true do
    local parts, misfit = next_request()
    if not parts and misfit then
      return nil, misfit
    elseif not parts then
      return list
    end
    list[#list + 1] = parts
  end
end

return planner
