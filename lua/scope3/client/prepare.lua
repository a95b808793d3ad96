--- scope3.prepare: members as lines, without a client, a key or a network.
local arguments = require "scope3.util.arguments"
local client_options = require "scope3.client.options"
local entries = require "scope3.util.entries"
local input_paths = require "scope3.input.paths"
local left_out = require "scope3.job.left_out"
local loops = require "scope3.loop"
local options = require "scope3.util.options"
local prepare_job = require "scope3.job.prepare"
local script_input = require "scope3.client.script_input"

local prepare = {}

-- What a script may have for its job and this has no use for, and what nothing can be made of here.
local function script_problem(script)
  if script.member then
    return "script must have a map: what member() gives is not prepared"
  elseif script.prepared then
    return "script must have a map: its rows are prepared already"
  elseif script.audiences then
    return "script has audiences, and a line is of no audience: prepare those of each by a script of its own"
  end
end

local function excludes_nobody(opts)
  if opts.exclude and opts.mode == "remove" then
    return 'exclude has no effect where mode is "remove": nobody is sent'
  end
end

-- The options of the script and the caller, as far as they say how rows are read.
local function options_of(script, opts, source)
  local merged = script_input.options(script, opts, source)
  local read = {}
  for key in entries(client_options.PREPARE) do
    read[key] = merged[key]
  end
  read.mode = read.mode == "mirror" and "upsert" or read.mode
  return read
end

-- The job of a script that is loaded.
local function plan(script, source, opts, path)
  local misuse = script_input.problem(script, source, opts.mode) or script_problem(script)
  if misuse then
    return nil, nil, misuse
  end
  local merged = options_of(script, opts, source)
  misuse = script_input.dialect_problem(merged, source) or excludes_nobody(merged)
  if misuse then
    return nil, nil, misuse
  end
  local input, err
  input, err, misuse = script_input.find(script, source, opts, merged, path)
  merged.exclude = input_paths.of_files(merged.exclude)
  return input and { script = script, input = input, opts = merged }, err, misuse
end

-- The job, loaded from the script's file where that is named.
local function plan_of(script, source, opts)
  if type(script) ~= "string" then
    return plan(script, source, opts)
  end
  local loaded, err, misuse = script_input.load(script, source)
  if not loaded then
    return nil, err, misuse
  end
  return plan(loaded, source, opts, script)
end

--- Makes members of the rows of an input, as a job would, and gives them to `write` as lines of JSON. Nothing is sent.
--- A job whose script is { prepared = true } takes the lines, and makes the requests that one over the rows would.
---
---     local file = assert(io.open("members.jsonl", "w"))
---     local result = assert(scope3.prepare("newsletter.lua", "customers.csv", function(lines)
---       return file:write(lines)
---     end))
---
---@param script string|scope3.Script  a path, or the table that a script returns; with a map
---@param source string|string[]|scope3.Source|(fun(): table?)  as of client:run
---@param write fun(lines: string): any, string?  takes whole lines, about a megabyte at once; nil and a message where
---  it cannot
---@param opts? scope3.PrepareOptions  options of the script too; these win
---@return scope3.Result?  with `prepared`, the number of lines
---@return scope3.Error? err  with `result` once rows were read
function prepare.run(script, source, write, opts)
  opts = options.check("scope3.prepare", opts, client_options.PREPARE, 2)
  local planned, err, misuse = plan_of(script, source, opts)
  if misuse then
    error("scope3.prepare: " .. misuse, 2)
  end
  arguments.argument(type(write) == "function", "scope3.prepare", "write", "a function", write)
  if not planned then
    return nil, err
  end
  local missing = left_out.missing(planned.opts)
  if missing then
    return nil, missing
  end
  local loop = loops.find(nil)
  planned.opts.write = write
  return prepare_job.run(loop, loops.may_raise(loop), planned.script, planned.input, planned.opts)
end

return prepare
