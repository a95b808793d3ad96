--- The body of a sync request, as pieces that the engine sends without joining them.
local codec = require "scope3.api.codec"

local request = {}

---@class scope3.Part
---@field audience {id: string, name: string?, consent_basis: string?}
---@field payload? table  absent where the audience is to be deleted, or is only named
---@field first? integer  members `first` to `last` of the payload
---@field last? integer
---@field offset? integer  members of its batch before those of its payload (0)
---@field adds integer
---@field removes integer
---@field delete? boolean

--- Bytes that one audience adds to a request, without its members.
---@param audience table
---@return integer
function request.overhead(audience)
  local lists = #codec.add_open + #codec.remove_open + 2 * #codec.list_close
  return #codec.audience_head(audience) + lists + #codec.audience_close + 1
end

--- Bytes of a request round its audiences.
---@param push table?
---@return integer
function request.frame(push)
  return #codec.request_head + #codec.request_tail(push)
end

-- Adds the members of one operation, where there are any, after a text. Gives the text that follows.
local function add_members(pieces, text, part, operation, count, open)
  if count == 0 then
    return text
  end
  pieces[#pieces + 1] = text .. open
  pieces[#pieces + 1] = { part.payload, operation, part.first, part.last }
  return codec.list_close
end

--- The pieces of a request's body: strings, and ranges of payloads.
---@param parts scope3.Part[]
---@param push table?
---@param delete_missing? boolean
---@return table pieces
function request.body(parts, push, delete_missing)
  local pieces, text = {}, codec.request_head
  for i, part in ipairs(parts) do
    text = text .. (i > 1 and "," or "") .. codec.audience_head(part.audience)
    if part.delete then
      pieces[#pieces + 1], text = text .. codec.delete, "" -- thousands in one text would be copied each time
    else
      text = add_members(pieces, text, part, "add", part.adds, codec.add_open)
      text = add_members(pieces, text, part, "remove", part.removes, codec.remove_open) .. codec.audience_close
    end
  end
  pieces[#pieces + 1] = text .. codec.request_tail(push, delete_missing)
  return pieces
end

return request
