--- Hides what looks like a key, an address, a hash or a phone, by its form only. Classes of characters are written out:
--- %w, %s and %c ask the locale, which may hold a byte of a UTF-8 character for any of them.
local visible = require "scope3.util.visible"

local patterns = {}

--- What stands in place of what was hidden.
patterns.GONE = "[redacted]"
--- Bytes of a text that are shown at most, and bytes of it that are looked at.
patterns.SHOWN_MAX = 500
patterns.READ_MAX = 4 * patterns.SHOWN_MAX

local GONE = patterns.GONE
local HASH_MIN = 8 -- hexadecimal digits in a row that may be a piece of a hash
local TOKEN_MIN = 32 -- letters, digits and marks in a row that may be a token
local PHONE_MIN = 7 -- digits of a phone

local EMAIL = "[^%z\1-\32\127<>,;:()%[%]'\"]+" -- with a "@" inside
local HEX4 = ("[0-9a-fA-F]"):rep(4) .. "+"

-- A run that could be a phone: digits with only phone punctuation between.
local function hide_phone(run)
  local _, digits = run:gsub("[0-9]", "")
  return digits >= PHONE_MIN and GONE or nil
end

-- A run is an email where something stands before a "@" and after it.
local function hide_email(run)
  local at = run:find("@", 2, true)
  return at and at < #run and GONE or nil
end

local function hide_emails(text)
  return text:find("@", 1, true) and text:gsub(EMAIL, hide_email) or text
end

local function hide_phones(text)
  -- pattern: a run that fails has two digits at most, and begins at these
  return (text:gsub("%+?[0-9][0-9 %-%.()/]+[0-9]", hide_phone))
end

--- Hides what looks like an email or a phone, and nothing else. For a word that should be the name of a column, which
--- may be long, or look like a hash.
---@param text string
---@return string
function patterns.hide_people(text)
  return hide_phones(hide_emails(text))
end

local function hide_token(run)
  return #run >= TOKEN_MIN and GONE or nil
end

local function hide_hash(run)
  return #run >= HASH_MIN and GONE or nil
end

local function hide_cut_hash(run)
  return run:find("[0-9]") and GONE or nil
end

-- Hides a hash that is cut short with dots, at its end or its beginning.
local function hide_cut_hashes(text)
  for _, dots in ipairs { "%f[.]%.%.+", "\226\128\166" } do
    for _, pattern in ipairs { HEX4 .. dots .. "[0-9a-fA-F]*", dots .. HEX4 } do
      -- pattern: a run of dots begins once, and one of hexadecimal digits that is left has seven at most
      text = text:gsub(pattern, hide_cut_hash)
    end
  end
  return text
end

--- Cuts a text without cutting a character.
---@param text string
---@param bytes integer  that may stay
---@return string
---@return boolean is_shorter
function patterns.cut(text, bytes)
  if #text <= bytes then
    return text, false
  end
  while bytes > 0 and text:byte(bytes + 1) >= 0x80 and text:byte(bytes + 1) < 0xC0 do
    bytes = bytes - 1
  end
  return text:sub(1, bytes), true
end

--- Hides what looks like a key, an email, a hash or a piece of one, a token or a phone; drops control characters; cuts
--- at 500 bytes. For text that this program wrote itself, where quotes hold names of columns and keys.
---@param text string
---@return string
function patterns.hide(text)
  text = text:sub(1, patterns.READ_MAX):gsub("[%z\1-\31\127]+", " ")
  text = text:gsub("scope3_[A-Za-z0-9_%-%.]+", GONE)
  text = text:gsub("([Bb][Ee][Aa][Rr][Ee][Rr])[ ]+[^ ]+", "%1 " .. GONE)
  text = hide_emails(text)
  text = text:gsub("[A-Za-z0-9+/_%-=]+", hide_token)
  text = text:gsub("[0-9a-fA-F]+", hide_hash)
  text = hide_cut_hashes(text)
  text = hide_phones(text)
  local shown, is_shorter = patterns.cut(text, patterns.SHOWN_MAX)
  return visible.text(shown) .. (is_shorter and "…" or "")
end

return patterns
