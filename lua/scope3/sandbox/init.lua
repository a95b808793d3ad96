--- A local stand-in for the service: keeps its contract strictly, runs tasks over time, and misbehaves on request.
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"
local options = require "scope3.util.options"
local server = require "scope3.sandbox.server"
local settings = require "scope3.sandbox.settings"

local sandbox = {}

---@class scope3.SandboxOptions  every setting of docs/sandbox.md, and:
---@field port? integer  0 takes a free one (0)
---@field host? string  of this machine alone (127.0.0.1)
---@field until_eof? boolean  serves until standard input ends
---@field until_unread? boolean  serves until the reader of standard output is gone
---@field tell_port? boolean  prints the port as a line
---@field error_bytes? integer  that errors of its own may fill; the last ones say that there are more (no limit)
---@field tls? {cert: string, key: string}  paths of PEM files
---@field on_listen? fun(url: string)
---@field [string] any
local OWN_OPTIONS = {
  port = "any", host = "string", until_eof = "boolean", until_unread = "boolean", tell_port = "boolean", tls = "table",
  error_bytes = "number",
  on_listen = "function",
}

local function read_file(path)
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  return text
end

local function tls_context(tls)
  local context = require("openssl.ssl.context").new("TLS", true)
  context:setCertificate(require("openssl.x509").new(read_file(tls.cert)))
  context:setPrivateKey(require("openssl.pkey").new(read_file(tls.key)))
  return context
end

-- The sandbox's own options, and the settings among them.
local function split_options(opts)
  local own, initial = {}, {}
  for key, value in entries(opts or {}) do
    local to = OWN_OPTIONS[key] and own or initial
    to[key] = value
  end
  return own, initial
end

-- What is wrong with the options, or nil.
local function problem_of(host, port, initial)
  if not (host == "::1" or host:find("^127%.")) then
    return "it listens on this machine alone, so host must be 127.0.0.1 or ::1"
  end
  local problem = settings.change({}, initial)
  if problem then
    return problem
  elseif type(port) ~= "number" or port % 1 ~= 0 or port < 0 or port > 65535 then
    return "port must be a whole number from 0, for a free one, to 65535"
  end
end

-- A handler for errors of sockets: they are returned, and not raised.
local function return_code(_, _, code)
  return code
end

-- A listener and its port; nil and a message.
local function listen(host, port)
  local listener = socket.listen { host = host, port = port, reuseaddr = true }
  listener:onerror(return_code)
  local ok, why = listener:listen()
  if not ok then
    return nil, ("port %s cannot be listened on (%s)"):format(port,
      type(why) == "number" and errno.strerror(why) or tostring(why))
  end
  local _, _, actual = listener:localname()
  return listener, actual
end

local function wait_for_end_of_input()
  local input = socket.fdopen(0)
  input:onerror(return_code)
  repeat
    local line = input:read("*l")
  until not line
end

-- The writing end of a pipe has one event only: its readers are gone.
local function wait_for_unread_output()
  cqueues.poll { pollfd = 1, events = "r" }
end

-- Says where the sandbox listens.
local function announce(opts, host, port)
  if opts.tell_port then
    io.stdout:write(("%d\n"):format(port))
    io.stdout:flush()
  end
  if opts.on_listen then
    opts.on_listen(("%s://%s:%d"):format(opts.tls and "https" or "http", host, port))
  end
end

--- Serves until standard input ends (`until_eof`), the reader of standard output is gone (`until_unread`), or the
--- process is stopped.
---@param opts? scope3.SandboxOptions
---@return boolean? fine  nil when an error of the sandbox's own was printed meanwhile
---@return string? message
function sandbox.serve(opts)
  arguments.argument(opts == nil or type(opts) == "table", "sandbox", "opts", "a table", opts)
  local own, initial = split_options(opts)
  opts = options.check("sandbox", own, OWN_OPTIONS, 2)
  local host, port = opts.host or "127.0.0.1", opts.port or 0
  local problem = problem_of(host, port, initial)
  if problem then
    error("sandbox: " .. problem, 2)
  end
  math.randomseed(os.time() + math.floor(cqueues.monotime() * 1e6) % 1000000)
  local running = server.new {
    settings = initial, error_bytes = opts.error_bytes, tls = opts.tls and tls_context(opts.tls),
  }
  local listener, actual = listen(host, port)
  if not listener then
    error("sandbox: " .. actual, 0)
  end
  announce(opts, host, actual)
  running.running = true
  running:accept(listener)
  if opts.until_eof then
    running:stop_after(wait_for_end_of_input)
  end
  if opts.until_unread then
    running:stop_after(wait_for_unread_output)
  end
  running:run()
  if running.errors > 0 then
    return nil, ("the sandbox had errors of its own: %d"):format(running.errors)
  end
  return true
end

return sandbox
