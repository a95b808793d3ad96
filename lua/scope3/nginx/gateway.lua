--- A location that takes a file of raw rows and sends hashes on.
---
--- The body is read from the connection as it comes, and hashed in slices of a millisecond. So other requests feel
--- neither its size nor its hashing, and no raw byte reaches a disk or a log.
local arguments = require "scope3.util.arguments"
local audience = require "scope3.audience"
local core = require "scope3.core"
local dialect = require "scope3.input.dialect"
local encodings = require "scope3.input.encodings"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local host_client = require "scope3.nginx.host_client"
local ineffective = require "scope3.input.ineffective"
local json = require "scope3.util.json"
local options = require "scope3.util.options"
local script = require "scope3.input.script"
local script_options = require "scope3.input.script_options"
local source = require "scope3.input.source"
local validate = require "scope3.api.validate"

local ngx = ngx

local gateway = {}

local CHUNK = 64 * 1024
local READ_TIMEOUT = 60 -- seconds without a byte
-- What an upload may cost: ten million rows take some four seconds of a processor.
local MAX_ROWS, MAX_UNPACKED = 10000000, 2 ^ 31
local MAX_BYTES = 8388608 -- of a request: a worker holds two for each upload
local LINGERING = 1 -- seconds between the answer to an HTTP/2 upload and the end of its stream
local DRAINING, DRAIN_TIMEOUT = 30, 5 -- seconds to read the rest of a body that is refused: in all, and without a byte

---@class scope3.GatewayOptions: scope3.ScriptOptions  what a script may hold, and:
---@field audience string|integer|scope3.AudienceMeta|(fun(): string|integer|scope3.AudienceMeta)  a function is called
---  for each upload; it may look at ngx.var
---@field map? table<string, string|integer|table>  these three as in a script
---@field member? fun(row: scope3.Row): scope3.Member|scope3.Member[]|nil, string?
---@field where? (fun(row: scope3.Row): boolean?)|table<string|integer, any>
---@field account_id? string|integer  these four as in scope3.client
---@field api_key? string|fun(): string?, any
---@field base_url? string
---@field ca_file? string
---@field shared? string  a lua_shared_dict through which workers share one rate
---@field limiter? string  the URL of a Redis through which nginx of several machines share one rate
---@field read_timeout? number  seconds that an upload may stand still (60)
---@field max_rows? integer  the most rows of an upload, empty lines included (10 million)
---@field max_unpacked_bytes? integer  the most bytes that an upload may have, or unpack to where it is gzip (2 GiB)
---@field on_event? fun(event: scope3.Event)  as in scope3.SyncOptions
local OPTIONS = options.merge(script_options.JOB, {
  audience = "any", map = "table", member = "function", where = "any", account_id = "id", api_key = "key",
  base_url = "string", ca_file = "string", shared = "string", limiter = "string", read_timeout = "seconds",
  max_rows = "count", max_unpacked_bytes = "count", on_event = "function",
})

local FORMATS = {
  ["text/csv"] = "csv", ["application/csv"] = "csv", ["text/plain"] = "csv", ["application/jsonl"] = "jsonl",
  ["application/x-ndjson"] = "jsonl", ["application/ndjson"] = "jsonl", ["application/jsonlines"] = "jsonl",
}

-- Options of a job that the client or the source has instead.
local NOT_OF_JOB = {
  rate = true, format = true, header = true, delimiter = true, quote = true, escape = true, null = true,
  skip_lines = true, encoding = true,
}

-- Answers. `drain` reads the rest of the body: nginx would take it for the connection's next request, and log it. The
-- answer has its end before that: who stops sending at a refusal waits for the end.
local function answer(status, value, drain)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.print(json.encode(value), "\n")
  ngx.flush(true)
  ngx.eof()
  if drain and not drain() then
    return ngx.exit(ngx.ERROR) -- closes the connection
  end
  return ngx.exit(ngx.HTTP_OK)
end

---@class scope3.nginx.Rejection  what to answer to a request that is no upload
---@field status integer
---@field message string
---@field drain? fun(): boolean

local function refuse(rejection)
  return answer(rejection.status, { error = { kind = "upload", message = rejection.message } }, rejection.drain)
end

