--- Takes personal data and keys out of text that somebody else wrote, before it enters an error or a log.
-- Classes of characters are written out: %w, %s and %c ask the locale, which may hold a byte of a UTF-8 character for
-- any of them.
local redact = {}

local GONE = "[redacted]"
local LONGEST = 500

-- A run that could be a phone: at least seven digits with nothing but phone punctuation between.
local function hide_phone(run)
  local _, digits = run:gsub("%d", "")
  if digits >= 7 then
    return GONE
  end
end

--- Hides what looks like a key, an email, a hash, a token or a phone; drops control characters; cuts at 500 bytes. For text that this program
--- wrote itself, where quotes hold names of columns and keys.
---@param text string
---@return string
function redact.patterns(text)
  text = text:sub(1, 4 * LONGEST):gsub("[%z\1-\31\127]+", " ")
  text = text:gsub("scope3_[A-Za-z0-9_%-%.]+", GONE)
  text = text:gsub("([Bb][Ee][Aa][Rr][Ee][Rr])[ \t-\r]+[^ \t-\r]+", "%1 " .. GONE)
  text = text:gsub("[^ \t-\r<>,;:()%[%]'\"]+@[^ \t-\r<>,;:()%[%]'\"]+", GONE)
  text = text:gsub("[A-Za-z0-9+/_%-=]+", function(token)
    if #token >= 32 then
      return GONE
    end
  end)
  text = text:gsub("%+?%d[%d \t-\r%-%.()/]+%d", hide_phone)
  if #text > LONGEST then
    text = text:sub(1, LONGEST) .. "…"
  end
  return text
end

--- The same for text that somebody else wrote: everything between quotes is hidden too.
---@param text string
---@return string
function redact.text(text)
  text = text:gsub('"[^"]*"', GONE):gsub("'[^']*'", GONE):gsub("`[^`]*`", GONE)
  return redact.patterns(text)
end

return redact
