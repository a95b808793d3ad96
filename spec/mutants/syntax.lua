-- What a mutation must know of a Lua text beyond its tokens: where statements, conditions and operands begin and end.
-- A statement is known by its first and last token. The text is one that Lua compiles.
local syntax = {}

---@class scope3.Span
---@field kind string  "call", "assignment", "local", "return", "break"; "condition", "binary", "unary"
---@field first integer  a token
---@field last integer
---@field depth integer  how many functions it stands in

local Reader = {}
Reader.__index = Reader

local BINARY = {}
for operator in ("+ - * / // % ^ .. == ~= < <= > >= and or & | ~ << >>"):gmatch "%S+" do
  BINARY[operator] = true
end
local UNARY = { ["-"] = true, ["#"] = true, ["not"] = true, ["~"] = true }
local BLOCK_ENDS = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true, [""] = true }

function Reader:text()
  local token = self.tokens[self.at]
  return (token.kind == "string" or token.kind == "number") and "<value>" or token.text
end

function Reader:kind()
  return self.tokens[self.at].kind
end

function Reader:accept(text)
  if self:text() == text then
    self.at = self.at + 1
    return true
  end
end

function Reader:expect(text)
  if not self:accept(text) then
    local token = self.tokens[self.at]
    error(("%s is expected at %d:%d"):format(text, token.line, token.column))
  end
end

function Reader:note(kind, first, more)
  local span = more or {}
  span.kind, span.first, span.last, span.depth = kind, first, self.at - 1, self.depth
  self.spans[#self.spans + 1] = span
  return span
end

-- --- expressions --------------------------------------------------------------------------------------------------

function Reader:expressions()
  repeat
    self:expression()
  until not self:accept ","
end

-- Whether it has a binary operator. Precedence is of no interest.
function Reader:expression()
  while UNARY[self:text()] do
    self.at = self.at + 1
    self:note("unary", self.at - 1)
  end
  self:operand()
  if BINARY[self:text()] then
    self.at = self.at + 1
    self:note("binary", self.at - 1)
    self:expression()
    return true
  end
  return false
end

function Reader:operand()
  local kind, text = self:kind(), self:text()
  if text == "{" then
    self:constructor()
  elseif text == "function" then
    self.at = self.at + 1
    self:function_body()
  elseif kind == "name" or text == "(" then
    self:suffixed()
  else
    self.at = self.at + 1 -- a number, a string, nil, true, false, or ...
  end
end

function Reader:constructor()
  self:expect "{"
  while not self:accept "}" do
    if self:accept "[" then
      self:expression()
      self:expect "]"
      self:expect "="
    elseif self:kind() == "name" and self.tokens[self.at + 1].text == "=" then
      self.at = self.at + 2
    end
    self:expression()
    if not self:accept "," then
      self:accept ";"
    end
  end
end

function Reader:arguments()
  if self:accept "(" then
    if not self:accept ")" then
      self:expressions()
      self:expect ")"
    end
  elseif self:text() == "{" then
    self:constructor()
  else
    self.at = self.at + 1 -- a string
  end
end

-- A name or a bracket with all that hangs on it; whether it ends with a call.
function Reader:suffixed()
  local called = false
  if self:accept "(" then
    self:expression()
    self:expect ")"
  else
    self.at = self.at + 1
  end
  while true do
    local text, kind = self:text(), self:kind()
    if text == "." then
      self.at, called = self.at + 2, false
    elseif text == "[" then
      self.at, called = self.at + 1, false
      self:expression()
      self:expect "]"
    elseif text == ":" then
      self.at, called = self.at + 2, true
      self:arguments()
    elseif text == "(" or text == "{" or kind == "string" then
      called = true
      self:arguments()
    else
      return called
    end
  end
end

function Reader:function_body()
  self:expect "("
  while not self:accept ")" do
    self.at = self.at + 1
  end
  self.depth = self.depth + 1
  self:block()
  self.depth = self.depth - 1
  self:expect "end"
end

-- --- statements ---------------------------------------------------------------------------------------------------

function Reader:condition()
  local first = self.at
  local is_binary = self:expression()
  self:note("condition", first, { is_binary = is_binary })
end

local STATEMENTS = {}

STATEMENTS["if"] = function(self)
  repeat
    self:condition()
    self:expect "then"
    self:block()
  until not self:accept "elseif"
  if self:accept "else" then
    self:block()
  end
  self:expect "end"
end

STATEMENTS["while"] = function(self)
  self:condition()
  self:expect "do"
  self:block()
  self:expect "end"
end

STATEMENTS["do"] = function(self)
  self:block()
  self:expect "end"
end

STATEMENTS["for"] = function(self)
  while not (self:accept "=" or self:accept "in") do
    self.at = self.at + 1
  end
  self:expressions()
  self:expect "do"
  self:block()
  self:expect "end"
end

STATEMENTS["repeat"] = function(self)
  self:block()
  self:expect "until"
  self:condition()
end

STATEMENTS["function"] = function(self)
  while self:text() ~= "(" do
    self.at = self.at + 1
  end
  self:function_body()
end

STATEMENTS["local"] = function(self, first)
  if self:accept "function" then
    self.at = self.at + 1
    return self:function_body()
  end
  local names = {}
  repeat
    names[#names + 1] = self.tokens[self.at].text
    self.at = self.at + 1
    if self:accept "<" then -- an attribute
      self.at = self.at + 2
    end
  until not self:accept ","
  if self:accept "=" then
    self:expressions()
    self:note("local", first, { names = names })
  end
end

STATEMENTS["return"] = function(self, first)
  if not BLOCK_ENDS[self:text()] and self:text() ~= ";" then
    self:expressions()
    self:note("return", first)
  end
  self:accept ";"
end

STATEMENTS["break"] = function(self, first)
  self:note("break", first)
end

STATEMENTS["goto"] = function(self)
  self.at = self.at + 1
end

STATEMENTS["::"] = function(self)
  self.at = self.at + 2
end

STATEMENTS[";"] = function() end

-- A call or an assignment.
local function plain_statement(self)
  local first = self.at
  local called = self:suffixed()
  while self:accept "," do
    self:suffixed()
    called = false
  end
  if self:accept "=" then
    self:expressions()
    called = false
  end
  self:note(called and "call" or "assignment", first)
end

function Reader:block()
  while not BLOCK_ENDS[self:text()] do
    local first, read = self.at, STATEMENTS[self:text()]
    if read then
      self.at = self.at + 1
      read(self, first)
    else
      plain_statement(self)
    end
  end
end

--- All spans of a text, in the order of their ends.
---@param tokens scope3.Token[]
---@return scope3.Span[]
function syntax.of(tokens)
  local self = setmetatable({ tokens = tokens, at = 1, depth = 0, spans = {} }, Reader)
  self:block()
  assert(self:kind() == "end", "the text does not end with its block")
  return self.spans
end

return syntax
