--- Runs a sandbox in a process of its own, which ends with this one.
local door = require "scope3.door"
local json = require "scope3.sandbox.json"

local child = {}

local DEADLINE = 20 -- seconds to come up
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
    self.pipe:close() -- its standard input ends, and so does it
    self.pipe = nil
  end
end

local function read_port(path)
  local file = io.open(path, "r")
  local line = file and file:read("*l")
  if file then
    file:close()
  end
  return tonumber(line)
end

local SERVE = [[
package.path, package.cpath = %s, %s
local opts = require("scope3.sandbox.json").decode(%s)
opts.port_file, opts.until_eof = %s, true
require("scope3.sandbox").serve(opts)
]]

---@class scope3.SandboxChildOptions: scope3.SandboxOptions  settings of the sandbox, and:
---@field interpreter? string  the Lua that runs it
---@field log? string  a file for what it prints
---@field sleep? fun(seconds: number)

---@class scope3.SandboxChild
---@field url string
---@field port integer
---@field close fun(self: scope3.SandboxChild)
local OWN_OPTIONS = { interpreter = "string", log = "string", sleep = "function" }

--- Starts a sandbox and returns once it listens.
---@param opts? scope3.SandboxChildOptions
---@return scope3.SandboxChild?
---@return string? message
function child.start(opts)
  door.argument(opts == nil or type(opts) == "table", "sandbox.child.start", "opts", "a table", opts)
  for key, want in pairs(OWN_OPTIONS) do
    local value = opts and opts[key]
    door.argument(value == nil or type(value) == want, "sandbox.child.start", key, "a " .. want, value)
  end
  local settings = {}
  for key, value in pairs(opts or {}) do
    settings[key] = value
  end
  local sleep = settings.sleep or function(seconds)
    os.execute("sleep " .. json.encode(seconds)) -- not by format(), which may write a decimal comma
  end
  local log, lua = settings.log or "/dev/null", settings.interpreter or interpreter()
  settings.sleep, settings.log, settings.interpreter = nil, nil, nil

  local port_file = os.tmpname()
  local program = SERVE:format(("%q"):format(package.path), ("%q"):format(package.cpath),
    ("%q"):format(json.encode(settings)), ("%q"):format(port_file))
  -- Ctrl-C at the terminal goes to every process in front: the sandbox leaves it to its parent. What LUA_INIT holds is
  -- not for this interpreter.
  local pipe, why = io.popen(("trap '' INT; unset %s; %s -e %s >>%s 2>&1 || echo failed >%s"):format(
    INIT, quote(lua), quote(program), quote(log), quote(port_file .. ".end")), "w")
  if not pipe then
    return nil, "the sandbox could not be started: " .. tostring(why)
  end
  local self = setmetatable({ pipe = pipe }, Child)
  local waited, port = 0
  repeat
    port = read_port(port_file)
    local ended = not port and io.open(port_file .. ".end", "r")
    if ended then
      ended:close()
      break
    end
    if not port then
      sleep(0.02)
      waited = waited + 0.02
    end
  until port or waited > DEADLINE
  if not port then
    self:close()
  end
  os.remove(port_file)
  os.remove(port_file .. ".end")
  if not port then
    return nil, "the sandbox did not start: is cqueues installed for this Lua? (luarocks install cqueues, or apt install lua-cqueues)"
  end
  self.port = port
  self.url = ("%s://127.0.0.1:%d"):format(settings.tls and "https" or "http", port)
  return self
end

return child
