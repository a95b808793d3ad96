--- Options that would have no effect on a job. They are refused: to accept one would be a promise that is not kept.
local dialect = require "scope3.input.dialect"
local encodings = require "scope3.input.encodings"
local prepared = require "scope3.input.prepared"

local ineffective = {}

-- Whether a job asks the service something before it sends. A dry run does that too.
local function asks(script, opts)
  return opts.delete_missing ~= nil
    or script ~= nil and ((opts.mode or script.mode) == "remove" or script.member ~= nil)
end

--- Options that a dry run cannot follow, because it sends nothing.
---@param opts table  what the caller gave
---@param script? scope3.Script  where a script makes the members
---@return string? name  the first of them
---@return string? why
function ineffective.in_dry_run(opts, script)
  if not opts.dry_run then
    return nil
  end
  for _, key in ipairs { "journal", "timeout", "in_doubt_timeout", "keep_going", "delete_timeout" } do
    if opts[key] ~= nil then
      return key, "has no effect on a dry run, which sends nothing"
    end
  end
  for _, key in ipairs { "rate", "patience" } do
    if opts[key] ~= nil and not asks(script, opts) then
      return key, "has no effect on a dry run, which sends nothing"
    end
  end
end

--- An option that needs `delete_missing`, without it.
---@param opts table
---@return string? name
---@return string? why
function ineffective.without_deletion(opts)
  if opts.delete_timeout ~= nil and opts.delete_missing == nil then
    return "delete_timeout", "has no effect without delete_missing"
  end
end

--- Options for reading identifiers that a script never uses. `repair` always has an effect, because ids are read too.
--- So has a region, which tells whether an id is a phone, unless ids are sent as they are.
---@param script scope3.Script
---@param given table  what the caller gave, or the script itself for what it says
---@param mode? string  of the job, where it is known
---@return string? name
---@return string? why
function ineffective.on_identifiers(script, given, mode)
  local map = script.map
  if script.prepared then
    return prepared.ineffective(given)
  elseif not map then
    return nil
  end
  local ids = given.ids or script.ids or "refuse"
  local phones = map.phone ~= nil and mode ~= "remove"
  if phones or ids == "hash" then
    return nil
  elseif given.phone_repairs ~= nil then
    return "phone_repairs", "has no effect where no phone is mapped"
  elseif ids == "as_is" and given.region ~= nil then
    return "region", "has no effect where no phone is mapped and ids go as they are"
  elseif ids == "as_is" and map.region ~= nil and mode ~= "remove" then
    return "map.region", "has no effect where no phone is mapped and ids go as they are"
  end
end

--- Options of a file, where the input is a source or an iterator of rows, which is open already. The source's own
--- options may be repeated.
---@param opts table  the script's and the caller's together
---@param shape scope3.Dialect|table  of the source; empty for an iterator
---@return string? name
---@return string? why
function ineffective.on_source(opts, shape)
  for _, key in ipairs { "delimiter", "header", "skip_lines", "format", "encoding" } do
    local value = opts[key]
    if key == "encoding" and value ~= nil then
      value = encodings.canonical(value)
    elseif key == "delimiter" then
      value = dialect.delimiter(value)
    end
    if value ~= nil and (key == "format" or value ~= shape[key]) then
      return key, "has no effect on a source or an iterator: give it to scope3.csv() where that is made"
    end
  end
end

--- Options of CSV where all files are JSON Lines.
---@param opts table  the script's and the caller's together
---@param paths string[]
---@param format_of fun(path: string, opts: table): string
---@return string? name
---@return string? why
function ineffective.on_files(opts, paths, format_of)
  for _, path in ipairs(paths) do
    if format_of(path, opts) == "csv" then
      return nil
    end
  end
  for _, key in ipairs(dialect.NAMES) do
    if #paths > 0 and opts[key] ~= nil then
      return key, "has no effect on JSON Lines"
    end
  end
end

return ineffective
