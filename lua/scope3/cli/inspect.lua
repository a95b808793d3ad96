--- `scope3 audiences`, `scope3 task` and `scope3 wait`.
local entries = require "scope3.util.entries"
local exit_code = require "scope3.cli.exit_code"
local outcome = require "scope3.cli.outcome"
local json = require "scope3.util.json"
local listing = require "scope3.api.listing"
local match_summary = require "scope3.cli.match_summary"
local output = require "scope3.cli.output"
local progress = require "scope3.cli.progress"
local context = require "scope3.cli.context"
local audience_status = require "scope3.api.audience_status"
local problems = require "scope3.api.problems"
local tasks = require "scope3.job.tasks"
local text = require "scope3.cli.text"
local heartbeat = require "scope3.cli.heartbeat"

local inspect = {}

local function count_of(name)
  return function(row)
    return row[name] and text.count(row[name])
  end
end

-- The columns of the list: title, value, whether it is a number, and whether it is left out where no row has it.
local COLUMNS = {
  { "AUDIENCE", function(row) return row.audience_id end },
  { "STATUS", function(row) return row.deleted and "deleted" or row.status end },
  { "UPLOADED", count_of "uploaded_count", number = true },
  { "IN ALL", count_of "total_uploaded_count", number = true, extra = true },
  { "MATCHED", count_of "matched_count", number = true },
  { "RATE", match_summary.rate, number = true, extra = true },
  { "NEEDED", count_of "minimum_size", number = true, extra = true },
  { "BY TYPE", match_summary.by_type, extra = true },
  { "SYNCED", function(row) return row.last_synced_at end, extra = true },
  { "UPDATED", function(row) return row.updated_at end },
  { "NAME", function(row) return row.name or "" end },
}

local function show_audiences(rows)
  local lines, numbers = { {} }, {}
  for i = 1, #rows do
    lines[i + 1] = {}
  end
  for _, column in ipairs(COLUMNS) do
    local values, any = {}, not column.extra
    for i, row in ipairs(rows) do
      values[i] = column[2](row) or "-"
      any = any or values[i] ~= "-"
    end
    if any then
      local at = #lines[1] + 1
      lines[1][at], numbers[at] = column[1], column.number
      for i, value in ipairs(values) do
        lines[i + 1][at] = value
      end
    end
  end
  output.say(text.columns(lines, numbers))
end

