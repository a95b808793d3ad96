--- `scope3 hash`: raw, normalised, hashed. The one place that prints values, because that is what was asked for.
local identity = require "scope3.identity"
local json = require "scope3.json"
local core = require "scope3.core"
local text = require "scope3.cli.text"

local hash = {}

local function look_at(kind, raw)
  local found = { raw = raw }
  found.hash, found.reason, found.text = identity[kind].hash(raw)
  if found.hash and not core.hashed(raw) then
    found.normalized = identity[kind].normalize(raw)
  end
  return found
end

---@param args table
---@param exit table
---@return integer
function hash.main(args, exit)
  local values, failed, rows = args.value, false, {}
  if #values == 0 then
    for line in io.lines() do
      values[#values + 1] = (line:gsub("\r$", ""))
    end
  end
  for _, raw in ipairs(values) do
    local found = look_at(args.kind, raw)
    failed = failed or not found.hash
    if args.json then
      local shown = json.encode { raw = raw, normalized = found.normalized, hash = found.hash, reason = found.reason }
      print(shown)
    else
      rows[#rows + 1] = { raw, found.normalized or (found.hash and "(hashed already)" or "-"), found.hash or found.text }
    end
  end
  if #rows > 0 then
    io.stdout:write(text.columns(rows))
  end
  return failed and exit.FAILED or exit.OK
end

return hash
