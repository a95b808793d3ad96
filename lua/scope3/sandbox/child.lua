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

local FAILED = "the sandbox has failed\n" -- the last line of what it leaves, where it did

-- What it has left so far.
local function left(file)
  file:seek("set", 0) -- also forgets that the end was seen
  return file:read("*a") or ""
end

--- Ends it. Idempotent.
---@return true?
---@return string? message  nil, and this, when errors of its own were printed meanwhile, or it ended by itself: what it
---  said
function Child:close()
  if self.pipe then
    self.pipe:close() -- its standard input ends, and so does it
    self.pipe = nil
    local said = left(self.traces)
    self.traces:close()
    if said:sub(-#FAILED) == FAILED then
      self.failure = FAILED .. said:sub(1, -#FAILED - 1)
    end
  end
  if self.failure then
    return nil, self.failure
  end
  return true
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
if not require("scope3.sandbox").serve(opts) then os.exit(1) end
]]

---@class scope3.SandboxChildOptions: scope3.SandboxOptions  settings of the sandbox, and:
---@field interpreter? string  the Lua that runs it
---@field log? string  a file for what it prints
---@field sleep? fun(seconds: number)

---@class scope3.SandboxChild
---@field url string
---@field port integer
---@field close fun(self: scope3.SandboxChild): true?, string?
local OWN_OPTIONS = { interpreter = "string", log = "string", sleep = "function" }

--- Starts a sandbox and returns once it listens.
---@param opts? scope3.SandboxChildOptions  the errors that it prints without `log` are what close() tells
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
  local log, lua = settings.log, settings.interpreter or interpreter()
  settings.sleep, settings.log, settings.interpreter = nil, nil, nil

  local port_file, traces_file = os.tmpname(), os.tmpname()
  local traces = assert(io.open(traces_file, "r"))
  local program = SERVE:format(("%q"):format(package.path), ("%q"):format(package.cpath),
    ("%q"):format(json.encode(settings)), ("%q"):format(port_file))
  -- Ctrl-C at the terminal goes to every process in front: the sandbox leaves it to its parent. What LUA_INIT holds is
  -- not for this interpreter. Descriptor 3 is for what is left when it has ended.
  local output = log and ">>" .. quote(log) .. " 2>&1" or ">/dev/null 2>&3"
  local pipe, why = io.popen(("exec 3>>%s; trap '' INT; unset %s; %s -e %s %s 3>&- || printf %s >&3"):format(
    quote(traces_file), INIT, quote(lua), quote(program), output, quote((FAILED:gsub("\n", "\\n")))), "w")
  if not pipe then
    traces:close()
    os.remove(port_file)
    os.remove(traces_file)
    return nil, "the sandbox could not be started: " .. tostring(why)
  end
  local self = setmetatable({ pipe = pipe, traces = traces }, Child)
  local waited, said, port = 0, ""
  repeat
    port = read_port(port_file)
    if not port then
      said = left(traces)
      if said:sub(-#FAILED) == FAILED then
        break
      end
      sleep(0.02)
      waited = waited + 0.02
    end
  until port or waited > DEADLINE
  os.remove(port_file)
  os.remove(traces_file)
  if not port then
    self:close()
    local problem = said:match("sandbox: ([^\n]+)")
    return nil, "the sandbox did not start: " .. (problem
      or "is cqueues installed for this Lua? (luarocks install cqueues, or apt install lua-cqueues)")
  end
  self.port = port
  self.url = ("%s://127.0.0.1:%d"):format(settings.tls and "https" or "http", port)
  return self
end

return child
