--- A location for completion callbacks: verifies each, and hands its payload on once.
local core = require "scope3.core"
local deliveries = require "scope3.webhook.deliveries"
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local host_client = require "scope3.nginx.host_client"
local json = require "scope3.util.json"
local nginx_log = require "scope3.util.nginx_log"
local options = require "scope3.util.options"
local webhook = require "scope3.webhook"

local ngx = ngx

local location = {}

local LONGEST_BODY = 1024 * 1024
local MOST_HEADERS = 200
local REMEMBERED = 24 * 3600 -- seconds for which notified() knows a task

---@class scope3.WebhookLocation: scope3.WebhookConfig
---@field on_payload fun(payload: scope3.Callback): any  called once for each callback; false, nil and an error in it
---  make the service send it again
---@field shared? string  a lua_shared_dict in which workers share nonces and deliveries; needed with several workers
---@field origin? string  rfc9421: "https://hooks.example.com", the scheme and host by which the service knows this
---  location, where a proxy changes them
---@field horizon? number  seconds for which the service may repeat a callback, and one is remembered (86,400, up to
---  604,800)
local OWN = { on_payload = "function", shared = "string", origin = "string", horizon = "seconds" }

local function answer(status, err)
  ngx.status = status
  if status == 401 then
    ngx.header["WWW-Authenticate"] = ('Signature error="%s"'):format(err.code)
  end
  if err then
    ngx.header["Content-Type"] = "application/json"
    ngx.print(json.encode { error = { code = err.code, message = err.message } }, "\n")
  end
  return ngx.exit(ngx.HTTP_OK)
end

-- The raw body. nginx writes it to a file where client_body_buffer_size is smaller.
local function read_body()
  ngx.req.read_body()
  local body, path = ngx.req.get_body_data(), ngx.req.get_body_file()
  if body or not path then
    return body or ""
  end
  local file = assert(io.open(path, "rb"))
  local why
  body, why = file:read(LONGEST_BODY + 1)
  file:close()
  return assert(body or not why and "", why) -- an empty file has no text, and nothing is wrong
end

local function came_key(task_id)
  return "scope3:came:" .. core.sha256(task_id)
end

--- A function for the option `notified` of wait(): whether a callback of a task has come, in any worker, to a location
--- with the same dict.
---@param shared string
---@return fun(task_id: string): boolean
function location.notified(shared)
  arguments.argument(type(shared) == "string", "scope3.nginx.notified", "shared", "a string", shared)
  local dict = ngx.shared[shared]
  if not dict then
    error("scope3.nginx.notified: there is no lua_shared_dict " .. shared, 2)
  end
  return function(task_id)
    return dict:get(came_key(task_id)) == true
  end
end

-- The options of the location, and those of scope3.webhook.verify.
local function split_options(opts)
  local own, config = {}, {}
  for key, value in entries(opts) do
    local to = OWN[key] and own or config
    to[key] = value
  end
  return own, config
end

-- What is wrong with the options, or nil.
local function problem_of(own, config)
  local problem = webhook.problem(config) or deliveries.problem(own)
  if problem then
    return problem
  elseif own.origin and config.mode ~= "rfc9421" then
    return ("origin has no effect with mode %s, whose proof is not over the URL"):format(config.mode)
  end
end

-- What keeps a request from being a callback: a status and an error.
local function refuse(status, code, message)
  return status, { code = code, message = message }
end

-- The request for scope3.webhook.verify; nil, a status and an error where it cannot be one.
local function read_request(origin)
  if ngx.req.get_method() ~= "POST" then
    ngx.header["Allow"] = "POST"
    return nil, refuse(405, "webhook_method", "callbacks are POSTed")
  elseif (tonumber(ngx.var.http_content_length) or 0) > LONGEST_BODY then
    return nil, refuse(413, "webhook_body_too_large", "its body is over 1 MiB")
  end
  local headers, truncated = ngx.req.get_headers(MOST_HEADERS, true)
  if truncated then
    return nil, refuse(431, "webhook_headers", "it has too many headers")
  end
  local site = origin or ngx.var.scheme .. "://" .. (ngx.var.http_host or ngx.var.host)
  return { method = "POST", url = site .. ngx.var.request_uri, headers = headers, body = read_body() }
end

---@class scope3.nginx.Receiver  what a location has
---@field on_payload fun(payload: scope3.Callback): any
---@field memory scope3.Deliveries
---@field dict table?

-- Hands a new delivery to on_payload. True when it was taken.
local function deliver(receiver, payload)
  local ok, taken = pcall(receiver.on_payload, payload)
  if ok and taken then
    return true
  end
  receiver.memory:forget(payload.idempotency_key)
  if not ok then
    nginx_log.say(ngx.ERR, "scope3: on_payload failed: " .. tostring(taken))
  end
  return false
end

-- Remembers a delivery that was taken, and its task for notified().
local function remember(receiver, payload, body)
  local kept, full = receiver.memory:keep(payload.idempotency_key, body)
  if not kept then
    nginx_log.say(ngx.ERR, "scope3: a callback was acted upon, and will be once more if it comes again: "
      .. full.message)
  end
  if receiver.dict then
    receiver.dict:set(came_key(payload.task_id), true, REMEMBERED)
  end
end

-- Handles a verified callback: the status to answer, and an error.
local function handle(receiver, payload, body)
  local new, why = receiver.memory:add(payload.idempotency_key, body)
  if new == nil then
    return why.status, why
  elseif new then
    if not deliver(receiver, payload) then
      return refuse(500, "webhook_not_taken", "it could not be acted upon; send it again")
    end
    remember(receiver, payload, body)
  end
  return 204
end

--- Makes the handler of a location, for content_by_lua.
---
--- It answers 204 to a callback that was taken, now or before, and 503 to one that is being handled. For the others it
--- answers the status and code that docs/webhooks.md lists.
---@param opts scope3.WebhookLocation
---@return (fun())? handler
---@return scope3.Error? err  kind "invalid": `shared` is not declared
function location.new(opts)
  arguments.argument(type(opts) == "table", "scope3.nginx.webhook", "opts", "a table", opts)
  local on_payload = opts.on_payload
  arguments.argument(type(on_payload) == "function", "scope3.nginx.webhook", "on_payload", "a function", on_payload)
  local own, config = split_options(opts)
  options.check("scope3.nginx.webhook", own, OWN, 2)
  local problem = problem_of(own, config)
  if problem then
    error("scope3.nginx.webhook: " .. problem, 2)
  end
  local dict, undeclared = host_client.dict(opts.shared, "10m")
  if undeclared then
    return nil, errors.invalid("scope3.nginx.webhook", { undeclared })
  end
  if config.mode == "rfc9421" then
    config.seen = config.seen or webhook.replay_cache { store = dict }
  end
  local receiver = {
    on_payload = on_payload, dict = dict, memory = webhook.deliveries { store = dict, horizon = own.horizon },
  }

  return function()
    local request, status, err = read_request(opts.origin)
    if not request then
      return answer(status, err)
    end
    local payload, failure = webhook.verify(request, config)
    if not payload then
      nginx_log.say(ngx.WARN, ("scope3: a callback was refused: %s: %s"):format(failure.code, failure.message))
      return answer(failure.status, failure)
    end
    return answer(handle(receiver, payload, request.body))
  end
end

return location
