--- The tables of a state, and whether a file is one.
---
--- A state is one SQLite database: what a service has of one source's people. They are packed into one sorted blob for
--- each of its partitions (`part`), because a row for each would touch a page for each change. What is sent stands in
--- `chunk`, and each request of it in `try`, before it goes. Ended chunks are folded into the partitions.
local rows = require "scope3.mirror.rows"

local schema = {}

schema.VERSION = 2

local APPLICATION = 0x53335354 -- "S3ST"
-- Bytes of a page. A transaction writes the pages that it touches whole, and a request of a night makes three, each of
-- which touches some pages for a few bytes. Smaller pages are more reads and writes, which a night would notice.
local PAGE = 16384
local LOG = 8388608 -- bytes of the log after which it goes into the file

---@type table<string, scope3.StateTable>
schema.tables = {
  --- What holds of the whole state: its key, partitions, service, account and their like.
  meta = { name = "meta", columns = { "key", "value" }, key = { "key" } },
  audience = { name = "audience", columns = { "number", "id", "name", "consent_basis" }, key = { "number" } },
  --- A night: when it began and ended, and its counts (as JSON).
  run = { name = "run", columns = { "n", "began", "ended", "counts" }, key = { "n" } },
  --- A partition, and the fold that wrote it.
  part = { name = "part", columns = { "k", "fold", "members" }, key = { "k" }, blob = "members" },
  --- What one batch of a night sends. Those without a batch send nothing.
  chunk = { name = "chunk", columns = { "n", "run", "batch", "members" }, key = { "n" }, blob = "members" },
  --- A request: the operations of its chunk from `first` to `last`, but those in `without`. The service refused those
  --- in `refused`. Both are lists, as JSON.
  try = { name = "try", columns = { "run", "request", "chunk", "first", "last", "without", "refused", "begun", "state",
    "task_id", "ended_at" }, key = { "run", "request" } },
  --- Chunks from `first` to `last`, which are being folded, and what became of each operation of theirs.
  fold = { name = "fold", columns = { "n", "first", "last", "outcomes" }, key = { "n" } },
}

-- Rows whose key is one whole number are found by it alone.
local TYPES = { number = "INTEGER PRIMARY KEY", k = "INTEGER PRIMARY KEY" }
local NUMBERED = { run = true, chunk = true, fold = true }

