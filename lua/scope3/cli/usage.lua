--- Arguments that contradict each other, or of which one would have no effect.
---
--- Each is a wrong usage: a user of --journal with --dry-run believes that there will be a journal.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local ineffective = require "scope3.input.ineffective"
local outcome = require "scope3.cli.outcome"
local overwritten = require "scope3.cli.overwritten"
local paths = require "scope3.input.paths"
local source = require "scope3.input.source"
local codec = require "scope3.api.codec"
local messages = require "scope3.cli.messages"

local usage = {}

local word = messages.option

local UNKNOWN_REGION = "--region is not a country that is known: "
  .. "give its ISO code, such as US or USA, or its English name"

-- What is wrong with seconds of a wait, or nil.
local function wait_problem(name, value)
  if value ~= nil and not (value >= 0 and value < math.huge) then
    return ("%s takes a number of seconds, 0 or more"):format(name)
  end
end

-- What is wrong with where the key is said to be.
local function key_problem(args)
  if args.api_key_file and args.api_key_command then
    return "--api-key-file and --api-key-command contradict each other"
  end
  for _, key in ipairs { "api_key_file", "api_key_command", "profile" } do
    if args[key] and args.sandbox then
      return ("%s has no effect with --sandbox, which needs no key"):format(word(key))
    elseif args[key] and (args.dry_run or args.sample) and key ~= "profile" and args.command ~= "forget" then
      local dry = args.sample and "--sample" or "--dry-run"
      return ("%s has no effect with %s, which needs no key"):format(word(key), dry)
    end
  end
end

-- What is wrong with where the service is said to be.
local function service_problem(args)
  local problem = key_problem(args)
  if problem then
    return problem
  elseif args.sandbox and args.base_url then
    return "--sandbox and --base-url contradict each other: a private sandbox has its own address"
  elseif args.sandbox and args.ca_file then
    return "--ca-file has no effect with --sandbox, which speaks plain http"
  elseif args.ca_file and args.base_url and core.lower(args.base_url):find("^http:") then
    return "--ca-file has no effect on a --base-url of plain http"
  end
end

-- What is wrong with the conditions of the exit code.
local function rules_problem(args)
  if args.max_rejected and not outcome.max_rejected(args.max_rejected) then
    return "--max-rejected takes a number of rows, or a share such as 5%"
  end
  local least = args.min_accepted
  if least and (least < 1 or least % 1 ~= 0 or least > 2 ^ 53) then
    return "--min-accepted takes a whole number of members, 1 or more"
  end
  local wait = type(args.wait) == "table" and args.wait[1] or args.wait
  local problem = wait_problem("--wait", type(wait) == "string" and tonumber(wait) or nil)
  if problem then
    return problem
  end
  if args.require_ready and not args.wait then
    return "--require-ready needs --wait: an audience is READY only after its tasks"
  end
end

-- Whether a new file would take the place of what is no file: a pipe has readers that would wait for ever.
local function place_problem(key, path)
  local kind = core.file_kind(path)
  if kind and kind ~= "file" and kind ~= "directory" then -- a folder is told when it is to be replaced
    return ("%s takes the name of a file, and %s is a %s"):format(word(key), path, kind)
  end
end

-- What is wrong with the file of --metrics. It is written also where the job does not begin, so this is asked first.
local function metrics_problem(args)
  if args.metrics and not args.metrics:find "[^/]%.prom$" then
    return "--metrics takes the name of a file that ends in .prom: node_exporter reads no others"
  end
  return args.metrics and (place_problem("metrics", args.metrics)
    or overwritten.problem(args, overwritten.named_inputs(args.file))) or nil
end

-- Standard output takes one thing: the object, refused rows or events.
local function output_problem(args)
  local own = args.rejects == "-" and "--rejects -" or args.events == "-" and "--events -" or nil
  local other = args.json and "--json" or args.events == "-" and own ~= "--events -" and "--events -" or nil
  if own and other then
    return ("%s has no effect with %s: standard output takes the one or the other"):format(own, other)
  end
end

-- What is wrong with the files of --report, or nil. They are written also where no script can be loaded.
local function report_problem(args)
  local reports = args.report or {}
  for _, path in ipairs(reports) do
    if not path:find("[^/]%.html$") and not path:find("[^/]%.txt$") and not path:find("[^/]%.json$") then
      return "--report takes the name of a file that ends in .html, .txt or .json"
    end
    local problem = place_problem("report", path)
    if problem then
      return problem
    end
  end
  local inputs = type(args.file) == "table" and overwritten.named_inputs(args.file) or { args.file }
  return reports[1] and overwritten.problem(args, inputs) or nil
