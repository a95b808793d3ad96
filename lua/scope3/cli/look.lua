--- `scope3 audiences`, `scope3 task` and `scope3 wait`.
local exit_code = require "scope3.cli.exit_code"
local json = require "scope3.json"
local output = require "scope3.cli.output"
local progress_of = require "scope3.cli.progress"
local setting = require "scope3.cli.setting"
local status = require "scope3.status"
local tasks = require "scope3.tasks"
local text = require "scope3.cli.text"
local verdict = require "scope3.verdict"

local look = {}

local function audiences(_, client)
  local rows = json.array {}
  for row, err in client:audiences() do
    if not row then
      return nil, err
    end
    rows[#rows + 1] = row
  end
  output.object { audiences = rows }
  if #rows == 0 then
    output.say("The account has no audiences.\n")
    return true
  end
  local lines = { { "AUDIENCE", "STATUS", "UPLOADED", "MATCHED", "UPDATED", "NAME" } }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = {
      row.audience_id, row.deleted and "deleted" or row.status or "-",
      row.uploaded_count and text.count(row.uploaded_count) or "-", row.matched_count and text.count(row.matched_count) or "-",
      row.updated_at or "-", row.name or "",
    }
  end
  output.say(text.columns(lines, { [3] = true, [4] = true }))
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
    rows[#rows + 1] = { "audience", task.audience.audience_id .. " · " .. tostring(task.audience.status) }
  end
  for _, problem in ipairs(task.warnings or {}) do
    local of = problem.audience_id and problem.audience_id .. ": " or ""
    rows[#rows + 1] = { "warning", of .. verdict.sentence(problem) }
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
    setting.fail("the task ended as " .. seen.status, "task_failed")
    return true, nil, exit_code.FAILED
  end
  return true
end

local function wait(args, client)
  local progress = progress_of.new(args.quiet or false)
  local seen, err = client:wait(args.id, {
    timeout = args.timeout, audience = args.audience, cancel = setting.stop_flag(),
    on_event = function(event)
      progress:on(event)
    end,
  })
  progress:clear()
  if not seen then
    return nil, err
  end
  show_task(args, seen)
  local _, warning
  if seen.audience then
    _, warning = status.of(seen.audience)
  end
  if warning then
    setting.complain(warning)
  end
  local missed = args.require_ready and exit_code.not_ready(seen.audience)
  if missed then
    setting.fail(missed, "nothing")
    return true, nil, exit_code.NOTHING
  end
  return true
end

local COMMANDS = { audiences = audiences, task = task, wait = wait }

---@param args table
---@param exit table
---@return integer
function look.main(args, exit)
  local client, why, close = setting.client(args)
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
  return setting.refuse(err, args, exit)
end

return look
