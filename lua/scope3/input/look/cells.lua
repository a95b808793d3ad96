--- The first rows of a source as columns of texts.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local map = require "scope3.input.map"
local names = require "scope3.input.look.names"
local plural = require "scope3.util.plural"

local cells = {}

local CELLS_MAX = 2000000 -- of a wide file fewer rows are looked at
local ROWS_MIN = 100
local BYTES_MAX = 64 * 1024 * 1024 -- of text that is kept
local DEPTH_MAX = 4 -- of values inside values
local KEYS_MAX = 400 -- of JSON Lines
local INNER_FEW, INNER_MAX = 20, 200 -- keys of an inner object that are names still, and beyond which they are none
local PATHS_MAX = 4 -- that are named
local RARE = 1 / 20 -- of the rows: a key that fewer have, or only one, is shown where it is of the words of names
local MAP_MIN = 3 -- objects in an object that holds nothing else: its keys may be of people

---@class scope3.LookColumn
---@field name? string  nil without a header
---@field number? integer  of CSV
---@field cells table<integer, string>  by the rows that could be read; none where a row has no value
---@field odd? table<integer, number|boolean>  values of JSON that are neither texts nor whole numbers

---@class scope3.LookCells
---@field columns scope3.LookColumn[]
---@field rows integer  that could be read
---@field refused integer  rows that could not
---@field faults table<string, integer>  why not, by reason
---@field ended boolean  these are all rows of the file
---@field broken? scope3.Error  the input could not be read further
---@field advice? string  what to do about a header that looks like data
---@field header? string[]  names as they are
---@field encoding table  as handle:encoding() gives it
---@field delimiter? string
---@field notes string[]  sentences on what was left out

-- The text of a value; nil where there is none.
local function text_of(value)
  local kind = type(value)
  if kind == "string" then
    return value:find("[^ \t\r\n]") and value or nil
  elseif kind == "number" then
    return value % 1 == 0 and ("%.0f"):format(value) or ("%.14g"):format(value):gsub(",", ".")
  elseif kind == "boolean" then
    return tostring(value)
  end
end

-- Counts a key of an object when it comes first. Whether it is looked at: not where there are too many beside it.
local function is_among_names(found, path, key)
  local name = path .. tostring(key)
  if type(key) == "number" or path == "" then
    return true
  elseif found.wanted[name] == nil then
    found.keys_in[path] = (found.keys_in[path] or 0) + 1
    found.wanted[name] = found.keys_in[path] <= INNER_MAX
  end
  return found.wanted[name]
end

-- Notes a value as it is where its text is not all of it, for a trial of the map.
local function note_odd(column, row, value)
  if type(value) == "boolean" or type(value) == "number" and value % 1 ~= 0 then
    column.odd = column.odd or {}
    column.odd[row] = value
  end
end

