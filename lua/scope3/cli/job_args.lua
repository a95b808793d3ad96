--- The job that the arguments of `scope3 sync` and `scope3 run` describe: its script, audience and options.
local dialect = require "scope3.input.dialect"
local entries = require "scope3.util.entries"
local options = require "scope3.util.options"
local redact = require "scope3.util.redact"
local script = require "scope3.input.script"
local source = require "scope3.input.source"
local script_options = require "scope3.input.script_options"
local text = require "scope3.cli.text"
local usage = require "scope3.cli.usage"

local job_args = {}

local LONGEST_WAIT = 48 * 3600 -- seconds of --wait without a value

-- The words of an option as lists of columns, by their fields. Nil and a message when one is wrong.
local function read_columns(option, words)
  local lists = {}
  for _, word in ipairs(words) do
    local field, column = word:match("^([^=]+)=(.+)$")
    if not field then
      return nil, ("%s takes FIELD=COLUMN, not '%s'"):format(option, redact.people(word))
    end
    lists[field] = lists[field] or {}
    table.insert(lists[field], column)
  end
  return lists
end

-- Makes numbers of columns, 4 or #4, as without a header. A message when one is none.
local function number_columns(option, lists)
  for field, columns in entries(lists) do
    for i, column in ipairs(columns) do
      local number = tonumber(column:match("^#?(%d+)$"))
      if not number then
        return ("--no-header: %s %s must be a column number, not '%s'"):format(option,
          redact.people(field), redact.people(column))
      end
      columns[i] = number
    end
  end
end

-- The map of --map, where a field that is named again gets fallbacks, and of --each, where it gets members. Nil and a
-- message when a word is wrong.
local function read_map(args)
  local map, problem = read_columns("--map", args.map)
  local each
  if map then
    each, problem = read_columns("--each", args.each or {})
  end
  problem = problem or args.no_header and (number_columns("--map", map) or number_columns("--each", each)) or nil
  if problem then
    return nil, problem
  end
  for field, columns in entries(each) do
    if map[field] then
      return nil, ("--map and --each both name %s: a field has columns of the one kind or the other"):format(
        redact.people(field))
    end
    map[field] = { each = columns }
  end
  return map
end

-- Loads the script of `scope3 run`. A file without the name of a script that does not compile is taken for rows: the
-- compiler's message would repeat its text.
local function load_script(path)
  local loaded, err = script.load(path)
  if loaded then
    return loaded
  elseif err.code == "no_script" then
    return nil, "the script: " .. err.message, true
  elseif err.code == "syntax" and not path:find("%.lua$") then
    return nil, ("%s is not a script: scope3 run takes a Lua file that returns a table, and then the files of rows. "
      .. "scope3 sync sends rows without a script"):format(path), true
  end
  return nil, err
end

-- A problem of the map in the words of --map.
local function in_words_of_map(problem)
  return (problem:gsub("^map needs external_id.*",
    "--map external_id=COLUMN is missing: the column that tells customers apart; scope3 look FILE proposes a map")
    :gsub("^map needs at least one of", "--map needs at least one of")
    :gsub("^map has no '(.-)' %(", function(field)
      return ("--map has no field '%s' ("):format(redact.people(field))
    end):gsub("^map%.(.-)%.each ", "--each %1 "):gsub("^map%.(.-) cannot have each; only", "--each takes no %1; only")
    :gsub("^map%.", "--map "))
end

-- Whether rows without a map are members already: JSON Lines, and whatever comes on standard input. Other files are
-- more likely raw rows whose map was forgotten.
local function are_prepared(args)
  if args.command ~= "sync" or #args.map + #(args.each or {}) > 0 or args.format == "csv" then
    return false
  end
  for _, path in ipairs(args.file) do
    if path ~= "-" and source.format_of(path, args) ~= "jsonl" then
      return false
    end
  end
  return true
end

-- The script of rows that are members already, or nil and what is wrong with the arguments.
local function prepared_script(args)
  if args.where and #args.where > 0 then
    return nil, "--where has no effect on members that are prepared: choose rows where they are, with scope3 prepare"
  end
  return { prepared = true }
end

--- The script: the file of `scope3 run`, or the map of `scope3 sync`.
---@param args table
---@return scope3.Script?
---@return scope3.Error|string|nil err
---@return boolean? misused  the arguments are wrong
function job_args.script(args)
  if args.command == "run" then
    return load_script(args.script)
  elseif are_prepared(args) then
    local made, problem = prepared_script(args)
    return made, problem, problem ~= nil
  end
  local map, problem = read_map(args)
  if not map then
    return nil, problem, true
  end
  local where
  if args.where and #args.where > 0 then
    where, problem = require("scope3.cli.where_args").read(args.where, args.no_header)
  end
  if problem then
    return nil, problem, true
  end
  local made = { map = map, where = where }
  problem = script.problem(made, args.mode)
  if problem then
    return nil, in_words_of_map(problem), true
  end
  return made
end

--- The audience: what the script says, and the arguments in place of it.
---@param args table
---@param loaded scope3.Script
---@return {id: string?, name: string?, consent_basis: string?}?  nil where the script names several
function job_args.audience(args, loaded)
  if loaded.audiences then
    return nil
  end
  local from = loaded.audience
  local base = type(from) == "table" and from or { id = from }
  return {
    id = args.audience or base.id, name = args.name or base.name,
    consent_basis = args.consent_basis or base.consent_basis,
  }
end

--- The audiences of a job as a report names them: "crm", or "gold, near".
---@param args table
---@param loaded scope3.Script
---@return string?
function job_args.names(args, loaded)
  local names = {}
  for i, one in ipairs(loaded.audiences or {}) do
    names[i] = tostring(one.id)
  end
  return names[1] and table.concat(names, ", ") or job_args.audience(args, loaded).id
end

--- The options of the job, as the arguments give them.
---@param args table
---@return table
function job_args.options(args)
  local opts = {}
  for key in entries(script_options.JOB) do
    opts[key] = args[key]
  end
  if args.no_header then
    opts.header = false
  end
  if args.no_repair then
    opts.repair = false
  end
  opts.phone_repairs = text.names(args.phone_repairs)
  opts.delete_missing = text.names(args.delete_missing)
  if usage.has_state_options(args) then
    require("scope3.cli.state_args").apply(args, opts)
  end
  return opts
end

--- The lists of --exclude, or nil without one.
---@param args table
---@return string[]?
function job_args.exclude(args)
  return args.exclude[1] and args.exclude or nil
end

--- What is wrong with the options, alone or with the script, or nil.
---@param args table
---@param loaded scope3.Script
---@param opts table  as job_args.options gives them
---@return string?
function job_args.problem(args, loaded, opts)
  local problem = options.problem(opts, script_options.JOB) or usage.of_job(args, loaded, opts)
  if problem then
    return problem
  end
  local of_script, of_arguments = dialect.options(loaded), dialect.options(opts)
  return dialect.problem(options.merge(of_script, { format = loaded.format }, of_arguments, { format = opts.format }))
end

--- The seconds of --wait, or nil without it.
---@param args table
---@return number?
function job_args.wait_seconds(args)
  local wait = args.wait
  if wait == nil then
    return nil
  end
  return type(wait) == "table" and tonumber(wait[1]) or tonumber(wait) or LONGEST_WAIT
end

return job_args
