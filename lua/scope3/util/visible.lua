--- Text of others made fit for a terminal: what moves the cursor, gives it orders or turns the reading direction is
--- written out.
local core = require "scope3.core"

local visible = {}

-- Characters that show nothing and change what is shown round them, as ranges of code points: C1 controls, marks and
-- overrides of direction, line separators, invisible operators, tags. The joiners that names and emoji need are not
-- among them.
local HIDDEN = {
  { 0x80, 0x9F }, { 0xAD, 0xAD }, { 0x61C, 0x61C }, { 0x180E, 0x180E }, { 0x200B, 0x200B }, { 0x200E, 0x200F },
  { 0x2028, 0x202E }, { 0x2060, 0x206F }, { 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE007F },
}

local function code_point(character)
  local code = character:byte(1)
  code = code >= 0xF0 and code - 0xF0 or code >= 0xE0 and code - 0xE0 or code - 0xC0
  for i = 2, #character do
    code = code * 64 + character:byte(i) - 0x80
  end
  return code
end

local function is_hidden(code)
  for _, range in ipairs(HIDDEN) do
    if code >= range[1] and code <= range[2] then
      return true
    end
  end
  return false
end

-- Replaces each character outside ASCII that must not be shown by show(code point, run). A run that is not UTF-8 has no
-- code point.
local function replace(text, show)
  if not text:find("[\128-\255]") then
    return text
  end
  return (text:gsub("[\128-\255][\128-\191]*", function(run)
    if not core.utf8_valid(run) then
      return show(nil, run)
    end
    local code = code_point(run)
    return is_hidden(code) and show(code, run) or nil
  end))
end

local function escape_byte(c)
  return ("\\x%02x"):format(c:byte())
end

--- A text of one line as a terminal may show it: `\x1b` for a control character or a byte that is no UTF-8, `\u{202e}`
--- for a hidden character.
---@param text string
---@return string
function visible.text(text)
  text = text:gsub("[%z\1-\31\127]", escape_byte)
  return replace(text, function(code, run)
    return code and ("\\u{%x}"):format(code) or (run:gsub(".", escape_byte))
  end)
end

--- A text with U+FFFD for each byte that is no UTF-8: so it may stand in a message, a report or a file.
---@param text string
---@return string
function visible.lossy(text)
  return (text:gsub("[\128-\255][\128-\191]*", function(run)
    return not core.utf8_valid(run) and ("\239\191\189"):rep(#run) or nil
  end))
end

--- A JSON string, encoded already, as a terminal may show it: the same value, in ASCII where the characters would be
--- hidden.
---@param encoded string
---@return string
function visible.json(encoded)
  encoded = encoded:gsub("\127", "\\u007f")
  return replace(encoded, function(code, run)
    if not code then
      return ("\\ufffd"):rep(#run)
    elseif code < 0x10000 then
      return ("\\u%04x"):format(code)
    end
    code = code - 0x10000
    return ("\\u%04x\\u%04x"):format(0xD800 + math.floor(code / 1024), 0xDC00 + code % 1024)
  end)
end

return visible
