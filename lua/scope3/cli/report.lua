--- The report of a job for people.
local color = require "scope3.cli.color"
local output = require "scope3.cli.output"
local report_summary = require "scope3.cli.report_summary"
local report_tables = require "scope3.cli.report_tables"
local text = require "scope3.cli.text"

local report = {}

local function list_warnings(res)
  local lines = {}
  for i, warning in ipairs(res.warnings) do
    lines[i] = ("%s%s %s\n"):format(i == 1 and "\n" or "", color.word(output.descriptor(), "warning", "Warning:"),
      text.visible(warning.message))
  end
  return table.concat(lines)
end

-- Columns that mix raw values and hashes.
local function list_mixed(res)
  local lines = {}
  for _, kind in ipairs { "email", "phone" } do
    local mixed = res.mixed[kind]
    if mixed then
      lines[#lines + 1] = ("The %s column mixes raw values (%s) and hashes (%s); each was used as what it is.")
        :format(kind, text.count(mixed.raw), text.count(mixed.hashed))
    end
  end
  return lines
end

-- How to follow tasks that the command did not wait for.
local function list_next(res, about)
  if #res.tasks == 0 or about.waited then
    return nil
  elseif about.sandbox then
    return "The private sandbox ended with this command, and its tasks with it. --wait follows them."
  end
  return ("The service is still matching. Follow it with:  scope3 wait %s --audience %s%s"):format(
    res.tasks[#res.tasks].task_id, text.word(res.audience.audience_id), about.options or "")
end

-- A table under its title; nothing where it has no rows.
local function words_of(section)
  return #section.rows > 0 and "\n" .. section.title .. "\n" .. text.columns(section.rows, section.right, "  ") or ""
end

-- Marks a table that a page has beside a chart.
local function drawn(section)
  section.drawn = true
  return section
end

--- The tables of what needs a look.
---@param res scope3.Result
---@param seen? scope3.cli.NightsSeen
---@return scope3.cli.ReportTable[]
function report.tables(res, seen)
  return {
    res.mirror and require("scope3.cli.report_mirror").samples(res) or report_tables.none(),
    seen and require("scope3.cli.report_nights").table(seen) or report_tables.none(),
    report_tables.lost(res), report_tables.conditions(res),
    drawn(report_tables.reasons("Rows rejected, by reason:", res.rejected)),
    drawn(report_tables.reasons("Identifiers dropped, by reason (their members were kept if another was left):",
      res.dropped)),
    report_tables.reasons("Regions that are not known, of the phones dropped for it:", res.unknown_regions),
    drawn(report_tables.reasons("Identifiers repaired and used:", res.repaired)),
  }
end

--- What else is to be said: of columns that mix values and hashes, and of what goes on.
---@param res scope3.Result
---@param about scope3.cli.ReportAbout
---@return string[]
function report.sentences(res, about)
  local sentences = list_mixed(res)
  sentences[#sentences + 1] = list_next(res, about)
  return sentences
end

---@class scope3.cli.ReportAbout
---@field title string
---@field command? string
---@field waited? number  seconds
---@field nights? scope3.cli.NightsSeen  in the files of --report only
---@field sandbox? boolean
---@field options? string  of the command that follows the tasks

--- The report of a job.
---@param res scope3.Result
---@param about scope3.cli.ReportAbout
---@return string
function report.of(res, about)
  local parts = {
    about.title, "\n\n", text.columns(report_summary.rows(res, about), nil, "  "),
    words_of(report_tables.timeline(res)), list_warnings(res),
  }
  for _, section in ipairs(report.tables(res, about.nights)) do
    parts[#parts + 1] = words_of(section)
  end
  for _, sentence in ipairs(report.sentences(res, about)) do
    parts[#parts + 1] = "\n" .. sentence .. "\n"
  end
  return table.concat(parts)
end

return report
