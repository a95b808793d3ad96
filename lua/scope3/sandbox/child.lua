--- Runs a sandbox in a process of its own, which ends with this one.
---
--- One pipe does it all: its first lines are the process id and the port, and then come errors of the sandbox's own. The
--- sandbox ends when nobody holds the end that reads. No file is needed, so a system without a folder to write into will
--- do.
local door = require "scope3.door"
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
---@return true?
---@return string? message  nil, and this, when errors of its own were printed meanwhile, or it ended by itself
function Child:close()
  if self.pipe then
    local killed = os.execute(("kill %d 2>/dev/null"):format(self.pid))
    local said = self.pipe:read("*a") or "" -- to its end, which is that of the process
    self.pipe:close()
    self.pipe = nil
    if said ~= "" or not (killed == true or killed == 0) then
      self.failure = "the sandbox has failed\n" .. (said ~= "" and said or "it ended by itself")
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
opts.tell_port, opts.until_unread = true, true
local ok, why = pcall(function() require("scope3.sandbox").serve(opts) end)
if not ok then print((tostring(why):gsub("\n.*", ""))) end
]]

-- Why it did not start, as its first line says it.
local function unstarted(line)
  if line and not line:find("module '[%w_.]+' not found") and line:find("sandbox: ", 1, true) then
    return "the sandbox did not start: " .. line:gsub("^.-sandbox: ", "")
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
  local log, lua = settings.log, settings.interpreter or interpreter()
  settings.log, settings.interpreter = nil, nil
  local program = SERVE:format(("%q"):format(package.path), ("%q"):format(package.cpath),
    ("%q"):format(json.encode(settings)))
  -- Ctrl-C at the terminal goes to every process in front: the sandbox leaves it to its parent. What LUA_INIT holds is
  -- not for this interpreter. Standard input is its parent's.
  local pipe, why = io.popen(("echo $$; trap '' INT; unset %s; exec %s -e %s </dev/null 2>%s"):format(
    INIT, quote(lua), quote(program), log and ">" .. quote(log) or "&1"), "r")
  if not pipe then
    return nil, "the sandbox could not be started: " .. tostring(why)
  end
  local pid, line = tonumber((pipe:read("*l"))), pipe:read("*l")
  local port = tonumber(line)
  if not port then
    pipe:close()
    return nil, unstarted(line)
  end
  return setmetatable({
    pipe = pipe, pid = pid, port = port,
    url = ("%s://127.0.0.1:%d"):format(settings.tls and "https" or "http", port),
  }, Child)
end

return child
