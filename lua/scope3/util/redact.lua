--- Takes personal data and keys out of text that somebody else wrote, before it enters an error or a log.
local visible = require "scope3.util.visible"
local lower = require("scope3.core").lower

-- Classes of characters are written out: %w, %s and %c ask the locale, which may hold a byte of a UTF-8 character for
-- any of them.
local redact = {}

local GONE = "[redacted]"
local LONGEST = 500
local LOOKED_AT = 4 * LONGEST -- bytes of a text; what is behind them is not shown
local PIECE = 8 -- letters and digits of a key or a hash that are hidden also where the rest is missing
local TOGETHER = 1000 -- texts of one reply

---@class scope3.Known  what the reader of a reply knows, and its texts must not say
---@field key? string|string[]  the API keys in use
---@field body? table  the pieces of the request in hand: strings, and { payload, operation, first, last }
---@field task? boolean  a task was asked for
---@field strict? boolean  the members that a reply may speak of are not in hand

-- A run that could be a phone: at least seven digits with nothing but phone punctuation between.
local function hide_phone(run)
  local _, digits = run:gsub("[0-9]", "")
  if digits >= 7 then
    return GONE
  end
end

-- Cuts a text without cutting a character.
local function cut(text, bytes)
  if #text <= bytes then
    return text, false
  end
  while bytes > 0 and text:byte(bytes + 1) >= 0x80 and text:byte(bytes + 1) < 0xC0 do
    bytes = bytes - 1
  end
  return text:sub(1, bytes), true
end

local EMAIL = "[^%z\1-\32\127<>,;:()%[%]'\"]+" -- with a "@" inside

-- A run of what an email may consist of is one where something stands before a "@" and behind it.
local function hide_email(run)
  local at = run:find("@", 2, true)
  return at and at < #run and GONE or nil
end

local HEX4 = ("[0-9a-fA-F]"):rep(4) .. "+"

--- Hides what looks like a key, an email, a hash or a piece of one, a token or a phone; drops control characters; cuts
--- at 500 bytes. For text that this program wrote itself, where quotes hold names of columns and keys.
---@param text string
---@return string
function redact.patterns(text)
  text = text:sub(1, LOOKED_AT):gsub("[%z\1-\31\127]+", " ")
  text = text:gsub("scope3_[A-Za-z0-9_%-%.]+", GONE)
  text = text:gsub("([Bb][Ee][Aa][Rr][Ee][Rr])[ ]+[^ ]+", "%1 " .. GONE)
  if text:find("@", 1, true) then
    text = text:gsub(EMAIL, hide_email)
  end
  text = text:gsub("[A-Za-z0-9+/_%-=]+", function(token)
    if #token >= 32 then
      return GONE
    end
  end)
  text = text:gsub("[0-9a-fA-F]+", function(run)
    if #run >= PIECE then
      return GONE
    end
  end)
  for _, dots in ipairs { "%f[.]%.%.+", "\226\128\166" } do -- a hash that is cut short: at its end or its beginning
    for _, pattern in ipairs { HEX4 .. dots .. "[0-9a-fA-F]*", dots .. HEX4 } do
      -- pattern: a run of dots begins once, and one of hexadecimal digits that is left has seven at most
      text = text:gsub(pattern, function(run)
        if run:find("[0-9]") then
          return GONE
        end
      end)
    end
  end
  -- pattern: a run that fails has two digits at most, and begins at these
  text = text:gsub("%+?[0-9][0-9 %-%.()/]+[0-9]", hide_phone)
  local shown, shorter = cut(text, LONGEST)
  return visible.text(shown) .. (shorter and "…" or "")
end

local ENTITIES = { quot = '"', apos = "'", amp = "&", lt = "<", gt = ">" }

local function character(code)
  return code and code >= 32 and code < 127 and string.char(code) or nil
end

