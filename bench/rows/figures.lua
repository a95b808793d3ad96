-- The figures of `make bench`: the file that keeps them, and the tables that it prints and bench/README.md holds.
--
-- The file has a line for each program with tabs between its fields. The first is ours: ratios are to it. Lines that
-- begin with # say what the fields are, and what was measured and how.
local figures = {}

---@class scope3.bench.Figure
---@field name string
---@field phones "validated"|"digits"|"as they are"  what the program does with phones
---@field ns integer  CPU a row, start-up taken off
---@field peak integer  megabytes
---@field wall integer  microseconds for the small file, start-up included
---@field cpu integer  CPU of the same
---@field times integer  hundredths: how many times ours it waits for the small file

---@class scope3.bench.Figures
---@field rows string  how the rows were measured
---@field small string  how the small file was
---@field machine string  what it was measured on, and what else that did
---@field [integer] scope3.bench.Figure

local FIELDS = { "name", "phones", "ns", "peak", "wall", "cpu", "times" }
local PHONES = { validated = true, digits = true, ["as they are"] = true }
local HEAD = "# What `make bench` measured, which `make bench-plot` keeps here: name, what becomes of phones,\n"
  .. "# CPU ns a row, peak MB; and of the small file wall us, CPU us, wall in hundredths of ours.\n"

--- The text of the file.
---@param list scope3.bench.Figures
---@return string
function figures.write(list)
  local lines = {}
  for _, what in ipairs { "rows", "small", "machine" } do
    lines[#lines + 1] = ("# %s: %s"):format(what, list[what])
  end
  for _, figure in ipairs(list) do
    local fields = {}
    for i, field in ipairs(FIELDS) do
      fields[i] = i <= 2 and figure[field] or ("%d"):format(figure[field])
    end
    lines[#lines + 1] = table.concat(fields, "\t")
  end
  return HEAD .. table.concat(lines, "\n") .. "\n"
end

local function read_line(line)
  local figure, i = {}, 0
  for value in (line .. "\t"):gmatch "([^\t]*)\t" do
    i = i + 1
    figure[FIELDS[i] or "more"] = i <= 2 and value or tonumber(value:match "^%d+$")
  end
  local whole = PHONES[figure.phones] and figure.name ~= "" and figure.ns ~= 0 and not figure.more and i == #FIELDS
  for _, field in ipairs(FIELDS) do
    whole = whole and figure[field] ~= nil
  end
  return whole and figure or error("a line of figures that cannot be read: " .. line, 0)
end

--- Reads the file's text. Raises where a line is none of ours.
---@param text string
---@return scope3.bench.Figures
function figures.read(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    local what, value = line:match "^# (%l+): (.*)$"
    if what then
      list[what] = value
    elseif not line:find "^#" then
      list[#list + 1] = read_line(line)
    end
  end
  assert(list.rows and list.small and list.machine and list[1], "figures that do not say what they are of")
  return list
end

--- The two tables, as text.
---@param list scope3.bench.Figures
---@return string
function figures.tables(list)
  local lines = { list.rows,
    ("%-38s %12s %12s %10s %10s"):format("", "ns a row", "s a million", "ratio", "peak MB") }
  for _, one in ipairs(list) do
    lines[#lines + 1] = ("%-38s %12d %12.2f %9.2fx %10d"):format(one.name, one.ns, one.ns / 1000, one.ns / list[1].ns,
      one.peak)
  end
  lines[#lines + 1] = "\n" .. list.small
  lines[#lines + 1] = ("%-38s %12s %12s %10s"):format("", "wall ms", "CPU ms", "ratio")
  for _, one in ipairs(list) do
    lines[#lines + 1] = ("%-38s %12.1f %12.1f %9.2fx"):format(one.name, one.wall / 1000, one.cpu / 1000,
      one.times / 100)
  end
  return table.concat(lines, "\n") .. "\n"
end

return figures
