--- The protocol of Redis, RESP2: writes commands, and reads replies piece by piece as they come
--- (csrc/core/bytes/resp.h).
local core = require "scope3.core"

local resp = {}

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
---@field feed fun(self: scope3.RespDecoder, bytes: string)  takes bytes that came
---@field held fun(self: scope3.RespDecoder): integer  bytes that came and are not read
---@field next fun(self: scope3.RespDecoder): boolean?, any  true and the next reply that has come whole; false where
---  more has to come; nil and the problem where what came is no reply. A status and a text are strings, a null is
---  false, a list is a table, a whole number is a number, or its text at 2^53 and more
---@field close fun(self: scope3.RespDecoder)

local function the_line(line)
  return line
end

--- A reader of replies.
---@param limits? scope3.RespLimits
---@return scope3.RespDecoder
function resp.decoder(limits)
  limits = limits or {}
  return core.resp { bytes = limits.bytes or 64 * 1024 * 1024, values = limits.values or 1000000,
    refuse = limits.refuse or the_line }
end

return resp