-- Without what hides a value from those who look for it: escapes of URLs, HTML and JSON, and quotes of print.
local function plain(text)
  local shorter
  text, shorter = text:sub(1, LOOKED_AT), #text > LOOKED_AT
  text = text:gsub("[%z\1-\31\127]+", " ")
  text = text:gsub("%%([0-9A-Fa-f][0-9A-Fa-f])", function(hex)
    return character(tonumber(hex, 16))
  end)
  text = text:gsub("\\u00([0-9A-Fa-f][0-9A-Fa-f])", function(hex)
    return character(tonumber(hex, 16))
  end)
  text = text:gsub("&([a-z]+);", ENTITIES):gsub("&#([0-9]+);", function(digits)
    return #digits < 5 and character(tonumber(digits)) or nil
  end):gsub("&#[xX]([0-9A-Fa-f]+);", function(hex)
    return #hex < 5 and character(tonumber(hex, 16)) or nil
  end)
  text = text:gsub("\226\128[\156-\159]", '"'):gsub("\194[\171\187]", '"'):gsub("\226\128[\152-\155]", "'")
  text = text:gsub("\\([\"'`])", "%1")
  return text, shorter
end

local BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function base64(text)
  return (text:gsub("..?.?", function(three)
    local a, b, c = three:byte(1, 3)
    local n = a * 65536 + (b or 0) * 256 + (c or 0)
    local out = ""
    for i = 3, 3 - #three, -1 do
      local digit = math.floor(n / 64 ^ i) % 64
      out = out .. BASE64:sub(digit + 1, digit + 1)
    end
    return out
  end))
end

