--- What to do after a job has failed: the command to run next, or the option to change.
local context = require "scope3.cli.context"
local core = require "scope3.core"
local text = require "scope3.cli.text"

local advice = {}

-- Codes of a journal that is of another job, or of other rows.
local OLD_JOURNAL = { another_job = true, changed_input = true }

-- A journal's name with the day in it, as a shell writes it.
local function dated(path)
  local stem, ending = path:match("^(.*[^/.])(%.[^./]+)$")
  return ("%s-$(date +%%F)%s"):format(stem or path, ending or "")
end

-- How to follow tasks that go on although the wait for them has ended.
local function of_wait(args, err, res)
  if args.wait and not args.sandbox and res and res.tasks[1] and context.goes_on(err) then
    local task = err.task_id or res.tasks[#res.tasks].task_id
    return ("the service goes on with what it has; follow it with:  scope3 wait %s --audience %s%s"):format(task,
      text.word(res.audience.audience_id), context.service_options(args))
  end
end

-- How to go on with a journal, or which other one to take.
local function of_journal(args, err, res)
  if not args.journal then
    return nil
  elseif err.kind ~= "journal" then
    return res and core.file_identity(args.journal)
      and ("run the same command again to go on: %s knows what was sent"):format(args.journal) or nil
  elseif OLD_JOURNAL[err.code] and args.journal_is_auto then
    return ("an earlier run of this job did not come to its end. To finish it, bring back its rows and options, and "
      .. "run the same command again. To begin anew, remove %s: every row is sent again, which comes to the same")
      :format(text.word(args.journal))
  elseif OLD_JOURNAL[err.code] then
    return ("a journal is of one job and its rows. For new rows name a new one, such as --journal %s; "
      .. "remove %s once its job is done"):format(dated(args.journal), args.journal)
  end
end

-- What --allow-empty is not for. A name that no row has is as wrong in each later file.
local function of_empty(args, err)
  if args.allow_empty and (err.code == "missing_key" or err.kind == "invalid" and err.message:find "map for ") then
    return "--allow-empty does not make that a success: it is for rows that give no member, and the map fits none"
  end
end

--- The sentences to print after an error that ended a job.
---@param args table
---@param err scope3.Error
---@param res scope3.Result?
---@return string[]
function advice.after(args, err, res)
  local sentences = {}
  if err.code == "audience_unknown" and args.sandbox then
    sentences[1] = "a private sandbox begins without audiences"
  end
  sentences[#sentences + 1] = of_empty(args, err)
  sentences[#sentences + 1] = of_wait(args, err, res)
  sentences[#sentences + 1] = of_journal(args, err, res)
  return sentences
end

return advice
