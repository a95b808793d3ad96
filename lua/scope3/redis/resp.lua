--- The protocol of Redis, RESP2: writes commands, and reads replies piece by piece as they come
--- (csrc/core/bytes/resp.h).
local core = require "scope3.core"
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

local resp = {}

---@alias scope3.RespArgument string|integer|table  the latter are lines of scope3.core

--- Commands as pieces to send. Lines stay what they are: they become no text of Lua.
---@param commands scope3.RespArgument[][]
---@return (string|table)[]
function resp.encode(commands)
  local out = {}
  for _, command in ipairs(commands) do
    out[#out + 1] = ("*%d\r\n"):format(#command)
    for _, argument in ipairs(command) do
      local piece = type(argument) == "number" and ("%d"):format(argument) or argument
      out[#out + 1] = ("$%d\r\n"):format(type(piece) == "string" and #piece or piece:size())
      out[#out + 1] = piece
      out[#out + 1] = "\r\n"
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
