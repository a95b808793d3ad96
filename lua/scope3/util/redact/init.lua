--- Removes personal data and keys from text of others, before it enters an error or a log. Rules by form
--- are in patterns, rules for words in words, and hiding of keys and quoted values in key and quotes.
local key = require "scope3.util.redact.key"
local patterns = require "scope3.util.redact.patterns"
local quotes = require "scope3.util.redact.quotes"
local words = require "scope3.util.redact.words"

local redact = {}

local GONE, READ_MAX = patterns.GONE, patterns.READ_MAX
local TEXTS_MAX = 1000 -- texts of one reply that are shown

---@class scope3.Known  what the reader of a reply knows, and its texts must not say
---@field key? string|string[]  the API keys in use
---@field body? table  the pieces of the request in hand: strings, and { payload, operation, first, last }
---@field task? boolean  a task was asked for
---@field strict? boolean  the members that a reply may speak of are not in hand

local ENTITIES = { quot = '"', apos = "'", amp = "&", lt = "<", gt = ">" }

local function character(code)
  return code >= 32 and code < 127 and string.char(code) or nil
end

-- A text without what hides a value from the search: escapes of URLs, HTML and JSON, and typographic quotes.
local function unescape(text)
  text = text:gsub("[%z\1-\31\127]+", " ")
  text = text:gsub("%%([0-9A-Fa-f][0-9A-Fa-f])", function(hex)
    return character(tonumber(hex, 16))
  end)
  text = text:gsub("\\u00([0-9A-Fa-f][0-9A-Fa-f])", function(hex)
    return character(tonumber(hex, 16))
  end)
  text = text:gsub("&([a-z]+);", ENTITIES):gsub("&#0*([0-9][0-9][0-9]?);", function(digits)
    return character(tonumber(digits))
  end):gsub("&#[xX]0*([0-9A-Fa-f][0-9A-Fa-f]);", function(hex)
    return character(tonumber(hex, 16))
  end)
  text = text:gsub("\226\128[\156-\159]", '"'):gsub("\194[\171\187]", '"'):gsub("\226\128[\152-\155]", "'")
  return (text:gsub("\\([\"'`])", "%1"))
end

-- Hides ids and uids of the request in hand. Nil where that failed: memory is out, or a payload was closed.
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

local function finish(text, is_shorter)
  text = patterns.hide(quotes.hide(text))
  return is_shorter and not text:find("…$") and text .. "…" or text
end

-- The texts that are looked at, without keys, and whether each was cut. Of several texts each is cut to what is shown.
local function prepare(texts, known)
  local prepared, is_shorter = {}, {}
  for i = 1, math.min(#texts, TEXTS_MAX) do
    prepared[i] = key.hide(unescape(texts[i]:sub(1, READ_MAX)), known and known.key)
    is_shorter[i] = #texts[i] > READ_MAX
    if #texts > 1 then
      local was_cut
      prepared[i], was_cut = patterns.cut(prepared[i], patterns.SHOWN_MAX)
      is_shorter[i] = is_shorter[i] or was_cut
    end
  end
  return prepared, is_shorter
end

--- Redacts texts of others: also everything between quotes, and what `known` knows. It takes the texts of one reply
--- together, because a request may have many members to look for. After the thousandth, a text only says
--- that it is not shown.
---@param texts string[]
---@param known? scope3.Known
---@return string[]
function redact.texts(texts, known)
  local prepared, is_shorter = prepare(texts, known)
  local all = hide_members(table.concat(prepared, "\0") .. "\0", known and known.body)
  local out, i = {}, 0
  -- pattern: never fails, because a zero ends each text
  for text in (all or ("(not shown)\0"):rep(#prepared)):gmatch("([^%z]*)%z") do
    i = i + 1
    -- A cut text loses its end: a value may have been cut in two. Lua 5.5 lets no variable of a loop be set.
    out[i] = finish(is_shorter[i] and text:sub(1, -256) or text, is_shorter[i])
  end
  for j = TEXTS_MAX + 1, #texts do
    out[j] = "(not shown: more than a thousand problems)"
  end
  return out
end

--- One text, as redact.texts() redacts it.
---@param text string
---@param known? scope3.Known
---@return string
function redact.text(text, known)
  return redact.texts({ text }, known)[1]
end

--- Redacts text that this program wrote itself, where quotes hold names of columns and keys.
---@param text string
---@return string
function redact.patterns(text)
  return patterns.hide(text)
end

--- Redacts what looks like an email or a phone in a word that should be the name of a column or a number, but may be
--- a value in its place.
---@param word string
---@return string
function redact.people(word)
  return patterns.hide_people(word)
end

--- Whether a key, a piece of it, or the key encoded is in a text.
---@param text string
---@param secret? string|string[]
---@return boolean
function redact.holds_key(text, secret)
  return key.hide(text, secret) ~= text
end

local function is_hidden_already(word)
  return word:find(patterns.GONE, 1, true) ~= nil
end

local function hide_word(word)
  local bare = words.bare(word)
  local from = word:find(bare, 1, true)
  return word:sub(1, from - 1) .. GONE .. word:sub(from + #bare)
end

-- Whether a word of a sentence may be a person's value. `is_announced`: the word before it announces a name.
local function is_value(list, i, is_announced)
  local word, before = list[i], list[i - 1] or ""
  local bare = words.bare(word)
  if is_hidden_already(word) then
    return false
  elseif not words.is_harmless(bare, words.bare(before), words.bare(list[i + 1])) then
    return true
  end
  return bare ~= "" and not words.is_field(bare) and (is_announced or words.is_name(bare, before))
end

--- Redacts a text of the service about members that are not in hand, so that their ids are unknown. It also hides every
--- word that belongs to no language, unless it is a name of a field. Numbers stay where they count something.
---@param text string
---@param known? scope3.Known
---@return string
function redact.strict(text, known)
  local list, is_announced = {}, false
  for word in redact.text(text, known):gmatch("[^ ]+") do
    list[#list + 1] = word
  end
  for i, word in ipairs(list) do
    local is_to_hide = is_value(list, i, is_announced)
    is_announced = words.announces_name(word)
    if is_to_hide then
      list[i] = hide_word(word)
    end
  end
  return table.concat(list, " ")
end

--- Whether a path of an issue holds nothing but the service's own words and places in lists.
---@param path string
---@return boolean
function redact.is_path(path)
  return words.is_path(path)
end

--- A code, the name of a field, or a status: as it is where it is a word of the service, else redacted.
---@param text string
---@param known? scope3.Known
---@return string
function redact.code(text, known)
  local is_code = words.is_code(text) and not redact.holds_key(text, known and known.key)
  return (is_code or redact.is_path(text)) and text or redact.strict(text, known)
end

return redact
