--- What Redis refuses, as errors that name the way out. The text of Redis itself is never shown: it repeats arguments.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"

local refusal = {}

-- The first word of a reply -> what to do, and whether the same may work later.
local CODES = {
  NOAUTH = { "it wants a password: write it into the URL, as in redis://:password@host" },
  WRONGPASS = { "it does not know this user with this password: check both in the URL" },
  NOPERM = { "the user may not do this: its ACL must allow the command and the keys" },
  OOM = { "its memory is full: raise maxmemory, or remove what fills it", true },
  READONLY = { "it is a replica, which takes no writes: name the primary in the URL", true },
  LOADING = { "it still loads its data: try again in a moment", true },
  MASTERDOWN = { "it is a replica that has lost its primary: look at the primary, or name it in the URL", true },
  MISCONF = { "it cannot save its data to the disk, and takes no writes until it can: look at its log", true },
  NOREPLICAS = { "too few replicas are connected for a write (min-replicas-to-write)", true },
  BUSY = { "a script runs in it for too long: wait, or end it by SCRIPT KILL", true },
  TRYAGAIN = { "keys are on their way to another node: try again in a moment", true },
  CLUSTERDOWN = { "its cluster is down: look at CLUSTER INFO", true },
  MOVED = { "it is a node of a cluster, and the key is on another one: name a Redis that is no cluster" },
  ASK = { "it is a node of a cluster, and the key is on its way to another one: name a Redis that is no cluster" },
  CROSSSLOT = { "it is a node of a cluster, and the keys are on several: name a Redis that is no cluster" },
  WRONGTYPE = { "a key holds something else: another program uses the same name" },
  DENIED = { "it is in protected mode, and takes only its own machine: set a password there, or bind it" },
  NOSCRIPT = { "it does not have the script any more" },
  MAX_CLIENTS = { "it has as many clients as it allows: raise maxclients, or close some", true },
  UNKNOWN_COMMAND = { "it does not know a command: it must be Redis 7.0 or newer, or Valkey, no sentinel, and "
    .. "without rename-command" },
  NO_PASSWORD = { "it has no password for this user, and the URL has one: leave it out, or set one there" },
  DATABASE = { "it has no database of the number in the URL" },
}

-- What all other refusals begin with says little. The known words behind it, of Redis and Valkey -> codes of ours.
local OF_ERR = {
  ["max number of clients"] = "MAX_CLIENTS",
  ["unknown command"] = "UNKNOWN_COMMAND",
  ["unknown subcommand"] = "UNKNOWN_COMMAND",
  ["Unknown Redis command called from script"] = "UNKNOWN_COMMAND",
  ["Unknown command called from script"] = "UNKNOWN_COMMAND", -- Valkey 8
  ["The user executing the script can't"] = "NOPERM",
  ["ACL failure in script"] = "NOPERM",
  ["AUTH <password> called without any password"] = "NO_PASSWORD",
  ["Client sent AUTH, but no password"] = "NO_PASSWORD",
  ["DB index is out of range"] = "DATABASE",
  ["invalid DB index"] = "DATABASE",
  ["value is not an integer"] = "WRONGTYPE",
  ["SELECT is not allowed in cluster mode"] = "DATABASE",
}

local function code_of(line)
  local code = line:match("^[A-Z][A-Z0-9_]*") or "ERR"
  if code == "ERR" then
    for words, known in entries(OF_ERR) do
      if line:find(words, 1, true) == 5 then
        return known
      end
    end
  end
  return #code <= 32 and code or "ERR"
end

-- A command as it may be shown: a word of letters. An argument in its place may be anything.
local function name_of(command)
  local name = type(command[1]) == "string" and command[1]:match("^[A-Za-z]+$")
  return name and #name <= 20 and name:upper() or "a command"
end

--- The error of a reply that begins with "-".
---@param line string  without that
---@param command (string|integer)[]  what was asked
---@return scope3.Error  kind "redis"; its code is Redis' own word, or one of ours
function refusal.error(line, command)
  local code = code_of(line)
  local known = CODES[code]
  local message = ("Redis refused %s%s (%s)"):format(name_of(command), known and ": " .. known[1] or "", code)
  return errors.new("redis", message, { code = code, retryable = known and known[2] })
end

return refusal
