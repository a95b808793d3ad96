--- Counts as text for Prometheus: numbers only, and no ids.
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"
local families = require "scope3.metrics.families"
local options = require "scope3.util.options"
local samples = require "scope3.metrics.samples"
local text = require "scope3.metrics.text"

local metrics = {}

local WHAT = "scope3.metrics.prometheus"
local COUNTS = "what client:metrics() or collector:status() gives, or a list of { counts =, labels = }"
local LABELS = 'a table of names and texts, such as { collector = "visitors" }'

-- Labels that families have of their own.
local TAKEN = {}
for _, family in ipairs(families) do
  TAKEN[family.label or ""] = true
end

-- Whether a value is a table of labels. Names that begin with two underscores are Prometheus' own.
local function are_labels(value)
  if arguments.kind(value) ~= "a table" then
    return false
  end
  for name, label in entries(value) do
    if type(name) ~= "string" or not name:find "^[A-Za-z_][A-Za-z0-9_]*$" or name:find "^__" or TAKEN[name]
      or type(label) ~= "string" then
      return false
    end
  end
  return true
end

local OPTIONS = { labels = { expected = LABELS, is = are_labels } }
local ENTRY = { labels = OPTIONS.labels, counts = "table" }

-- The function that adds counts of this kind.
local function kind_of(counts)
  if arguments.kind(counts) ~= "a table" then
    return nil
  elseif type(rawget(counts, "members")) == "table" and type(rawget(counts, "attempt_bounds")) == "table"
    and type(rawget(counts, "attempt_buckets")) == "table" then
    return samples.client
  end
  return type(rawget(counts, "held")) == "number" and samples.collector or nil
end

-- One part of a page: what adds it, its counts and its labels. nil and what is wrong with it.
local function part_of(entry, i, shared)
  local name = ("counts[%d]"):format(i)
  local problem = options.problem(entry, ENTRY)
  if problem then
    return nil, name .. ": " .. problem
  end
  local add = kind_of(entry.counts)
  if not add then
    return nil, arguments.problem(name .. ".counts", "what client:metrics() or collector:status() gives",
      entry.counts)
  end
  return { add = add, counts = entry.counts, labels = text.labels(options.merge(shared, entry.labels or {})) }
end

-- The parts of a list. nil and what is wrong with it: Prometheus would refuse a series that stands twice.
local function parts_of(list, shared)
  local parts, seen = {}, {}
  for i = 1, arguments.count(list) do
    local part, problem = part_of(list[i], i, shared)
    if not part then
      return nil, problem
    end
    seen[part.add] = seen[part.add] or {}
    if seen[part.add][part.labels] then
      return nil, ("counts[%d] has the labels of counts[%d]: give each its own"):format(i, seen[part.add][part.labels])
    end
    seen[part.add][part.labels], parts[i] = i, part
  end
  return parts
end

---@class scope3.LabelledCounts
---@field counts scope3.ClientMetrics|scope3.CollectorStatus
---@field labels? table<string, string>

---@class scope3.PrometheusOptions
---@field labels? table<string, string>  of all samples

--- Writes counts in Prometheus' text format, for a location that is scraped:
---
---     scope3.metrics.prometheus(subscribers:status(), { labels = { collector = "subscribers" } })
---
--- Its type is `text/plain; version=0.0.4`. Counts of several clients or collectors go into one text, as a list.
---@param counts scope3.ClientMetrics|scope3.CollectorStatus|scope3.LabelledCounts[]
---@param opts? scope3.PrometheusOptions
---@return string
function metrics.prometheus(counts, opts)
  local add, n = kind_of(counts), arguments.count(counts)
  arguments.argument(add or n and n > 0, WHAT, "counts", COUNTS, counts)
  opts = options.check(WHAT, opts, OPTIONS, 2)
  local parts, problem = parts_of(add and { { counts = counts } } or counts, opts.labels or {})
  if not parts then
    error(WHAT .. ": " .. problem, 2)
  end
  local page = text.new()
  for _, part in ipairs(parts) do
    part.add(page, part.labels, part.counts)
  end
  return page:whole()
end

return metrics
