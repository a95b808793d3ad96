--- URLs in the one form that is signed (docs/contract.md section 6, step 10): AdCP's canonical `@target-uri` and `@authority`.
local core = require "scope3.core"

local target = {}

---@class scope3.Target
---@field scheme "http"|"https"
---@field authority string  host, and the port where it is not the scheme's own
---@field path string  normalized, at least "/"
---@field query string?  as it came; nil where there is no "?"
---@field uri string
---@field params table<string, string|false>?  of the query, once it was read

local PORTS = { http = 80, https = 443 }
local CAPITALS = { a = "A", b = "B", c = "C", d = "D", e = "E", f = "F" }

--- Host and port in canonical form.
---@param text string  as a URL or the Host header has them, without userinfo
---@param scheme "http"|"https"
---@return string?  nil when malformed: no host, an IPv6 address without brackets or with a zone, other than ASCII
function target.authority(text, scheme)
  local host, port = text:match("^(%[[%x:.]+%])(.*)$")
  if not host then
    host, port = text:match("^([A-Za-z0-9._-]+)(.*)$")
    host = host and host:gsub("%.$", "")
    if not host or host == "" or host:find("^%.") or host:find("%.%.") or host:find("%.$") then
      return nil
    end
  end
  local digits = port == "" and "" or port:match("^:(%d*)$")
  local number = tonumber(digits)
  if not digits or #digits > 5 or (number and number > 65535) then
    return nil
  elseif number and number ~= PORTS[scheme] then
    return ("%s:%d"):format(core.lower(host), number)
  end
  return core.lower(host)
end

-- Escapes of unreserved characters are taken off, the others written with capitals (RFC 3986 sections 6.2.2.1 and 6.2.2.2).
local function unescape(path)
  return (path:gsub("%%(%x%x)", function(digits)
    local c = string.char(tonumber(digits, 16))
    return c:find("^[A-Za-z0-9._~-]$") and c or "%" .. digits:gsub("[a-f]", CAPITALS)
  end))
end

-- RFC 3986 section 5.2.4; slashes that follow one another stay.
local function remove_dots(path)
  local kept, rest = {}, path:sub(2) .. "/"
  -- pattern: never fails, because the text ends with a slash
  for segment, behind in rest:gmatch("([^/]*)/()") do
    if segment == ".." then
      kept[#kept] = nil
    end
    if segment ~= "." and segment ~= ".." then
      kept[#kept + 1] = segment
    elseif behind > #rest then -- the last: its slash stays
      kept[#kept + 1] = ""
    end
  end
  return "/" .. table.concat(kept, "/")
end

--- An absolute URL in canonical form.
---@param url string
---@return scope3.Target?  nil when it is no http or https URL, or its authority is malformed
function target.parse(url)
  local scheme, rest = url:match("^([A-Za-z]+)://([^#]*)")
  scheme = scheme and core.lower(scheme)
  if not PORTS[scheme or ""] or rest:find("[%z\1-\32\127]") then
    return nil
  end
  local authority, path, query = rest:match("^([^/?]*)([^?]*)(.*)$")
  authority = target.authority(authority:match("^.*@(.*)$") or authority, scheme)
  if not authority then
    return nil
  end
  path = remove_dots(path == "" and "/" or unescape(path))
  return { scheme = scheme, authority = authority, path = path, query = query ~= "" and query or nil,
    uri = scheme .. "://" .. authority .. path .. query }
end

return target
