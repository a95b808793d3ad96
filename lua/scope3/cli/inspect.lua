--- `scope3 audiences`, `scope3 task` and `scope3 wait`.
local exit_code = require "scope3.cli.exit_code"
local json = require "scope3.util.json"
local listing = require "scope3.api.listing"
local matching = require "scope3.cli.matching"
local output = require "scope3.cli.output"
local progress_of = require "scope3.cli.progress"
local context = require "scope3.cli.context"
local status = require "scope3.api.audience_status"
local tasks = require "scope3.job.tasks"
local text = require "scope3.cli.text"
local problems = require "scope3.api.problems"
local waiting = require "scope3.cli.waiting"

local inspect = {}

local function count_of(name)
  return function(row)
    return row[name] and text.count(row[name])
  end
end

-- The columns of the list: title, what stands there, whether it is a number, and whether it is left out where no row
-- has it.
local COLUMNS = {
  { "AUDIENCE", function(row) return row.audience_id end },
  { "STATUS", function(row) return row.deleted and "deleted" or row.status end },
  { "UPLOADED", count_of "uploaded_count", number = true },
  { "IN ALL", count_of "total_uploaded_count", number = true, extra = true },
  { "MATCHED", count_of "matched_count", number = true },
  { "RATE", matching.rate, number = true, extra = true },
  { "NEEDED", count_of "minimum_size", number = true, extra = true },
  { "BY TYPE", matching.by_type, extra = true },
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
  for key, value in pairs(task) do
    fields[key] = value
  end
  fields.error, fields.task_error = nil, task.error
  return fields
end

local function show_task(args, task)
  output.object(fields_of(task))
  if args.quiet or output.is_json() then
    return
  end
  local rows = { { "task", task.task_id or "-" }, { "status", task.status }, { "type", task.task_type or "-" },
    { "created", task.created_at or "-" }, { "updated", task.updated_at or "-" } }
  if task.audience then
    local parts = matching.parts(task.audience)
    table.insert(parts, 1, task.audience.audience_id .. " · " .. tostring(task.audience.status))
    rows[#rows + 1] = { "audience", table.concat(parts, " · ") }
  end
  for _, problem in ipairs(task.warnings or {}) do
    local of = problem.audience_id and problem.audience_id .. ": " or ""
    rows[#rows + 1] = { "warning", of .. problems.sentence(problem) }
  end
  for _, field in ipairs { "error", "response", "metadata" } do
    local said = task[field]
    if type(said) == "table" and next(said) ~= nil then
      for i, line in ipairs(lines_of(json.pretty(said))) do
        rows[#rows + 1] = { i == 1 and field or "", line }
      end
    elseif said ~= nil and type(said) ~= "table" then
      rows[#rows + 1] = { field, tostring(said) }
    end
  end
  output.say(text.columns(rows))
end

local function task(args, client)
  local seen, err = client:task(args.id)
  if not seen then
    return nil, err
  end
  show_task(args, seen)
  if tasks.ended(seen.status) and seen.status ~= "completed" then
    context.fail("the task ended as " .. seen.status, "task_failed")
    return true, nil, exit_code.FAILED
  end
  return true
end

local function wait(args, client)
  local progress, still = progress_of.new(args.quiet or false), waiting.new(args.quiet or false)
  local seen, err = client:wait(args.id, {
    timeout = args.timeout, audience = args.audience, cancel = still:watch(context.stop_flag()),
    patience = args.patience or args.timeout ~= 0 and context.PATIENCE or nil,
    on_event = function(event)
      progress:on(event)
      still:on(event)
    end,
  })
  progress:clear()
  if not seen and context.goes_on(err) then
    local code = context.refuse(err, args, exit_code)
    context.complain(("the service goes on with it; wait again with:  scope3 wait %s%s%s"):format(text.word(args.id),
      args.audience and " --audience " .. text.word(args.audience) or "", context.service_options(args)))
    return true, nil, code
  elseif not seen then
    return nil, err
  end
  show_task(args, seen)
  local _, warning
  if seen.audience then
    _, warning = status.of(seen.audience)
  end
  if warning then
    context.complain(warning)
  end
  local missed = args.require_ready and exit_code.not_ready(seen.audience)
  if missed then
    context.fail(missed, "nothing")
    return true, nil, exit_code.NOTHING
  end
  return true
end

local COMMANDS = { audiences = audiences, task = task, wait = wait }

---@param args table
---@param exit table
---@return integer
function inspect.main(args, exit)
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
