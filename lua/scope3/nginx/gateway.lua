--- A location that takes a file of raw rows and sends hashes on. The body is read from the connection as it comes and hashed in slices of a
--- millisecond, so neither its size nor its hashing is felt by other requests, and no raw byte reaches a disk or a log.
local audience_of = require "scope3.audience"
local client_of = require "scope3.client"
local core = require "scope3.core"
local dialect = require "scope3.input.dialect"
local arguments = require "scope3.util.arguments"
local ineffective = require "scope3.input.ineffective"
local encodings = require "scope3.input.encodings"
local errors = require "scope3.error"
local json = require "scope3.util.json"
local limiter = require "scope3.http.limiter"
local options = require "scope3.util.options"
local validate = require "scope3.api.validate"
local script_of = require "scope3.input.script"
local source = require "scope3.input.source"

local ngx = ngx

local gateway = {}

local CHUNK = 64 * 1024
local READ_TIMEOUT = 60 -- seconds without a byte
local MAX_ROWS, MAX_UNPACKED = 10000000, 2 ^ 31 -- what an upload may cost: ten million rows take some four seconds of a processor
local LINGERING = 1 -- seconds between the answer to an HTTP/2 upload and the end of its stream
local DRAINING, DRAIN_TIMEOUT = 30, 5 -- seconds for which what nobody wants of a body is read, in all and without a byte

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
---@field read_timeout? number  seconds that an upload may stand still (60)
---@field max_rows? integer  the most rows of an upload, empty lines included (10 million)
---@field max_unpacked_bytes? integer  the most bytes that an upload may have, or unpack to where it is gzip (2 GiB)
---@field on_event? fun(event: scope3.Event)  as in scope3.SyncOptions
local OPTIONS = options.merge(script_of.JOB_OPTIONS, {
  audience = "any", map = "table", member = "function", where = "any", account_id = "id", api_key = "key", base_url = "string",
  ca_file = "string", shared = "string", read_timeout = "seconds", max_rows = "count", max_unpacked_bytes = "count", on_event = "function",
})

local FORMATS = { ["text/csv"] = "csv", ["application/csv"] = "csv", ["text/plain"] = "csv", ["application/jsonl"] = "jsonl",
  ["application/x-ndjson"] = "jsonl", ["application/ndjson"] = "jsonl", ["application/jsonlines"] = "jsonl" }

-- Answers. What is left of the body is read by `drain`: nginx would take it for the connection's next request, run that, and write it to its log.
local function answer(status, value, drain)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.print(json.encode(value), "\n")
  ngx.flush(true)
  if drain and not drain() then
    return ngx.exit(ngx.ERROR) -- closes the connection
  end
  return ngx.exit(ngx.HTTP_OK)
end

local function refuse(status, message, drain)
  return answer(status, { error = { kind = "upload", message = message } }, drain)
end

-- Over HTTP/2 nginx gives the module no connection to read the body from, and the end of the request resets its stream.
-- Where the reset comes with the
-- answer, curl takes it for a broken connection. So the answer goes first, whole, and has time to be read.
local function linger()
  ngx.eof()
  ngx.sleep(LINGERING)
  return true
end

-- A reader of the request's body, straight from the connection, and a function that reads what is left: true when nothing is any more.
local function body_reader(length, timeout)
  local socket, why = ngx.req.socket()
  if not socket then
    return nil, why
  end
  socket:settimeout(timeout * 1000)
  local left, broken = length, false
  return function()
    if left <= 0 then
      return nil
    end
    local chunk, failure = socket:receiveany(math.min(CHUNK, left))
    if not chunk then
      broken = true
      return nil, errors.new("source", failure == "timeout" and "the upload stood still for too long"
        or "the upload was cut short: " .. tostring(failure), { code = "upload_cut" })
    end
    left = left - #chunk
    return chunk
  end, function()
    if broken then
      return false
    end
    local ends = core.now() + DRAINING
    socket:settimeout(DRAIN_TIMEOUT * 1000)
    while left > 0 do
      local chunk = core.now() < ends and socket:receiveany(math.min(CHUNK, left))
      if not chunk then
        return false
      end
      left = left - #chunk
    end
    return true
  end
end

-- The status that tells whose fault it was: the rows', ours, or the service's.
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

