--- client:run: what a transformation script and its input come to, before the job begins.
local audience_of = require "scope3.audience"
local context = require "scope3.job.context"
local input_paths = require "scope3.input.paths"
local job_check = require "scope3.client.job_check"
local left_out = require "scope3.job.left_out"
local options = require "scope3.util.options"
local client_options = require "scope3.client.options"
local pipeline = require "scope3.job.pipeline"
local late = require "scope3.util.late"
local script_input = require "scope3.client.script_input"
local state_check = require "scope3.client.state_check"

local mirror = late.require "scope3.job.mirror" -- most jobs have no state

local run = {}

---@class scope3.RunPlan
---@field script scope3.Script
---@field input scope3.Source|fun(): table?|string[]
---@field audiences {id: string, name: string?, consent_basis: string?}[]  several only with a state
---@field opts table  of the job

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
  local merged = script_input.options(script, opts, source)
  local misuse = script_input.dialect_problem(merged, source)
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
  local misuse = script_input.problem(script, source, opts.mode)
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
  input, err, misuse = script_input.find(script, source, opts, merged, path)
  if not input then
    return nil, err, misuse
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
  local loaded, err, misuse = script_input.load(script, source)
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
