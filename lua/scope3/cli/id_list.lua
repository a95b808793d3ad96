--- The ids of `scope3 forget --file`: one a line, and nothing else. A line with columns is refused: what stands beside
--- an id would be taken for a part of it, and would be sent.
local core = require "scope3.core"

local id_list = {}

local GZIP = "\31\139"
local BOM = "\239\187\191"

local function contents(path)
  local file, why = path == "-" and io.stdin or nil, nil
  if not file then
    file, why = io.open(path, "rb")
  end
  local text
  if file then
    text, why = file:read "*a"
    if path ~= "-" then
      file:close()
    end
  end
  if not text then
    return nil, (tostring(why):gsub("^.*: ", ""))
  end
  return text:sub(1, #BOM) == BOM and text:sub(#BOM + 1) or text
end

-- Why a text is no list of ids, or nil.
local function problem_of(text)
  if text:sub(1, #GZIP) == GZIP then
    return "is gzip: unpack it first, such as with zcat, and give --file -"
  elseif not core.utf8_valid(text) or text:find "%z" then
    return "is not UTF-8"
  end
end

-- The id of a line: without blanks before it, and without the carriage return of Windows.
local function id_of(line)
  line = line:match "^[ \r]*(.*)$"
  return line:sub(-1) == "\r" and line:sub(1, -2) or line
end

-- Takes the lines of a text apart.
local function split(text, name)
  local ids, lines, number, at = {}, {}, 0, 1
  while at <= #text do
    local ends = text:find("\n", at, true) or #text + 1
    local id = id_of(text:sub(at, ends - 1))
    number, at = number + 1, ends + 1
    if id:find '[,;|\t"]' then
      return nil, ("line %.0f of %s has columns or quotes: --file takes one id a line, and no other column"):format(
        number, name)
    elseif id ~= "" then
      ids[#ids + 1], lines[#lines + 1] = id, number
    end
  end
  return ids, lines
end

--- Reads a file of ids.
---@param path string  "-" is standard input
---@return string[]? ids
---@return integer[]|string lines  of the ids; or what is wrong
function id_list.read(path)
  local name = path == "-" and "standard input" or path
  local text, why = contents(path)
  if not text then
    return nil, ("cannot read %s: %s"):format(name, why)
  end
  why = problem_of(text)
  if why then
    return nil, ("%s %s"):format(name, why)
  end
  return split(text, name)
end

return id_list
