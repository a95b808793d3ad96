--- Limiters as users name them: by a path, the URL of a Redis, a store, or options.
local errors = require "scope3.error"
local late = require "scope3.util.late"
local limiter = require "scope3.http.limiter"
local limits = late.require "scope3.redis.limits" -- for those who name a Redis
local options = require "scope3.util.options"

local limiters = {}

local OF_REDIS = { redis = "string", fleet = "count", ca_file = "string" }

--- Whether a text is meant as the URL of a Redis, and not as the path of a file: also one that is mistyped, because
--- what is said of a file shows its path, and of a URL no part. A file of such a name is written with ./ before it.
---@param text string
---@return boolean
function limiters.is_url(text)
  return text:find "^%a[%w+.-]+:/" ~= nil or text:find "^[^/:]*:[^/@]*@" ~= nil
end

--- What is wrong with a path or a URL. It shows no part of a URL, which may hold a password.
---@param text string
---@return string?
function limiters.problem(text)
  if text == "" or text:find("%z") then
    return "must be the path of a file, or the URL of a Redis"
  elseif limiters.is_url(text) then
    local err = late.problem(limits)
    return err and "cannot be a Redis: " .. err.message or limits.problem(text)
  end
end

---@param opts {redis: string, fleet: integer?, ca_file: string?}
---@return scope3.Limiter?
---@return scope3.Error? err
local function of_redis(opts)
  local err = late.problem(limits)
  if err then
    return nil, errors.with(err, { kind = "limiter" })
  end
  local made
  made, err = limits.new(opts)
  return made and limiter.over(made), err
end

--- Makes a limiter of a path or a URL, for a client.
---@param text string
---@param ca_file string?  the client's
---@return scope3.Limiter?
---@return scope3.Error? err
function limiters.named(text, ca_file)
  if limiters.is_url(text) then
    return of_redis { redis = text, ca_file = ca_file }
  end
  return limiter.new(text)
end

--- Makes a limiter. All clients that are given it stay under one rate together:
---
---     local limiter = assert(scope3.limiter "/run/scope3.limits")
---     local client = assert(scope3.client { limiter = limiter })
---
---@param store? scope3.Store|string|{redis: string, fleet: integer?, ca_file: string?}  what keeps its counts: the path
---  of a file, through which the processes of a machine share them; the URL of a Redis, for several machines, or
---  options with it; a table or dictionary that has the calls; a table of this Lua state unless given
---@return scope3.Limiter?
---@return scope3.Error? err  kind "limiter": the file cannot be used; "invalid": the URL is none
function limiters.new(store)
  if type(store) == "string" and limiters.is_url(store) then
    return of_redis { redis = store }
  elseif type(store) == "table" and rawget(store, "redis") ~= nil then
    return of_redis(options.check("scope3.limiter", store, OF_REDIS))
  end
  local made, err = limiter.new(store, 3)
  return made, err
end

return limiters
