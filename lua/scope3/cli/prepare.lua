--- `scope3 prepare`: members on standard output, a line of JSON each. What there is to say goes to standard error.
local advice = require "scope3.cli.advice"
local context = require "scope3.cli.context"
local job_args = require "scope3.cli.job_args"
local messages = require "scope3.cli.messages"
local monitor = require "scope3.cli.monitor"
local outcome = require "scope3.cli.outcome"
local output = require "scope3.cli.output"
local paths = require "scope3.input.paths"
local prepare_of = require "scope3.client.prepare"
local rejects = require "scope3.cli.rejects"
local report = require "scope3.cli.report"
local report_summary = require "scope3.cli.report_summary"

local prepare = {}

-- The file of --rejects; nil without the option. False and a message where it cannot be written.
local function open_rejects(args)
  -- Where no input is found, the name might be one of the inputs: nothing is written.
  if not args.rejects or not paths.expand(args.file) then
    return nil
  end
  local several = #args.file > 1 or (args.file[1] or ""):find("[*?%[]") ~= nil
  local file, why = rejects.open(args.rejects, several)
  return file or false, why
end

-- What kept the refused rows from their file, or nil.
local function close_rejects(file, path)
  local ok, why = true, nil
  if file then
    ok, why = file.close()
  end
  return not ok and ("cannot write all of %s: %s"):format(path, tostring(why)) or nil
end

-- Lines that standard output does not take end the job. The end of the command says why, and has its exit code.
local function write(lines)
  return output.put(lines), "standard output takes no more"
end

local function show(args, res)
  local about = { title = "scope3 prepare", command = args.command }
  if args.where then
    require("scope3.cli.where_args").reword(res.warnings)
  end
  output.object(res:plain())
  if args.report[1] then
    require("scope3.cli.report_files").note(about)
  end
  if not args.quiet then
    output.say(report.of(res, about))
  end
end

-- Says what ended the job. Whether a wrong option was to blame.
local function show_error(args, err, res)
  local said, misused = messages.of(err, args)
  if err.code == "unwritten" then
    output.fail(said, "failed")
    return false
  end
  context.fail(said, "failed")
  for _, sentence in ipairs(advice.after(args, err, res)) do
    context.complain(sentence)
  end
  return misused
end

-- The exit code. Says why it is not success.
local function conclude(args, exit, res, err, misused)
  local code, reasons = outcome.code(res, err, {
    strict = args.strict, allow_empty = args.allow_empty,
    max_rejected = args.max_rejected and outcome.max_rejected(args.max_rejected),
  })
  for _, reason in ipairs(reasons) do
    context.complain(reason, "error")
  end
  if #reasons > 0 then
    output.fail(table.concat(reasons, "; "), code == exit.NOTHING and "nothing" or "failed")
  end
  return misused and code == exit.FAILED and exit.USAGE or code
end

local function prepare_rows(args, exit, script, opts)
  local file, why = open_rejects(args)
  if file == false then
    context.fail(why, "failed")
    return exit.FAILED
  end
  local watch = monitor.new(args.quiet or false)
  opts.cancel, opts.on_reject, opts.exclude = watch.stopped, file and file.write, job_args.exclude(args)
  function opts.on_event(event)
    watch:on(event)
  end
  local res, err = prepare_of.run(script, #args.file > 0 and args.file or "-", write, opts)
  watch:clear()
  local unwritten = close_rejects(file, args.rejects)
  res = res or err.result
  if res then
    show(args, res)
  end
  local misused = err ~= nil and show_error(args, err, res)
  local code = conclude(args, exit, res, err, misused)
  if unwritten then
    context.fail(unwritten .. report_summary.despite(res), "failed")
    code = (code == exit.OK or code == exit.NOTHING) and exit.FAILED or code
  end
  return code
end

---@param args table
---@param exit table
---@return integer
function prepare.main(args, exit)
  output.keep()
  output.report_to(io.stderr)
  local unwritable = args.report[1] and require("scope3.cli.report_files").open(args)
  if unwritable then
    context.fail(unwritable, "failed")
    return exit.FAILED
  end
  local script, err, misused = job_args.script(args)
  if not script and misused then
    return context.wrong_usage(err, exit)
  end
  local opts = job_args.options(args)
  local problem = job_args.problem(args, script, opts)
  if problem then
    return context.wrong_usage(messages.problem(problem, args), exit)
  end
  return prepare_rows(args, exit, script, opts)
end

return prepare
