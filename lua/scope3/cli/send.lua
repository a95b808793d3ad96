--- `scope3 sync` and `scope3 run`.
local core = require "scope3.core"
local dialect = require "scope3.input.dialect"
local exit_code = require "scope3.cli.exit_code"
local inputs = require "scope3.input.paths"
local options = require "scope3.util.options"
local output = require "scope3.cli.output"
local progress_of = require "scope3.cli.progress"
local rejects_of = require "scope3.cli.rejects"
local report = require "scope3.cli.report"
local result_of = require "scope3.result"
local script_of = require "scope3.input.script"
local context = require "scope3.cli.context"
local text = require "scope3.cli.text"
local usage = require "scope3.cli.usage"
local waiting = require "scope3.cli.waiting"
local wording = require "scope3.cli.wording"

local send = {}

-- --map words as a map; a field that is named again gets fallbacks. nil and a message when one is wrong.
local function read_map(words)
  local map = {}
  for _, word in ipairs(words) do
    local field, column = word:match("^([^=]+)=(.+)$")
    if not field then
      return nil, ("--map takes FIELD=COLUMN, not '%s'"):format(word)
    end
    map[field] = map[field] or {}
    table.insert(map[field], column)
  end
  return map
end

-- Without a header columns are numbers, 4 or #4.
local function number_columns(map)
  for field, columns in pairs(map) do
    for i, column in ipairs(columns) do
      local number = tonumber(column:match("^#?(%d+)$"))
      if not number then
        return ("--no-header: --map %s must be a column number, not '%s'"):format(field, column)
      end
      columns[i] = number
    end
  end
end

-- The script of `scope3 run`. A file that has no name of a script and does not compile is taken for one of rows; what
-- the compiler says of it would repeat its text.
local function load_script(path)
  local script, err = script_of.load(path)
  if script then
    return script
  elseif err.code == "no_script" then
    return nil, "the script: " .. err.message, true
  elseif err.code == "syntax" and not path:find("%.lua$") then
    return nil, ("%s is not a script: scope3 run takes a Lua file that returns a table, and then the files of rows. "
      .. "scope3 sync sends rows without a script"):format(path), true
  end
  return nil, err
end

-- The script that the arguments amount to.
local function script_from(args)
  if args.command == "run" then
    return load_script(args.script)
  end
  local map, problem = read_map(args.map)
  if map and args.no_header then
    problem = number_columns(map)
  end
  if problem then
    return nil, problem, true
  end
  local script = { map = map }
  problem = script_of.problem(script, args.mode)
  if problem then
    return nil, (problem:gsub("^map needs external_id.*", "--map external_id=COLUMN is missing: the column that tells customers apart")
      :gsub("^map needs at least one of", "--map needs at least one of")
      :gsub("^map has no ", "--map has no field "):gsub("^map%.", "--map ")), true
  end
  return script
end

-- The audience: what the script says, and what the arguments say instead.
local function audience_from(args, script)
  local from = script.audience
  local base = type(from) == "table" and from or { id = from }
  return {
    id = args.audience or base.id, name = args.name or base.name, consent_basis = args.consent_basis or base.consent_basis,
  }
end

local function job_options(args)
  local opts = {}
  for key in pairs(script_of.JOB_OPTIONS) do
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
  return opts
end

local function wait_seconds(args)
  local wait = args.wait
  if wait == nil then
    return nil
  end
  return type(wait) == "table" and tonumber(wait[1]) or tonumber(wait) or 48 * 3600
end

local function title(args, client, url)
  return ("scope3 %s · account %s · %s"):format(args.dry_run and "dry run" or args.command, client.account_id or "(none)",
    args.sandbox and "sandbox " .. url or client.base:match("^%a+://([^/]+)"))
end

local function show(args, client, url, res, waited)
  output.object(res:plain())
  if not args.quiet then
    output.say(report.of(res, { title = title(args, client, url), waited = waited, sandbox = args.sandbox,
      options = context.service_options(args) }))
  end
end

local NOTABLE = 60 -- seconds of waiting that are told of where nobody watches, too
local AWAY = 10 -- seconds of an outage that are

-- Tells once of an outage that the command outlasts.
local function outages(args, progress)
  local told = false
  return function(event)
    if event.left and event.out >= AWAY and not told and not args.quiet then
      told = true
      progress:clear()
      context.complain(("%s. The command goes on for up to %s (--patience)"):format(event.message,
        text.seconds(event.left)))
    end
  end
end

-- Waits for a result, as --wait says; what the job waited before it deleted counts.
local function follow(args, res, wait, stopped, on_event, spent)
  local timeout = args.delete_missing and wait > 0 and math.max(0, wait - spent) or wait
  local _, err = res:wait { timeout = timeout, cancel = stopped, on_event = on_event }
  return err
end

