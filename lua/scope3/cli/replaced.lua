--- Files of which an earlier one is replaced by a whole one or not at all. The new file is written beside the old one,
--- has its permissions, and takes its name. Where the name is a symbolic link, the file that it leads to is replaced.
local core = require "scope3.core"
local interpreted = require "scope3.util.interpreted"

local replaced = {}

local MOST_LINKS = 40 -- as Linux follows

-- The new file of each place. One that could not be removed again is taken when the place is written to.
local new_names = {}

-- The path that a name leads to, which may not exist. A circle of links leads to one of them.
local function place_of(path)
  for _ = 1, MOST_LINKS do
    local target = core.link_target(path)
    if not target then
      break
    end
    path = target:sub(1, 1) == "/" and target or (path:match "^.*/" or "") .. target
  end
  return path
end

-- Opens a file: the file, or nil and why not.
local function open(path)
  local file, why = io.open(path, "wb")
  return file, not file and (tostring(why):gsub("^.*: ", "")) or nil
end

-- Opens a new file beside the one at a place: the file and its name, or nil and why not.
local function open_new(place)
  if core.file_kind(place) == "directory" then
    return nil, "it is a folder"
  elseif core.link_target(place) then
    return nil, "its links lead in a circle"
  end
  local new = new_names[place] or ("%s.%.0f.tmp"):format(place, core.random() * 1e15)
  new_names[place] = new
  local file, why = open(new)
  return file, file and new or why
end

--- What keeps a file from being written, or nil.
---@param path string
---@return string?
function replaced.problem(path)
  local file, new = open_new(place_of(path))
  if not file then
    return new
  end
  file:close()
  os.remove(new)
end

-- Writes a text to a file that was opened, and closes it.
local function fill(file, words)
  local written, why = file:write(words)
  local closed, why_not = file:close() -- a full disk shows here at the latest
  if written and closed then
    return true
  end
  return nil, why or why_not or "it could not be closed"
end

-- LuaJIT does a compiled write that failed once more.
interpreted(fill)

-- Writes a text to what is no file, such as a terminal: another one must not take its name.
local function write_through(path, words)
  local file, why = open(path)
  if not file then
    return nil, why
  end
  return fill(file, words)
end

-- Gives a new file the permissions and the name of the one at a place.
local function put_in_place(new, place, is_there)
  local ok, why = true, nil
  if is_there then
    ok, why = core.copy_mode(place, new)
  end
  if ok then
    ok, why = os.rename(new, place)
  end
  return ok, why
end

--- Writes a text in place of what is there.
---@param path string
---@param words string
---@return true?
---@return string? why  what kept it from that: the old file is as it was
function replaced.write(path, words)
  local place = place_of(path)
  local kind = core.file_kind(place)
  if kind and kind ~= "file" and kind ~= "directory" then
    return write_through(place, words)
  end
  local file, new = open_new(place)
  if not file then
    return nil, new
  end
  local ok, why = fill(file, words)
  if ok then
    ok, why = put_in_place(new, place, kind == "file")
  end
  if not ok then
    os.remove(new)
    return nil, tostring(why)
  end
  return true
end

return replaced
