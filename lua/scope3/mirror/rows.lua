--- Rows of a state's tables. Each has a seal: a part of the SHA-256 over its table and its values. SQLite keeps no
--- checksums of its pages, so a seal is how a damaged row is found. Of a blob the seal holds the length: what is inside
--- has a checksum of its own.
local core = require "scope3.core"

---@class scope3.StateTable
---@field name string
---@field columns string[]  without the seal; a blob is the last of them
---@field key string[]  the columns that name a row
---@field blob? string

---@class scope3.StateFault  why something could not be done
---@field message string  of SQLite or the system; holds no value
---@field code string

local rows = {}

local SEAL = 16 -- hex digits
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

--- A failure of the database.
---@param message any
---@param code? string
---@return nil
---@return scope3.StateFault
function rows.fault(message, code)
  return nil, { message = tostring(message), code = code or "unusable" }
end

local function damaged()
  return rows.fault("it is damaged", "damaged")
end

-- A value in the text that is sealed. Whole numbers are written alike by every Lua, and others do not occur.
local function told(value)
  if value == nil then
    return "-"
  elseif type(value) == "number" then
    return ("%.0f"):format(value)
  end
  return ("%d:%s"):format(#value, value)
end

-- `size` is that of the blob.
local function seal_of(of, row, size)
  local texts = { of.name }
  for i, column in ipairs(of.columns) do
    texts[i + 1] = told(column == of.blob and size or row[column])
  end
  return core.sha256(table.concat(texts, "\n")):sub(1, SEAL)
end

-- Texts of statements, made once.
local texts = {}

local function text(of, kind, make)
  local name = of.name .. " " .. kind
  texts[name] = texts[name] or make()
  return texts[name]
end

local function condition(of)
  return table.concat(of.key, " = ? AND ") .. " = ?"
end

local function length_of(blob)
  return type(blob) == "string" and #blob or blob:size()
end

--- Writes a row, in the place of one with the same key.
---@param db table
---@param of scope3.StateTable
---@param row table<string, any>  texts and numbers; a blob may be a view
---@return true?
---@return scope3.StateFault? why
function rows.put(db, of, row)
  local count = #of.columns
  local sql = text(of, "put", function()
    return ("INSERT OR REPLACE INTO %s VALUES(%s%s)"):format(of.name, ("?, "):rep(count),
      of.blob and "CAST(? AS BLOB)" or "?")
  end)
  local values = {}
  for i, column in ipairs(of.columns) do
    values[i] = row[column]
  end
  local seal = seal_of(of, row, of.blob and length_of(row[of.blob]))
  values[count + 1] = of.blob and row[of.blob] or seal
  values[count] = of.blob and seal or values[count]
  local changed, why, code = db:run(sql, unpack(values, 1, count + 1))
  if not changed then
    return rows.fault(why, code)
  end
  return true
end

-- The row that the database gave, where its seal fits: its columns by their names. The length of a blob stands behind
-- its seal, and the blob behind that, where it was asked for.
local function opened(of, list)
  local count = #of.columns
  local row = {}
  for i = 1, of.blob and count - 1 or count do
    row[of.columns[i]] = list[i]
  end
  local size = list[of.blob and count + 1 or 0]
  local blob = of.blob and list[count + 2]
  if list[of.blob and count or count + 1] ~= seal_of(of, row, size)
    or blob and (type(blob) == "number" or length_of(blob) ~= size) then
    return nil
  end
  row.size = size
  if blob then
    row[of.blob] = blob
  end
  return row
end

-- The columns that are read. SQLite knows the length of a blob without reading it.
local function selected(of, with_blob)
  if not of.blob then
    return table.concat(of.columns, ", ") .. ", seal"
  end
  return ("%s, seal, length(%s)%s"):format(table.concat(of.columns, ", ", 1, #of.columns - 1), of.blob,
    with_blob and ", " .. of.blob or "")
end

-- The row with a key: false where there is none, nil and why where that is not known.
local function find(db, of, with_blob, ...)
  local sql = text(of, with_blob and "get" or "look", function()
    return ("SELECT %s FROM %s WHERE %s"):format(selected(of, with_blob), of.name, condition(of))
  end)
  local list, why, code = db:first(sql, ...)
  if list == nil then
    return rows.fault(why, code)
  elseif not list then
    return false
  end
  local row = opened(of, list)
  if not row then
    return damaged()
  end
  return row
end

--- The row with a key, with its blob.
---@param db table
---@param of scope3.StateTable
---@param ... string|number  values of the key
---@return table|false|nil  false where there is none
---@return scope3.StateFault? why
function rows.get(db, of, ...)
  return find(db, of, true, ...)
end

--- Shows the row with a number as its key to a function; its blob is a view, which the core reads until the function
--- returns.
---@param db table
---@param of scope3.StateTable
---@param work fun(row: table)
---@param number integer
---@return boolean?  whether there is one
---@return scope3.StateFault? why
function rows.look(db, of, work, number)
  local row, fault = find(db, of, false, number)
  if not row then
    return row, fault
  end
  local is_whole = true
  local ok, why, code = db:look(of.name, of.blob, number, function(view)
    is_whole = view:size() == row.size
    if is_whole then
      row[of.blob] = view
      work(row)
    end
  end)
  if not ok then
    return rows.fault(why, code)
  elseif not is_whole then
    return damaged()
  end
  return true
end

--- All rows of a table in the order of its key, without their blobs.
---@param db table
---@param of scope3.StateTable
---@return table[]?
---@return scope3.StateFault? why
function rows.all(db, of)
  local sql = text(of, "all", function()
    return ("SELECT %s FROM %s ORDER BY %s"):format(selected(of, false), of.name, table.concat(of.key, ", "))
  end)
  local list, is_damaged = {}, false
  local ok, why, code = db:each(sql, function(given)
    local row = opened(of, given)
    is_damaged = is_damaged or not row
    list[#list + 1] = row
  end)
  if not ok then
    return rows.fault(why, code)
  elseif is_damaged then
    return damaged()
  end
  return list
end

--- Takes away the row with a key, or those whose first columns of the key have these values.
---@param db table
---@param of scope3.StateTable
---@param ... string|number
---@return true?
---@return scope3.StateFault? why
function rows.remove(db, of, ...)
  local given = select("#", ...)
  local sql = text(of, "remove " .. given, function()
    return ("DELETE FROM %s WHERE %s = ?"):format(of.name, table.concat(of.key, " = ? AND ", 1, given))
  end)
  local changed, why, code = db:run(sql, ...)
  if not changed then
    return rows.fault(why, code)
  end
  return true
end

return rows
