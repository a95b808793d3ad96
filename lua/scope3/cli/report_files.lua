--- The files of --report: written when the command has come to its end, however that was. A report of an earlier run is
--- replaced by a whole one or not at all.
---
--- What they say comes from the object of --json and from the tables of the report on standard output.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local output = require "scope3.cli.output"
local replaced = require "scope3.cli.replaced"
local text = require "scope3.cli.text"

local report_files = {}

---@class scope3.cli.Ended  how a command ended
---@field code integer
---@field fields table  of the object of --json
---@field error scope3.CommandError?

---@class scope3.cli.ReportContext: scope3.cli.ReportAbout
---@field command string
---@field dry_run? boolean
---@field audience? string
---@field files? string[]
---@field body? scope3.cli.ReportBody  of a command that sends no rows
---@field started number  seconds since 1970
---@field ended? number

-- The modules that make a report; the object of --json needs none. An object tells what became of the others.
local MAKERS = { html = "scope3.cli.report_html", txt = "scope3.cli.report_text" }

local state = {} -- of the command: its files, and what is known of the job

local function kind_of(path)
  return path:match("%.(%l+)$")
end

-- Makes a report and writes it: what kept it from that, or nil.
local function write(report, make, ...)
  local ok, words = pcall(make, ...)
  if not ok then
    return ("cannot write %s: %s"):format(report.path, tostring(words))
  end
  local written, why = replaced.write(report.path, words)
  return not written and ("cannot write %s: %s"):format(report.path, why) or nil
end

-- Writes the reports, and says which cannot be written. Objects come last, so that they hold what failed of the others.
local function write_all(ended, as_json, note)
  state.about.ended = core.time()
  for _, report in ipairs(state.reports) do
    local maker = MAKERS[kind_of(report.path)]
    if maker then
      note(write(report, function()
        return require(maker).of(ended(), state.about)
      end))
    end
  end
  for _, report in ipairs(state.reports) do
    if not MAKERS[kind_of(report.path)] then
      note(write(report, as_json))
    end
  end
end

-- Writes the reports at the end of a command that comes to this exit code: the code that follows. It raises nothing, as
-- nothing is there any more that would tell it.
local function finish(code, exit, fields, error_for, text_of)
  if code == exit.USAGE then
    return code -- of words that are wrong one may name the file of a report by mistake
  end
  local function note(problem)
    if problem then
      output.fail(problem, "failed")
      io.stderr:write("scope3: ", text.visible(problem), "\n")
      code = (code == exit.OK or code == exit.NOTHING) and exit.FAILED or code
    end
  end
  local function ended()
    return { code = code, fields = fields, error = error_for(code, exit) }
  end
  local ok, why = pcall(write_all, ended, function()
    return text_of(error_for(code, exit))
  end, function(problem)
    note(problem and problem .. require("scope3.cli.report_summary").despite(fields))
  end)
  if not ok then
    note("cannot write the reports: " .. tostring(why))
  end
  return code
end

--- Takes the files of --report. Those that can be written get a report even where another one cannot.
---@param args table
---@return string? message  what cannot be written
function report_files.open(args)
  local problem
  state = { reports = {}, about = {
    title = "scope3 " .. args.command, command = args.command, dry_run = args.dry_run, audience = args.audience,
    files = type(args.file) == "string" and { args.file } or args.file, started = core.time(),
  } }
  for _, path in ipairs(args.report) do
    local why = replaced.problem(path)
    problem = problem or why and ("cannot write %s: %s"):format(path, why)
    state.reports[#state.reports + 1] = not why and { path = path } or nil
  end
  output.at_end(finish)
  return problem
end

--- Takes what is known of the job by now.
---@param about {audience: string?}|scope3.cli.ReportAbout
function report_files.note(about)
  for key, value in entries(about) do
    state.about[key] = value
  end
end

return report_files
