-- From the bytes of a CSV file to the bytes of a body: the core beside a slow model of it in Lua (fuzz/model).
-- The same members in the same bytes, and the same counts.
--
-- The bytes of an input choose: each row's values among those that the model knows, how they are quoted, and in which
-- pieces the file comes. Phones are only given as hashes.
local core = require "scope3.core"
local csv = require "fuzz.model.csv"
local payload = require "fuzz.model.payload"

local ROWS_MOST = 16

-- --- the file ------------------------------------------------------------------------------------------------------

-- A function that turns the bytes of an input into numbers below n; 0 at its end.
local function choices(input)
  local at = 0
  return function(n)
    at = at + 1
    return (input:byte(at) or 0) % n
  end, function()
    return at >= #input
  end
end

local PARTS = { "a", "b", "7", "É", "Ü", "Ж", "İ", "\226\132\170", "ß", "x.y", "+tag", "Q", "_", "-z", "o'b", "" }
local ID_PARTS = { "a", "Z", "7", " ", '"', "\\", "/", ",", "é", "😀", "-", "\127", ";", "|", "'", "\226\128\168" }
local HOSTS = { "example.com", "Mail.Example.ORG", "a-b.co", "x.y.z.net", "shop.example.museum", "1.example.de" }
local NO_EMAILS = { "nobody", "@", "a@", "@b.co", "a b", "a@b@c.co" }
local HEX = "0123456789abcdefABCDEF"

local function hex(draw, n)
  local digits = { "9a" } -- never the hash of nothing
  for i = 2, n - 1 do
    local digit = draw(#HEX) + 1
    digits[i] = HEX:sub(digit, digit)
  end
  return table.concat(digits)
end

local function several(draw, list)
  local parts = {}
  for i = 1, draw(5) do
    parts[i] = list[draw(#list) + 1]
  end
  return table.concat(parts)
end

local function padded(draw, text)
  return (" "):rep(draw(8) == 1 and 2 or 0) .. text .. (draw(8) == 1 and "\t" or "")
end

local function id(draw)
  local kind = draw(8)
  if kind == 0 then
    return ""
  elseif kind < 4 then
    return "user" .. draw(4) -- some of them again
  end
  return "u" .. several(draw, ID_PARTS) .. "x"
end

local function email(draw)
  local kind = draw(8)
  if kind < 2 then
    return ""
  elseif kind == 2 then
    return NO_EMAILS[draw(#NO_EMAILS) + 1]
  elseif kind == 3 then
    return hex(draw, 64)
  end
  return "m" .. several(draw, PARTS) .. "n@" .. HOSTS[draw(#HOSTS) + 1]
end

local function hash(draw)
  return draw(3) == 1 and hex(draw, 64) or ""
end

local function maid(draw)
  return draw(4) == 1 and ("%s-1111-4222-8333-%s"):format(hex(draw, 8), hex(draw, 12)) or ""
end

local COLUMNS = { id, email, hash, hash, maid }

local function quoted(draw, value)
  local must = value:find '[",\r\n]' ~= nil
  return (must or draw(4) == 1) and '"' .. value:gsub('"', '""') .. '"' or value
end

local function file(draw, is_over)
  local line_end = draw(2) == 1 and "\r\n" or "\n"
  local lines = { "id,email,hash,phone,maid" }
  while #lines <= ROWS_MOST and not is_over() do
    local cells = {}
    for i, column in ipairs(COLUMNS) do
      cells[i] = quoted(draw, padded(draw, column(draw)))
    end
    lines[#lines + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, line_end) .. line_end
end

-- --- the core ------------------------------------------------------------------------------------------------------

local MAP = {
  { "external_id", 1 }, { "email", 2 }, { "hashed_email", 3 }, { "hashed_phone", 4 }, { "uids", 5, "maid" },
}

local function build(text, removes, step)
  local source = core.source { format = "csv", delimiter = "," }
  local builder = core.builder { max_member = 10000, map = MAP, remove = removes, ids = "as_is" }
  local members = core.payload { max_members = 1000, max_bytes = 1000000 }
  local at = 1
  while true do
    local state = builder:fill(members, source, 1e9, 600)
    if state == "end" then
      break
    end
    assert(state == "need", state)
    if at > #text then
      source:finish()
    else
      source:feed(text:sub(at, at + step - 1))
      at = at + step
    end
  end
  return members, builder:counts()
end

return function(input)
  local draw, is_over = choices(input)
  local removes, step = draw(4) == 1, draw(200) + 1
  local text = file(draw, is_over)
  local records = csv.read(text)
  table.remove(records, 1)
  local bytes, expected = payload.of(records, removes)
  local members, counts = build(text, removes, step)
  local about = "\n" .. text .. "\nexpected " .. bytes
  assert(counts.rows == expected.rows, "rows: " .. counts.rows .. about)
  assert(counts.rejected_rows == expected.rejected, "rejected: " .. counts.rejected_rows .. about)
  assert(counts.replaced == expected.replaced, "replaced: " .. counts.replaced .. about)
  assert(members:bytes() == #bytes, "bytes: " .. members:bytes() .. " for " .. #bytes .. about)
  assert(members:digest() == payload.digest(bytes, removes), "other bytes" .. about)
end
