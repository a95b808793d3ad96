--- The report of --report FILE.txt, as a mail: the first line can be its subject, and no line is over 72 columns.
local report = require "scope3.cli.report"
local report_body = require "scope3.cli.report_body"
local report_head = require "scope3.cli.report_head"
local text = require "scope3.cli.text"

local report_text = {}

local WIDTH = 72 -- of a mail that is still read when it was quoted
local DEEPEST = 30 -- columns that a further line is moved in, at most

-- Whole characters of a text of UTF-8, in a list.
local function characters_of(line)
  local list = {}
  for character in line:gmatch("[%z\1-\127\192-\255][\128-\191]*") do
    list[#list + 1] = character
  end
  return list
end

-- Where the last cell of a row begins: further lines of it stand below.
local function indent_of(line)
  local indent = #line:match("^ *")
  for at in line:gmatch("()%S+") do
    if at - 1 <= DEEPEST and at > 2 and line:sub(at - 2, at - 1) == "  " then
      indent = at - 1
    end
  end
  return math.min(indent, DEEPEST)
end

-- Where a line is cut that is too long: behind the last space that fits, or in the middle of a word.
local function cut_of(list, from, room, indent)
  for i = from + room, from + indent + 1, -1 do
    if list[i] == " " then
      return i - 1, i + 1
    end
  end
  return from + room - 1, from + room
end

-- Appends a line, in as many as it needs.
local function wrap(lines, line)
  local list, indent, from = characters_of(line), indent_of(line), 1
  local lead, room = "", WIDTH
  while #list - from + 1 > room do
    local last, next_one = cut_of(list, from, room, lead == "" and indent or 0)
    lines[#lines + 1] = lead .. table.concat(list, "", from, last)
    from, lead, room = next_one, (" "):rep(indent), WIDTH - indent
  end
  lines[#lines + 1] = lead .. table.concat(list, "", from)
end

-- A line for the subject of a mail, whose header takes nothing but ASCII as it is.
local function subject_of(line)
  line = text.visible(line):gsub("[\192-\255][\128-\191]*", "?")
  return #line <= WIDTH and line or line:sub(1, WIDTH - 3) .. "..."
end

-- A line without the spaces at its end, in linear time.
local function without_end(line)
  local n = #line
  while line:byte(n) == 32 do
    n = n - 1
  end
  return line:sub(1, n)
end

--- The report as a text.
---@param ended scope3.cli.Ended
---@param about scope3.cli.ReportContext
---@return string
function report_text.of(ended, about)
  local head = report_head.of(ended, about)
  local parts = { subject_of(head.subject), "" }
  if head.message then
    parts[#parts + 1] = head.word .. ": " .. head.message:gsub("[^\n]+", text.visible)
    parts[#parts + 1] = ""
  end
  parts[#parts + 1] = text.columns(head.facts, nil, "  ")
  if head.has_result then
    parts[#parts + 1] = report.of(ended.fields, about)
  elseif about.body then
    parts[#parts + 1] = report_body.text(about.body)
  end
  local lines, text_of_all, at = {}, table.concat(parts, "\n"), 1
  for ending in text_of_all:gmatch "()\n" do
    wrap(lines, without_end(text_of_all:sub(at, ending - 1)))
    at = ending + 1
  end
  return table.concat(lines, "\n") .. "\n"
end

return report_text
