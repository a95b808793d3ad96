--- Runs a sandbox in a process of its own, which ends with this one.
---
--- One pipe is enough: its first lines are the process id and the port, then come errors of the sandbox's own. The
--- sandbox ends when the reading end is closed. It needs no file, so it works on a read-only system.
local core = require "scope3.core"
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"
local json = require "scope3.sandbox.json"

local child = {}

-- Bytes of errors. They wait in the pipe, which holds at least as many on any system: a sandbox that waited for room
-- would not answer.
local ERROR_BYTES = 15000

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
---@return true?
---@return string? message  nil, and this, when errors of its own were printed meanwhile, or it ended by itself
function Child:close()
  if self.pipe then
    local running = core.end_child(self.pid)
    local said = self.pipe:read("*a") or "" -- to its end, which is that of the process
    self.pipe:close()
    self.pipe = nil
    if said ~= "" or not running then
      self.failure = "the sandbox has failed\n" .. said .. (running and "" or "it ended by itself")
    end
  end
  if self.failure then
    return nil, self.failure
  end
  return true
end

local SERVE = [[
package.path, package.cpath = %s, %s
local opts = require("scope3.sandbox.json").decode(%s)
opts.tell_port, opts.until_unread, opts.error_bytes = true, true, %s
local ok, why = pcall(function()
  local sandbox, signal = require("scope3.sandbox"), require("cqueues.signal")
  signal.ignore(signal.SIGINT) -- the interpreter itself caught it again
  sandbox.serve(opts)
end)
if not ok then print((tostring(why):gsub("\n.*", ""))) end
]]

-- Why it did not start, as the line that speaks of it says.
local function unstarted(lines)
  for _, line in ipairs(lines) do
    if not line:find("module '[%w_.]+' not found") and line:find("sandbox: ", 1, true) then
      return "the sandbox did not start: " .. line:gsub("^.-sandbox: ", "")
    end
  end
  return "the sandbox did not start: is cqueues installed for this Lua? "
    .. "(luarocks install cqueues, or apt install lua-cqueues)"
end

---@class scope3.SandboxChildOptions: scope3.SandboxOptions  settings of the sandbox, and:
---@field interpreter? string  the Lua that runs it
---@field log? string  a file for the errors that it prints, instead of what close() says

---@class scope3.SandboxChild
---@field url string
---@field port integer
---@field close fun(self: scope3.SandboxChild): true?, string?
local OWN_OPTIONS = { interpreter = "string", log = "string" }

local function check_options(opts)
  arguments.argument(opts == nil or type(opts) == "table", "sandbox.child.start", "opts", "a table", opts, 3)
  for key, want in entries(OWN_OPTIONS) do
    local value = opts and opts[key]
    arguments.argument(value == nil or type(value) == want, "sandbox.child.start", key, "a " .. want, value, 3)
  end
end

-- The shell command that runs a program. A signal such as Ctrl-C goes to all processes of a terminal: the sandbox
-- ignores it and ends with its parent. LUA_INIT is not for this interpreter. Standard input is its parent's.
local function shell_command(lua, program, log)
  return ("echo $$; trap '' INT TERM HUP; unset %s; exec %s -e %s </dev/null 2>%s"):format(INIT, quote(lua),
    quote(program), log and ">" .. quote(log) or "&1")
end

-- The process id and the port that a sandbox prints. Lines between them are what the system says of the program.
local function read_start(pipe)
  local pid, lines = tonumber((pipe:read("*l") or "")), {}
  for line in pipe:lines() do
    local port = tonumber(line:match("^%d+$"))
    if port then
      return pid, port, lines
    end
    lines[#lines + 1] = line
  end
  return pid, nil, lines
end

--- Starts a sandbox and returns once it listens.
---@param opts? scope3.SandboxChildOptions
---@return scope3.SandboxChild?
---@return string? message
function child.start(opts)
  check_options(opts)
  local settings = {}
  for key, value in entries(opts or {}) do
    settings[key] = value
  end
  local log, lua = settings.log, settings.interpreter or interpreter()
  settings.log, settings.interpreter = nil, nil
  local program = SERVE:format(("%q"):format(package.path), ("%q"):format(package.cpath),
    ("%q"):format(json.encode(settings)), log and "nil" or ("%d"):format(ERROR_BYTES))
  local pipe, why = io.popen(shell_command(lua, program, log), "r")
  if not pipe then
    return nil, "the sandbox could not be started: " .. tostring(why)
  end
  local pid, port, lines = read_start(pipe)
  if not (pid and port) then
    pipe:close()
    return nil, unstarted(lines)
  end
  return setmetatable({
    pipe = pipe, pid = pid, port = port,
    url = ("%s://127.0.0.1:%d"):format(settings.tls and "https" or "http", port),
  }, Child)
end

return child
