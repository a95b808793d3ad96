--- HTTP/1.1 at the level of bytes, over a cqueues socket, so that faults can be made exactly where they are wanted.
local core = require "scope3.core"

local http = {}

local HEAD_LIMIT = 64 * 1024

http.REASONS = {
  [200] = "OK", [201] = "Created", [202] = "Accepted", [204] = "No Content", [301] = "Moved Permanently",
  [302] = "Found", [307] = "Temporary Redirect", [308] = "Permanent Redirect", [400] = "Bad Request",
  [401] = "Unauthorized", [402] = "Payment Required", [403] = "Forbidden", [404] = "Not Found",
  [405] = "Method Not Allowed", [409] = "Conflict", [411] = "Length Required", [413] = "Content Too Large",
  [422] = "Unprocessable Content", [429] = "Too Many Requests", [500] = "Internal Server Error",
  [501] = "Not Implemented", [502] = "Bad Gateway", [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }

--- An HTTP date (RFC 9110 section 5.6.7); os.date() has its names from the locale.
---@param seconds integer  since 1970
---@return string
function http.date(seconds)
  local at = os.date("!*t", seconds)
  return ("%s, %02d %s %04d %02d:%02d:%02d GMT"):format(DAYS[at.wday], at.day, MONTHS[at.month], at.year, at.hour,
    at.min, at.sec)
end

-- A line without its end, or nil at the end of the connection.
local function read_line(socket)
  local line = socket:read("*l")
  return line and (line:gsub("\r$", "")) or nil
end

local function unescape(text)
  return (text:gsub("%+", " "):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

local function read_query(text)
  local query = {}
  for key, value in (text or ""):gmatch("([^&=]+)=?([^&]*)") do
    query[unescape(key)] = unescape(value)
  end
  return query
end

-- Method and target of the next request; nil when the peer has gone or sent another line.
local function read_request_line(socket)
  local line = read_line(socket)
  while line == "" do
    line = read_line(socket)
  end
  return (line or ""):match("^(%u+) (%S+) HTTP/1%.[01]$")
end

-- Headers by lowercase name; nil when they are cut or too long.
local function read_headers(socket)
  local headers, size = {}, 0
  while true do
    local header = read_line(socket)
    size = size + #(header or "")
    if not header or size > HEAD_LIMIT then
      return nil
    elseif header == "" then
      return headers
    end
    local name, value = header:match("^([^:%s]+):%s*(.*)$")
    if name then
      headers[core.lower(name)] = value:match("^.*%S") or ""
    end
  end
end

--- The path and the query of a request's target.
---@param target string
---@return string path
---@return table<string, string> query
function http.read_target(target)
  local path, query = target:match("^([^?]*)%??(.*)$")
  return unescape(path:gsub("%+", "%%2B")), read_query(query)
end

--- Reads the head of the next request; nil when the peer has gone or did not send one.
---@return table? request  { method, target, path, query, headers (lowercase), length, chunked }
function http.read_head(socket)
  local method, target = read_request_line(socket)
  local headers = method and read_headers(socket)
  if not headers then
    return nil
  end
  local length = headers["content-length"]
  if length and not (length:find("^[0-9]+$") and #length < 16) then
    return nil
  end
  local path, query = http.read_target(target)
  return {
    method = method, target = target, headers = headers, path = path, query = query,
    length = length and tonumber(length),
    chunked = core.lower(headers["transfer-encoding"] or "") == "chunked",
  }
end

local function read_chunked(socket, limit)
  local parts, total = {}, 0
  while true do
    local size = tonumber((read_line(socket) or ""):match("^%x+") or "", 16)
    if not size then
      return nil, "cut"
    elseif size == 0 then
      repeat
        local line = read_line(socket)
      until not line or line == ""
      return table.concat(parts)
    end
    total = total + size
    if total > limit then
      return nil, "too large"
    end
    local chunk = socket:read(size)
    if not chunk or #chunk < size then
      return nil, "cut"
    end
    parts[#parts + 1] = chunk
    read_line(socket)
  end
end

--- Reads the body; `upto` bytes of it only, where a fault wants to stop in the middle.
---@return string? body
---@return string? problem  "cut" or "too large"
function http.read_body(socket, request, limit, upto)
  request.body_read = true
  if core.lower(request.headers.expect or "") == "100-continue" then
    socket:write("HTTP/1.1 100 Continue\r\n\r\n")
    socket:flush()
  end
  if request.chunked then
    return read_chunked(socket, limit)
  end
  local length = request.length or 0
  if length > limit then
    return nil, "too large"
  end
  local want = upto and math.min(upto, length) or length
  if want == 0 then
    return ""
  end
  local body = socket:read(want)
  if not body or #body < want then
    return nil, "cut"
  end
  return body
end

--- The bytes of a reply's head.
function http.head(status, headers)
  local lines = { ("HTTP/1.1 %d %s"):format(status, http.REASONS[status] or "Unknown") }
  for _, pair in ipairs(headers) do
    lines[#lines + 1] = pair[1] .. ": " .. pair[2]
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

--- Writes a whole reply.
function http.reply(socket, reply)
  local headers = { { "Content-Length", #reply.body } }
  for _, pair in ipairs(reply.headers or {}) do
    headers[#headers + 1] = pair
  end
  return socket:write(http.head(reply.status, headers), reply.body) and socket:flush()
end

return http
