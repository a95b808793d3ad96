-- The tokens of a Lua text with their places. Blanks and comments belong to the token after them, so that the tokens
-- give the whole text back.
local tokens = {}

---@class scope3.Token
---@field kind "name"|"keyword"|"number"|"string"|"operator"|"end"
---@field text string
---@field before string  the blanks and comments before it
---@field first integer  of its bytes
---@field last integer
---@field line integer
---@field column integer

local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return then true "
  .. "until while"):gmatch "%a+" do
  KEYWORDS[word] = true
end

-- Longer ones first.
local OPERATORS = { "...", "..", "==", "~=", "<=", ">=", "<<", ">>", "//", "::" }

local function long_bracket_end(text, at)
  local level = text:match("^%[(=*)%[", at)
  if level then
    local _, last = text:find("]" .. level .. "]", at, true)
    return assert(last, "a long bracket does not end")
  end
end

-- The last byte of the blanks and comments that begin at a byte.
local function skip_blanks(text, at)
  while true do
    local _, last = text:find("^%s+", at)
    if not last and text:find("^%-%-", at) then
      last = long_bracket_end(text, at + 2) or (text:find("\n", at, true) or #text + 1) - 1
    end
    if not last then
      return at - 1
    end
    at = last + 1
  end
end

local function quoted_end(text, at)
  local quote, i = text:sub(at, at), at + 1
  while text:sub(i, i) ~= quote do
    assert(i <= #text, "a string does not end")
    i = i + (text:sub(i, i) == "\\" and 2 or 1)
  end
  return i
end

-- Longer forms first.
local NUMBERS = { "^0[xX][%x.]+[pP][+-]?%d+", "^0[xX][%x.]+", "^%d*%.?%d*[eE][+-]?%d+", "^%d*%.?%d*" }

local function number_end(text, at)
  for _, pattern in ipairs(NUMBERS) do
    local _, last = text:find(pattern, at)
    if last then
      return last
    end
  end
end

local function operator_end(text, at)
  for _, operator in ipairs(OPERATORS) do
    if text:sub(at, at + #operator - 1) == operator then
      return at + #operator - 1
    end
  end
  return at
end

-- The kind of the token that begins at a byte, and its last byte.
local function next_token(text, at)
  local word = text:match("^[%a_][%w_]*", at)
  if word then
    return KEYWORDS[word] and "keyword" or "name", at + #word - 1
  elseif text:find("^%.?%d", at) then
    return "number", number_end(text, at)
  elseif text:find("^[\"']", at) then
    return "string", quoted_end(text, at)
  elseif long_bracket_end(text, at) then
    return "string", long_bracket_end(text, at)
  end
  return "operator", operator_end(text, at)
end

--- The last one is of the kind "end", and has no text.
---@param text string
---@return scope3.Token[]
function tokens.of(text)
  local list, at, line, line_first = {}, 1, 1, 1
  local function count_lines(first, last)
    for place in text:sub(first, last):gmatch "()\n" do
      line, line_first = line + 1, first + place
    end
  end
  repeat
    local first = skip_blanks(text, at) + 1
    count_lines(at, first - 1)
    local token = {
      before = text:sub(at, first - 1), first = first, line = line, column = first - line_first + 1,
    }
    if first > #text then
      token.kind, token.last = "end", first - 1
    else
      token.kind, token.last = next_token(text, first)
    end
    token.text = text:sub(first, token.last)
    count_lines(first, token.last)
    list[#list + 1] = token
    at = token.last + 1
  until token.kind == "end"
  return list
end

return tokens
