-- What a run says at its end: a table by file, and the mutants that live.
local operators = require "spec.mutants.operators"

local report = {}

local COLUMNS = { "mutants", "killed", "equivalent", "survived", "capped", "skipped" }
local LIVE = { survived = true, capped = true }

local function table_row(name, cells_of)
  local cells = {}
  for i, column in ipairs(COLUMNS) do
    cells[i] = ("%10s"):format(cells_of(column))
  end
  return ("%-44s%s"):format(name, table.concat(cells))
end

local function counts_of(counts)
  return function(column)
    return ("%d"):format(counts[column] or 0)
  end
end

local function add(counts, column, n)
  counts[column] = (counts[column] or 0) + n
end

--- The line of a mutant before it and after.
---@param mutant scope3.Mutant
---@param text string  of its file
---@return string
function report.change(mutant, text)
  local changed = operators.apply(text, mutant)
  local begins = mutant.first - #text:sub(1, mutant.first - 1):match "[^\n]*$"
  local before = text:sub(begins, (text:find("\n", mutant.last, true) or #text + 1) - 1)
  local after = changed:sub(begins, begins + #before + #mutant.replacement - (mutant.last - mutant.first + 1) - 1)
  return "  - " .. before:gsub("\n", "\n    ") .. "\n  + " .. after:gsub("%s+$", ""):gsub("\n", "\n    ")
end

--- Prints the table and the mutants that live.
---@param ends {mutant: scope3.Mutant, name: string, status: string}[]
---@param skipped table<string, integer>  by file
---@param text_of fun(file: string): string
---@return integer live
function report.print(ends, skipped, text_of)
  local by_file, files, all, live = {}, {}, {}, 0
  for _, one in ipairs(ends) do
    local file = one.mutant.file
    if not by_file[file] then
      by_file[file] = { skipped = skipped[file] }
      files[#files + 1] = file
      add(all, "skipped", skipped[file] or 0)
    end
    for _, counts in ipairs { by_file[file], all } do
      add(counts, "mutants", 1)
      add(counts, one.status, 1)
    end
    if LIVE[one.status] then
      live = live + 1
      print(("%s: %s\n%s"):format(one.status, one.name, report.change(one.mutant, text_of(file))))
    end
  end
  print(table_row("", function(column)
    return column
  end))
  for _, file in ipairs(files) do
    print(table_row(file, counts_of(by_file[file])))
  end
  print(table_row("all", counts_of(all)))
  return live
end

return report
