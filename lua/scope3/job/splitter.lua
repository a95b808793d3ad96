--- Divides what a request holds: to a size that passes, or in halves.
local request = require "scope3.api.request"

local splitter = {}

local ANY = 4294967295

--- Counts a list of parts anew, after members were taken out of their payloads.
---@param parts scope3.Part[]
---@param push table?
---@return integer adds
---@return integer removes
---@return integer bytes  of the whole body
function splitter.measure(parts, push)
  local adds, removes, bytes = 0, 0, request.frame(push)
  for _, part in ipairs(parts) do
    bytes = bytes + request.overhead(part.audience)
    if part.payload then
      local _, a, r, b = part.payload:cut(part.first, ANY, ANY, part.last)
      part.adds, part.removes = a, r
      adds, removes, bytes = adds + a, removes + r, bytes + b
    end
  end
  return adds, removes, bytes
end

local function range(part, first, last)
  local _, adds, removes = part.payload:cut(first, ANY, ANY, last)
  return {
    audience = part.audience, payload = part.payload, first = first, last = last, adds = adds, removes = removes,
    offset = part.offset,
  }
end

--- Parts that no longer have members are left out.
---@param parts scope3.Part[]
---@return scope3.Part[]
function splitter.living(parts)
  local left = {}
  for _, part in ipairs(parts) do
    if part.delete or part.adds + part.removes > 0 then
      left[#left + 1] = part
    end
  end
  return left
end

--- Halves a list of parts: between audiences, or the members of the only one. nil where there is nothing to halve.
---@param parts scope3.Part[]
---@return scope3.Part[]? first
---@return scope3.Part[]? second
function splitter.halve(parts)
  if #parts > 1 then
    local first, second = {}, {}
    for i, part in ipairs(parts) do
      local half = i <= #parts / 2 and first or second
      half[#half + 1] = part
    end
    return first, second
  end
  local part = parts[1]
  local members = part.adds + part.removes
  if not part.payload or members < 2 then
    return nil
  end
  local last = part.payload:cut(part.first, math.ceil(members / 2), ANY, part.last)
  return { range(part, part.first, last) }, { range(part, last + 1, part.last) }
end

-- Divides the members of one part into as few lists as there may be.
local function fill(part, bytes, push)
  local room = bytes - request.frame(push) - request.overhead(part.audience)
  local lists, first = {}, part.first
  while first <= part.last do
    local last = part.payload:cut(first, ANY, math.max(1, room), part.last) -- at least one member
    lists[#lists + 1] = { range(part, first, last) }
    first = last + 1
  end
  return lists
end

--- Divides a list of parts so that each list is at most so large, or cannot be divided further.
---@param parts scope3.Part[]
---@param bytes integer?  of a whole body; nil for any
---@param push table?
---@return scope3.Part[][]
function splitter.fit(parts, bytes, push)
  local _, _, size = splitter.measure(parts, push)
  if not bytes or size <= bytes then
    return { parts }
  elseif #parts == 1 and parts[1].payload then
    return fill(parts[1], bytes, push)
  end
  local first, second = splitter.halve(parts)
  if not first then
    return { parts }
  end
  local all = splitter.fit(first, bytes, push)
  for _, list in ipairs(splitter.fit(second, bytes, push)) do
    all[#all + 1] = list
  end
  return all
end

--- The ranges of 1 to `count` that none of `taken` covers.
---@param taken {first: integer, last: integer}[]  in any order, none over another
---@param count integer
---@return {first: integer, last: integer}[]
function splitter.gaps(taken, count)
  local sorted = {}
  for i, one in ipairs(taken) do
    sorted[i] = one
  end
  table.sort(sorted, function(a, b)
    return a.first < b.first
  end)
  local gaps, at = {}, 1
  for _, one in ipairs(sorted) do
    if one.first > at then
      gaps[#gaps + 1] = { first = at, last = one.first - 1 }
    end
    at = math.max(at, one.last + 1)
  end
  if at <= count then
    gaps[#gaps + 1] = { first = at, last = count }
  end
  return gaps
end

--- A part of a payload's range, counted.
splitter.range = range

--- The rows that the first and the last member of some parts came from.
---@param parts scope3.Part[]
---@return {first: integer, last: integer}?
function splitter.rows(parts)
  local first, last
  for _, part in ipairs(parts) do
    if part.payload and part.first <= part.last then
      local from, to = part.payload:rows(part.first, part.last)
      if from then
        first, last = math.min(first or from, from), math.max(last or to, to)
      end
    end
  end
  return first and { first = first, last = last } or nil
end

return splitter
