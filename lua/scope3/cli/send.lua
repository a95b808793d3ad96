--- `scope3 sync` and `scope3 run`.
local advice = require "scope3.cli.advice"
local context = require "scope3.cli.context"
local core = require "scope3.core"
local outcome = require "scope3.cli.outcome"
local job_args = require "scope3.cli.job_args"
local messages = require "scope3.cli.messages"
local monitor = require "scope3.cli.monitor"
local output = require "scope3.cli.output"
local paths = require "scope3.input.paths"
local rejects = require "scope3.cli.rejects"
local report = require "scope3.cli.report"
local result = require "scope3.result"

local send = {}

---@class scope3.cli.Session  what the steps of the command share
---@field args table
---@field exit table  the exit codes
---@field client scope3.Client
---@field url string?  of a private sandbox
---@field script scope3.Script
---@field opts table  of the job
---@field sample? scope3.cli.Sample

-- The file of --rejects; nil without the option. False and a message where it cannot be written.
local function open_rejects(args)
  -- Where no input is found, the name might be one of the inputs: nothing is written.
  if not args.rejects or not paths.expand(args.file) then
    return nil
  end
  local several = #args.file > 1 or (args.file[1] or ""):find("[*?%[]") ~= nil
  local file, why = rejects.open(args.rejects, several)
  if not file then
    return false, why
  end
  return file
end

-- The file of --events; nil without the option. False and a message where it cannot be written.
local function open_events(args)
  if not args.events then
    return nil
  end
  local log, why = require("scope3.cli.event_log").open(args.events)
  return log or false, why
end

-- What kept the refused rows from their file, or nil.
local function close_rejects(file, path)
  local ok, why
  if file then
    ok, why = file.close()
  end
  return file and not ok and ("cannot write all of %s: %s"):format(path, tostring(why)) or nil
end

-- The result whose tasks are waited for: of a job that ended well, or went on past refused requests.
local function result_to_follow(args, res, err)
  if res then
    return res
  end
  local went_on = args.keep_going and err and err.code ~= "callback_error" and err.kind ~= "cancelled"
  return went_on and err.result or nil
end

