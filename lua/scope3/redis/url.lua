--- The URL of a Redis: redis://user:password@host:port/db, and rediss:// over TLS. It is read without libcurl, so that
--- an option can be checked before anything is loaded.
local core = require "scope3.core"
local errors = require "scope3.error"

local url = {}

local SCHEMES = { redis = "http", rediss = "https" } -- as libcurl names what is without TLS, and with it
local PORT = 6379
local HELP = "redis://user:password@host:port/db, or rediss:// for TLS"

---@class scope3.RedisUrl
---@field address string  as the engine takes it: http://host:port, or https:// over TLS
---@field secure boolean
---@field db integer
---@field credentials fun(): string?, string?  user and password: in a closure, so that no dump shows them

local function refuse(problem)
  return nil, errors.invalid("redis", { { path = "url", message = problem } })
end

-- nil where an escape is none.
local function unescape(text)
  if text:gsub("%%[0-9A-Fa-f][0-9A-Fa-f]", ""):find("%", 1, true) then
    return nil
  end
  return (text:gsub("%%([0-9A-Fa-f][0-9A-Fa-f])", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

-- Host and port in one text, for another URL.
local function address_of(authority)
  local host, port = authority:match("^(%[[0-9A-Fa-f:.]+%])(.*)$")
  if not host then
    host, port = authority:match("^([0-9A-Za-z._-]+)(.*)$")
  end
  if not host then
    return nil, "has no host: it must be " .. HELP
  elseif port == "" then
    return host .. ":" .. PORT
  end
  local number = tonumber(port:match("^:([0-9][0-9]?[0-9]?[0-9]?[0-9]?)$"))
  if not number or number < 1 or number > 65535 then
    return nil, "has a port that is none"
  end
  return ("%s:%d"):format(host, number)
end

-- User and password; false where an escape is none.
local function credentials_of(text)
  if text == nil then
    return nil, nil
  end
  local user, password = text:match("^([^:]*):(.*)$")
  user, password = unescape(user or text), password and unescape(password)
  if user == nil or password == nil then
    return false
  end
  return user ~= "" and user or nil, password
end

--- Reads a URL. What is wrong never shows a part of it, which may be the password.
---@param text string
---@return scope3.RedisUrl?
---@return scope3.Error? err  kind "invalid"
function url.parse(text)
  local scheme, authority, rest = text:match("^(%a+)://([^/?#]*)(.*)$")
  local http = scheme and SCHEMES[core.lower(scheme)]
  if not http then
    return refuse("must be " .. HELP)
  end
  local login, place = authority:match("^(.*)@([^@]*)$")
  local address, problem = address_of(place or authority)
  if not address then
    return refuse(problem .. "; in a password / ? # and % are written as %2F %3F %23 %25")
  end
  local db = rest:match("^/([0-9]?[0-9]?[0-9]?[0-9]?[0-9]?)$")
  if rest ~= "" and not db then
    return refuse("may end in the number of a database, as in /0, and in nothing else")
  end
  local user, password = credentials_of(login)
  if user == false then
    return refuse("must have a colon before the password, and escapes of two digits: %25 for %")
  end
  return {
    address = http .. "://" .. address, secure = http == "https", db = tonumber(db) or 0,
    credentials = function()
      return user, password
    end,
  }
end

return url
