--- Turns an error that was raised into a message and an exit code: a signal, a misuse of the library, no memory, or a
--- fault of the command itself.
local core = require "scope3.core"
local errors = require "scope3.error"
local context = require "scope3.cli.context"
local stdlib = require "scope3.cli.stdlib"
local messages = require "scope3.cli.messages"

local error_handler = {}

local HINT = "scope3: this is a fault of scope3: please report it with this line, the command and what scope3 doctor "
  .. "says. SCOPE3_DEBUG=1 adds where it happened\n"

local getenv, traceback = os.getenv, debug.traceback -- a script may have replaced them when they are needed

-- Keeps an error and where it was raised. An error of memory comes here from no Lua function.
local function traced(raised)
  return { raised = raised, trace = (getenv("SCOPE3_DEBUG") or "") ~= "" and traceback("", 2) or nil }
end

-- What a script did outside of its calls, or nil: its hooks and metamethods raise there, and it may remove what the
-- command needs.
local function of_script(raised, changed, args)
  local name = args.script and args.script:gsub("^.*/", "")
  local at = name and type(raised) == "string" and raised:find(name .. ":", 1, true)
  if at and not raised:sub(1, at):find("[:\n]") then
    return (raised:sub(at):match("^[^\n]*"))
  end
  return changed and ("the script changed %s of Lua, which the command needs"):format(changed)
end

-- A fault of the script: it is reported as such, with the trace where one is wanted.
local function report_script(said, trace, exit)
  context.fail(said, "script")
  io.stderr:write(trace and trace .. "\n" or "")
  return exit.FAILED
end

-- An error that nothing explains is a fault of this program.
local function report_internal(raised, trace, exit)
  local said = type(raised) == "string" and raised:match("^[^\n]*") or "an error that is a " .. type(raised)
  context.fail("internal fault: " .. said, "internal")
  io.stderr:write(trace and trace .. "\n" or "", HINT)
  return exit.INTERNAL
end

-- The code for an error of Lua: of a script, a misuse of the library, or a fault of this program.
local function code_of_lua_error(raised, trace, given, exit, changed)
  local by_script = of_script(raised, changed, given.args)
  if by_script then
    return report_script(by_script, trace, exit)
  end
  local misuse = messages.misuse(raised, given.args)
  if misuse then
    return context.wrong_usage(misuse, exit)
  end
  return report_internal(raised, trace, exit)
end

-- Reports what was raised: the code to exit with. `changed`: what a script changed of Lua's library, or nil.
local function code_of(caught, given, exit, changed)
  local raised, trace = caught, nil
  if type(caught) == "table" and not errors.is(caught) then
    raised, trace = caught.raised, caught.trace
  end
  if core.stopped() or errors.is(raised) and raised.kind == "cancelled" then
    context.fail(errors.new("cancelled", "stopped by a signal"), "cancelled")
    return exit.STOPPED
  elseif errors.is(raised) then
    return context.refuse(raised, given.args, exit)
  elseif type(raised) == "string" and raised:find("not enough memory", 1, true) then
    collectgarbage()
    context.fail("not enough memory", "memory")
    return exit.FAILED
  end
  return code_of_lua_error(raised, trace, given, exit, changed)
end

-- A script that ended the process would end it without a report.
local function no_exit()
  error("os.exit() would end the job without a report: return nil and a reason, or raise an error", 2)
end

--- Runs a command to its end, whatever happens in it.
---@param command fun(): integer
---@param given {args: table}
---@param exit table
---@return integer code
function error_handler.guard(command, given, exit)
  local real_exit = os.exit
  os.exit = no_exit -- luacheck: ignore 122
  local restore = stdlib.keep()
  local ok, code = xpcall(command, traced)
  local changed = restore()
  os.exit = real_exit -- luacheck: ignore 122
  if ok then
    return code
  end
  return code_of(code, given, exit, changed)
end

return error_handler