-- Runs the job and waits for its tasks: its result, the error of either, and the seconds of waiting.
local function run_and_wait(session, watch)
  local args, opts, wait = session.args, session.opts, job_args.wait_seconds(session.args)
  if wait and opts.delete_missing and not args.dry_run then
    opts.delete_timeout = math.max(wait, 0.001)
  end
  local function on_event(event)
    watch:on(event)
  end
  local deleting -- when the job began to wait before it deletes
  function opts.on_event(event)
    on_event(event)
    deleting = opts.delete_missing and event.event == "barrier" and core.now() or deleting
  end
  local res, err = session.client:run(session.script, #args.file > 0 and args.file or "-", opts)
  local followed = result_to_follow(args, res, err)
  if not followed or not wait or args.dry_run then
    return res, err
  end
  local started = core.now()
  if args.delete_missing and wait > 0 then -- the job's own wait counts
    wait = math.max(0, wait - (deleting and started - deleting or 0))
  end
  local _, failed = followed:wait { timeout = wait, cancel = watch.stopped, on_event = on_event }
  return res, err or failed, core.now() - started
end

-- The result to report, also of a job that failed. An empty input has one, too: it says that there was nothing.
local function result_to_report(session, res, err)
  res = res or (err and err.result)
  if not res and outcome.is_empty(err) then
    res = result.new(session.client, session.script.audiences or { session.opts.audience })
    res.would_send = session.args.dry_run and 0 or nil
  end
  return res
end

local function title_of(session)
  local args, client = session.args, session.client
  return ("scope3 %s · account %s · %s"):format(args.dry_run and "dry run" or args.command,
    client.account_id or "(none)", args.sandbox and "sandbox " .. session.url or client.base:match("^%a+://([^/]+)"))
end

-- Takes down what is known of the job for the files of --report.
local function note(args, about)
  if args.report[1] then
    require("scope3.cli.report_files").note(about)
  end
end

local function show_sample(session, err)
  if session.sample then
    session.sample:say(err ~= nil and not outcome.is_empty(err))
  end
end

local function show(session, res, waited)
  local args = session.args
  if args.where then
    require("scope3.cli.where_args").reword(res.warnings)
  end
  local about = { title = title_of(session), command = args.command, waited = waited, sandbox = args.sandbox,
    options = context.service_options(args) }
  local seen = args.state and (args.report[1] or args.json)
    and require("scope3.cli.nights").seen(args.state, args.report[1] ~= nil) or nil
  local object = res:plain()
  object.sample = session.sample and session.sample.members
  object.nights = seen and require("scope3.cli.nights").objects(seen.list)
  output.object(object)
  note(args, about)
  note(args, { nights = seen })
  if not args.quiet then
    output.say(report.of(res, about))
  end
end

-- Says what ended a job, and what to do. Whether a wrong option was to blame.
local function show_error(args, err, res)
  local said, misused = messages.of(err, args)
  context.fail(said, "failed")
  for _, sentence in ipairs(advice.after(args, err, res)) do
    context.complain(sentence)
  end
  return misused
end

local function rules_of(args)
  return {
    strict = args.strict, allow_empty = args.allow_empty, min_accepted = args.min_accepted,
    max_rejected = args.max_rejected and outcome.max_rejected(args.max_rejected), require_ready = args.require_ready,
  }
end

-- The exit code of a job. Says why it is not success.
local function conclude(session, res, err, misused)
  local exit = session.exit
  local code, reasons = outcome.code(res, err, rules_of(session.args))
  for _, reason in ipairs(reasons) do
    context.complain(reason, "error")
  end
  if #reasons > 0 then
    output.fail(table.concat(reasons, "; "), code == exit.NOTHING and "nothing" or "failed")
  end
  return misused and code == exit.FAILED and exit.USAGE or code
end

-- Says which file could not be written in full, and what became of the members all the same: the exit code for it,
-- beside that of the job.
local function tell_unwritten(unwritten, res, code, exit)
  context.fail(unwritten .. require("scope3.cli.report_summary").despite(res), "failed")
  return (code == exit.OK or code == exit.NOTHING) and exit.FAILED or code
end

-- Ends the file of --journal auto where the job has ended.
local function put_away(session, res, err)
  local auto = session.auto_journal
  local problem = auto and auto.is_done(res, err) and auto.finish(session.args.journal)
  if problem then
    context.complain(problem)
  end
end

-- Options that go with a state. Other jobs read --allow-empty for their exit code alone.
local function set_state(args, opts, script)
  opts.state, opts.full = args.state, args.full
  if (opts.mode or script.mode) == "mirror" then
    opts.allow_empty = args.allow_empty
  end
end

local function send_rows(session)
  local args, exit, opts = session.args, session.exit, session.opts
  local file, why = open_rejects(args)
  local log
  if file ~= false then
    log, why = open_events(args)
  end
  if file == false or log == false then
    context.fail(why, "failed")
    return exit.FAILED
  end
  local watch = monitor.new(args.quiet or false, log)
  opts.audience, opts.dry_run = job_args.audience(args, session.script), args.dry_run
  opts.cancel, opts.on_reject, opts.journal = watch.stopped, file and file.write, args.journal
  opts.exclude = job_args.exclude(args)
  set_state(args, opts, session.script)
  local res, err, waited = run_and_wait(session, watch)
  watch:clear()
  put_away(session, res, err)
  local unwritten, untold = close_rejects(file, args.rejects), log and log.close()
  show_sample(session, err)
  res = result_to_report(session, res, err)
  if res and args.metrics then
    require("scope3.cli.metrics_file").note(res)
  end
  if res then
    show(session, res, waited)
  end
  local misused = err ~= nil and show_error(args, err, res)
  local code = conclude(session, res, err, misused)
  if unwritten then
    code = tell_unwritten(unwritten, res, code, exit)
  end
  return untold and tell_unwritten(untold, res, code, exit) or code
end

-- Finds the file of --journal auto. What keeps it from being used, or nil.
local function find_journal(session)
  local args = session.args
  local auto_journal = args.journal and require "scope3.cli.auto_journal"
  if not auto_journal or args.journal ~= auto_journal.WORD then
    return nil
  end
  local path, problem = auto_journal.find(args, session.client, job_args.audience(args, session.script).id)
  args.journal, session.auto_journal = path or args.journal, path and auto_journal
  args.journal_is_auto = path ~= nil
  return problem
end

-- What --sample prints; nil without it.
local function take_sample(args, client)
  local taken = args.sample and require("scope3.cli.sample").new(args.sample) or nil
  if taken then
    function client.sample(parts)
      taken:take(parts)
    end
  end
  return taken
end

-- What comes before a script, which may print. Says which file of --report cannot be written; else nil.
local function prepare(args)
  args.dry_run = args.dry_run or args.sample and true
  if args.rejects == "-" or args.events == "-" then
    output.keep()
  end
  return args.report[1] and require("scope3.cli.report_files").open(args) or nil
end

---@param args table
---@param exit table
---@return integer
function send.main(args, exit)
  local unwritable = prepare(args)
  if unwritable then
    context.fail(unwritable, "failed")
    return exit.FAILED
  end
  local script, err, misused = job_args.script(args)
  if not script and misused then
    return context.wrong_usage(err, exit)
  elseif not script then
    return context.refuse(err, args, exit)
  end
  note(args, { audience = job_args.names(args, script) })
  local opts = job_args.options(args)
  local problem = job_args.problem(args, script, opts)
  if problem then
    return context.wrong_usage(messages.problem(problem, args), exit)
  end
  if not args.dry_run then
    opts.patience = opts.patience or script.patience or context.PATIENCE
  end
  args.rate = args.rate or script.rate -- the client has it, too: all that share its limiter count by one rate
  local client, why, close, url = context.client(args)
  if not client then
    close()
    return context.refuse(why, args, exit)
  end
  local session = { args = args, exit = exit, client = client, url = url, script = script, opts = opts,
    sample = take_sample(args, client) }
  local code
  problem = find_journal(session)
  if problem then
    context.fail(problem, "failed")
    code = exit.FAILED
  else
    code = send_rows(session)
  end
  close()
  return code
end

return send
