--- A location for completion callbacks: verifies each, and hands its payload on once.
local core = require "scope3.core"
local deliveries = require "scope3.webhook.deliveries"
local arguments = require "scope3.util.arguments"
local errors = require "scope3.error"
local json = require "scope3.util.json"
local nginx_log = require "scope3.loop.nginx_log"
local options = require "scope3.util.options"
local webhook = require "scope3.webhook"

local ngx = ngx

local location = {}

local LONGEST_BODY = 1024 * 1024
local MOST_HEADERS = 200
local REMEMBERED = 24 * 3600 -- seconds for which a task that was told of is known to notified()

---@class scope3.WebhookLocation: scope3.WebhookConfig
---@field on_payload fun(payload: scope3.Callback): any  called once for each callback; false, nil and an error in it make the service send it again
---@field shared? string  a lua_shared_dict in which workers share nonces and deliveries; needed where there are several
---@field origin? string  rfc9421: "https://hooks.example.com", scheme and host by which the service knows this location,
---  behind a proxy that changes them
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
  body = file:read(LONGEST_BODY + 1)
  file:close()
  return body or ""
end

local function came_key(task_id)
  return "scope3:came:" .. core.sha256(task_id)
end

--- A function for the option `notified` of wait(): whether a callback of a task has come to a location with the same dict, in any worker.
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

--- Makes the handler of a location, for content_by_lua. It answers 204 to what it took (also to what it took before), 503 to what it is still
--- handling, and to what it did not take the status and code that docs/webhooks.md lists.
---@param opts scope3.WebhookLocation
---@return (fun())? handler
---@return scope3.Error? err  kind "invalid": `shared` is not declared
function location.new(opts)
  arguments.argument(type(opts) == "table", "scope3.nginx.webhook", "opts", "a table", opts)
  local on_payload = opts.on_payload
  arguments.argument(type(on_payload) == "function", "scope3.nginx.webhook", "on_payload", "a function", on_payload)
  local config, own = {}, {}
  for key, value in pairs(opts) do
    if OWN[key] then
      own[key] = value
    else
      config[key] = value
    end
  end
  options.check("scope3.nginx.webhook", own, OWN, 2)
  local problem = webhook.problem(config) or deliveries.problem(own)
  if not problem and own.origin and config.mode ~= "rfc9421" then
    problem = ("origin has no effect with mode %s, whose proof is not over the URL"):format(config.mode)
  end
  if problem then
    error("scope3.nginx.webhook: " .. problem, 2)
  end
  local dict
  if opts.shared then
    dict = ngx.shared[opts.shared]
    if not dict then
      return nil, errors.invalid("scope3.nginx.webhook", {
        { path = "shared", message = "is not declared: add lua_shared_dict " .. opts.shared .. " 10m; to the http block" },
      })
    end
  end
  if config.mode == "rfc9421" then
    config.seen = config.seen or webhook.replay_cache { store = dict }
  end
  local before = webhook.deliveries { store = dict, horizon = own.horizon }

  return function()
    if ngx.req.get_method() ~= "POST" then
      ngx.header["Allow"] = "POST"
      return answer(405, { code = "webhook_method", message = "callbacks are POSTed" })
    elseif (tonumber(ngx.var.http_content_length) or 0) > LONGEST_BODY then
      return answer(413, { code = "webhook_body_too_large", message = "its body is over 1 MiB" })
    end
    local headers, truncated = ngx.req.get_headers(MOST_HEADERS, true)
    if truncated then
      return answer(431, { code = "webhook_headers", message = "it has too many headers" })
    end
    local body = read_body()
    local payload, err = webhook.verify({
      method = "POST",
      url = (opts.origin or ngx.var.scheme .. "://" .. (ngx.var.http_host or ngx.var.host)) .. ngx.var.request_uri,
      headers = headers, body = body,
    }, config)
    if not payload then
      nginx_log.say(ngx.WARN, ("scope3: a callback was refused: %s: %s"):format(err.code, err.message))
      return answer(err.status, err)
    end
    local new, why = before:add(payload.idempotency_key, body)
    if new == nil then
      return answer(why.status, why)
    elseif new then
      local ok, taken = pcall(opts.on_payload, payload)
      if not ok or not taken then
        before:forget(payload.idempotency_key)
        if not ok then
          nginx_log.say(ngx.ERR, "scope3: on_payload failed: " .. tostring(taken))
        end
        return answer(500, { code = "webhook_not_taken", message = "it could not be acted upon; send it again" })
      end
      local kept, full = before:keep(payload.idempotency_key, body)
      if not kept then
        nginx_log.say(ngx.ERR, "scope3: a callback was acted upon, and will be once more if it comes again: " .. full.message)
      end
      if dict then
        dict:set(came_key(payload.task_id), true, REMEMBERED)
      end
    end
    return answer(204)
  end
end

return location
