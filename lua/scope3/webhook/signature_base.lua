--- The bytes that a signature is over (RFC 9421 section 2.5).
---
--- It takes fields as they came, and every derived component of a request. Of component parameters only `name` of
--- `@query-param` is supported. The line of the signature's own parameters is taken as it came: a sender that signs
--- another form than it writes is refused.
local headers = require "scope3.webhook.headers"

local signature_base = {}

local derived = {
  ["@method"] = function(request)
    return request.method
  end,
  ["@target-uri"] = function(_, target)
    return target.uri
  end,
  ["@authority"] = function(_, target)
    return target.authority
  end,
  ["@scheme"] = function(_, target)
    return target.scheme
  end,
  ["@path"] = function(_, target)
    return target.path
  end,
  ["@query"] = function(_, target)
    return target.query or "?"
  end,
  ["@request-target"] = function(request)
    local path, query = request.url:match("^[A-Za-z]+://[^/?#]*([^?#]*)([^#]*)")
    return path and (path == "" and "/" or path) .. query
  end,
}

-- Writes a value of a query as RFC 9421 section 2.2.8 wants it.
local function form_encode(text)
  text = text:gsub("%+", " "):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end)
  return (text:gsub("[^A-Za-z0-9*._-]", function(c)
    return ("%%%02X"):format(c:byte())
  end))
end

-- The parameters of the query by name; false where one is there twice.
local function read_query(target)
  local params = {}
  for pair in (target.query or "?"):sub(2):gmatch("[^&]+") do
    local key, rest = pair:match("^([^=]*)=?(.*)$")
    key = form_encode(key)
    params[key] = params[key] == nil and form_encode(rest)
  end
  return params
end

-- A parameter of the query that is there exactly once. The query is read once, however many components name one of it.
local function query_param(target, name)
  target.params = target.params or read_query(target)
  return target.params[name] or nil
end

local function value_of(component, request, fields, target)
  local name, param = component.value, next(component.params)
  if name == "@query-param" then
    local wanted = component.params.name
    if wanted and wanted.type == "string" and next(component.params, param) == nil then
      return query_param(target, wanted.value)
    end
  elseif param == nil and derived[name] then
    return derived[name](request, target)
  elseif param == nil and name:sub(1, 1) ~= "@" then
    return headers.all(fields, name)
  end
end

--- The signature base.
---@param request {method: string, url: string}
---@param fields table<string, string[]>  as headers.collect gives them
---@param target scope3.Target  of the request's URL
---@param input scope3.StructuredItem  the signature's member of Signature-Input: an inner list of strings
---@return string?  nil when a component cannot be had: a field that is missing, or one that is not known
function signature_base.build(request, fields, target, input)
  local lines = {}
  for i, component in ipairs(input.value) do
    local value = value_of(component, request, fields, target)
    if not value or value:find("[%z\r\n]") then -- a line end would let a value pass for a component
      return nil
    end
    lines[i] = component.text .. ": " .. value
  end
  lines[#lines + 1] = '"@signature-params": ' .. input.text
  return table.concat(lines, "\n")
end

return signature_base