local function audiences(_, client)
  local rows = json.array {}
  local next_row = listing.rows(client)
  local row, err = next_row()
  while row do
    rows[#rows + 1] = row
    row, err = next_row()
  end
  if err then
    return nil, err
  end
  output.object { audiences = rows }
  if #rows == 0 then
    output.say("The account has no audiences.\n")
    return true
  end
  show_audiences(rows)
  return true
end

local function lines_of(words)
  local lines = {}
  for line in words:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  return lines
end

-- The fields of a task. `error` is the command's: what the task has under that name is `task_error`.
local function fields_of(task)
  local fields = {}
  for key, value in entries(task) do
    fields[key] = value
  end
  fields.error, fields.task_error = nil, task.error
  return fields
end

local function audience_row(audience)
  local parts = match_summary.parts(audience)
  table.insert(parts, 1, audience.audience_id .. " · " .. tostring(audience.status))
  return { "audience", table.concat(parts, " · ") }
end

local function warning_row(problem)
  local of = problem.audience_id and problem.audience_id .. ": " or ""
  return { "warning", of .. problems.sentence(problem) }
end

-- The rows of a field that the service fills as it likes: a table takes a row per line of its JSON.
local function free_rows(field, said)
  if type(said) ~= "table" then
    return said ~= nil and { { field, tostring(said) } } or {}
  end
  local rows = {}
  for i, line in ipairs(next(said) ~= nil and lines_of(json.pretty(said)) or {}) do
    rows[i] = { i == 1 and field or "", line }
  end
  return rows
end

local function task_rows(task)
  local rows = { { "task", task.task_id or "-" }, { "status", task.status }, { "type", task.task_type or "-" },
    { "created", task.created_at or "-" }, { "updated", task.updated_at or "-" } }
  if task.audience then
    rows[#rows + 1] = audience_row(task.audience)
  end
  for _, problem in ipairs(task.warnings or {}) do
    rows[#rows + 1] = warning_row(problem)
  end
  for _, field in ipairs { "error", "response", "metadata" } do
    for _, row in ipairs(free_rows(field, task[field])) do
      rows[#rows + 1] = row
    end
  end
  return rows
end

-- Takes down what the files of --report say of a task.
local function note(args, client, seen)
  if args.report and args.report[1] then
    require("scope3.cli.report_files").note {
      title = ("scope3 wait · %s"):format(client.base:match "^%a+://([^/]+)"),
      body = { subject = "task " .. seen.status, rows = task_rows(seen) },
    }
  end
end

local function show_task(args, client, task)
  output.object(fields_of(task))
  note(args, client, task)
  if not args.quiet and not output.is_json() then
    output.say(text.columns(task_rows(task)))
  end
end

local function task(args, client)
  local seen, err = client:task(args.id)
  if not seen then
    return nil, err
  end
  show_task(args, client, seen)
  if tasks.ended(seen.status) and seen.status ~= "completed" then
    context.fail("the task ended as " .. seen.status, "task_failed")
    return true, nil, exit_code.FAILED
  end
  return true
end

-- Waits for a task and shows its progress.
local function wait_for(args, client, log)
  local line, beat = progress.new(args.quiet or false), heartbeat.new(args.quiet or false)
  local seen, err = client:wait(args.id, {
    timeout = args.timeout, audience = args.audience, cancel = beat:watch(context.stop_flag()),
    patience = args.patience or args.timeout ~= 0 and context.PATIENCE or nil,
    on_event = function(event)
      if log then
        log.write(event)
      end
      line:on(event)
      beat:on(event)
    end,
  })
  line:clear()
  return seen, err
end

-- Waits, shows what the task came to, and says why that is not success.
local function follow(args, client, log)
  local seen, err = wait_for(args, client, log)
  if not seen and context.goes_on(err) then
    local code = context.refuse(err, args, exit_code)
    context.complain(("the service goes on with it; wait again with:  scope3 wait %s%s%s"):format(text.word(args.id),
      args.audience and " --audience " .. text.word(args.audience) or "", context.service_options(args)))
    return true, nil, code
  elseif not seen then
    return nil, err
  end
  show_task(args, client, seen)
  local _, warning
  if seen.audience then
    _, warning = audience_status.of(seen.audience)
  end
  if warning then
    context.complain(warning)
  end
  local missed = args.require_ready and outcome.not_ready(seen.audience)
  if missed then
    context.fail(missed, "nothing")
    return true, nil, exit_code.NOTHING
  end
  return true
end

local function wait(args, client)
  if not args.events then
    return follow(args, client)
  end
  local log, why = require("scope3.cli.event_log").open(args.events)
  if not log then
    return nil, why
  end
  local ok, err, code = follow(args, client, log)
  local untold = log.close()
  if not untold then
    return ok, err, code
  end
  code = ok and code or not ok and context.refuse(err, args, exit_code) or exit_code.OK
  context.fail(untold, "failed")
  return true, nil, (code == exit_code.OK or code == exit_code.NOTHING) and exit_code.FAILED or code
end

local COMMANDS = { audiences = audiences, task = task, wait = wait }

---@param args table
---@param exit table
---@return integer
function inspect.main(args, exit)
  local unwritable = args.report and args.report[1] and require("scope3.cli.report_files").open(args)
  if unwritable then
    context.fail(unwritable, "failed")
    return exit.FAILED
  end
  local client, why, close = context.client(args)
  local ok, err, code
  if client then
    ok, err, code = COMMANDS[args.command](args, client)
  else
    err = why
  end
  close()
  if ok then
    return code or exit.OK
  end
  return context.refuse(err, args, exit)
end

return inspect