local function put(found, name, row, value)
  local column = found.by_name[name]
  if not column then
    if #found.columns >= KEYS_MAX then
      found.left_out = true
      return
    end
    column = { name = name, cells = {} }
    found.by_name[name] = column
    found.columns[#found.columns + 1] = column
  end
  local text = text_of(value)
  column.cells[row] = text and tostring(text)
  note_odd(column, row, value)
end

-- Counts the rows that have a key. Where one is in an array, it stands for all of them.
local function count_key(found, name, key, path)
  local about = found.keys_by_name[name]
  if not about then
    about = { rows = 0, parent = path:sub(1, -2), is_known = type(key) ~= "string" or names.is_known(key) }
    found.keys_by_name[name] = about
  end
  about.rows = about.rows + 1
end

-- Whether an object holds nothing but objects, as one that is keyed by people does.
local function is_map(value)
  local n = 0
  for key, inner in entries(value) do
    if type(inner) ~= "table" or type(next(inner)) ~= "string" or type(key) ~= "string" or names.is_known(key) then
      return false
    end
    n = n + 1
  end
  return n >= MAP_MIN
end

-- Takes an object's values, and those inside them by their paths. What stands under an email or a phone is passed over.
local function flatten(found, row, value, path, depth)
  if is_map(value) then
    found.keys_in[path] = path ~= "" and math.huge or nil
    found.map_rows = found.map_rows or path == ""
    return
  end
  for _, key in ipairs(map.sorted(value)) do
    local inner, name = value[key], path .. tostring(key)
    count_key(found, name, key, path)
    if type(key) == "string" and names.holds_data(key) then
      found.personal = true
    elseif is_among_names(found, path, key) and type(inner) == "table" and depth < DEPTH_MAX then
      flatten(found, row, inner, name .. ".", depth + 1)
    elseif found.wanted[name] ~= false then
      put(found, name, row, inner)
    end
  end
end

-- The paths of objects whose keys are data, such as names of people: there are more of them than rows.
local function paths_of_data(found)
  local paths = {}
  for path, keys in entries(found.keys_in) do
    if keys > INNER_FEW and (keys > found.rows or keys > INNER_MAX) then
      paths[#paths + 1] = path
    end
  end
  table.sort(paths, core.before)
  return paths
end

-- Whether a key, or one that it is under, stands in so few rows that it may be of one person.
local function is_rare(found, name)
  while name ~= "" do
    local about = found.keys_by_name[name]
    if found.rows > 1 and not about.is_known and (about.rows < 2 or about.rows < RARE * found.rows) then
      return true
    end
    name = about.parent
  end
  return false
end

local function is_in_one(name, paths)
  for _, path in ipairs(paths) do
    if name:sub(1, #path) == path then
      return path
    end
  end
end

local function note(found, sentence, ...)
  found.notes[#found.notes + 1] = sentence:format(...)
end

-- The columns whose names are shown, and how many are not because few rows have them.
local function shown_columns(found, paths)
  local kept, rare = {}, 0
  for _, column in ipairs(found.columns) do
    if not is_in_one(column.name, paths) then
      local is_hidden = is_rare(found, column.name)
      rare = rare + (is_hidden and 1 or 0)
      kept[#kept + 1] = not is_hidden and column or nil
    end
  end
  return kept, rare
end

-- Leaves out the columns whose keys, or those above them, are data, and notes what was left out.
local function leave_data_out(found)
  local paths = paths_of_data(found)
  local shown, rare = shown_columns(found, paths)
  found.columns = shown
  for i, path in ipairs(paths) do
    local name = path:sub(1, -2)
    if not is_in_one(name, paths) and i <= PATHS_MAX and not is_rare(found, name) then
      note(found, "The keys in '%s' seem to be data and not names: what is in it was not looked at.", name)
    end
  end
  if found.map_rows then
    note(found, "Some rows hold nothing but objects, so their keys seem to be data and not names: they were not looked "
      .. "at.")
  end
  if found.personal then
    note(found, "Some keys are emails, phones or hashes: what is under them was not looked at.")
  end
  if rare > 0 then
    note(found, "%s in few rows, and may be data and not names: %s not shown.",
      plural.of(rare, "key stands", "keys stand"), plural.words(rare, "it is", "they are"))
  end
  if found.left_out then
    note(found, "There are more than %d keys: the others were not looked at.", KEYS_MAX)
  end
end

-- How a row's values are found: a column whose name stands twice has its number as key.
local function keys_of(header, width)
  local count, keys = {}, {}
  for _, name in ipairs(header) do
    count[name] = (count[name] or 0) + 1
  end
  for i = 1, width do
    keys[i] = header[i] and count[header[i]] == 1 and header[i] or i
  end
  return keys
end

local function take_csv(found, row, values)
  for i, key in ipairs(found.keys) do
    local text = text_of(rawget(values, key))
    found.columns[i].cells[row] = text
  end
end

-- Notes the header, and makes a column for each of its names.
local function begin_csv(found, src)
  local header, err = src:columns()
  if not header then
    return nil, err
  end
  -- src:columns() keeps names back that look like data: the rows have them as keys all the same.
  found.advice, found.delimiter = src.advice, src.handle:delimiter()
  local raw = src.handle:columns() or {}
  found.header = header
  found.keys = keys_of(raw, src.width or 0)
  for i = 1, src.width or 0 do
    found.columns[i] = { name = header[i], number = i, cells = {} }
  end
  return true
end

local function limit_of(found, rows)
  return math.min(rows, math.max(ROWS_MIN, math.floor(CELLS_MAX / math.max(1, #found.columns))))
end

local function note_fault(found, err)
  found.refused = found.refused + 1
  found.faults[err.code or "unknown"] = (found.faults[err.code or "unknown"] or 0) + 1
end

-- Whether nothing follows the rows that were looked at.
local function is_at_end(src)
  local row, err = src:next()
  return row == nil and err == nil
end

-- Reads the rows. The error of an input that cannot be read further, or nil.
local function read_rows(found, src, limit, stopped)
  while found.rows + found.refused < limit and src.handle:bytes() <= BYTES_MAX do
    if stopped() then
      return errors.new("cancelled", "stopped by a signal")
    end
    local row, err = src:next()
    if row == nil and err == nil then
      found.ended = true
      return nil
    elseif row and found.keys then
      found.rows = found.rows + 1
      take_csv(found, found.rows, row)
    elseif row then
      found.rows = found.rows + 1
      flatten(found, found.rows, row, "", 1)
    elseif src.ended then
      return err
    else
      note_fault(found, err)
    end
  end
  found.ended = is_at_end(src)
end

local function read(found, src, rows, stopped)
  if src.format == "csv" then
    local ok, err = begin_csv(found, src)
    if not ok then
      return nil, err
    end
  end
  local err = read_rows(found, src, limit_of(found, rows), stopped)
  if err and (found.rows == 0 or err.kind == "cancelled") then
    return nil, err
  end
  if src.format ~= "csv" then
    leave_data_out(found)
  end
  found.broken = err
  found.encoding = src.handle:encoding()
  return found
end

--- Reads up to so many rows of a source, and closes it. Rows that cannot be read count.
---@param src scope3.Source
---@param rows integer
---@param stopped fun(): boolean?  whether the reading is to end
---@return scope3.LookCells?
---@return scope3.Error? err  the input cannot be read at all
function cells.read(src, rows, stopped)
  local found = { columns = {}, by_name = {}, rows = 0, refused = 0, faults = {}, ended = false,
    keys_by_name = {}, keys_in = {}, wanted = {}, notes = {} }
  local ok, err = read(found, src, rows, stopped)
  src:close()
  return ok, err
end

--- The share of rows that could be read, 0 to 1.
---@param found scope3.LookCells
---@return number
function cells.good(found)
  local all = found.rows + found.refused
  return all == 0 and 1 or found.rows / all
end

--- How often a reason occurs whose key begins so.
---@param found scope3.LookCells
---@param prefix string
---@return integer
function cells.count_faults(found, prefix)
  local n = 0
  for reason, count in entries(found.faults) do
    if reason:sub(1, #prefix) == prefix then
      n = n + count
    end
  end
  return n
end

--- The share of a column's cells, of those of the first rows, for which a function is true.
---@param found scope3.LookCells
---@param test fun(text: string): boolean
---@return number
function cells.share(found, test)
  local all, hits = 0, 0
  for _, column in ipairs(found.columns) do
    for row = 1, found.rows do
      local text = column.cells[row]
      if text then
        all = all + 1
        hits = hits + (test(text) and 1 or 0)
      end
    end
  end
  return all == 0 and 0 or hits / all
end

return cells