-- Over HTTP/2 nginx gives no connection to read the body from, and the end of the request resets its stream. curl takes
-- a reset that comes with the answer for a broken connection. So the answer goes first, and has time to be read.
local function linger()
  ngx.sleep(LINGERING)
  return true
end

-- Reads the body of a request straight from the connection.
---@class scope3.nginx.Body
---@field left integer  bytes
---@field broken boolean
local Body = {}
Body.__index = Body

---@param length integer  bytes
---@param timeout number  seconds without a byte
---@return scope3.nginx.Body?
---@return string? why
local function open_body(length, timeout)
  local socket, why = ngx.req.socket()
  if not socket then
    return nil, why
  end
  socket:settimeout(timeout * 1000)
  return setmetatable({ socket = socket, left = length, broken = false }, Body)
end

-- The next chunk; nil at the end, or nil and an error.
function Body:read()
  if self.left <= 0 then
    return nil
  end
  local chunk, failure = self.socket:receiveany(math.min(CHUNK, self.left))
  if not chunk then
    self.broken = true
    return nil, errors.new("source", failure == "timeout" and "the upload stood still for too long"
      or "the upload was cut short: " .. tostring(failure), { code = "upload_cut" })
  end
  self.left = self.left - #chunk
  return chunk
end

-- Reads and drops the rest. True when nothing is left.
function Body:drain()
  if self.broken then
    return false
  end
  local ends = core.now() + DRAINING
  self.socket:settimeout(DRAIN_TIMEOUT * 1000)
  while self.left > 0 do
    local chunk = core.now() < ends and self.socket:receiveany(math.min(CHUNK, self.left))
    if not chunk then
      return false
    end
    self.left = self.left - #chunk
  end
  return true
end

-- The status for an error: of the rows, of this server, or of the service.
local STATUS_OF_CODE = { upload_cut = 408, too_many_rows = 413, too_many_bytes = 413 }

local function status_of(err)
  if STATUS_OF_CODE[err.code] then
    return STATUS_OF_CODE[err.code]
  elseif err.kind == "source" or err.kind == "script" or err.kind == "invalid" then
    return 400
  elseif err.kind == "cannot_wait" or err.kind == "journal" then
    return 500
  elseif err.kind == "timeout" then
    return 504
  end
  return 502
end

local function plain_error(err)
  return { kind = err.kind, message = err.message, code = err.code, status = err.status, issues = err.issues }
end

-- What is wrong with the script's parts and the options together, or nil.
local function problem_of(opts, parts)
  local problem = script.problem(parts, opts.mode) or dialect.problem(opts)
  if problem then
    return problem
  end
  local useless, because = ineffective.on_identifiers(parts, opts, opts.mode)
  if not useless and opts.format then
    useless, because = ineffective.on_files(opts, { "" }, source.format_of)
  end
  if useless then
    return useless .. " " .. because
  elseif opts.audience == nil then
    return "audience is missing"
  end
end

