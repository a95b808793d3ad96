--- What a report in a file says first: how the command ended, in one line and in some more.
local exit_code = require "scope3.cli.exit_code"
local report_summary = require "scope3.cli.report_summary"
local text = require "scope3.cli.text"
local time = require "scope3.util.time"

local report_head = {}

---@class scope3.cli.ReportHead
---@field tone "good"|"doubtful"|"bad"
---@field word string  "Done"
---@field subject string  one line
---@field message? string  why it was no success; may have several lines
---@field facts string[][]  labels and values
---@field has_result boolean

local WORDS = {
  [exit_code.OK] = { "good", "Done" }, [exit_code.NOTHING] = { "doubtful", "Not as expected" },
  [exit_code.STOPPED] = { "bad", "Stopped" },
}

local MAX_FILES = 5 -- that are named

-- "2026-11-29 09:05:01 to 09:07:12 UTC"
local function span(about)
  local from, to = time.utc(about.started):sub(1, 19):gsub("T", " "), time.utc(about.ended):sub(1, 19):gsub("T", " ")
  return from .. " to " .. (from:sub(1, 10) == to:sub(1, 10) and to:sub(12) or to) .. " UTC"
end

local function names_of(files)
  local names = {}
  for i = 1, math.min(#files, MAX_FILES) do
    names[i] = files[i] == "-" and "standard input" or files[i]
  end
  return table.concat(names, ", ") .. (#files > MAX_FILES and (", and %d more"):format(#files - MAX_FILES) or "")
end

-- "sync of crm"
local function name_of(fields, about)
  local several = fields.audiences and #fields.audiences > 1 and text.plural(#fields.audiences, "audience")
  local audience = several or fields.audience and fields.audience.audience_id or about.audience
  return "scope3 " .. about.command .. (audience and " of " .. audience or "")
end

-- Whether there is the result of a job. Nothing was begun where there is none.
local function has_result(fields)
  return fields.rows ~= nil
end

local function subject_of(word, ended, about)
  local fields, parts = ended.fields, {}
  if ended.code ~= exit_code.OK then
    parts[1] = word:upper()
  end
  if has_result(fields) then
    local label, words = report_summary.outcome(fields)
    local of_night = fields.mirror and require("scope3.cli.report_mirror").subject(fields)
    parts[#parts + 1] = (of_night or label .. " " .. words):gsub(" · ", ", ")
    if #fields.warnings > 0 then
      parts[#parts + 1] = text.plural(#fields.warnings, "warning")
    end
  end
  if about.body then
    parts[#parts + 1] = about.body.subject
  end
  local said = #parts <= 1 and ended.error and ": " .. ended.error.message:match("^[^\n]*") or ""
  return name_of(fields, about) .. ": " .. table.concat(parts, ", ") .. said
end

--- The head of a report.
---@param ended scope3.cli.Ended
---@param about scope3.cli.ReportContext
---@return scope3.cli.ReportHead
function report_head.of(ended, about)
  local words = WORDS[ended.code] or { "bad", "Failed" }
  local facts = { { "Time", span(about) } }
  if about.files then
    facts[2] = { "Files", names_of(#about.files > 0 and about.files or { "-" }) }
  end
  if about.dry_run then
    table.insert(facts, 1, { "Mode", "dry run, nothing was sent" })
  end
  return { tone = words[1], word = words[2], subject = subject_of(words[2], ended, about), facts = facts,
    message = ended.error and ended.error.message, has_result = has_result(ended.fields) }
end

return report_head
