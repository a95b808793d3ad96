-- What may stay uncovered, and why: spec/coverage/left.tsv, a line `file <tab> text <tab> reason` each.
-- The text is one line of the file without its indentation, or several that follow each other with ` \n ` between.
-- A line behind `@ ` only says where the others stand, and is not excused itself.
-- It must stand in the file exactly once, so an entry neither outlives what it speaks of nor covers more than that.
-- One that excuses nothing, because its lines run, is a problem as well. A reason that begins with `may run: ` is for
-- what depends on the order in which processes come.
local files = require "spec.coverage.files"

local left = {}

local function trimmed_lines(path)
  local lines = {}
  for line in (files.read(path) .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line:match "^%s*(.-)%s*$"
  end
  return lines
end

-- The lines of a text, and which of them only say where the others stand.
local function split(text)
  local parts, context = {}, {}
  for part in (text .. " \\n "):gmatch "(.-) \\n " do
    parts[#parts + 1] = part:gsub("^@ ", "")
    context[#parts] = part:find "^@ " ~= nil
  end
  return parts, context
end

local function stands_at(lines, wanted, at)
  for i, text in ipairs(wanted) do
    if lines[at + i - 1] ~= text then
      return false
    end
  end
  return true
end

-- The first line of each place where the text of an entry stands.
local function places(lines, wanted)
  local found = {}
  for at = 1, #lines - #wanted + 1 do
    if stands_at(lines, wanted, at) then
      found[#found + 1] = at
    end
  end
  return found
end

---@class coverage.Entry
---@field text string
---@field reason string
---@field may_run boolean  whether chance decides if it runs
---@field used boolean?  whether a line or a branch that did not run was excused by it

--- By path, line numbers with their entries; and what is wrong with the list.
---@return table<string, table<integer, coverage.Entry>> entries
---@return string[] problems
function left.read(path)
  local entries, problems, texts = {}, {}, {}
  for entry in io.lines(path) do
    local file, text, reason = entry:match "^([^\t#]+)\t([^\t]+)\t([^\t]+)$"
    if file then
      texts[file] = texts[file] or trimmed_lines(file)
      local wanted, context = split(text)
      local at = places(texts[file], wanted)
      if #at ~= 1 then
        problems[#problems + 1] = ("%s: stands %d times in %s: %s"):format(path, #at, file, text)
      end
      entries[file] = entries[file] or {}
      local made = { text = text, reason = reason, may_run = reason:find "^may run: " ~= nil }
      for i = 1, #at == 1 and #wanted or 0 do
        local line = at[1] + i - 1
        if not context[i] then
          if entries[file][line] then
            problems[#problems + 1] = ("%s: another entry names the line, too: %s: %s"):format(path, file, wanted[i])
          end
          entries[file][line] = made
        end
      end
    elseif not entry:find "^#" and entry ~= "" then
      problems[#problems + 1] = ("%s: is no entry: %s"):format(path, entry)
    end
  end
  return entries, problems
end

--- Of entries that were asked for every line that did not run: what is said of those that were not needed.
---@param entries table<string, table<integer, coverage.Entry>>
---@return string[]
function left.idle(entries)
  local problems, told = {}, {}
  for file, of in pairs(entries) do
    for _, entry in pairs(of) do
      if not entry.used and not entry.may_run and not told[entry] then
        told[entry] = true
        problems[#problems + 1] = ("%s: runs, and is listed as left: %s"):format(file, entry.text)
      end
    end
  end
  table.sort(problems)
  return problems
end

return left