--- Makes the handler of a location, for content_by_lua: `POST` or `PUT` a CSV or JSON Lines file (by its Content-Type, whose charset is its
--- encoding unless `encoding` says another), gzip or not; the answer
--- is the report as JSON, with 200 where everything was accepted. Who may upload is for nginx to say (auth_request, allow, a client certificate).
---@param opts scope3.GatewayOptions
---@return (fun())? handler
---@return scope3.Error? err  kind "invalid": every problem at once
function gateway.new(opts)
  arguments.argument(opts ~= nil, "scope3.nginx.gateway", "opts", "a table", opts)
  opts = options.check("scope3.nginx.gateway", opts, OPTIONS, 2)
  local script = { map = opts.map, member = opts.member, where = opts.where }
  local problem = script_of.problem(script, opts.mode) or dialect.problem(opts)
  local useless, because = ineffective.on_identifiers(script, opts, opts.mode)
  if not useless and opts.format then
    useless, because = ineffective.on_files(opts, { "" }, source.format_of)
  end
  problem = problem or useless and useless .. " " .. because or nil
  if problem then
    error("scope3.nginx.gateway: " .. problem, 2)
  elseif opts.audience == nil then
    error("scope3.nginx.gateway: audience is missing", 2)
  elseif type(opts.audience) ~= "function" then
    audience_of.meta("scope3.nginx.gateway", opts.audience, 2)
  end
  local dict, issues = opts.shared and ngx.shared[opts.shared], {}
  if opts.shared and not dict then
    issues[1] = { path = "shared", message = "is not declared: add lua_shared_dict " .. opts.shared .. " 1m; to the http block" }
  end
  validate.options(issues, opts)
  if type(opts.audience) ~= "function" then
    validate.audience(issues, audience_of.meta("scope3.nginx.gateway", opts.audience, 2), "audience")
  end
  local client, err = client_of.new {
    account_id = opts.account_id, api_key = opts.api_key, base_url = opts.base_url, ca_file = opts.ca_file, rate = opts.rate,
    limiter = dict and limiter.new(dict) or nil, on_event = opts.on_event,
  }
  for _, issue in ipairs(err and err.issues or {}) do
    issues[#issues + 1] = issue
  end
  if client and not client.has_key then
    issues[#issues + 1] = { path = "api_key", message = "is missing: give it, or set SCOPE3_API_KEY (nginx needs `env SCOPE3_API_KEY;` for that)" }
  end
  if client and not client.account_id then
    issues[#issues + 1] = { path = "account_id", message = "is missing: give it, or set SCOPE3_ACCOUNT_ID" }
  end
  if #issues > 0 then
    return nil, errors.invalid("scope3.nginx.gateway", issues)
  end
  local job = {}
  for key in pairs(script_of.JOB_OPTIONS) do
    job[key] = opts[key]
  end
  for _, key in ipairs { "rate", "format", "header", "delimiter", "quote", "escape", "null", "skip_lines", "encoding" } do
    job[key] = nil
  end

  return function()
    local method = ngx.req.get_method()
    if method ~= "POST" and method ~= "PUT" then
      ngx.header["Allow"] = "POST, PUT"
      return refuse(405, "POST or PUT a CSV or JSON Lines file here")
    elseif ngx.req.http_version() >= 2 then
      ngx.req.discard_body()
      return refuse(505, "uploads are streamed over HTTP/1.1 alone: send it with HTTP/1.1 (curl --http1.1), or turn HTTP/2 off for this server",
        linger)
    end
    local length = tonumber(ngx.var.http_content_length)
    if not length then
      return refuse(411, "a Content-Length is needed, because a body in chunks cannot be streamed here: send a file, not a pipe (curl -T file)")
    end
    local kind = core.lower(ngx.var.http_content_type or ""):match("^[^; \t]*")
    local format = opts.format or FORMATS[kind] or kind == "" and "csv" or nil
    if not format then
      return refuse(415, "the Content-Type must be text/csv or application/x-ndjson")
    end
    local charset = encodings.of_content_type(ngx.var.http_content_type or "")
    if charset and not encodings.canonical(charset) then
      return refuse(415, "the charset of the Content-Type is not known; iconv makes UTF-8 of it")
    end
    local reader, drain = body_reader(length, opts.read_timeout or READ_TIMEOUT)
    if not reader and length > 0 then
      return refuse(500, "the body cannot be read: " .. tostring(drain))
    end
    if not reader then
      reader, drain = function() end, nil
    end
    local input
    local encoding = opts.encoding or charset
    if format == "jsonl" then
      input = source.jsonl(reader, { encoding = encoding })
    else
      input = source.csv(reader, options.merge(dialect.options(opts), { header = opts.header, encoding = encoding }))
    end
    input:bound { rows = opts.max_rows or MAX_ROWS, bytes = opts.max_unpacked_bytes or MAX_UNPACKED }
    local audience = opts.audience
    if type(audience) == "function" then
      audience = audience()
    end
    local res, failure = client:run(script, input, options.merge(job, { audience = audience }))
    if failure then
      return answer(status_of(failure), { error = plain_error(failure), result = failure.result and failure.result:plain() or nil }, drain)
    end
    return answer(200, { result = res:plain() }, drain)
  end
end

return gateway
