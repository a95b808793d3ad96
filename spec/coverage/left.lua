-- What may stay uncovered, and why: spec/coverage/left.tsv, a line `file <tab> text <tab> reason` each. The text is one
-- line of the file without its indentation, or several that follow each other with ` \n ` between. It must stand in the
-- file exactly once, so an entry neither outlives what it speaks of nor covers more than that.
local files = require "spec.coverage.files"

local left = {}

local function trimmed_lines(path)
  local lines = {}
  for line in (files.read(path) .. "\n"):gmatch "(.-)\n" do
    lines[#lines + 1] = line:match "^%s*(.-)%s*$"
  end
  return lines
end

local function split(text)
  local parts = {}
  for part in (text .. " \\n "):gmatch "(.-) \\n " do
    parts[#parts + 1] = part
  end
  return parts
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

--- By path, line numbers with their reasons; and what is wrong with the list.
---@return table<string, table<integer, string>> reasons
---@return string[] problems
function left.read(path)
  local reasons, problems, texts = {}, {}, {}
  for entry in io.lines(path) do
    local file, text, reason = entry:match "^([^\t#]+)\t([^\t]+)\t([^\t]+)$"
    if file then
      texts[file] = texts[file] or trimmed_lines(file)
      local wanted = split(text)
      local at = places(texts[file], wanted)
      if #at ~= 1 then
        problems[#problems + 1] = ("%s: stands %d times in %s: %s"):format(path, #at, file, text)
      end
      reasons[file] = reasons[file] or {}
      for i = 1, #at == 1 and #wanted or 0 do
        reasons[file][at[1] + i - 1] = reason
      end
    elseif not entry:find "^#" and entry ~= "" then
      problems[#problems + 1] = ("%s: is no entry: %s"):format(path, entry)
    end
  end
  return reasons, problems
end

return left
