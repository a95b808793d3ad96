--- The pages that people read, as data: code blocks, tables, and links.
---
--- A comment in HTML directly before a block says what the block is for:
---   <!-- file: crm.lua -->        the block is a file that other blocks of the page use
---   <!-- not run: reason -->      the block cannot run here
--- A block of `text` directly after another one is what that one prints.
local pages = {}

---@class spec.Block
---@field path string
---@field line integer  of its first line of text
---@field language string
---@field text string
---@field file? string  the name under which other blocks use it
---@field not_run? string  why it is not run
---@field prints? string  what it prints

local function lines_of(text)
  return (text:gsub("\n?$", "\n", 1)):gmatch "(.-)\r?\n"
end

--- The lines that a command of the shell prints, such as paths.
---@param command string
---@return string[]
function pages.files(command)
  local paths = {}
  local pipe = assert(io.popen(command))
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  return paths
end

--- The paths of all pages.
---@return string[]
function pages.paths()
  return pages.files "ls README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md docs/*.md"
end

--- The code blocks of a page.
---@param path string
---@param text string
---@return spec.Block[]
function pages.blocks(path, text)
  local blocks, number, open, mark, previous = {}, 0, nil, nil, nil
  for line in lines_of(text) do
    number = number + 1
    local fence = line:match "^```(.*)$"
    if open and fence then
      assert(fence == "", ("%s:%d: a block opens inside a block"):format(path, number))
      open.text = table.concat(open, "\n") .. "\n"
      if open.language == "text" and previous and not mark then
        previous.prints = open.text
      end
      blocks[#blocks + 1] = open
      previous, open, mark = open, nil, nil
    elseif open then
      open[#open + 1] = line
    elseif fence then
      open = { path = path, line = number + 1, language = fence }
      open.file, open.not_run = (mark or ""):match "^file: (%S+)$", (mark or ""):match "^not run: (.+)$"
      assert(not mark or open.file or open.not_run, ("%s:%d: the mark is not known"):format(path, number))
    elseif line ~= "" then
      mark = line:match "^<!%-%- (.*) %-%->$"
      previous = nil
    end
  end
  assert(not open, path .. ": a block does not end")
  return blocks
end

local function trim(text)
  return (text:match "^%s*(.-)%s*$")
end

-- The cells of a row. A pipe that belongs to a cell is written as \|.
local function cells(line)
  local row = {}
  for cell in line:gsub("\\|", "\1"):match("^|(.*)|%s*$"):gsub("$", "|"):gmatch "(.-)|" do
    row[#row + 1] = trim((cell:gsub("\1", "|")))
  end
  return row
end

--- The tables of a page, each with the heading that it stands under.
---@param text string
---@return {heading: string, head: string[], rows: string[][]}[]
function pages.tables(text)
  local all, heading, current, fenced = {}, "", nil, false
  for line in lines_of(text) do
    fenced = fenced ~= (line:find "^```" ~= nil)
    if fenced or not line:find "^|" then
      current = nil
      heading = not fenced and line:match "^#+ +(.-)%s*$" or heading
    elseif not current then
      current = { heading = heading, head = cells(line), rows = {} }
      all[#all + 1] = current
    elseif not line:find "^|[-: |]+|$" then
      current.rows[#current.rows + 1] = cells(line)
    end
  end
  return all
end

--- The tables of a page whose head begins with these cells.
---@param text string
---@param ... string
function pages.tables_with(text, ...)
  local found = {}
  for _, one in ipairs(pages.tables(text)) do
    local same = true
    for i = 1, select("#", ...) do
      same = same and one.head[i] == select(i, ...)
    end
    if same then
      found[#found + 1] = one
    end
  end
  return found
end

--- The words in backticks of a text, in order.
---@param text string
---@return string[]
function pages.quoted(text)
  local words = {}
  for word in text:gmatch "`([^`]+)`" do
    words[#words + 1] = word
  end
  return words
end

--- The words in backticks in the first column of the tables whose head begins with these cells.
---@param text string
---@param ... string
---@return table<string, true>
function pages.first_column(text, ...)
  local set = {}
  for _, one in ipairs(pages.tables_with(text, ...)) do
    for _, row in ipairs(one.rows) do
      for _, word in ipairs(pages.quoted(row[1])) do
        set[word] = true
      end
    end
  end
  return set
end

--- The keys of a set, in order.
---@param set table<string, any>
---@return string[]
function pages.sorted(set)
  local keys = {}
  for key in pairs(set) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- Fails unless both sets have the same keys, and shows which one has what the other lacks.
---@param expected table<string, any>
---@param found table<string, any>
---@param where string  for the message
function pages.same_keys(expected, found, where)
  local lacks, invents = {}, {}
  for key in pairs(expected) do
    lacks[key] = not found[key] or nil
  end
  for key in pairs(found) do
    invents[key] = not expected[key] or nil
  end
  local difference = { lacks = pages.sorted(lacks), invents = pages.sorted(invents) }
  require("luassert").same({ lacks = {}, invents = {} }, difference, where)
end

--- The part of a page under a heading, up to the next heading of that level or above.
---@param text string
---@param heading string  with its marks, such as "## Errors"
---@return string
function pages.section(text, heading)
  local level, found, fenced = #heading:match "^#+", nil, false
  for line in lines_of(text) do
    fenced = fenced ~= (line:find "^```" ~= nil)
    local marks = not fenced and line:match "^(#+) "
    if line == heading then
      found = {}
    elseif found and marks and #marks <= level then
      break
    elseif found then
      found[#found + 1] = line
    end
  end
  return table.concat(assert(found, "no page has the heading " .. heading), "\n") .. "\n"
end

return pages
