--- The files of --report: written when the command has come to its end, however that was. A report of an earlier run is
--- replaced by a whole one or not at all.
---
--- What they say comes from the object of --json and from the tables of the report on standard output.
local core = require "scope3.core"
local context = require "scope3.cli.context"
local entries = require "scope3.util.entries"
local output = require "scope3.cli.output"

local report_files = {}

---@class scope3.cli.ReportContext: scope3.cli.ReportAbout
---@field command string
---@field dry_run? boolean
---@field audience? string
---@field files string[]
---@field started number  seconds since 1970
---@field ended? number

-- The modules that make a report; the object of --json needs none. An object tells what became of the others.
local MAKERS = { txt = "scope3.cli.report_text" }

local state = {} -- of the command: its files, and what is known of the job

-- A new file beside the one that it is to replace.
local function beside(path)
  local name = ("%s.%.0f.new"):format(path, core.random() * 1e12)
  local file, why = io.open(name, "wb")
  if not file then
    return nil, ("cannot write %s: %s"):format(path, (tostring(why):gsub("^.*: ", "")))
  end
  return file, name
end

-- What keeps a file from being written, or nil.
local function problem_of(path)
  if core.file_kind(path) == "directory" then
    return ("cannot write %s: it is a folder"):format(path)
  end
  local file, name = beside(path)
  if not file then
    return name
  end
  file:close()
  os.remove(name)
end

-- Writes a text to a file in place of what is there: what kept it from that, or nil.
local function replace(path, words)
  local file, name = beside(path)
  if not file then
    return name
  end
  local written, why = file:write(words)
  local closed, why_not = file:close() -- a full disk shows here at the latest
  local moved
  if written and closed then
    moved, why = os.rename(name, path)
  end
  if not moved then
    os.remove(name)
    return ("cannot write %s: %s"):format(path, tostring(why or why_not))
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
local function write(path, make, ...)
  local ok, words = pcall(make, ...)
  if not ok then
    return ("cannot write %s: %s"):format(path, tostring(words))
  end
  return replace(path, words)
end

-- Writes the reports. Objects come last, so that they hold what failed of the others.
local function finish(ended, as_json)
  local first
  local function note(problem)
    if problem then
      context.complain(problem)
    end
    first = first or problem
  end
  state.about.ended = core.time()
  for _, path in ipairs(state.paths) do
    local maker = MAKERS[kind_of(path)]
    if maker then
      note(write(path, function()
        return require(maker).of(ended(first), state.about)
      end))
    end
  end
  for _, path in ipairs(state.paths) do
    if not MAKERS[kind_of(path)] then
      note(write(path, as_json, first))
    end
  end
  return first
end

--- Takes the files of --report. Those that can be written get a report even where another one cannot.
---@param args table
---@return string? message  what cannot be written
function report_files.open(args)
  local problem
  state = { paths = {}, about = {
    title = "scope3 " .. args.command, command = args.command, dry_run = args.dry_run, audience = args.audience,
    files = args.file, started = core.time(),
  } }
  for _, path in ipairs(args.report) do
    local why = problem_of(path)
    problem = problem or why
    state.paths[#state.paths + 1] = not why and path or nil
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
