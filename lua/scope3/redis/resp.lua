--- The protocol of Redis, RESP2: writes commands, and reads replies piece by piece as they come.
---
--- A reply is of a stranger. Its size, depth and count are capped, what does not fit ends the reading for good, and no
--- problem shows a byte of it. Each byte is looked at, and copied, a fixed number of times however the pieces fall.
local resp = {}

local LINE_MAX = 64 * 1024
local NUMBER_MAX = 32 -- bytes of a line that holds a number
local DEPTH_MAX = 16
local PIECES_MAX = 1024 -- small ones, before they are joined: a byte as a text of its own takes forty
local EXACT = 2 ^ 53

---@alias scope3.RespArgument string|integer|(string|table)[]  pieces: texts, and payloads, which stand for their lines

local function put_pieces(out, pieces)
  local head, n = #out + 1, 0
  for i, piece in ipairs(pieces) do
    n, out[head + i] = n + (type(piece) == "string" and #piece or piece:lines_size()), piece
  end
  out[head] = ("$%d\r\n"):format(n)
  out[#out + 1] = "\r\n"
end

--- Commands as pieces to send. What payloads hold is not copied.
---@param commands scope3.RespArgument[][]
---@return (string|table)[]
function resp.encode(commands)
  local out = {}
  for _, command in ipairs(commands) do
    out[#out + 1] = ("*%d\r\n"):format(#command)
    for _, argument in ipairs(command) do
      if type(argument) == "table" then
        put_pieces(out, argument)
      else
        local text = type(argument) == "number" and ("%d"):format(argument) or argument
        out[#out + 1] = ("$%d\r\n"):format(#text)
        out[#out + 1] = text
        out[#out + 1] = "\r\n"
      end
    end
  end
  return out
end

---@class scope3.RespLimits
---@field bytes? integer  of one reply; 64 MiB unless given
---@field values? integer  of one reply, those inside arrays too; a million unless given
---@field refuse? fun(line: string): any  makes the value of an error that was replied; the line itself unless given

---@class scope3.RespDecoder
---@field held integer  bytes that came and are not read
---@field private problem string?
local Decoder = {}
Decoder.__index = Decoder

--- A reader of replies.
---@param limits? scope3.RespLimits
---@return scope3.RespDecoder
function resp.decoder(limits)
  limits = limits or {}
  return setmetatable({ bytes_max = limits.bytes or 64 * 1024 * 1024, values_max = limits.values or 1000000,
    refuse = limits.refuse or function(line)
      return line
    end,
    text = "", at = 1, -- what is being read, and where
    pieces = {}, joined = {}, -- what came after it; `joined` before `pieces`
    held = 0, searched = false, has_line = false, -- no line ends in `text`; one ends in the pieces
    stack = {}, bytes = 0, values = 0 }, Decoder)
end

--- Takes bytes that came.
---@param bytes string
function Decoder:feed(bytes)
  local pieces = self.pieces
  pieces[#pieces + 1] = bytes
  if #pieces >= PIECES_MAX then
    self.joined[#self.joined + 1] = table.concat(pieces)
    self.pieces = {}
  end
  self.held = self.held + #bytes
  self.has_line = self.has_line or bytes:find("\n", 1, true) ~= nil
end

local function gather(self)
  self.joined[#self.joined + 1] = table.concat(self.pieces)
  table.insert(self.joined, 1, self.text:sub(self.at))
  self.text, self.at, self.pieces, self.joined = table.concat(self.joined), 1, {}, {}
  self.searched, self.has_line = false, false
end

-- Where the next line ends; nil where its end has not come.
local function find_line(self)
  local stop = not self.searched and self.text:find("\n", self.at, true)
  if not stop and self.has_line then
    gather(self)
    stop = self.text:find("\n", 1, true)
  end
  self.searched = not stop
  return stop
end

local function take(self, n)
  local at = self.at
  self.at, self.held, self.bytes = at + n, self.held - n, self.bytes + n
  return at
end

-- A line without its end: its first letter, and the rest. nil where it has not come, and a problem where it is none.
local function take_line(self)
  local stop = find_line(self)
  if (stop and stop - self.at or self.held) > LINE_MAX then
    return nil, "a line is longer than 64 kB"
  elseif not stop then
    return nil
  end
  local at = take(self, stop - self.at + 1)
  if self.bytes > self.bytes_max then
    return nil, "the reply is larger than allowed"
  elseif stop - at < 2 or self.text:byte(stop - 1) ~= 13 then
    return nil, "a line has no type, or does not end as lines do"
  end
  return self.text:sub(at, at), self.text:sub(at + 1, stop - 2)
end

-- A whole number; the text itself where not every Lua would hold it.
local function number_of(text)
  if #text > NUMBER_MAX or not text:find("^-?[0-9]+$") then
    return nil
  end
  local number = tonumber(text)
  return number > -EXACT and number < EXACT and number or text
end

-- A length: -1 for a null.
local function length_of(text, most)
  local n = number_of(text)
  return type(n) == "number" and n >= -1 and n <= most and n or nil
end

local READ = {}

READ["+"] = function(_, rest)
  return rest
end

READ["-"] = function(self, rest)
  return self.refuse(rest)
end

READ[":"] = function(_, rest)
  local n = number_of(rest)
  return n, n == nil and "a number is none" or nil
end

READ["$"] = function(self, rest)
  local n = length_of(rest, self.bytes_max - self.bytes)
  if n == nil then
    return nil, "the length of a text is none, or the reply is larger than allowed"
  elseif n == -1 then
    return false
  end
  self.wanted = n
end

READ["*"] = function(self, rest)
  local n = length_of(rest, self.values_max - self.values)
  if n == nil then
    return nil, "the length of a list is none, or it is longer than allowed"
  elseif n == -1 then
    return false
  elseif n == 0 then
    return {}
  elseif #self.stack >= DEPTH_MAX then
    return nil, "lists lie in lists, deeper than allowed"
  end
  self.stack[#self.stack + 1] = { list = {}, left = n }
end

local function take_text(self)
  local n = self.wanted
  if self.held < n + 2 then
    return nil
  elseif #self.text - self.at + 1 < n + 2 then
    gather(self)
  end
  local at = take(self, n + 2)
  if self.text:sub(at + n, at + n + 1) ~= "\r\n" then
    return nil, "a text is longer than was said"
  end
  self.wanted = nil
  return self.text:sub(at, at + n - 1)
end

-- Reads one value, or the head of one. Gives the value, or whether there was something to read.
local function read(self)
  if self.wanted then
    local text, problem = take_text(self)
    return text, problem, false
  end
  local kind, rest = take_line(self)
  if not kind then
    return nil, rest, false
  elseif not READ[kind] then
    return nil, "a value is of a type that there is not", false
  end
  self.values = self.values + 1
  local value, problem = READ[kind](self, rest)
  return value, problem, true
end

-- Puts a value where it belongs. Gives the reply that it completes.
local function put(self, value)
  local stack = self.stack
  while #stack > 0 do
    local top = stack[#stack]
    top.list[#top.list + 1], top.left = value, top.left - 1
    if top.left > 0 then
      return nil
    end
    stack[#stack] = nil
    value = top.list
  end
  self.bytes, self.values = 0, 0
  return value
end

--- The next reply that has come whole. A status and a text are strings, a null is false, a list is a table, a whole
--- number is a number, or its text at 2^53 and more.
---@return boolean? there  false where more has to come, nil where what came is no reply
---@return any value  the reply, or the problem
function Decoder:next()
  while not self.problem do
    local value, problem, more = read(self)
    if problem then
      self.problem = problem
    elseif value == nil and not more then
      return false
    elseif value ~= nil then
      value = put(self, value)
      if value ~= nil then
        return true, value
      end
    end
  end
  return nil, self.problem
end

return resp