end

local function send_problem(args)
  local problem = rules_problem(args) or output_problem(args) or report_problem(args) or metrics_problem(args)
  if problem then
    return problem
  end
  if args.journal == "auto" and args.sandbox then
    return "--journal auto has no effect with --sandbox, which ends with the command: name a file instead"
  end
  local dry = args.sample and "--sample" or args.dry_run and "--dry-run"
  if dry then
    for _, key in ipairs { "wait", "require_ready", "metrics" } do
      if args[key] then
        return ("%s has no effect with %s, which sends nothing"):format(word(key), dry)
      end
    end
  end
end

local check = { sync = send_problem, run = send_problem }

function check.drain(args) return require("scope3.cli.drain_args").problem(args) end

function check.prepare(args)
  local problem = rules_problem(args) or report_problem(args)
  if not problem and args.rejects == "-" then
    return "--rejects takes the path of a file: standard output takes the members"
  end
  return problem
end

function check.forget(args)
  return require("scope3.cli.forget_args").problem(args) or rules_problem(args) or output_problem(args)
    or report_problem(args) or args.region and not core.region(args.region) and UNKNOWN_REGION
    or overwritten.problem(args, { args.file }) or nil
end

-- What is wrong with the id of a task; the service is not asked for it.
local function id_problem(id)
  if not codec.is_task_id(id) then
    return "the id has not the form of a task's: 1 to 255 of A-Z a-z 0-9 . _ : ~ -"
  end
end

function check.wait(args)
  local problem = id_problem(args.id) or wait_problem("--timeout", args.timeout)
    or wait_problem("--patience", args.patience) or output_problem(args) or report_problem(args)
    or overwritten.problem(args)
  if problem then
    return problem
  elseif args.sandbox then
    return "--sandbox has no effect on wait: a private sandbox has no tasks"
  elseif args.require_ready and not args.audience then
    return "--require-ready needs --audience: a task alone is not READY"
  end
end

function check.task(args)
  local problem = id_problem(args.id)
  if problem then
    return problem
  elseif args.sandbox then
    return "--sandbox has no effect on task: a private sandbox has no tasks"
  elseif args.quiet and args.json then
    return "--quiet has no effect with --json"
  end
end

local function state_problem(args)
  if not args.state then
    return "--state is missing: the file that the state is in"
  end
end

check.state, check.history = state_problem, state_problem

function check.doctor(args)
  if args.quiet and args.json then
    return "--quiet has no effect with --json"
  end
end

function check.sandbox(args)
  local port = args.port
  if port and (port % 1 ~= 0 or port < 0 or port > 65535) then
    return "--port takes a whole number from 0, for a free one, to 65535"
  end
  return wait_problem("--task-seconds", args.task_seconds)
end

function check.hash(args)
  if args.json and args.explain then
    return "--explain has no effect with --json, which says what was done in its fields"
  elseif args.kind == "phone" and args.no_repair then
    return "--no-repair is for emails and ids"
  end
end

-- What says something of its own when it is empty, or means it.
local MAY_BE_EMPTY = { name = true, audience = true, delimiter = true, quote = true, null = true }

local ARGUMENTS = { script = "the name of the script", topic = "the name of the command" } -- these are no options

local LISTS = { "delete_missing", "phone_repairs" } -- of names by commas

-- The first option by name whose value is empty.
local function empty_option(args)
  local found
  for key, value in entries(args) do
    if value == "" and not MAY_BE_EMPTY[key] and key ~= "id" then
      found = (not found or key < found) and key or found
    end
  end
  return found
end

-- The first list of names that has none.
local function empty_list(args)
  for _, key in ipairs(LISTS) do
    if args[key] and not args[key]:find("[^,%s]") then
      return key
    end
  end
end

-- A value that is empty, as where a variable of a shell is: it would be sent, or a default taken for it.
local function empty_problem(args)
  for _, name in ipairs(type(args.file) == "table" and args.file or {}) do
    if name == "" then
      return "the name of a file is empty"
    end
  end
  local found = empty_option(args) or empty_list(args)
  return found and ("%s is empty"):format(ARGUMENTS[found] or word(found))
end

-- Files that are no streams: a name that stands for one elsewhere would make a file of that name.
local function dash_problem(args)
  for _, path in ipairs(args.exclude or {}) do
    if path == "-" or path == "" then
      return "--exclude takes the path of a file, and cannot be " .. (path == "" and "empty" or path)
    end
  end
  for _, key in ipairs { "journal", "state", "limiter", "ca_file" } do
    if args[key] == "-" then
      return ("%s takes the path of a file, and cannot be -"):format(word(key))
    end
  end
