--- Whether the result of a job is good enough, as the command line asked, and the exit code that follows from it. It is
--- derived from the counts of the result, and only here: no path through a command has a code of its own.
local core = require "scope3.core"
local exit_code = require "scope3.cli.exit_code"
local json = require "scope3.util.json"
local plural = require "scope3.util.plural"
local result = require "scope3.result"
local text = require "scope3.cli.text"

local outcome = {}

---@class scope3.ExitRules  what the command line asks of a result
---@field strict? boolean  a rejected row is a failure
---@field allow_empty? boolean  an input that gives no members is as it should be
---@field max_rejected? {rows: integer?, percent: number?}
---@field min_accepted? integer
---@field require_ready? boolean  each audience must be READY

--- Reads the value of --max-rejected: a number of rows, or a share such as 5%.
---@param word string
---@return {rows: integer?, percent: number?}?
function outcome.max_rejected(word)
  -- pattern: a word of the command line
  local percent = core.number(word:match("^(%d+%.?%d*)%%$") or "")
  if percent then
    return percent <= 100 and { percent = percent } or nil
  end
  local rows = tonumber((word:match("^%d+$")))
  return rows and { rows = rows } or nil
end

-- What the counts leave unexplained, or nil. Such a result is a fault of this program, and never a success.
local function hole(res)
  local told = res.accepted + res.replaced + res.rejected_by_service + res.failed + res.unknown + (res.would_send or 0)
    + (res.prepared or 0)
  if res.members ~= told then
    return ("%s built, and %s accounted for"):format(plural.of(res.members, "member was", "members were"),
      plural.of(told, "is", "are"))
  end
  local gave = res.rows - res.skipped - result.total(res.rejected)
  -- Who leaves a mirror is a member that no row gave.
  if gave < 0 or gave == 0 and res.members > 0 and not res.mirror then
    return "the rows that were read do not account for the members"
  end
end

-- Rows that were rejected, also by an earlier night: they are the same since.
local function rejected_of(res)
  return result.total(res.rejected) + (res.mirror and res.mirror.rejected_before or 0)
end

-- Whether a night had nothing to do: what the service has is what is wanted.
local function is_up_to_date(res)
  return res.mirror ~= nil and res.members == 0 and res.mirror.rows > 0
end

local function failures(res, rules)
  local found = {}
  local function note(n, words)
    if n > 0 then
      found[#found + 1] = text.plural(n, "member") .. " " .. words
    end
  end
  note(res.failed, "failed")
  note(res.unknown, plural.words(res.unknown, "was", "were") .. " sent and never answered")
  note(res.rejected_by_service, "rejected by the service; the report names their rows")
  local rejected = rejected_of(res)
  if rules.strict and rejected > 0 then
    found[#found + 1] = ("--strict: %s rejected"):format(text.plural(rejected, "row was", "rows were"))
  end
  if rules.strict and res.swallowed_lines > 0 then
    found[#found + 1] = ("--strict: %s in no row, because of stray quotes"):format(
      text.plural(res.swallowed_lines, "line is", "lines are"))
  end
  local gap = hole(res)
  if gap then
    found[#found + 1] = "the counts do not add up: " .. gap .. ". Please report this as a fault of scope3"
  end
  return found
end

local function too_many_rejected(res, most)
  -- A line that a stray quote swallowed is most likely a row that was not read.
  local rejected = rejected_of(res) + res.swallowed_lines
  local taken = res.rows - res.skipped + res.swallowed_lines
  if most.rows and rejected > most.rows then
    return ("--max-rejected %.0f: %s rejected"):format(most.rows, text.plural(rejected, "row was", "rows were"))
  elseif most.percent and taken > 0 and rejected * 100 > most.percent * taken then
    return ("--max-rejected %s%%: %s rejected of %s"):format(json.encode(most.percent),
      text.plural(rejected, "row was", "rows were"), text.count(taken))
  end
end

local function why_nothing(res)
  local what = res.rows == 0 and "the input has no rows" or res.rows == res.skipped and "every row was skipped"
    or "no row gave a member"
  return ("%s, so nothing was %s (--allow-empty makes that a success)"):format(what,
    res.prepared and "prepared" or "sent")
end

--- What keeps an audience from being READY after a wait, or nil.
---@param audience {audience_id: string, status: string?}
---@return string?
function outcome.not_ready(audience)
  if audience.deleted then
    return ("--require-ready: the audience %s is deleted"):format(audience.audience_id)
  elseif audience.status ~= "READY" then
    local word = audience.status or "not known to be READY"
    return ("--require-ready: the audience %s is %s"):format(audience.audience_id, word)
  end
end

local function shortfalls(res, rules)
  local found = {}
  local accepted = res.accepted + (res.would_send or 0) + (res.prepared or 0)
  if accepted == 0 and not is_up_to_date(res) and not (rules.allow_empty and res.members == 0) then
    found[#found + 1] = res.members == 0 and why_nothing(res) or "nothing was accepted or removed"
  end
  if rules.min_accepted and accepted < rules.min_accepted then
    found[#found + 1] = ("--min-accepted %.0f: %s accepted or removed"):format(rules.min_accepted,
      text.plural(accepted, "member was", "members were"))
  end
  found[#found + 1] = rules.max_rejected and too_many_rejected(res, rules.max_rejected)
  for _, audience in ipairs(rules.require_ready and res.audiences or {}) do
    found[#found + 1] = outcome.not_ready(audience)
  end
  return found
end

-- The code for an error that ended a job.
local function code_of_error(err, res, rules)
  if err.kind == "cancelled" then
    return exit_code.STOPPED
  elseif outcome.is_empty(err) and (not res or res.rows == 0) then
    local enough = rules.allow_empty and not rules.min_accepted and not rules.require_ready
    return enough and exit_code.OK or exit_code.NOTHING
  end
  return exit_code.FAILED
end

--- The code for the result of a job.
---@param res scope3.Result?  nil where there is none
---@param err scope3.Error?  that ended the job, or the wait for its tasks
---@param rules scope3.ExitRules
---@return integer code
---@return string[] reasons  for people; none with `err`, whose message is the reason
function outcome.code(res, err, rules)
  if err then
    return code_of_error(err, res, rules), {}
  elseif not res then
    return exit_code.FAILED, {}
  end
  local reasons = failures(res, rules)
  if #reasons > 0 then
    return exit_code.FAILED, reasons
  end
  reasons = shortfalls(res, rules)
  return #reasons > 0 and exit_code.NOTHING or exit_code.OK, reasons
end

--- Whether an error says that the input holds nothing at all, not even a header. One empty file among others is
--- another error, because the others were not sent.
---@param err scope3.Error
---@return boolean
function outcome.is_empty(err)
  return err.kind == "source" and err.code == "empty"
end

return outcome
