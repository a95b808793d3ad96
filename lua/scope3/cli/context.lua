--- What the commands share: the client, the private sandbox, and errors on the terminal.
local color = require "scope3.cli.color"
local core = require "scope3.core"
local client = require "scope3.client"
local errors = require "scope3.error"
local output = require "scope3.cli.output"
local service = require "scope3.cli.service"
local text = require "scope3.cli.text"
local messages = require "scope3.cli.messages"

local context = {}

context.PATIENCE = 300 -- seconds of an outage that a command outlasts: a service is deployed anew in less

-- Where the command takes what a client is given.
local HINTS = {
  api_key = "the command takes the key from SCOPE3_API_KEY, --api-key-file, --api-key-command or a profile; "
    .. "scope3 sync and run need none with --sandbox or --dry-run",
  account_id = "the command takes the account from --account, SCOPE3_ACCOUNT_ID or a profile",
}

-- A private sandbox has whatever account it is asked for.
local SANDBOX_ACCOUNT = "25"

--- Writes a sentence for people: a warning, unless it is said to be an error.
---@param err scope3.Error|string
---@param kind? "error"|"warning"
function context.complain(err, kind)
  local said = tostring(err):gsub("[^\n]+", text.visible):gsub("^scope3: ", "", 1)
  io.stderr:write(color.word(2, kind or "warning", "scope3:"), " ", said, "\n")
  for _, issue in ipairs(type(err) == "table" and err.issues or {}) do
    if HINTS[issue.path] then
      io.stderr:write("scope3: ", HINTS[issue.path], "\n")
    end
  end
end

--- The options of a command that follows what this one began: of the same service and account.
---@param args table
---@return string
function context.service_options(args)
  local words = {}
  for _, key in ipairs { "account", "base_url", "ca_file", "profile", "api_key_file", "api_key_command" } do
    if args[key] then
      words[#words + 1] = (" %s %s"):format(messages.option(key), text.word(args[key]))
    end
  end
  return table.concat(words)
end

--- Whether a wait ended although the service goes on: it was not reached, was in trouble, or the time was over.
---@param err scope3.Error
---@return boolean
function context.goes_on(err)
  return err.kind == "timeout" or err.kind == "network" or err.kind == "cancelled" or err.kind == "rate_limited"
    or err.kind == "http" and err.status ~= nil and err.status >= 500
end

--- Reports what the command failed of, to people and machines.
---@param err scope3.Error|string
---@param kind string  where it is a text
function context.fail(err, kind)
  output.fail(err, kind)
  context.complain(err, "error")
end

--- Reports what the command failed of, in the words of the command line.
---@param err scope3.Error|string
---@param args table
---@param exit table
---@return integer code
function context.refuse(err, args, exit)
  local said, usage = messages.of(err, args)
  context.fail(said, "failed")
  return usage and exit.USAGE or errors.is(err) and err.kind == "cancelled" and exit.STOPPED or exit.FAILED
end

--- Reports a wrong usage.
---@param problem string
---@param exit table
---@return integer code
function context.wrong_usage(problem, exit)
  context.fail(problem, "usage")
  return exit.USAGE
end

--- Catches Ctrl-C, SIGTERM and the end of the terminal (SIGHUP, unless it is ignored) in a flag. The function returns
--- whether one came.
---@return fun(): boolean
function context.stop_flag()
  core.catch_stop()
  return function()
    return core.stopped() ~= nil
  end
end

local broken = false

--- Whether a private sandbox had errors of its own, so that what it answered proves nothing.
---@return boolean
function context.sandbox_broke()
  return broken
end

--- Raises where the command was stopped.
function context.check_stop()
  if core.stopped() then
    error(errors.new("cancelled", "stopped by a signal"), 0)
  end
end

-- A loop for calls without the option `cancel`: a wait raises where a signal came before it. A signal that comes in a
-- wait ends it, and the next one raises.
local stopping = { name = "blocking", now = core.now }

-- It sleeps before the first request, where others have used up the rate of the limiter's file.
function stopping.sleep(seconds)
  context.check_stop()
  core.sleep(seconds)
end

function stopping.wait(engine, seconds)
  context.check_stop()
  engine:wait(seconds)
end

-- These ask the stop flag themselves, and end in order.
local CANCELLED = { sync = true, run = true, wait = true, forget = true, drain = true }

local function start_sandbox()
  local ok, child = pcall(require, "scope3.sandbox.child")
  if not ok then
    return nil, "the sandbox needs cqueues for this Lua (luarocks install cqueues, or apt install lua-cqueues)"
  end
  local sandbox, why = child.start()
  if not sandbox then
    context.check_stop()
  end
  return sandbox, why
end

-- The options of a client: of a private sandbox, which has any key and any account, or of the service.
local function options_of(args, sandbox)
  if not sandbox then
    return service.find(args, not args.dry_run or args.command == "forget")
  end
  return {
    base_url = sandbox.url, api_key = "scope3_sandbox", limiter = args.limiter,
    account_id = args.account or (os.getenv("SCOPE3_ACCOUNT_ID") or "") == "" and SANDBOX_ACCOUNT or nil,
    rate = args.rate or 100000, -- no other client uses this sandbox
  }
end

--- Makes the client that the arguments ask for, with a private sandbox where they do.
---@param args table
---@return scope3.Client?
---@return scope3.Error|string|nil err
---@return fun() close  ends the sandbox; always call it
---@return string? url  of the sandbox
function context.client(args)
  local sandbox
  local function close()
    local fine, said = true, nil
    if sandbox then
      fine, said = sandbox:close()
    end
    if not fine then
      broken = true
      context.fail(said, "failed")
    end
  end
  if args.sandbox then
    local why
    sandbox, why = start_sandbox()
    if not sandbox then
      return nil, why, close
    end
  end
  local opts, problem = options_of(args, sandbox)
  if not opts then
    return nil, problem, close
  end
  opts.loop = not CANCELLED[args.command] and stopping or nil
  local made, err = client.new(opts)
  return made, err, close, sandbox and sandbox.url
end

return context
