--- What the commands that talk to the service share: the client, the private sandbox, errors on the terminal.
local core = require "scope3.core"
local client = require "scope3.client"
local text = require "scope3.cli.text"

local setting = {}

setting.PATIENCE = 300 -- seconds of an outage that a command outlasts: a service is deployed anew in less

-- Where the command takes what a client is given.
local HINTS = {
  api_key = "the command takes the key from SCOPE3_API_KEY alone; scope3 sync and run need none with --sandbox or --dry-run",
  account_id = "the command takes the account from --account, or from SCOPE3_ACCOUNT_ID",
}

--- Writes an error for people.
---@param err scope3.Error|string
function setting.complain(err)
  local said = tostring(err):gsub("[^\n]+", text.visible)
  io.stderr:write(said:find("^scope3: ") and said or "scope3: " .. said, "\n")
  for _, issue in ipairs(type(err) == "table" and err.issues or {}) do
    if HINTS[issue.path] then
      io.stderr:write("scope3: ", HINTS[issue.path], "\n")
    end
  end
end

--- Catches Ctrl-C, SIGTERM and the end of the terminal (SIGHUP, unless it is ignored) in a flag; the function tells
--- whether one came.
---@return fun(): boolean
function setting.stop_flag()
  core.catch_stop()
  return function()
    return core.stopped() ~= nil
  end
end

local broken = false

--- Whether a private sandbox had errors of its own, so that what it answered proves nothing.
---@return boolean
function setting.sandbox_broke()
  return broken
end

--- Makes the client that the arguments ask for, with a private sandbox where they do.
---@param args table
---@return scope3.Client?
---@return scope3.Error|string|nil err
---@return fun() close  ends the sandbox; always call it
function setting.client(args)
  local sandbox
  local function close()
    local fine, said = true, nil
    if sandbox then
      fine, said = sandbox:close()
    end
    if not fine then
      broken = true
      setting.complain(said)
    end
  end
  local opts = { account_id = args.account, base_url = args.base_url, ca_file = args.ca_file, rate = args.rate,
    limiter = args.limiter }
  if args.sandbox then
    local ok, child = pcall(require, "scope3.sandbox.child")
    if not ok then
      return nil, "the sandbox needs cqueues for this Lua (luarocks install cqueues, or apt install lua-cqueues)", close
    end
    local why
    sandbox, why = child.start { sleep = core.sleep }
    if not sandbox then
      return nil, why, close
    end
    opts.base_url = sandbox.url
    opts.api_key = "scope3_sandbox"
    opts.rate = args.rate or 100000 -- nobody else is there to be polite to
  end
  local made, err = client.new(opts)
  return made, err, close, sandbox and sandbox.url
end

--- The code to exit with for an error.
---@param err scope3.Error
---@param exit table
---@return integer
function setting.code(err, exit)
  return err.kind == "cancelled" and exit.STOPPED or exit.FAILED
end

return setting