-- What to run next where a wait ended before what was waited for.
local function tell_next(args, err, res)
  if args.wait and not args.sandbox and res and res.tasks[1] and context.goes_on(err) then
    context.complain(("the service goes on with what it has; follow it with:  scope3 wait %s --audience %s%s"):format(
      err.task_id or res.tasks[#res.tasks].task_id, text.word(res.audience.audience_id), context.service_options(args)))
  end
end

local function rules_of(args)
  return {
    strict = args.strict, allow_empty = args.allow_empty, max_rejected = args.max_rejected_rule,
    min_accepted = args.min_accepted, require_ready = args.require_ready,
  }
end

-- A journal that is of another job, or of other rows.
local OLD_JOURNAL = { another_job = true, changed_input = true }

-- The name of a journal with the day in it, as a shell writes it.
local function dated(path)
  local stem, ending = path:match("^(.*[^/.])(%.[^./]+)$")
  return ("%s-$(date +%%F)%s"):format(stem or path, ending or "")
end

-- Tells what ended a job, and the way out of it: whether an option was to blame.
local function tell_error(args, err, res)
  local said, misused = wording.of(err, args)
  context.fail(said, "failed")
  if err.code == "audience_unknown" and args.sandbox then
    context.complain("a private sandbox begins without audiences")
  end
  tell_next(args, err, res)
  if args.journal and err.kind ~= "journal" and res and core.file_identity(args.journal) then
    context.complain(("run the same command again to go on: %s knows what was sent"):format(args.journal))
  elseif args.journal and err.kind == "journal" and OLD_JOURNAL[err.code] then
    context.complain(("a journal is of one job and its rows. For new rows name a new one, such as --journal %s; "
      .. "remove %s once its job is done"):format(dated(args.journal), args.journal))
  end
  return misused
end

-- The exit code of what a job came to; tells why it is none of success.
local function conclude(args, exit, res, err, misused)
  local code, reasons = exit_code.of(res, err, rules_of(args))
  for _, reason in ipairs(reasons) do
    context.complain(reason)
  end
  if #reasons > 0 then
    output.fail(table.concat(reasons, "; "), code == exit.NOTHING and "nothing" or "failed")
  end
  return misused and code == exit.FAILED and exit.USAGE or code
end

local function send_rows(args, exit, client, url, script, opts)
  local rejects, why
  if args.rejects and inputs.expand(#args.file > 0 and args.file or { "-" }) then -- else it might be one of these
    rejects, why = rejects_of.open(args.rejects, #args.file > 1 or (args.file[1] or ""):find("[*?%[]") ~= nil)
    if not rejects then
      context.fail(why, "failed")
      return exit.FAILED
    end
  end
  local progress = progress_of.new(args.quiet or false)
  local still = waiting.new(args.quiet or false)
  local stopped = still:watch(context.stop_flag())
  local tell_outage = outages(args, progress)
  opts.audience, opts.dry_run, opts.cancel = audience_from(args, script), args.dry_run, stopped
  opts.on_reject, opts.journal = rejects and rejects.write, args.journal
  opts.on_event = function(event)
    progress:on(event)
    still:on(event)
    tell_outage(event)
    if event.event == "in_doubt" and event.seconds >= NOTABLE and not args.quiet then
      progress:clear()
      context.complain(("the answer to a request was lost, and it may still take effect: members that contradict it wait for %s. "
        .. "--in-doubt-timeout sets how long; with --journal the job can be stopped, and run again then"):format(text.seconds(event.seconds)))
    end
  end
  local wait = wait_seconds(args)
  if wait and opts.delete_missing and not args.dry_run then
    opts.delete_timeout = math.max(wait, 0.001)
  end
  local deleting
  local on_event = opts.on_event
  function opts.on_event(event)
    on_event(event)
    deleting = opts.delete_missing and event.event == "barrier" and core.now() or deleting
  end
  local res, err = client:run(script, #args.file > 0 and args.file or "-", opts)
  local waited
  local some = res or args.keep_going and err and err.code ~= "callback_error" and err.kind ~= "cancelled"
    and err.result or nil
  if some and wait and not args.dry_run then
    local started = core.now()
    progress:of(some)
    local failed = follow(args, some, wait, stopped, on_event, deleting and started - deleting or 0)
    err = err or failed
    waited = core.now() - started
  end
  progress:clear()
  local unwritten
  if rejects then
    local ok, why_not = rejects.close()
    unwritten = not ok and ("cannot write all of %s: %s"):format(args.rejects, tostring(why_not)) or nil
  end
  res = res or (err and err.result)
  if not res and exit_code.is_empty(err) then -- there is something to report all the same: that there was nothing
    res = result_of.new(client, { opts.audience })
    res.would_send = args.dry_run and 0 or nil
  end
  if res then
    show(args, client, url, res, waited)
  end
  local misused = err ~= nil and tell_error(args, err, res)
  local code = conclude(args, exit, res, err, misused)
  if unwritten then
    context.fail(unwritten, "failed")
    code = code == exit.STOPPED and code or exit.FAILED
  end
  return code
end

---@param args table
---@param exit table
---@return integer
function send.main(args, exit)
  if args.rejects == "-" then
    output.keep() -- before a script prints
  end
  local script, err, misused = script_from(args)
  if not script and misused then
    return context.wrong_usage(err, exit)
  elseif not script then
    return context.refuse(err, args, exit)
  end
  local opts = job_options(args)
  local problem = options.problem(opts, script_of.JOB_OPTIONS) or usage.of_job(args, script, opts)
    or dialect.problem(options.merge(dialect.options(script), { format = script.format }, dialect.options(opts), { format = opts.format }))
  if problem then
    return context.wrong_usage(wording.problem(problem, args), exit)
  end
  if not args.dry_run then
    opts.patience = opts.patience or script.patience or context.PATIENCE
  end
  args.rate = args.rate or script.rate -- of the client, too: what shares its limiter counts by the same one
  local client, why, close, url = context.client(args)
  if not client then
    close()
    return context.refuse(why, args, exit)
  end
  local code = send_rows(args, exit, client, url, script, opts)
  close()
  return code
end

return send