-- Hides a key, also where a piece of it stands or it was encoded. Upper and lower case count as the same.
local hide_key
function hide_key(text, key)
  if type(key) == "table" then
    for _, one in ipairs(key) do
      text = hide_key(text, one)
    end
    return text
  elseif not key or #key < 3 then
    return text
  end
  local gone, found = {}, false
  local low = lower(text)
  local encoded = lower(base64(key))
  local forms = { lower(key), lower(key):gsub("^scope3_", ""), encoded, (encoded:gsub("+", "-"):gsub("/", "_")) }
  for _, form in ipairs(forms) do
    local piece = math.min(PIECE, #form)
    for i = 1, #form >= 3 and (#form >= PIECE or form == lower(key)) and #low - piece + 1 or 0 do
      if form:find(low:sub(i, i + piece - 1), 1, true) then
        found = true
        for j = i, i + piece - 1 do
          gone[j] = true
        end
      end
    end
  end
  if not found then
    return text
  end
  local out = {}
  for i = 1, #text do
    out[#out + 1] = not gone[i] and text:sub(i, i) or not gone[i - 1] and GONE or nil
  end
  return table.concat(out)
end

-- Hides ids and uids of the request in hand; nil where that could not be done, because memory is out or a payload was closed.
local function hide_members(text, body)
  for _, piece in ipairs(body or {}) do
    if type(piece) == "table" then
      local ok, hidden = pcall(piece[1].hide, piece[1], text, piece[3], piece[4])
      if not ok then
        return nil
      end
      text = hidden
    end
  end
  return text
end

local function is_word(c)
  return c:find("^[A-Za-z0-9\128-\255]") ~= nil
end

-- Whether the apostrophe at a place belongs to a word: can't, we're, O'Brien.
local function is_apostrophe(text, at)
  return text:find("^'[sStTdDmM]%f[^A-Za-z0-9\128-\255]", at)
    or text:find("^'[rRvVlL][eElL]%f[^A-Za-z0-9\128-\255]", at)
    or at > 1 and text:sub(at - 1, at - 1):find("[A-Za-z]") and (at == 2 or not is_word(text:sub(at - 2, at - 2)))
end

-- Hides what stands between quotes of a kind. Where they do not come out in pairs, everything from the first to the
-- last of them is hidden, and to the end of the text where one is left over: an odd quote must not turn inside and
-- outside round.
local function hide_quoted(text, mark)
  local spans, opened, first, last, odd = {}, nil, nil, nil, false
  local at = text:find(mark, 1, true)
  while at do
    local before, after = text:sub(at - 1, at - 1), text:sub(at + 1, at + 1)
    local word_before, word_after = at > 1 and is_word(before), is_word(after)
    if not (mark == "'" and word_before and word_after and is_apostrophe(text, at)) then
      first, last = first or at, at
      if opened then
        odd = odd or word_after
        spans[#spans + 1] = { opened, at }
        opened = nil
      else
        odd = odd or word_before
        opened = at
      end
    end
    at = text:find(mark, at + 1, true)
  end
  if opened then
    spans = { { first, #text } }
  elseif odd then
    spans = { { first, last } }
  end
  local out, from = {}, 1
  for _, span in ipairs(spans) do
    out[#out + 1] = text:sub(from, span[1] - 1) .. GONE
    from = span[2] + 1
  end
  return table.concat(out) .. text:sub(from)
end

local function finish(text, shorter)
  for _, mark in ipairs { '"', "'", "`" } do
    text = hide_quoted(text, mark)
  end
  text = redact.patterns(text)
  return shorter and not text:find("…$") and text .. "…" or text
end

--- The same for texts that somebody else wrote: everything between quotes is hidden too, and what `known` knows. Texts
--- of one reply together, because a request may have many members to look for; behind the thousandth, a text says that
--- it is not shown.
---@param texts string[]
---@param known? scope3.Known
---@return string[]
function redact.texts(texts, known)
  local out, joined, shorter = {}, {}, {}
  for i, text in ipairs(texts) do
    if i <= TOGETHER then
      joined[i], shorter[i] = plain(text)
      joined[i] = hide_key(joined[i], known and known.key)
      if #texts > 1 then
        local less
        joined[i], less = cut(joined[i], LONGEST)
        shorter[i] = shorter[i] or less
      end
    end
  end
  local all = hide_members(table.concat(joined, "\0") .. "\0", known and known.body)
  local i = 0
  -- pattern: never fails, because a zero ends each text
  for text in (all or ("(not shown)\0"):rep(#joined)):gmatch("([^%z]*)%z") do
    i = i + 1
    -- Of one that was cut, the end goes: a value may have been cut in two. Lua 5.5 lets no variable of a loop be set.
    out[i] = finish(shorter[i] and text:sub(1, -256) or text, shorter[i])
  end
  for j = TOGETHER + 1, #texts do
    out[j] = "(not shown: more than a thousand problems)"
  end
  return out
end

--- One text, as redact.texts() has it.
---@param text string
---@param known? scope3.Known
---@return string
function redact.text(text, known)
  return redact.texts({ text }, known)[1]
end

--- Whether a key, a piece of it, or the key encoded stands in a text.
---@param text string
---@param key? string
---@return boolean
function redact.holds_key(text, key)
  return hide_key(text, key) ~= text
end

-- Names of fields that may be told: docs/contract.md sections 2 and 3.
local FIELDS = {}
for name in ([[
  external_id externalId hashed_email hashedEmail hashed_phone hashedPhone audience_id audienceId consent_basis
  consentBasis delete_missing deleteMissing task_id taskId operation_id operationId match_rate matched_count
  matchedCount uploaded_count uploadedCount too_small push_notification_config pushNotificationConfig maid rampid
  id5 pairid uid2 euid rampid_derived UTF-8 SHA-256 sha256 E.164 e164
]]):gmatch("[^%s]+") do
  FIELDS[name] = true
end

local COUNTED = {}
for word in ([[
  of out more other member members row rows record records identifier identifiers audience audiences request
  requests second seconds minute minutes hour hours day days percent customer customers user users uid uids id ids
  email emails phone phones hash hashes byte bytes match matches item items entry entries problem problems error
  errors times duplicate duplicates character characters
]]):gmatch("[^%s]+") do
  COUNTED[word] = true
end

local BEFORE_NUMBER = { of = true, least = true, most = true, than = true, over = true, under = true, limit = true,
  minimum = true, maximum = true, line = true, Line = true, row = true, Row = true, column = true, after = true,
  within = true, first = true, only = true, exceeds = true, HTTP = true }

-- Words behind which a name of somebody stands, unless it is a word of the language.
local NAMING = "^[Mm]embers?$|^[Cc]ustomers?$|^[Uu]sers?$|^[Cc]ontacts?$|^[Uu]ids?$|^[Ii]ds?$|^ID$|^[Vv]alues?$"
  .. "|^[Rr]ecords?$|^external_?[Ii]d$"

-- Words of the language behind "member" and its like; any other is taken for a name.
local BEHIND = {}
for word in ([[
  is was were are has had have could can cannot can't must may might should would will not did does do isn't
  wasn't hasn't count counts list lists id ids with in of and or that who which to for from at by on as if without
  failed missing matched rejected ignored skipped invalid refused data record records field fields could needs
  need lacks lack already also only still no more be been than because but service unknown exists twice hash
  hashes email emails phone phones uid uids value values match matching consent account support
]]):gmatch("[^%s]+") do
  BEHIND[word] = true
end
local SOMEBODY = { member = true, customer = true, contact = true, uid = true, externalid = true, external_id = true }

local function names_somebody(word)
  for pattern in NAMING:gmatch("[^|]+") do
    if word:find(pattern) then -- pattern: whole words
      return true
    end
  end
  return false
end

-- Whether a word may be shown, between its neighbours.
local function harmless(word, before, after)
  if word == "-" or word == "|" or before == "" and after ~= "" and word:find("^[45][0-9][0-9]$") then -- "502 Bad Gateway"
    return true
  elseif word == "" or FIELDS[word] or word:find("^[A-Z][A-Z_]+$") and #word > 3 then
    return true
  elseif word:find("^[0-9.,]+%%$") then
    return true
  elseif word:find("^[0-9][0-9,.]*$") then
    return COUNTED[lower(after)] or BEFORE_NUMBER[before] or false
  end
  return word:find("^[A-Za-z\128-\255]+$") ~= nil or word:find("^[A-Za-z]+'[a-z]+$") ~= nil
    or word:find("^[a-z]+%-[a-z]+$") ~= nil
end

-- The letters that a word ends with.
local function last_name(word)
  local from = #word + 1
  while from > 1 and word:find("^[A-Za-z_]", from - 1) do
    from = from - 1
  end
  return word:sub(from)
end

--- A text of the service about people that are not in hand, so that nothing is known of their ids: what is no word of a
--- language is hidden as well. Numbers stay where they count something, and names of fields stay.
---@param text string
---@param known? scope3.Known
---@return string
function redact.strict(text, known)
  local words, named = {}, false
  text = redact.text(text, known)
  for word in text:gmatch("[^ ]+") do
    words[#words + 1] = word
  end
  -- Without the punctuation round it.
  local function core_of(word)
    word = (word or ""):match("^[(%[{<]*(.*)$")
    return word:match("^.*[^)%]}>.,;:!?]") or ""
  end
  for i, word in ipairs(words) do
    local core = core_of(word)
    local before = words[i - 1] or ""
    local hidden = not (word:find(GONE, 1, true) or harmless(core, core_of(before), core_of(words[i + 1])))
    -- "customer: anna", "id=anna" and "member anna": a name, and no word of the sentence.
    local behind = SOMEBODY[lower(last_name(before))] and not BEHIND[lower(core)]
    hidden = hidden or (named or behind) and core ~= "" and not FIELDS[core] and not word:find(GONE, 1, true)
    named = word:find("[:=#]$") ~= nil and names_somebody(core_of(word:sub(1, -2)))
    if hidden then
      local from = word:find(core, 1, true)
      words[i] = word:sub(1, from - 1) .. GONE .. word:sub(from + #core)
    end
  end
  return table.concat(words, " ")
end

-- Words that a path of an issue consists of, beside numbers (docs/contract.md section 2). Others may be values.
local PATH_WORDS = {}
for word in ([[
  audiences audienceId name add remove delete consentBasis deleteMissing externalId hashedEmail hashedPhone uids
  type value pushNotificationConfig url operation_id token authentication schemes credentials resourceType
  resourceId adcpAgentIds enabled body data
]]):gmatch("[^%s]+") do
  PATH_WORDS[word] = true
end

--- Whether a path of an issue is made of nothing but the service's own words and of places in lists: then it is told as
--- it is.
---@param path string
---@return boolean
function redact.is_path(path)
  if #path > 200 or not path:find("^[A-Za-z]") or path:find("[^A-Za-z0-9_.%[%]]") then
    return false
  end
  for word in path:gmatch("[^.%[%]]+") do
    if not PATH_WORDS[word] and not (#word < 7 and word:find("^%d+$")) then
      return false
    end
  end
  return true
end

local CODE = "^[A-Za-z][A-Za-z0-9_.-]*$"

-- Whether a text is a word of the service, such as a code or a status, and no value.
local function is_code(text, known)
  return #text <= 64 and text:find(CODE) ~= nil and not text:find("[a-z_.%-][0-9][0-9]")
    and not text:find("%-[0-9]") and not text:find("[0-9][0-9][0-9][0-9]") and not redact.holds_key(text, known and known.key)
end

--- A code, the name of a field, or a status: as it is where it is a word of the service, else what may be told of it.
---@param text string
---@param known? scope3.Known
---@return string
function redact.code(text, known)
  return (is_code(text, known) or redact.is_path(text)) and text or redact.strict(text, known)
end

return redact
