--- The body of a sync request, as pieces that the engine sends without joining them.
local wire = require "scope3.api.codec"

local request = {}

---@class scope3.Part
---@field audience {id: string, name: string?, consent_basis: string?}
---@field payload? table  absent where the audience is to be deleted, or is only named
---@field first? integer  members `first` to `last` of the payload
---@field last? integer
---@field adds integer
---@field removes integer
---@field delete? boolean

--- Bytes that one audience adds to a request beside its members.
---@param audience table
---@return integer
function request.overhead(audience)
  return #wire.audience_head(audience) + #wire.add_open + #wire.remove_open + 2 * #wire.list_close + #wire.audience_close + 1
end

--- Bytes of a request round its audiences.
---@param push table?
---@return integer
function request.frame(push)
  return #wire.request_head + #wire.request_tail(push)
end

--- The pieces of a request's body: strings, and ranges of payloads.
---@param parts scope3.Part[]
---@param push table?
---@param delete_missing? boolean
---@return table pieces
function request.body(parts, push, delete_missing)
  local pieces, text = {}, wire.request_head
  local function flush(piece)
    pieces[#pieces + 1] = text
    pieces[#pieces + 1] = piece
    text = ""
  end
  for i, part in ipairs(parts) do
    text = text .. (i > 1 and "," or "") .. wire.audience_head(part.audience)
    if part.delete then
      text = text .. wire.delete
    else
      if part.adds > 0 then
        text = text .. wire.add_open
        flush { part.payload, "add", part.first, part.last }
        text = wire.list_close
      end
      if part.removes > 0 then
        text = text .. wire.remove_open
        flush { part.payload, "remove", part.first, part.last }
        text = wire.list_close
      end
      text = text .. wire.audience_close
    end
  end
  pieces[#pieces + 1] = text .. wire.request_tail(push, delete_missing)
  return pieces
end

return request
