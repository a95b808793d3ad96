-- The mutants of a Lua text: what each operator of mutation makes of it. A mutant replaces one stretch of bytes.
local syntax = require "spec.mutants.syntax"
local tokens = require "spec.mutants.tokens"

local operators = {}

local LARGE = 10000 -- from here on one more or less is no other decision: twice and half are
local NAME_BYTES = 60 -- of a replaced stretch that are shown in a name

local COMPARISONS = {
  ["<"] = { "<=", ">=" }, ["<="] = { "<", ">" }, [">"] = { ">=", "<" }, [">="] = { ">", "<=" },
  ["=="] = { "~=" }, ["~="] = { "==" },
}
local ARITHMETIC = { ["+"] = "-", ["-"] = "+", ["*"] = "/", ["/"] = "*" }
local LOGIC = { ["and"] = "or", ["or"] = "and" }
local CONSTANTS = { ["true"] = "false", ["false"] = "true" }
local ROUNDING = { min = "max", max = "min", floor = "ceil", ceil = "floor" }
local BINDS_TIGHTER = { ["*"] = true, ["/"] = true, ["%"] = true, ["//"] = true, ["^"] = true }

---@class scope3.Mutant
---@field file string
---@field line integer
---@field column integer
---@field operator string
---@field from string
---@field to string
---@field specs string[]?  that have to notice it, where lines are not counted
---@field equivalent string?  why nothing can notice it, where its author says so
---@field source string  the line without its indentation
---@field first integer  of the bytes that it replaces
---@field last integer
---@field replacement string
---@field lines table<integer, true>  lines of the statement that it stands in

local List = {}
List.__index = List

local function shown(text)
  text = text:gsub("%s+", " ")
  return #text > NAME_BYTES and text:sub(1, NAME_BYTES) .. "..." or text
end

-- Replaces what reaches from one token to another.
function List:add(operator, first, last, to)
  local from, till = self.tokens[first], self.tokens[last]
  local old = self.text:sub(from.first, till.last)
  -- The lines after it keep their numbers.
  local missing = select(2, old:gsub("\n", "")) - select(2, to:gsub("\n", ""))
  local filled = to .. ("\n"):rep(math.max(missing, 0))
  self.mutants[#self.mutants + 1] = {
    line = from.line, column = from.column, operator = operator, from = shown(old), to = shown(to), token = first,
    first = from.first, last = till.last, replacement = filled,
  }
end

local function number_mutants(list, at, text)
  local value, before = tonumber(text), list.tokens[at - 1].text
  local seen = { [value] = true }
  if value == 1 and (before == "+" or before == "-") then
    seen[0] = true -- the operator "step" makes the same
  end
  local others = value < LARGE and { value + 1, value - 1, 0 } or { value * 2, math.floor(value / 2), 0 }
  for _, other in ipairs(others) do
    if not seen[other] then
      seen[other] = true
      local to = ("%.14g"):format(other)
      list:add("constant", at, at, other < 0 and "(" .. to .. ")" or to)
    end
  end
end

local function is_compared(list, at)
  local before, after = list.tokens[at - 1], list.tokens[at + 1]
  return before and COMPARISONS[before.text] ~= nil or COMPARISONS[after.text] ~= nil
end

local function token_mutants(list, at, token)
  local before = list.tokens[at - 1]
  if token.kind == "number" then
    number_mutants(list, at, token.text)
  elseif token.kind == "string" and is_compared(list, at) then
    list:add("string", at, at, '"mutant"')
  elseif token.kind == "keyword" and CONSTANTS[token.text] then
    list:add("boolean", at, at, CONSTANTS[token.text])
  elseif token.kind == "name" and ROUNDING[token.text] and before and before.text == "." then
    list:add("function", at, at, ROUNDING[token.text])
  end
end

local SPANS = {}

function SPANS.binary(list, span)
  local at = span.first
  local text, after = list.tokens[at].text, list.tokens[at + 1]
  for _, to in ipairs(COMPARISONS[text] or {}) do
    list:add("comparison", at, at, to)
  end
  if ARITHMETIC[text] then
    list:add("arithmetic", at, at, ARITHMETIC[text])
  elseif LOGIC[text] then
    list:add("logic", at, at, LOGIC[text])
  end
  if (text == "+" or text == "-") and after.text == "1" and not BINDS_TIGHTER[list.tokens[at + 2].text] then
    list:add("step", at, at + 1, "")
  end
end

function SPANS.unary(list, span)
  local text = list.tokens[span.first].text
  if text == "not" or text == "-" then
    list:add("unary", span.first, span.first, "")
  end
end

-- Where there is an else, this swaps the branches. Where a `not` is all, dropping it does the same.
function SPANS.condition(list, span)
  local first, last = list.tokens[span.first], list.tokens[span.last]
  if first.text == "not" and not span.is_binary then
    return
  end
  list:add("negate", span.first, span.last, "not (" .. list.text:sub(first.first, last.last) .. ")")
