--- Hides an API key in a text: the whole of it, a piece of it, or the key in base64. Upper and lower case count as the
--- same.
local lower = require("scope3.core").lower
local patterns = require "scope3.util.redact.patterns"

local key = {}

local GONE = patterns.GONE
local PIECE = 8 -- bytes of a key that are hidden also where the rest of it is missing
local KEY_MIN = 3 -- bytes of a key that is looked for
local KEPT = 16 -- keys whose forms are kept: as many as a client remembers of one that changes

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

-- Adds a form in which a key may stand in a text, unless another one holds it.
local function add_form(forms, form)
  for _, other in ipairs(forms) do
    if other:find(form, 1, true) then
      return
    end
  end
  forms[#forms + 1] = form
end

-- The forms in which a key may stand in a text, in lower case, also joined as `all`. Short ones would be found in any
-- text. `block` is half of the shortest piece of them that is looked for.
local function forms_of(secret)
  local whole, encoded = lower(secret), lower(base64(secret))
  local bare, url_encoded = whole:gsub("^scope3_", ""), encoded:gsub("+", "-"):gsub("/", "_")
  local forms = { whole }
  for _, form in ipairs { bare, encoded, url_encoded } do
    if #form >= PIECE then
      add_form(forms, form)
    end
  end
  forms.all, forms.block = table.concat(forms), math.floor((math.min(PIECE, #whole) + 1) / 2)
  return forms
end

local known, count = {}, 0 -- the forms of the keys that were looked for last

-- The forms of a key. Every reply is searched for the same few, so they are made once.
local function known_forms(secret)
  local forms = known[secret]
  if not forms then
    if count == KEPT then
      known, count = {}, 0
    end
    forms = forms_of(secret)
    known[secret], count = forms, count + 1
  end
  return forms
end

-- Whether a text may hold a piece of one of the forms. Of the blocks of half a piece into which the text is cut, each
-- piece covers one. The forms are looked through as one text: a block over an end of one means a closer look.
local function may_hold(low, forms)
  local block = forms.block
  for i = 1, #low - block + 1, block do
    if forms.all:find(low:sub(i, i + block - 1), 1, true) then
      return true
    end
  end
  return false
end

-- The places of a text's bytes that belong to a piece of one of the forms; nil where none does.
local function places_of(low, forms)
  if not may_hold(low, forms) then
    return nil
  end
  local places = {}
  for _, form in ipairs(forms) do
    local piece = math.min(PIECE, #form)
    for i = 1, #low - piece + 1 do
      if form:find(low:sub(i, i + piece - 1), 1, true) then
        for j = i, i + piece - 1 do
          places[j] = true
        end
      end
    end
  end
  return next(places) and places
end

local function hide_one(text, secret)
  if #secret < KEY_MIN then
    return text
  end
  local hidden = places_of(lower(text), known_forms(secret))
  if not hidden then
    return text
  end
  local out = {}
  for i = 1, #text do
    out[#out + 1] = not hidden[i] and text:sub(i, i) or not hidden[i - 1] and GONE or nil
  end
  return table.concat(out)
end

--- Hides keys in a text.
---@param text string
---@param secret? string|string[]  the key, or several
---@return string
function key.hide(text, secret)
  for _, one in ipairs(type(secret) == "table" and secret or { secret }) do
    text = hide_one(text, one)
  end
  return text
end

return key
