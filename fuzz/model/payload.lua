-- The JSON of members as the contract has it (docs/contract.md, sections 2 and 7), for comparison with the core.
-- It knows the values that fuzz/members.lua writes, and no others.
local sha256 = require "fuzz.model.sha256"

local payload = {}

-- Letters beyond ASCII that occur, and what they become.
local LOWER = { ["É"] = "é", ["Ü"] = "ü", ["Ж"] = "ж", ["İ"] = "i̇", ["\226\132\170"] = "k" }

local function trim(text)
  return (text:gsub("^[ \t]+", ""):gsub("[ \t]+$", ""))
end

local function lower(text)
  return (text:gsub("[%z\1-\127\194-\244][\128-\191]*", function(c)
    return LOWER[c] or c:lower()
  end))
end

local function hash_of(text)
  text = trim(text)
  return text:find("^%x+$") and #text == 64 and text:lower() or nil
end

-- The hash of an email that is one: something, an at sign, and a host with a dot.
local function email_of(text)
  text = trim(text)
  return text:find "^[^@ ]+@[^@ ]+%.[a-zA-Z]+$" and sha256.hex(lower(text)) or hash_of(text)
end

local function quote(text)
  return '"' .. text:gsub('["\\]', "\\%0") .. '"'
end

-- A member in JSON, and its id; nil where the row gives none.
local function member(record, removes)
  local id = trim(record[1])
  if id == "" or id:find "[%z\1-\31\127]" or id:find "\226\128\168" then -- nothing, or with control characters
    return nil
  end
  local parts = { '"externalId":' .. quote(id) }
  local email, phone, maid = email_of(record[2]) or hash_of(record[3]), hash_of(record[4]), trim(record[5])
  if email and not removes then
    parts[#parts + 1] = '"hashedEmail":"' .. email .. '"'
  end
  if phone and not removes then
    parts[#parts + 1] = '"hashedPhone":"' .. phone .. '"'
  end
  if maid ~= "" and not removes then
    parts[#parts + 1] = '"uids":[{"type":"maid","value":' .. quote(maid) .. "}]"
  end
  if #parts == 1 and not removes then
    return nil
  end
  return "{" .. table.concat(parts, ",") .. "},", id
end

-- Spreadsheets export empty lines as commas: these are no rows.
local function is_blank(record)
  return not record.has_quotes and not table.concat(record):find "[^ \t]"
end

--- What the rows come to.
---@param records string[][]  without the header: id, email, hashed email, hashed phone, maid
---@param removes boolean
---@return string bytes  of all members; one that was replaced is blank
---@return {rows: integer, rejected: integer, replaced: integer} counts
function payload.of(records, removes)
  local members, at = {}, {}
  local counts = { rows = 0, rejected = 0, replaced = 0 }
  for _, record in ipairs(records) do
    local json, id = member(record, removes)
    counts.rows = counts.rows + (is_blank(record) and 0 or 1)
    if json then
      local before = at[id]
      if before then
        members[before] = (" "):rep(#members[before])
        counts.replaced = counts.replaced + 1
      end
      members[#members + 1] = json
      at[id] = #members
    elseif not is_blank(record) then
      counts.rejected = counts.rejected + 1
    end
  end
  return table.concat(members), counts
end

--- What core.payload's digest() is of such bytes.
---@param bytes string
---@param removes boolean
---@return string
function payload.digest(bytes, removes)
  local this, other = sha256.hex(bytes), sha256.hex ""
  return sha256.hex(removes and other .. this or this .. other)
end

return payload
