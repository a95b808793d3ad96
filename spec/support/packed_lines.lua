-- Members as they go through queues, written and read by what csrc/core/members/lines.h and packed.h say of them, and
-- by no code of theirs. A readable line is the operation and the member's JSON, as in '-{"externalId":"1"}', or "@" and
-- what a label says.
local packed_lines = {}

local EMAIL, PHONE, UIDS = 1, 2, 4
local LINE_HEAD, MEMBER_HEAD, HASH = 5, 4, 32

-- A number in so many bytes, the lowest first.
local function to_bytes(n, size)
  local bytes = {}
  for i = 1, size do
    bytes[i] = string.char(n % 256)
    n = math.floor(n / 256)
  end
  return table.concat(bytes)
end

local function to_number(bytes)
  local n = 0
  for i = #bytes, 1, -1 do
    n = n * 256 + bytes:byte(i)
  end
  return n
end

local function unhex(digits)
  return (digits:gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

--- A packed member of parts that may be anything.
---@param parts table  id, email and phone in hexadecimal, uids without brackets; `kind` and `id_length` say otherwise
---@return string
function packed_lines.member(parts)
  local kind = (parts.email and EMAIL or 0) + (parts.phone and PHONE or 0) + (parts.uids and UIDS or 0)
  return string.char(parts.kind or kind) .. to_bytes(parts.id_length or #parts.id, 3) .. parts.id
    .. unhex(parts.email or "") .. unhex(parts.phone or "") .. (parts.uids or "")
end

--- A line of bytes that may be anything.
---@param kind string  "+", "-" or "@"
---@param bytes string
---@param n? integer  bytes that it says to have
---@return string
function packed_lines.line(kind, bytes, n)
  return kind .. to_bytes(n or #bytes, 4) .. bytes
end

-- Bytes up to the quote that ends a text.
local function length_of_text(json, from)
  local at = from
  while json:sub(at, at) ~= '"' do
    assert(at <= #json, json)
    at = at + (json:sub(at, at) == "\\" and 2 or 1)
  end
  return at - from
end

-- The parts of a member's JSON.
local function parts_of(json)
  local from = #'{"externalId":"' + 1
  assert(json:sub(1, from - 1) == '{"externalId":"' and json:sub(-1) == "}", json)
  local n = length_of_text(json, from)
  local parts, rest = { id = json:sub(from, from + n - 1) }, json:sub(from + n + 1, -2)
  for _, name in ipairs { "email", "phone" } do
    local title = name == "email" and ',"hashedEmail":"' or ',"hashedPhone":"'
    if rest:sub(1, #title) == title then
      parts[name] = rest:sub(#title + 1, #title + 2 * HASH)
      assert(rest:sub(#title + 2 * HASH + 1, #title + 2 * HASH + 1) == '"' and not parts[name]:find "[^0-9a-f]", json)
      rest = rest:sub(#title + 2 * HASH + 2)
    end
  end
  if rest ~= "" then
    parts.uids = assert(rest:match '^,"uids":%[(.*)%]$', json)
  end
  return parts
end

local function json_of(bytes)
  local kind, n = bytes:byte(1), to_number(bytes:sub(2, MEMBER_HEAD))
  local json, at = { '{"externalId":"', bytes:sub(MEMBER_HEAD + 1, MEMBER_HEAD + n), '"' }, MEMBER_HEAD + n + 1
  local function hash(bit, title)
    if math.floor(kind / bit) % 2 == 1 then
      json[#json + 1] = title .. hex(bytes:sub(at, at + HASH - 1)) .. '"'
      at = at + HASH
    end
  end
  hash(EMAIL, ',"hashedEmail":"')
  hash(PHONE, ',"hashedPhone":"')
  if math.floor(kind / UIDS) % 2 == 1 then
    json[#json + 1] = ',"uids":[' .. bytes:sub(at) .. "]"
  else
    assert(at == #bytes + 1, "bytes behind a member")
  end
  return table.concat(json) .. "}"
end

--- The lines of readable ones.
---@param list string[]
---@return string
function packed_lines.of(list)
  local lines = {}
  for i, readable in ipairs(list) do
    local kind, rest = readable:sub(1, 1), readable:sub(2)
    lines[i] = packed_lines.line(kind, kind == "@" and rest or packed_lines.member(parts_of(rest)))
  end
  return table.concat(lines)
end

--- Bytes of a member without the head of its line.
---@param json string
---@return integer
function packed_lines.size(json)
  return #packed_lines.member(parts_of(json))
end

--- Lines as readable ones.
---@param text string
---@return string[]
function packed_lines.read(text)
  local list, at = {}, 1
  while at <= #text do
    local kind, n = text:sub(at, at), to_number(text:sub(at + 1, at + LINE_HEAD - 1))
    local bytes = text:sub(at + LINE_HEAD, at + LINE_HEAD + n - 1)
    assert(at + LINE_HEAD + n - 1 <= #text, "the last line is cut short")
    list[#list + 1] = kind .. (kind == "@" and bytes or json_of(bytes))
    at = at + LINE_HEAD + n
  end
  return list
end

return packed_lines
