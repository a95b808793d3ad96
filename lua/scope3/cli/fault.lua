--- What a command makes of an error that was raised: a signal, a misuse of the library, no memory, or a fault of its
--- own.
local core = require "scope3.core"
local errors = require "scope3.error"
local context = require "scope3.cli.context"
local standard = require "scope3.cli.standard"
local wording = require "scope3.cli.wording"

local fault = {}

local HINT = "scope3: this is a fault of scope3: please report it with this line, the command and what scope3 doctor "
  .. "says. SCOPE3_DEBUG=1 adds where it happened\n"

local getenv, traceback = os.getenv, debug.traceback -- a script may have replaced them when they are needed

-- Keeps where an error was raised beside it; an error of memory comes here from no Lua.
local function traced(raised)
  return { raised = raised, trace = (getenv("SCOPE3_DEBUG") or "") ~= "" and traceback("", 2) or nil }
end

-- What a script did that no part of the command foresaw: it raised outside of its calls, as its hooks and metamethods
-- do, or took away what others need.
local function of_script(raised, changed, args)
  local name = args.script and args.script:gsub("^.*/", "")
  local at = name and type(raised) == "string" and raised:find(name .. ":", 1, true)
  if at and not raised:sub(1, at):find("[:\n]") then
    return (raised:sub(at):match("^[^\n]*"))
  end
  return changed and ("the script changed %s of Lua, which the command needs"):format(changed)
end

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
  local by_script = of_script(raised, changed, given.args)
  if by_script then
    context.fail(by_script, "script")
    io.stderr:write(trace and trace .. "\n" or "")
    return exit.FAILED
  end
  local misuse = wording.misuse(raised, given.args)
  if misuse then
    return context.wrong_usage(misuse, exit)
  end
  local said = type(raised) == "string" and raised:match("^[^\n]*") or "an error that is a " .. type(raised)
  context.fail("internal fault: " .. said, "internal")
  io.stderr:write(trace and trace .. "\n" or "", HINT)
  return exit.INTERNAL
end

-- A script that ends the process would end it without a report, and without a word to whoever reads the output.
local function no_exit()
  error("os.exit() would end the job without a report: return nil and a reason, or raise an error", 2)
end

--- Runs a command to its end, whatever happens in it.
---@param command fun(): integer
---@param given {args: table}
---@param exit table
---@return integer code
function fault.guard(command, given, exit)
  local real_exit = os.exit
  os.exit = no_exit -- luacheck: ignore 122
  local restore = standard.keep()
  local ok, code = xpcall(command, traced)
  local changed = restore()
  os.exit = real_exit -- luacheck: ignore 122
  if ok then
    return code
  end
  return code_of(code, given, exit, changed)
end

return fault
