--- client:run: what a transformation script and its input come to, before the job begins.
local arguments = require "scope3.util.arguments"
local audience_of = require "scope3.audience"
local context = require "scope3.job.context"
local dialect = require "scope3.input.dialect"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local ineffective = require "scope3.input.ineffective"
local input_paths = require "scope3.input.paths"
local job_check = require "scope3.client.job_check"
local left_out = require "scope3.job.left_out"
local map = require "scope3.input.map"
local options = require "scope3.util.options"
local client_options = require "scope3.client.options"
local pipeline = require "scope3.job.pipeline"
local late = require "scope3.util.late"
local script_of = require "scope3.input.script"
local script_options = require "scope3.input.script_options"
local source_of = require "scope3.input.source"
local state_check = require "scope3.client.state_check"

local mirror = late.require "scope3.job.mirror" -- most jobs have no state

local run = {}

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

-- What is wrong with a script or its input.
local function script_problem(script, source, mode)
  if type(script) ~= "table" then
    return arguments.problem("script", "a path, or the table that a script returns", script)
  end
  return script_of.problem(script, mode) or source_problem(source)
end

-- Options of CSV for an input that is open already: they would change nothing.
local function dialect_problem(opts, source)
  for _, key in ipairs { "quote", "escape", "null" } do
    if opts[key] and type(source) == "function" then
      return key .. " is of CSV, and the rows come from an iterator"
    elseif opts[key] and source_of.is(source) and not source:is_written(opts) then
      return ("%s was to be said when the source was made: scope3.csv(path, { %s = … })"):format(key, key)
    end
  end
end

-- The options of the script and of the caller together. The caller's win.
local function merged_options(script, opts)
  local merged = {}
  for key in entries(script_options.JOB) do
    merged[key] = script[key]
  end
  merged.region = merged.region or map.default_region(script.map)
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

---@class scope3.RunPlan
---@field script scope3.Script
---@field input scope3.Source|fun(): table?|string[]
---@field audiences {id: string, name: string?, consent_basis: string?}[]  several only with a state
---@field opts table  of the job

-- Loads a script from its path.
local function load_script(path, source)
  if type(source) ~= "table" and source_problem(source) then
    return nil, nil, arguments.problem("source", SOURCES, source)
  end
  return script_of.load(path)
end

-- The audiences of a job, or what the caller did wrong.
local function audiences_of(script, opts)
  if script.audiences and opts.audience ~= nil then
    return nil, "audience has no effect: the script names audiences of its own"
  end
  local list = {}
  for i, one in ipairs(script.audiences or { opts.audience or script.audience or {} }) do
    local misuse = not script.audiences and audience_of.problem(one)
    if misuse then
      return nil, misuse
    end
    list[i] = audience_of.read(one)
  end
  return list
end

-- The options and the audiences of a job, or what the caller did wrong.
local function job_of(script, source, opts)
  local merged = merged_options(script, opts)
  local misuse = dialect.problem(merged) or dialect_problem(merged, source)
  if misuse then
    return nil, nil, misuse
  end
  local audiences
  audiences, misuse = audiences_of(script, opts)
  merged.audience = nil
  merged = options.whole(merged, client_options.RUN) -- the script's options were not checked yet
  misuse = misuse or state_check.problem(merged, script)
    or job_check.ineffective(opts, script, merged)
  if misuse then
    return nil, nil, misuse
  end
  return merged, audiences
end

-- The plan of a script that is loaded. `path` is that of its file, where it has one.
local function plan(client, script, source, opts, path)
  local misuse = script_problem(script, source, opts.mode)
  if misuse then
    return nil, nil, misuse
  end
  local merged, audiences
  merged, audiences, misuse = job_of(script, source, opts)
  if misuse then
    return nil, nil, misuse
  end
  local checked, err = job_check.check(client, "client:run", merged, audiences)
  if not checked then
    return nil, err
  end
  local input
  input, err = find_input(source)
  local key, why = ineffective_on_identifiers(script, opts)
  if input and not key then
    key, why = ineffective_on_input(merged, input)
  end
  if key and path and opts[key] == nil then -- the file says it, and not the caller
    return nil, errors.new("script", ("%s: %s %s"):format(path:match("^.*/([^/]+)$") or path, key, why),
      { code = "no_effect" })
  elseif key then
    return nil, nil, key .. " " .. why
  elseif not input then
    return nil, err
  end
  checked.exclude = input_paths.of_files(checked.exclude)
  return { script = script, input = input, audiences = audiences, opts = checked }
end

--- Plans the job of a script.
---@param client scope3.Client
---@param script string|scope3.Script
---@param source any
---@param opts scope3.RunOptions  of the right types
---@return scope3.RunPlan?
---@return scope3.Error? err
---@return string? misuse  what the caller did wrong, for an error to raise
function run.plan(client, script, source, opts)
  if type(script) ~= "string" then
    return plan(client, script, source, opts)
  end
  local loaded, err, misuse = load_script(script, source)
  if not loaded then
    return nil, err, misuse
  end
  return plan(client, loaded, source, opts, script)
end

--- Runs the job of a plan.
---@param client scope3.Client
---@param planned scope3.RunPlan
---@return scope3.Result?
---@return scope3.Error? err
function run.execute(client, planned)
  local missing = left_out.missing(planned.opts)
  if missing then
    return nil, missing
  end
  if planned.opts.state then
    local lacking = late.problem(mirror)
    if lacking then
      return nil, lacking
    end
    planned.opts.mode = planned.opts.mode or "upsert"
    return mirror.run(context.of(client), planned.script, planned.input, planned.audiences, planned.opts)
  end
  return pipeline.run(context.of(client), planned.script, planned.input, planned.audiences[1], planned.opts)
end

return run
