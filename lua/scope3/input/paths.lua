--- Several files as the input of one job: names, patterns, and that none comes twice.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local errors = require "scope3.error"

local paths = {}

local function complain(message)
  return nil, errors.new("source", message)
end

--- The paths that names and patterns stand for, in order. A name of an existing file is never a pattern.
---@param names string[]  paths, "-" for standard input, patterns such as "in/*.csv"
---@return string[]? list
---@return scope3.Error? err  a pattern without a match, or a file that comes twice
function paths.expand(names)
  local list, seen = {}, {}
  local function add(path)
    local identity = core.file_identity(path) or path
    local before = seen[identity]
    if before == path then
      return complain(path == "-" and "standard input can be read once" or ("the file %s is given twice"):format(path))
    elseif before and core.file_kind(path) ~= "file" then
      return complain(("%s and %s are the same %s, which can be read once"):format(before, path, core.file_kind(path)))
    elseif before then
      return complain(("%s and %s are the same file: its rows would be sent twice"):format(before, path))
    end
    seen[identity] = path
    list[#list + 1] = path
    return true
  end
  for _, name in ipairs(names) do
    local matches = { name }
    if name ~= "-" and name:find("[*?%[]") and not core.file_identity(name) then
      local why
      matches, why = core.glob(name)
      if why then
        return complain(("the files of the pattern '%s' could not be listed: %s"):format(name, why))
      elseif not matches then
        return complain(("no file matches the pattern '%s'"):format(name))
      end
      table.sort(matches, core.before) -- glob(3) orders by the locale, and of two rows of an id the later wins
    end
    for _, path in ipairs(matches) do
      local ok, err = add(path)
      if not ok then
        return nil, err
      end
    end
  end
  return list
end

local function is_path(value)
  return type(value) == "string" and value ~= "" and value ~= "-" and not value:find "%z"
end

--- The paths of an option that takes one or a list of them; nil where it names none.
---@param given any
---@return string[]?
function paths.of_files(given)
  local list = type(given) == "string" and { given } or given
  local n = arguments.count(list)
  for i = 1, n or 0 do
    if not is_path(list[i]) then
      return nil
    end
  end
  return n and n > 0 and list or nil
end

return paths
