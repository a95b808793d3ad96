--- Runs a sandbox in a process of its own, which ends with this one.
---
--- One pipe does both: its first line is the port, and the sandbox ends when nobody holds the end that reads. No file
--- is needed, so a system without a folder to write into will do.
local json = require "scope3.sandbox.json"

local child = {}

local INIT = "LUA_INIT LUA_INIT_5_2 LUA_INIT_5_3 LUA_INIT_5_4 LUA_INIT_5_5"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The interpreter that runs this very program.
local function interpreter()
  local lowest = 0
  while arg and arg[lowest - 1] do
    lowest = lowest - 1
  end
  return arg and arg[lowest] or "lua"
end

local Child = {}
Child.__index = Child

--- Ends it. Idempotent.
function Child:close()
  if self.pipe then
    self.pipe:close() -- nobody reads its output any more, and it ends
    self.pipe = nil
  end
end

local SERVE = [[
package.path, package.cpath = %s, %s
local opts = require("scope3.sandbox.json").decode(%s)
opts.tell_port, opts.until_unread = true, true
local ok, why = pcall(function() require("scope3.sandbox").serve(opts) end)
if not ok then print((tostring(why):gsub("\n.*", ""))) end
]]

-- Why it did not start, as its first line says it.
local function unstarted(line)
  if line and not line:find("module '[%w_.]+' not found") then
    return "the sandbox did not start: " .. line
  end
  return "the sandbox did not start: is cqueues installed for this Lua? "
    .. "(luarocks install cqueues, or apt install lua-cqueues)"
end

--- Starts a sandbox and returns once it listens.
---@param opts? table  settings of the sandbox, and `interpreter`, `log` (a file for what it prints)
---@return {url: string, port: integer, close: fun(self: table)}?
---@return string? message
function child.start(opts)
  local settings = {}
  for key, value in pairs(opts or {}) do
    settings[key] = value
  end
  local log, lua = settings.log or "/dev/null", settings.interpreter or interpreter()
  settings.sleep, settings.log, settings.interpreter = nil, nil, nil

  local program = SERVE:format(("%q"):format(package.path), ("%q"):format(package.cpath),
    ("%q"):format(json.encode(settings)))
  -- Ctrl-C at the terminal goes to every process in front: the sandbox leaves it to its parent. What LUA_INIT holds is
  -- not for this interpreter. Standard input is its parent's.
  local pipe, why = io.popen(("trap '' INT; unset %s; exec %s -e %s </dev/null 2>>%s"):format(
    INIT, quote(lua), quote(program), quote(log)), "r")
  if not pipe then
    return nil, "the sandbox could not be started: " .. tostring(why)
  end
  local line = pipe:read("*l")
  local port = tonumber(line)
  if not port then
    pipe:close()
    return nil, unstarted(line)
  end
  return setmetatable({
    pipe = pipe, port = port, url = ("%s://127.0.0.1:%d"):format(settings.tls and "https" or "http", port),
  }, Child)
end

return child
