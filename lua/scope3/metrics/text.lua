--- Prometheus' text format: samples under the HELP and TYPE of their families.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local families = require "scope3.metrics.families"
local json = require "scope3.util.json"
local visible = require "scope3.util.visible"

---@class scope3.MetricText
---@field private lines table<string, string[]>  by the name of the family
local MetricText = {}
MetricText.__index = MetricText

local text = {}

local ESCAPED = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

--- Labels as they stand in braces, in the order of their names; "" where there are none.
---@param labels table<string, string>
---@return string
function text.labels(labels)
  local names, parts = {}, {}
  for name in entries(labels) do
    names[#names + 1] = name
  end
  table.sort(names, core.before)
  for i, name in ipairs(names) do
    -- One byte that is no UTF-8 would make the whole page invalid.
    parts[i] = ('%s="%s"'):format(name, (visible.lossy(labels[name]):gsub('[\\"\n]', ESCAPED)))
  end
  return table.concat(parts, ",")
end

-- A number in any locale.
local function written(n)
  return n % 1 == 0 and math.abs(n) < 2 ^ 53 and ("%.0f"):format(n) or json.encode(n)
end

---@return scope3.MetricText
function text.new()
  return setmetatable({ lines = {} }, MetricText)
end

--- Adds a sample. What is no finite number is left out.
---@param name string  of its family
---@param labels string  as text.labels() writes them
---@param value any
---@param suffix? string  of a part of a histogram
---@param own? string  the value of the family's own label
---@return scope3.MetricText self
function MetricText:add(name, labels, value, suffix, own)
  local family = families[name]
  if type(value) ~= "number" or value ~= value or math.abs(value) == math.huge then
    return self
  end
  if own then
    labels = text.labels { [family.label] = own } .. (labels ~= "" and "," or "") .. labels
  end
  local lines = self.lines[name] or {}
  self.lines[name] = lines
  lines[#lines + 1] = ("%s%s%s %s\n"):format(name, suffix or "", labels ~= "" and "{" .. labels .. "}" or "",
    written(value))
  return self
end

--- Adds a sample for each count of a table.
---@param name string  of its family
---@param labels string
---@param counts any  numbers by the value of the family's label
function MetricText:add_each(name, labels, counts)
  local keys = {}
  for key in entries(type(counts) == "table" and counts or {}) do
    keys[#keys + 1] = type(key) == "string" and key or nil
  end
  table.sort(keys, core.before)
  for _, key in ipairs(keys) do
    self:add(name, labels, counts[key], nil, key)
  end
end

--- The text: each family once, whoever gave its samples.
---@return string
function MetricText:whole()
  local parts = {}
  for _, family in ipairs(families) do
    local lines = self.lines[family.name]
    if lines then
      parts[#parts + 1] = ("# HELP %s %s\n# TYPE %s %s\n%s"):format(family.name, family.help, family.name, family.type,
        table.concat(lines))
    end
  end
  return table.concat(parts)
end

return text
