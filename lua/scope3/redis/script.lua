--- Scripts by their hash. Redis itself says what the hash is, once in a process. A Redis that was started anew has
--- forgotten its scripts: then the text goes along, once.
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

local script = {}

local hashes = {} -- by text: a program has a few scripts

---@param call fun(connection: scope3.RedisConnection, command: table): any, scope3.Error?
---@return string? hash  nil where it cannot be known, such as where the user may not load scripts
---@return scope3.Error? err
local function hash_of(connection, call, text)
  if hashes[text] then
    return hashes[text]
  end
  local hash, err = call(connection, { "SCRIPT", "LOAD", text })
  if hash and (type(hash) ~= "string" or not hash:find("^[0-9a-f]+$") or #hash ~= 40) then
    return nil
  end
  hashes[text] = hash or nil
  return hashes[text], err
end

local function command_of(name, what, tail)
  local command = { name, what }
  for i, value in ipairs(tail) do
    command[i + 2] = value
  end
  return command
end

--- Runs a script.
---@param connection scope3.RedisConnection
---@param call fun(connection: scope3.RedisConnection, command: table): any, scope3.Error?
---@param text string
---@param tail scope3.RespArgument[]  the number of keys, the keys, the arguments
---@return any reply
---@return scope3.Error? err
function script.run(connection, call, text, tail)
  local hash, err = hash_of(connection, call, text)
  if err and err.code ~= "NOPERM" then
    return nil, err
  elseif hash then
    local reply
    reply, err = call(connection, command_of("EVALSHA", hash, tail))
    if not err or err.code ~= "NOSCRIPT" then
      return reply, err
    end
  end
  return call(connection, command_of("EVAL", text, tail))
end

return script
