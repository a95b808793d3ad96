--- The URL under which the service is found.
local core = require "scope3.core"
local errors = require "scope3.error"

local base_url = {}

-- libcurl writes an IPv4 address as four numbers, however it was given. Whatever else looks like one is a name, and may
-- lead anywhere.
local function is_loopback(host)
  host = core.lower(host)
  local b, c, d = host:match("^127%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$")
  return host == "localhost" or host == "::1"
    or b ~= nil and tonumber(b) < 256 and tonumber(c) < 256 and tonumber(d) < 256
end

local function problem_of(parts)
  if parts.user then
    return "must not hold a user name or password"
  elseif parts.query or parts.fragment then
    return "must not have a query or fragment"
  elseif parts.scheme == "http" and not is_loopback(parts.host) then
    return "must be https: plain http is allowed to this machine only"
  elseif parts.scheme ~= "https" and parts.scheme ~= "http" then
    return "must begin with https://"
  end
end

--- Checks a base URL: https, or plain http to loopback, without user, query or fragment.
---@param url string
---@return string? base  with a scheme in lowercase and without a slash at its end
---@return scope3.Error? err  kind "invalid"
function base_url.check(url)
  local parts, why = require("scope3.engine").parse_url(url)
  local problem
  if parts then
    problem = problem_of(parts)
  else
    problem = "is not a URL: " .. why
  end
  if problem then
    return nil, errors.invalid("base_url", { { message = problem } })
  end
  -- libcurl takes a scheme in capitals, and one slash or three.
  return (url:match("^.*[^/]"):gsub("^%a+:/+", parts.scheme .. "://"))
end

--- Whether a base URL is of https.
---@param base string
---@return boolean
function base_url.is_secure(base)
  return base:find("^https:") ~= nil
end

--- The host of a base URL with its port, in lowercase.
---@param base string
---@return string
function base_url.host(base)
  return core.lower(base:match("^[A-Za-z]+://([^/]+)"))
end

return base_url