-- The client; nil and every problem of the configuration.
local function new_client(opts, default)
  local dict, undeclared = host_client.dict(opts.shared, "1m")
  local issues = { undeclared }
  validate.options(issues, opts)
  if default then
    validate.audience(issues, default, "audience")
  end
  local client, missing = host_client.new(opts, dict, { "api_key", "account_id" })
  for _, issue in ipairs(missing) do
    issues[#issues + 1] = issue
  end
  if #issues > 0 then
    return nil, errors.invalid("scope3.nginx.gateway", issues)
  end
  return client
end

local function job_options(opts)
  local job = {}
  for key in entries(script_options.JOB) do
    if not NOT_OF_JOB[key] then
      job[key] = opts[key]
    end
  end
  job.max_bytes = job.max_bytes or MAX_BYTES
  return job
end

-- The length of the body of an upload; nil and a rejection where it cannot be streamed.
local function length_of_upload()
  local method = ngx.req.get_method()
  if method ~= "POST" and method ~= "PUT" then
    ngx.header["Allow"] = "POST, PUT"
    return nil, { status = 405, message = "POST or PUT a CSV or JSON Lines file here" }
  elseif ngx.req.http_version() >= 2 then
    ngx.req.discard_body()
    return nil, { status = 505, drain = linger, message = "uploads are streamed over HTTP/1.1 alone: send it with "
      .. "HTTP/1.1 (curl --http1.1), or turn HTTP/2 off for this server" }
  end
  local length = tonumber(ngx.var.http_content_length)
  if not length then
    return nil, { status = 411, message = "a Content-Length is needed, because a body in chunks cannot be streamed "
      .. "here: send a file, not a pipe (curl -T file)" }
  end
  return length
end

-- The format and charset of an upload; nil and a rejection where they are not known.
local function format_of_upload(opts)
  local content_type = ngx.var.http_content_type or ""
  local kind = core.lower(content_type):match("^[^; \t]*")
  local format = opts.format or FORMATS[kind] or kind == "" and "csv" or nil
  if not format then
    return nil, { status = 415, message = "the Content-Type must be text/csv or application/x-ndjson" }
  end
  local charset = encodings.of_content_type(content_type)
  if charset and not encodings.canonical(charset) then
    return nil, { status = 415, message = "the charset of the Content-Type is not known; iconv makes UTF-8 of it" }
  end
  return { format = format, charset = charset }
end

-- The rows of an upload.
local function rows_of(opts, upload, read)
  local encoding = opts.encoding or upload.charset
  local input
  if upload.format == "jsonl" then
    input = source.jsonl(read, { encoding = encoding })
  else
    input = source.csv(read, options.merge(dialect.options(opts), { header = opts.header, encoding = encoding }))
  end
  input:bound { rows = opts.max_rows or MAX_ROWS, bytes = opts.max_unpacked_bytes or MAX_UNPACKED }
  return input
end

-- The rows of the request, and `drain`, which reads the rest of its body; nil and a rejection.
---@return {rows: table, drain: (fun(): boolean)?}?
---@return scope3.nginx.Rejection?
local function read_upload(opts)
  local length, rejection = length_of_upload()
  if not length then
    return nil, rejection
  end
  local upload
  upload, rejection = format_of_upload(opts)
  if not upload then
    return nil, rejection
  end
  local body, why = open_body(length, opts.read_timeout or READ_TIMEOUT)
  if body then
    local function read()
      return body:read()
    end
    local function drain()
      return body:drain()
    end
    return { rows = rows_of(opts, upload, read), drain = drain }
  elseif length > 0 then
    return nil, { status = 500, message = "the body cannot be read: " .. tostring(why) }
  end
  return { rows = rows_of(opts, upload, function() end) }
end

local function audience_of_upload(opts)
  if type(opts.audience) == "function" then
    return opts.audience()
  end
  return opts.audience
end

--- Makes the handler of a location, for content_by_lua: `POST` or `PUT` a CSV or JSON Lines file, gzip or not.
---
--- Its Content-Type says the format, and the encoding unless `encoding` gives another. The answer is the result as
--- JSON, with 200 where everything was accepted. nginx decides who may upload, by auth_request, allow or a client
--- certificate.
---@param opts scope3.GatewayOptions
---@return (fun())? handler
---@return scope3.Error? err  kind "invalid": every problem at once
function gateway.new(opts)
  arguments.argument(opts ~= nil, "scope3.nginx.gateway", "opts", "a table", opts)
  opts = options.check("scope3.nginx.gateway", opts, OPTIONS, 2)
  local parts = { map = opts.map, member = opts.member, where = opts.where }
  local problem = problem_of(opts, parts)
  if problem then
    error("scope3.nginx.gateway: " .. problem, 2)
  end
  local default
  if type(opts.audience) ~= "function" then
    default = audience.meta("scope3.nginx.gateway", opts.audience, 2)
  end
  local client, err = new_client(opts, default)
  if not client then
    return nil, err
  end
  local job = job_options(opts)

  return function()
    local upload, rejection = read_upload(opts)
    if not upload then
      return refuse(rejection)
    end
    local target = audience_of_upload(opts)
    local res, failure = client:run(parts, upload.rows, options.merge(job, { audience = target }))
    if failure then
      local result = failure.result and failure.result:plain() or nil
      return answer(status_of(failure), { error = plain_error(failure), result = result }, upload.drain)
    end
    return answer(200, { result = res:plain() }, upload.drain)
  end
end

return gateway