end

--- What is wrong with the arguments of a command, or nil.
---@param args table
---@return string?
function usage.problem(args)
  local problem = empty_problem(args) or dash_problem(args) or service_problem(args)
  if not problem and check[args.command] then
    problem = check[args.command](args)
  end
  return problem
end

-- What is wrong with arguments beside a script that names several audiences.
local function several_problem(args)
  for _, key in ipairs { "audience", "name", "consent_basis" } do
    if args[key] then
      return ("%s has no effect: the script names audiences of its own"):format(word(key))
    end
  end
  return not args.state and "a script with audiences needs --state FILE, which keeps what the service has" or nil
end

-- What is wrong with where members go.
local function audience_problem(args, script)
  local from = script.audience
  local named = type(from) == "table" and from or { id = from }
  if script.audiences then
    return several_problem(args)
  elseif (args.audience or named.id) == nil then
    return args.command == "run" and "--audience is missing: the script names no audience"
      or "--audience is missing: the id of the audience that the rows go to"
  elseif args.audience and args.audience:find("^%s*$") then
    return "--audience is empty: it takes the id of an audience"
  end
end

local function region_problem(args)
  return args.region and not core.region(args.region) and UNKNOWN_REGION or nil
end

-- Options that nothing of a dry run uses: the key, and why.
local function ineffective_in_dry_run(args, script, opts, mode)
  local key, why = ineffective.in_dry_run({
    dry_run = args.dry_run, journal = args.journal, timeout = args.timeout, rate = args.rate, mode = mode,
    delete_missing = opts.delete_missing, in_doubt_timeout = args.in_doubt_timeout, patience = args.patience,
    keep_going = args.keep_going,
  }, script)
  -- These runs ask the service for its audiences.
  local asks = opts.delete_missing or mode == "remove" or script.member
  if key or asks or not args.dry_run then
    return key, why
  end
  for _, name in ipairs { "ca_file", "limiter" } do
    if args[name] then
      return name, "has no effect on a dry run, which talks to nobody"
    end
  end
end

local FILE_OPTIONS = { "delimiter", "quote", "escape", "null", "skip_lines", "header", "format" }

-- Options of the arguments or the script that have no effect on these files: the key, and why.
local function ineffective_on_files(script, opts, inputs)
  local merged = {}
  for _, name in ipairs(FILE_OPTIONS) do
    merged[name] = opts[name]
    if merged[name] == nil then
      merged[name] = script[name]
    end
  end
  return ineffective.on_files(merged, inputs, source.format_of)
end

-- Which option of the script would have no effect, or of the arguments on these files.
local function problem_of_script(script, opts, inputs)
  local key, why = ineffective.on_identifiers(script, script, script.mode)
  if not key and inputs then
    key, why = ineffective_on_files(script, opts, inputs)
  end
  if key then
    return ("%s %s"):format(opts[key] ~= nil and word(key) or "the script's " .. key, why)
  end
end

local STATE_OPTIONS = { "state", "mirror", "full", "refresh_after", "max_removed", "remove_rejected" }

--- Whether one of the options is given that go with a state.
---@param args table
---@return boolean
function usage.has_state_options(args)
  for _, key in ipairs(STATE_OPTIONS) do
    if args[key] then
      return true
    end
  end
  return false
end

-- What is wrong with these.
local function problem_with_state(args, mode)
  if mode == "mirror" or usage.has_state_options(args) then
    return require("scope3.cli.state_args").problem(args, mode)
  end
end

--- Which of a job's options would have no effect, with this script and these files, or nil.
---@param args table
---@param script scope3.Script
---@param opts table  the job's options, as the arguments give them
---@return string?
function usage.of_job(args, script, opts)
  local inputs = paths.expand(#args.file > 0 and args.file or { "-" })
  local problem = args.command ~= "prepare" and audience_problem(args, script) or region_problem(args)
    or overwritten.problem(args, inputs or overwritten.named_inputs(args.file))
  if problem then
    return problem
  end
  local mode = opts.mode or script.mode
  problem = problem_with_state(args, mode)
  if problem then
    return problem
  end
  local key, why = ineffective_in_dry_run(args, script, opts, mode)
  if not key then
    key, why = ineffective.on_identifiers(script, opts, mode)
  end
  if key then
    local of_script = key == "map.region" and args.command == "run"
    return ("%s %s"):format(of_script and "the script's map.region" or word(key), why)
  end
  return problem_of_script(script, opts, inputs)
end

return usage