-- A blob is last: what stands behind one is read by reading all of it.
local function create(of)
  local columns = {}
  for i, column in ipairs(of.columns) do
    local kind = TYPES[column] or NUMBERED[of.name] and i == 1 and "INTEGER PRIMARY KEY" or ""
    if column ~= of.blob then
      columns[i] = (column .. " " .. kind):gsub(" $", "")
    end
  end
  columns[#columns + 1] = "seal"
  columns[#columns + 1] = of.blob and of.blob .. " BLOB NOT NULL"
  local has_number = columns[1]:find("PRIMARY", 1, true)
  return ("CREATE TABLE %s(%s%s)%s"):format(of.name, table.concat(columns, ", "),
    has_number and "" or ", PRIMARY KEY(" .. table.concat(of.key, ", ") .. ")", has_number and "" or " WITHOUT ROWID")
end

local NAMES = { "audience", "chunk", "fold", "meta", "part", "run", "try" }

-- Runs statements, each for what it does; or gives the first failure.
local function run_all(db, list)
  for _, sql in ipairs(list) do
    local changed, why, code = db:run(sql)
    if not changed then
      return rows.fault(why, code)
    end
  end
  return true
end

-- The value of the first column of the first row.
local function value_of(db, sql)
  local list, why, code = db:first(sql)
  if list == nil then
    return rows.fault(why, code)
  end
  return list and list[1]
end
schema.value_of = value_of

--- Carries out some work, all of it or nothing. It is on the disk when this returns.
---@param db table
---@param work fun(): any, scope3.StateFault?  gives nil and why where it failed
---@return any  what it gave
---@return scope3.StateFault? why
function schema.atomically(db, work)
  -- One may be left where memory ran out just there.
  local changed, why, code = not db:in_transaction() or db:run "ROLLBACK", nil, nil
  if changed then
    changed, why, code = db:run "BEGIN IMMEDIATE"
  end
  if not changed then
    return rows.fault(why, code)
  end
  local fine, value, fault = pcall(work)
  if fine and value ~= nil then
    changed, why, code = db:run "COMMIT"
    if changed then
      return value
    end
    fault = { message = why, code = code }
  end
  -- SQLite has ended one itself where the disk failed it. What cannot be taken back must not be added to.
  if db:in_transaction() and not db:run "ROLLBACK" then
    db:close()
  end
  if not fine then
    error(value, 0)
  end
  return nil, fault
end

-- What holds for the connection. Nothing of people goes to a file for a time, or stays where it was deleted.
local SETTINGS = {
  "PRAGMA secure_delete = ON", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -4096", "PRAGMA mmap_size = 0",
  "PRAGMA temp_store = MEMORY", "PRAGMA cell_size_check = ON",
  ("PRAGMA wal_autocheckpoint = %d"):format(LOG / PAGE), ("PRAGMA journal_size_limit = %d"):format(LOG),
}

local NEW, NONE = { "PRAGMA page_size = " .. PAGE, "PRAGMA auto_vacuum = INCREMENTAL" }, {}

local function foreign()
  return rows.fault("it is no state of scope3", "foreign")
end

-- Whether the file has nothing in it: made just now, or by a run that was killed while it made it.
local function is_empty(db)
  local count, why = value_of(db, "SELECT count(*) FROM sqlite_master")
  if not count then
    return nil, why
  elseif count > 0 then
    return false
  end
  for _, name in ipairs { "application_id", "user_version" } do
    local number
    number, why = value_of(db, "PRAGMA " .. name)
    if not number then
      return nil, why
    elseif number ~= 0 then
      return false
    end
  end
  return true
end

local function make(db, fill)
  return schema.atomically(db, function()
    local ok, why
    for _, name in ipairs(NAMES) do
      ok, why = run_all(db, { create(schema.tables[name]) })
      if not ok then
        return nil, why
      end
    end
    ok, why = run_all(db, { "PRAGMA application_id = " .. APPLICATION, "PRAGMA user_version = " .. schema.VERSION })
    if not ok then
      return nil, why
    end
    return fill()
  end)
end

-- Whether the tables are those that this version makes, to the letter: nothing else is in the file.
local function has_tables(db)
  local found, at = true, 0
  local ok, why, code = db:each("SELECT name, sql FROM sqlite_master ORDER BY name", function(row)
    at = at + 1
    found = found and NAMES[at] ~= nil and row[1] == NAMES[at] and row[2] == create(schema.tables[NAMES[at]])
  end)
  if not ok then
    return rows.fault(why, code)
  end
  return found and at == #NAMES
end

local NO_SUCH_FILE = 2 -- ENOENT: there may be no log

-- Whether every byte of the file and its log can be read. This gives up the locks of SQLite, so a state that cannot be
-- opened is the only one to ask this of.
local function is_readable(db)
  local path = value_of(db, "SELECT file FROM pragma_database_list WHERE name = 'main'")
  if not path then
    return false
  end
  for _, suffix in ipairs { "", "-wal" } do
    local file, why, code = io.open(path .. suffix, "rb")
    local bytes = file and ""
    while bytes do
      bytes, why = file:read(65536)
    end
    if file then
      file:close()
    end
    if why and code ~= NO_SUCH_FILE then
      return false
    end
  end
  return true
end

-- Whether every page is where it belongs. It reads the file once. SQLite puts a failed read into words as it does with
-- damage. Of a page that says where others belong it tells neither from the other: that is tried once more, and then
-- the file is read without SQLite.
local function check_pages(db, again)
  local said, why = value_of(db, "PRAGMA quick_check(1)")
  if said == "ok" then
    return true
  elseif not said then
    return nil, why
  end
  local code = tonumber(said:match "error code[= ](%d+)" or 0) % 256
  if code == 7 then
    return rows.fault("not enough memory", "memory")
  elseif code == 10 or said:find("failed to get page", 1, true) then
    return rows.fault("a page cannot be read", "io")
  elseif said:find("Failed to read ptrmap", 1, true) then
    if not again then
      return check_pages(db, true)
    end
    if not is_readable(db) then
      return rows.fault("a page cannot be read", "io")
    end
  end
  return rows.fault("it is damaged", "damaged")
end

-- Whether the file is a state of this version, from the number that says so to the last page, unless those were `seen`.
local function check(db, seen)
  local number, why = value_of(db, "PRAGMA application_id")
  if number ~= APPLICATION then
    return nil, why or select(2, foreign())
  end
  number, why = value_of(db, "PRAGMA user_version")
  if number ~= schema.VERSION then
    return nil, why or select(2, rows.fault(number > schema.VERSION and "newer" or "older", "version"))
  end
  local found
  found, why = has_tables(db)
  for _, setting in ipairs { { "page_size", PAGE }, { "auto_vacuum", 2 } } do
    if found then
      found, why = value_of(db, "PRAGMA " .. setting[1])
      found = found == setting[2]
    end
  end
  if not found then
    return nil, why or select(2, rows.fault("it is damaged", "damaged"))
  end
  if seen then
    return true
  end
  return check_pages(db)
end

-- What holds for the connection, and of a new file for good.
local function set_up(db, empty)
  -- First, because SQLite counts the pages that it keeps by the size that they have just then.
  local ok, why = run_all(db, empty and NEW or NONE)
  if ok then
    ok, why = run_all(db, SETTINGS)
  end
  return ok, why
end

-- A log in place of a journal: so others may read while one process writes.
local function set_log(db)
  local mode, why = value_of(db, "PRAGMA journal_mode = WAL")
  if mode ~= "wal" then
    return nil, why or select(2, rows.fault("this file system has no shared memory for it", "unusable"))
  end
  return true
end

--- Sees that a file is a state, and reads from here on what it is now, whatever another process writes to it.
---@param db table  of scope3.state, opened to be read only
---@param seen? boolean  as for schema.open()
---@return true?
---@return scope3.StateFault? why  as of schema.open()
function schema.open_to_read(db, seen)
  local ok, why = run_all(db, { "PRAGMA cache_size = -4096", "PRAGMA mmap_size = 0", "PRAGMA cell_size_check = ON",
    "PRAGMA temp_store = MEMORY", "BEGIN" })
  if ok then
    ok, why = check(db, seen)
  end
  return ok, why
end

--- Makes the tables of an empty file where `fill` is given, or sees that they are there. Nothing is written to a file
--- that is no state.
---@param db table  of scope3.state
---@param fill? fun(): true?, scope3.StateFault?  writes the first rows of a new state
---@param seen? boolean  this process has looked at all its pages a while ago: that reads all of the file
---@return true?
---@return scope3.StateFault? why  its code is "version" where another version wrote the file; the message is then
---  "newer" or "older"
function schema.open(db, fill, seen)
  local empty, why = is_empty(db)
  if empty == nil then
    return nil, why
  elseif empty and not fill then
    return foreign()
  end
  local ok = true
  if not empty then
    ok, why = check(db, seen)
  end
  if ok then
    ok, why = set_up(db, empty)
  end
  if ok and empty then
    ok, why = make(db, fill)
  end
  if not ok then
    return nil, why
  end
  return set_log(db)
end

return schema
