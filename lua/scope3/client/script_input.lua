--- A script and the input that it runs over, before a job begins: what callers give, checked.
local arguments = require "scope3.util.arguments"
local dialect = require "scope3.input.dialect"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local ineffective = require "scope3.input.ineffective"
local input_paths = require "scope3.input.paths"
local map = require "scope3.input.map"
local options = require "scope3.util.options"
local script_of = require "scope3.input.script"
local script_options = require "scope3.input.script_options"
local source_of = require "scope3.input.source"

local script_input = {}

local SOURCES = "a path or a list of them, scope3.csv(), scope3.jsonl() or an iterator of tables"

-- What is wrong with an input.
local function source_problem(source)
  if source_of.is(source) or type(source) == "function" or type(source) == "string" then
    return nil
  end
  local n, hole = arguments.count(source)
  if hole then
    return ("source is a list with holes: path %d is missing"):format(hole)
  elseif not n or n == 0 then
    return arguments.problem("source", SOURCES, source) .. (n == 0 and " without entries" or "")
  end
  for i = 1, n do
    if type(source[i]) ~= "string" then
      return arguments.problem(("path %d of source"):format(i), "a string", source[i])
    end
  end
end

-- What is wrong with an input whose rows are to be members already.
local function prepared_problem(source)
  if type(source) == "function" or source_of.is(source) and source.format ~= "jsonl" then
    return "source must be files or scope3.jsonl() where members are prepared"
  end
end

--- What is wrong with a script or its input.
---@param script any
---@param source any
---@param mode? string  of the job
---@return string?
function script_input.problem(script, source, mode)
  if type(script) ~= "table" then
    return arguments.problem("script", "a path, or the table that a script returns", script)
  end
  return script_of.problem(script, mode) or source_problem(source)
    or script.prepared and prepared_problem(source) or nil
end

--- What is wrong with the options of CSV, also of an input that is open already, where they would change nothing.
---@param opts table
---@param source any
---@return string?
function script_input.dialect_problem(opts, source)
  local problem = dialect.problem(opts)
  if problem then
    return problem
  end
  for _, key in ipairs { "quote", "escape", "null" } do
    if opts[key] and type(source) == "function" then
      return key .. " is of CSV, and the rows come from an iterator"
    elseif opts[key] and source_of.is(source) and not source:is_written(opts) then
      return ("%s was to be said when the source was made: scope3.csv(path, { %s = … })"):format(key, key)
    end
  end
end

--- The options of the script and of the caller together. The caller's win.
---@param script scope3.Script
---@param opts table
---@param source any
---@return table
function script_input.options(script, opts, source)
  local merged = {}
  for key in entries(script_options.JOB) do
    merged[key] = script[key]
  end
  merged.region = merged.region or map.default_region(script.map)
  if script.prepared and not source_of.is(source) then
    merged.format = "jsonl"
  end
  return options.merge(merged, opts)
end

-- An option about identifiers that the script never uses. A script may be written for adding, and be used for removing.
local function ineffective_on_identifiers(script, opts)
  local key, why = ineffective.on_identifiers(script, opts, opts.mode or script.mode)
  if not key then
    key, why = ineffective.on_identifiers(script, script, script.mode)
  end
  return key, why
end

local function ineffective_on_input(opts, input)
  if type(input) == "function" or source_of.is(input) then
    return ineffective.on_source(opts, type(input) == "table" and input.shape or {})
  end
  return ineffective.on_files(opts, input, source_of.format_of)
end

-- The input for the pipeline: a source, an iterator or paths of files.
local function find_input(source)
  if source_of.is(source) or type(source) == "function" then
    return source
  end
  return input_paths.expand(type(source) == "string" and { source } or source)
end

--- The input for a job: a source, an iterator or paths of files.
---@param script scope3.Script
---@param source any
---@param opts table  what the caller gave
---@param merged table  the script's options and these together
---@param path? string  of the script's file
---@return scope3.Source|(fun(): table?)|string[]|nil input
---@return scope3.Error? err
---@return string? misuse
function script_input.find(script, source, opts, merged, path)
  local input, err = find_input(source)
  local key, why = ineffective_on_identifiers(script, opts)
  if input and not key then
    key, why = ineffective_on_input(merged, input)
  end
  if key and path and opts[key] == nil then -- the file says it, and not the caller
    return nil, errors.new("script", ("%s: %s %s"):format(path:match("^.*/([^/]+)$") or path, key, why),
      { code = "no_effect" })
  elseif key then
    return nil, nil, key .. " " .. why
  end
  return input, err
end

--- Loads a script from its path.
---@param path string
---@param source any
---@return scope3.Script?
---@return scope3.Error? err
---@return string? misuse
function script_input.load(path, source)
  if type(source) ~= "table" and source_problem(source) then
    return nil, nil, arguments.problem("source", SOURCES, source)
  end
  return script_of.load(path)
end

return script_input