end

function SPANS.call(list, span)
  list:add("drop", span.first, span.last, "")
end

SPANS.assignment = SPANS.call
SPANS["break"] = SPANS.call

-- What the file itself returns is what everything else has of it. Few who ask tell false from nil.
SPANS["return"] = function(list, span)
  local one = span.last == span.first + 1 and list.tokens[span.last].text
  if span.depth > 0 and one ~= "false" and one ~= "nil" then
    list:add("drop", span.first, span.last, "return nil")
  end
end

-- A constant of the file is used by other lines than its own.
local function add_lines_of_names(list, names, lines)
  for _, name in ipairs(names) do
    for _, token in ipairs(list.tokens) do
      if token.kind == "name" and token.text == name then
        lines[token.line] = true
      end
    end
  end
end

-- The lines of the statement around a mutant; for a constant of the file those that use it.
local function set_lines(list, spans)
  for _, mutant in ipairs(list.mutants) do
    local around
    for _, span in ipairs(spans) do
      local is_statement = span.kind ~= "binary" and span.kind ~= "unary"
      if is_statement and span.first <= mutant.token and mutant.token <= span.last then
        around = around or span -- the smallest ends first
      end
    end
    mutant.lines = { [mutant.line] = true }
    if around and around.depth == 0 and around.names then
      mutant.lines = {}
      add_lines_of_names(list, around.names, mutant.lines)
      mutant.lines[list.tokens[around.first].line] = nil
    end
    if around and around.kind == "break" then
      mutant.lines[mutant.line - 1] = true -- it has no code of its own
    end
    if around and not next(mutant.lines) or around and around.depth > 0 then
      for line = list.tokens[around.first].line, list.tokens[around.last].line do
        mutant.lines[line] = true
      end
    end
  end
end

local function source_lines(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line:match "^%s*(.-)%s*$"
  end
  return lines
end

-- Of changes that are alike on a line, the second and later ones are numbered.
local function number_alike(mutants)
  local counts = {}
  for _, mutant in ipairs(mutants) do
    local key = table.concat({ mutant.line, mutant.operator, mutant.from, mutant.to }, "\t")
    counts[key] = (counts[key] or 0) + 1
    if counts[key] > 1 then
      mutant.from = ("%s (%d)"):format(mutant.from, counts[key])
    end
  end
end

--- The text of a file with a mutant in it.
---@param text string
---@param mutant scope3.Mutant
---@return string
function operators.apply(text, mutant)
  return text:sub(1, mutant.first - 1) .. mutant.replacement .. text:sub(mutant.last + 1)
end

local function bytecode(text)
  local chunk = load(text, "=mutant", "t")
  return chunk and string.dump(chunk, true)
end

-- Leaves out what does not compile, and what compiles to what another one or the original does.
local function distinct(mutants, text)
  local kept, skipped, seen = {}, 0, { [bytecode(text)] = true }
  for _, mutant in ipairs(mutants) do
    local code = bytecode(operators.apply(text, mutant))
    if code and not seen[code] then
      seen[code] = true
      kept[#kept + 1] = mutant
    else
      skipped = skipped + 1
    end
  end
  return kept, skipped
end

---@param file string
---@param text string
---@return scope3.Mutant[] mutants  by their places
---@return integer skipped  that do not compile, or compile to the same as another
function operators.mutants(file, text)
  local list = setmetatable({ tokens = tokens.of(text), text = text, mutants = {} }, List)
  local spans = syntax.of(list.tokens)
  for at, token in ipairs(list.tokens) do
    token_mutants(list, at, token)
  end
  for _, span in ipairs(spans) do
    if SPANS[span.kind] then
      SPANS[span.kind](list, span)
    end
  end
  for i, mutant in ipairs(list.mutants) do
    mutant.file, mutant.number = file, i
  end
  table.sort(list.mutants, function(a, b)
    if a.token ~= b.token then
      return a.token < b.token
    end
    return a.number < b.number
  end)
  number_alike(list.mutants)
  set_lines(list, spans)
  local lines = source_lines(text)
  for _, mutant in ipairs(list.mutants) do
    mutant.source = lines[mutant.line]
  end
  return distinct(list.mutants, text)
end

--- The name of a mutant: it stays as long as its line does.
---@param mutant scope3.Mutant
---@return string
function operators.name(mutant)
  if mutant.operator == "hand" then
    return ("%s:%d:%d %s"):format(mutant.file, mutant.line, mutant.column, mutant.from)
  end
  return ("%s:%d:%d %s `%s` -> `%s`"):format(mutant.file, mutant.line, mutant.column, mutant.operator, mutant.from,
    mutant.to)
end

return operators
