--- The files of --report: written when the command has come to its end, however that was. A report of an earlier run is
--- replaced by a whole one or not at all.
---
--- What they say comes from the object of --json and from the tables of the report on standard output.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local output = require "scope3.cli.output"
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
---@field files string[]
---@field started number  seconds since 1970
---@field ended? number

-- The modules that make a report; the object of --json needs none. An object tells what became of the others.
local MAKERS = { html = "scope3.cli.report_html", txt = "scope3.cli.report_text" }

local state = {} -- of the command: its files, and what is known of the job

-- Opens the new file of a report, which stands beside the one that it is to replace.
local function open_new(report)
  local file, why = io.open(report.new, "wb")
  return file, not file and ("cannot write %s: %s"):format(report.path, (tostring(why):gsub("^.*: ", ""))) or nil
end

-- What keeps a report from being written, or nil. Where the new file stays, because it cannot be removed, the report
-- takes it.
local function problem_of(report)
  if core.file_kind(report.path) == "directory" then
    return ("cannot write %s: it is a folder"):format(report.path)
  end
  local file, problem = open_new(report)
  if file then
    file:close()
    os.remove(report.new)
  end
  return problem
end

-- Writes a text to a report in place of what is there: what kept it from that, or nil.
local function replace(report, words)
  local file, problem = open_new(report)
  if not file then
    return problem
  end
  local written, why = file:write(words)
  local closed, why_not = file:close() -- a full disk shows here at the latest
  local moved
  if written and closed then
    moved, why = os.rename(report.new, report.path)
  end
  if not moved then
    os.remove(report.new)
    return ("cannot write %s: %s"):format(report.path, tostring(why or why_not))
  end
end

-- LuaJIT does a compiled write that failed once more.
local jit = rawget(_G, "jit")
if jit then
  jit.off(replace)
end

local function kind_of(path)
  return path:match("%.(%l+)$")
end

-- Makes a report and writes it: what kept it from that, or nil.
local function write(report, make, ...)
  local ok, words = pcall(make, ...)
  if not ok then
    return ("cannot write %s: %s"):format(report.path, tostring(words))
  end
  return replace(report, words)
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
  end, note)
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
    files = args.file, started = core.time(),
  } }
  for _, path in ipairs(args.report) do
    local report = { path = path, new = ("%s.%.0f.new"):format(path, core.random() * 1e12) }
    local why = problem_of(report)
    problem = problem or why
    state.reports[#state.reports + 1] = not why and report or nil
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
