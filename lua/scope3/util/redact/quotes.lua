--- Hides what stands between quotes: in a text of others it may be a value.
local patterns = require "scope3.util.redact.patterns"

local quotes = {}

local function is_word(c)
  return c:find("^[A-Za-z0-9\128-\255]") ~= nil
end

-- Whether the apostrophe at a place, between two words, belongs to a word: can't, we're, O'Brien.
local function is_apostrophe(text, at)
  return text:find("^'[sStTdDmM]%f[^A-Za-z0-9\128-\255]", at)
    or text:find("^'[rRvVlL][eElL]%f[^A-Za-z0-9\128-\255]", at)
    or text:sub(at - 1, at - 1):find("[A-Za-z]") and not is_word(text:sub(at - 2, at - 2))
end

-- The quotes of a text in order: their places, and whether they touch a word before and after them.
local function marks_of(text, mark)
  local marks = {}
  local at = text:find(mark, 1, true)
  while at do
    local word_before = is_word(text:sub(at - 1, at - 1))
    local word_after = is_word(text:sub(at + 1, at + 1))
    if not (mark == "'" and word_before and word_after and is_apostrophe(text, at)) then
      marks[#marks + 1] = { at = at, word_before = word_before, word_after = word_after }
    end
    at = text:find(mark, at + 1, true)
  end
  return marks
end

-- Pairs of quotes as ranges of places. Where quotes do not pair, one range goes from the first to the last quote. Where
-- one quote is left over, it goes to the end of the text. An odd quote must not turn inside and outside round.
local function spans_of(marks, last)
  local spans, is_odd = {}, false
  for i = 1, #marks - 1, 2 do
    spans[#spans + 1] = { marks[i].at, marks[i + 1].at }
    is_odd = is_odd or marks[i].word_before or marks[i + 1].word_after
  end
  if #marks % 2 == 1 then
    return { { marks[1].at, last } }
  elseif is_odd then
    return { { marks[1].at, marks[#marks].at } }
  end
  return spans
end

local function hide_between(text, mark)
  local out, from = {}, 1
  for _, span in ipairs(spans_of(marks_of(text, mark), #text)) do
    out[#out + 1] = text:sub(from, span[1] - 1) .. patterns.GONE
    from = span[2] + 1
  end
  return table.concat(out) .. text:sub(from)
end

--- Hides what stands between double quotes, apostrophes and backticks.
---@param text string
---@return string
function quotes.hide(text)
  for _, mark in ipairs { '"', "'", "`" } do
    text = hide_between(text, mark)
  end
  return text
end

return quotes
