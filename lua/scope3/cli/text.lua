--- Numbers and tables for people.
local plural = require "scope3.util.plural"
local visible = require "scope3.util.visible"

local text = {}

--- A text from outside, on one line of a terminal. Control characters are written out, also those that change the
--- reading direction.
text.visible = visible.text

--- 1.25 -> "1.3", with a point in every locale.
---@param n number  0 or more
---@param places integer
---@return string
function text.fixed(n, places)
  local digits = ("%.0f"):format(n * 10 ^ places)
  digits = ("0"):rep(places + 1 - #digits) .. digits
  return digits:sub(1, -places - 1) .. "." .. digits:sub(-places)
end

--- 1234567 -> "1,234,567"
---@param n number
---@return string
function text.count(n)
  local digits = ("%.0f"):format(n)
  local grouped = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (grouped:gsub("^,", ""))
end

--- Names that were given as one word, "plus,words"; "all" stays, and so does nil.
---@param word string?
---@return string[]|string|nil
function text.names(word)
  if word == nil or word == "all" then
    return word
  end
  local names = {}
  for name in word:gmatch("[^,%s]+") do
    names[#names + 1] = name
  end
  return names
end

--- A word as a shell takes it, with nothing that a terminal would obey.
---@param word string
---@return string
function text.word(word)
  word = text.visible(word)
  return word:find("[^A-Za-z0-9._:/-]") and "'" .. word:gsub("'", "'\\''") .. "'" or word
end

--- Bytes as kB, MB or GB.
---@param n number
---@return string
function text.bytes(n)
  for _, unit in ipairs { { 1e9, "GB" }, { 1e6, "MB" }, { 1e3, "kB" } } do
    if n >= unit[1] then
      return ("%s %s"):format(text.fixed(n / unit[1], 1), unit[2])
    end
  end
  return plural.of(n, "byte")
end

--- Seconds in a unit that is easy to read.
---@param s number
---@return string
function text.seconds(s)
  if s < 1 then
    return ("%.0f ms"):format(s * 1000)
  elseif s < 120 then
    return text.fixed(s, 1) .. " s"
  elseif s < 7200 then
    return ("%.0f min"):format(s / 60)
  end
  return text.fixed(s / 3600, 1) .. " h"
end

--- "1 request", "2 requests"
---@param n number
---@param one string
---@param many? string
---@return string
function text.plural(n, one, many)
  return text.count(n) .. " " .. plural.words(n, one, many)
end

local function width(s)
  local _, continuation = s:gsub("[\128-\191]", "")
  return #s - continuation
end

--- Rows of cells in columns; numbers (already as text) align right where `right[i]`. Cells are made fit for a terminal.
---@param rows string[][]
---@param right? table<integer, boolean>
---@param indent? string
---@return string
function text.columns(rows, right, indent)
  local widths, shown = {}, {}
  for n, row in ipairs(rows) do
    shown[n] = {}
    for i, cell in ipairs(row) do
      cell = text.visible(cell)
      shown[n][i] = cell
      widths[i] = math.max(widths[i] or 0, width(cell))
    end
  end
  local lines = {}
  for n, row in ipairs(shown) do
    local cells = {}
    for i, cell in ipairs(row) do
      local pad = (" "):rep(widths[i] - width(cell))
      cells[i] = right and right[i] and pad .. cell or (i < #row and cell .. pad or cell)
    end
    lines[n] = (indent or "") .. table.concat(cells, "  ")
  end
  return table.concat(lines, "\n") .. "\n"
end

return text
