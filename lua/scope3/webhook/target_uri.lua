--- URLs in the one form that is signed: AdCP's canonical `@target-uri` and `@authority`.
---
--- See docs/contract.md section 6, step 10.
local core = require "scope3.core"

local target_uri = {}

---@class scope3.Target
---@field scheme "http"|"https"
---@field authority string  host, and the port where it is not the scheme's own
---@field path string  normalized, at least "/"
---@field query string?  as it came; nil where there is no "?"
---@field uri string
---@field params table<string, string|false>?  of the query, once it was read

local PORTS = { http = 80, https = 443 }
local CAPITALS = { a = "A", b = "B", c = "C", d = "D", e = "E", f = "F" }

-- A host in lowercase, and the text after it. Nil where there is no host.
local function split_host(text)
  local host, rest = text:match("^(%[[%x:.]+%])(.*)$")
  if host then
    return core.lower(host), rest
  end
  host, rest = text:match("^([A-Za-z0-9._-]+)(.*)$")
  host = host and host:gsub("%.$", "")
  if not host or host == "" or host:find("^%.") or host:find("%.%.") or host:find("%.$") then
    return nil
  end
  return core.lower(host), rest
end

--- Host and port in canonical form.
---@param text string  as a URL or the Host header has them, without userinfo
---@param scheme "http"|"https"
---@return string?  nil when malformed: no host, an IPv6 address without brackets or with a zone, other than ASCII
function target_uri.authority(text, scheme)
  local host, rest = split_host(text)
  if not host then
    return nil
  end
  local digits = rest == "" and "" or rest:match("^:(%d*)$")
  local port = tonumber(digits)
  if not digits or #digits > 5 or (port and port > 65535) then
    return nil
  elseif port and port ~= PORTS[scheme] then
    return ("%s:%d"):format(host, port)
  end
  return host
end

-- Decodes escapes of unreserved characters, and writes the others with capitals (RFC 3986 section 6.2.2).
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
  for segment, after in rest:gmatch("([^/]*)/()") do
    if segment == ".." then
      kept[#kept] = nil
    end
    if segment ~= "." and segment ~= ".." then
      kept[#kept + 1] = segment
    elseif after > #rest then -- the last: its slash stays
      kept[#kept + 1] = ""
    end
  end
  return "/" .. table.concat(kept, "/")
end

--- An absolute URL in canonical form.
---@param url string
---@return scope3.Target?  nil where it is no http or https URL, or its authority or an escape is malformed
function target_uri.parse(url)
  local scheme, rest = url:match("^([A-Za-z]+)://([^#]*)")
  scheme = scheme and core.lower(scheme)
  if not PORTS[scheme or ""] or rest:find("[%z\1-\32\127]") then
    return nil
  end
  local authority, path, query = rest:match("^([^/?]*)([^?]*)(.*)$")
  authority = target_uri.authority(authority:match("^.*@(.*)$") or authority, scheme)
  if not authority or path:gsub("%%%x%x", ""):find("%", 1, true) then -- "%2%45" would become an escape
    return nil
  end
  path = remove_dots(path == "" and "/" or unescape(path))
  return { scheme = scheme, authority = authority, path = path, query = query ~= "" and query or nil,
    uri = scheme .. "://" .. authority .. path .. query }
end

return target_uri
