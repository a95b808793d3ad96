--- The body of a sync request, as pieces that the engine sends without joining them.
local codec = require "scope3.api.codec"

local request = {}

---@class scope3.Part
---@field audience {id: string, name: string?, consent_basis: string?}
---@field payload? table  absent where the audience is to be deleted, or is only named
---@field first? integer  members `first` to `last` of the payload
---@field last? integer
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

--- The pieces of a request's body: strings, and ranges of payloads.
---@param parts scope3.Part[]
---@param push table?
---@param delete_missing? boolean
---@return table pieces
function request.body(parts, push, delete_missing)
  local pieces, texts = {}, { codec.request_head }
  local function add(text)
    texts[#texts + 1] = text
  end
  local function add_members(part, operation, count, open)
    if count > 0 then
      add(open)
      pieces[#pieces + 1] = table.concat(texts)
      pieces[#pieces + 1] = { part.payload, operation, part.first, part.last }
      texts = { codec.list_close }
    end
  end
  for i, part in ipairs(parts) do
    add(i > 1 and "," or "")
    add(codec.audience_head(part.audience))
    if part.delete then
      add(codec.delete)
    else
      add_members(part, "add", part.adds, codec.add_open)
      add_members(part, "remove", part.removes, codec.remove_open)
      add(codec.audience_close)
    end
  end
  add(codec.request_tail(push, delete_missing))
  pieces[#pieces + 1] = table.concat(texts)
  return pieces
end

return request
