--- Structured fields (RFC 8941), as far as signatures need them: dictionaries of items and inner lists, with
--- parameters.
---
--- It is stricter than the RFC in one way: a label or parameter that occurs twice is refused. It is wider in one way,
--- as AdCP wants it: a byte sequence may be base64url, and may lack its padding (docs/contract.md section 6). It is Lua
--- because strangers write these headers, and they are short.
local core = require "scope3.core"

local structured_fields = {}

---@class scope3.StructuredItem
---@field type "integer"|"decimal"|"string"|"token"|"bytes"|"boolean"|"list"
---@field value any  the bytes of a byte sequence; the items of an inner list
---@field params table<string, scope3.StructuredItem>
---@field text string  itself with its parameters, as it came

local LONGEST = 16384 -- bytes of a field
local KEY = "^[a-z*][a-z0-9_.*-]*"
local TOKEN = "^[A-Za-z*][A-Za-z0-9!#$%%&'*+.^_`|~:/-]*"
local PLAIN = "^[]-~ !#-[]*" -- of a string: printable ASCII without quotes and backslashes

-- Each reader takes the text and a position, and gives what it read and the position after it, or nil.

local function read_string(text, at)
  local parts = {}
  at = at + 1
  while true do
    local _, stop = text:find(PLAIN, at)
    parts[#parts + 1] = text:sub(at, stop)
    local c = text:sub(stop + 1, stop + 1)
    if c == '"' then
      return { type = "string", value = table.concat(parts) }, stop + 2
    end
    local escaped = c == "\\" and text:match('^["\\]', stop + 2)
    if not escaped then
      return nil
    end
    parts[#parts + 1] = escaped
    at = stop + 3
  end
end

local function read_bytes(text, at)
  local encoded, after = text:match("^:([A-Za-z0-9+/_=-]*):()", at)
  local bytes = encoded and core.base64_decode(encoded)
  if bytes then
    return { type = "bytes", value = bytes }, after
  end
end

local function read_number(text, at)
  local whole, fraction, after = text:match("^%-?(%d+)(%.?%d*)()", at)
  if not whole then
    return nil
  elseif fraction == "" and #whole <= 15 then
    return { type = "integer", value = core.number(text:sub(at, after - 1)) }, after
  elseif #whole <= 12 and #fraction >= 2 and #fraction <= 4 then
    return { type = "decimal", value = core.number(text:sub(at, after - 1)) }, after
  end
end

-- An item without its parameters.
local function read_bare(text, at)
  local c = text:sub(at, at)
  if c == '"' then
    return read_string(text, at)
  elseif c == ":" then
    return read_bytes(text, at)
  elseif c:find("^[%d-]") then
    return read_number(text, at)
  elseif c == "?" then
    local bit = text:match("^[01]", at + 1)
    if bit then
      return { type = "boolean", value = bit == "1" }, at + 2
    end
    return nil
  end
  local token = text:match(TOKEN, at)
  if token then
    return { type = "token", value = token }, at + #token
  end
end

-- The parameters that follow `item`, put into it; the position after them.
local function read_params(text, at, item, start)
  item.params = {}
  while text:sub(at, at) == ";" do
    at = text:match("^ *()", at + 1)
    local key = text:match(KEY, at)
    if not key or item.params[key] then
      return nil
    end
    at = at + #key
    local value = { type = "boolean", value = true }
    if text:sub(at, at) == "=" then
      value, at = read_bare(text, at + 1)
      if not value then
        return nil
      end
    end
    item.params[key] = value
  end
  item.text = text:sub(start, at - 1)
  return at
end

local function read_item(text, at)
  local item, after = read_bare(text, at)
  after = item and read_params(text, after, item, at)
  if after then
    return item, after
  end
end

local function read_list(text, at)
  local list, start = { type = "list", value = {} }, at
  at = at + 1
  while true do
    local spaces, next_at = text:match("^( *)()", at)
    if text:sub(next_at, next_at) == ")" then
      local after = read_params(text, next_at + 1, list, start)
      return after and list, after
    elseif #list.value > 0 and spaces == "" then
      return nil
    end
    local item
    item, at = read_item(text, next_at)
    if not item then
      return nil
    end
    list.value[#list.value + 1] = item
  end
end

local function read_member(text, at)
  if text:sub(at, at) ~= "=" then
    local item = { type = "boolean", value = true }
    local after = read_params(text, at, item, at)
    return after and item, after
  elseif text:sub(at + 1, at + 1) == "(" then
    return read_list(text, at + 1)
  end
  return read_item(text, at + 1)
end

--- Reads a dictionary (RFC 8941 section 4.2.2).
---@param text string  the field's value; of several lines, joined with ", "
---@return table<string, scope3.StructuredItem>? members  nil when it is none, or longer than 16 kB
---@return string[]? labels  in their order
function structured_fields.dictionary(text)
  if #text > LONGEST then
    return nil
  end
  text = text:match("^.*[^ ]") or ""
  local members, labels, at = {}, {}, text:match("^ *()")
  while at <= #text do
    local label = text:match(KEY, at)
    if not label or members[label] then
      return nil
    end
    members[label], at = read_member(text, at + #label)
    if not members[label] then
      return nil
    end
    labels[#labels + 1] = label
    at = text:match("^[ \t]*()", at)
    if at > #text then
      break
    end
    at = text:match("^,[ \t]*()", at)
    if not at or at > #text then -- no comma, or nothing after it
      return nil
    end
  end
  return members, labels
end

return structured_fields
