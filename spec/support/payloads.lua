-- Payloads of members, made as a job makes them, for specs of what decides over parts of payloads.
local core = require "scope3.core"

local payloads = {}

local BYTES = 2 ^ 20

--- A payload of the members of a text such as "+a +b -c": what adds begins with a plus, what removes with a minus.
---@param text string
---@return table payload
function payloads.read(text)
  local payload = core.payload { max_members = 100000, max_bytes = BYTES }
  local builder = core.builder { max_member = BYTES }
  for sign, id in text:gmatch "([+-])(%S+)" do
    assert(builder:add(payload, { external_id = id, email = id .. "@example.com" }, sign == "-"))
  end
  return payload
end

--- A payload of n members to add, whose ids are m1, m2 and so on, or begin otherwise.
---@param n integer
---@param prefix? string
---@return table payload
function payloads.of(n, prefix)
  local words = {}
  for i = 1, n do
    words[i] = ("+%s%d"):format(prefix or "m", i)
  end
  return payloads.read(table.concat(words, " "))
end

--- The part that is the whole of a payload.
---@param payload table
---@param id? string  of its audience
---@return scope3.Part
function payloads.part(payload, id)
  local adds, removes = payload:living()
  return {
    audience = { id = id or "a" }, payload = payload, first = 1, last = payload:count(), adds = adds,
    removes = removes,
  }
end

return payloads
