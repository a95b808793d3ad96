--- Takes personal data and keys out of text that somebody else wrote, before it enters an error or a log.
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
  text = text:sub(1, 4 * LONGEST):gsub("[%c\127]+", " ")
  text = text:gsub("scope3_[%w_%-%.]+", GONE)
  text = text:gsub("([Bb][Ee][Aa][Rr][Ee][Rr])%s+%S+", "%1 " .. GONE)
  text = text:gsub("[^%s<>,;:()%[%]'\"]+@[^%s<>,;:()%[%]'\"]+", GONE)
  text = text:gsub("[%w+/_%-=]+", function(token)
    if #token >= 32 then
      return GONE
    end
  end)
  text = text:gsub("%+?%d[%d%s%-%.()/]+%d", hide_phone)
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
