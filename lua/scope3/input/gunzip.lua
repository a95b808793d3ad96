--- Unpacks sources that are gzip by their first bytes, whatever their name.
local errors = require "scope3.error"

local gunzip = {}

-- The C module, which a build without zlib lacks.
local function load()
  local ok, module = pcall(require, "scope3.gzip")
  return ok and module or nil
end

--- A reader of the text that a reader of gzip data gives, a piece at a time: a view that shows it until the next call.
---@param read fun(): string?, string?  compressed bytes; nil at the end; nil and a message when it fails
---@param name string  for messages
---@return (fun(): userdata|string|nil, scope3.Error?)?
---@return scope3.Error? err  kind "source"
---@return (fun(): integer)? taken  compressed bytes so far
function gunzip.reader(read, name)
  local module = load()
  if not module then
    return nil, errors.new("source", name .. ": it is gzip, and this build is without zlib; "
      .. "decompress it first (gunzip -c FILE | scope3 sync - ...)", { code = "gzip" })
  end
  local z = module.gunzip()
  local function broken(message)
    local at = z:taken()
    z:close()
    return nil, errors.new("source", ("%s: %s (at byte %.0f)"):format(name, message, at), { code = "gzip" })
  end
  local finished = 0
  return function()
    while true do
      local view, state = z:next()
      if view then
        return view
      elseif state == "end" then
        return nil
      elseif state ~= "need" then
        finished = z:taken()
        return broken(state)
      end
      local bytes, why = read()
      if bytes == nil and why ~= nil then
        return nil, why
      elseif bytes == "" then
        return "" -- nothing has come yet
      end
      z:feed(bytes)
    end
  end, nil, function()
    return finished > 0 and finished or z:taken()
  end
end

return gunzip
