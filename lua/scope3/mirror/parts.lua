--- The partitions of a state, and the chunks that are folded into them. Methods of scope3.MirrorStore.
local entries = require "scope3.util.entries"
local rows = require "scope3.mirror.rows"
local schema = require "scope3.mirror.schema"

local tables = schema.tables

---@class scope3.StateFold  a fold that was begun
---@field n integer
---@field first integer  chunk
---@field last integer
---@field outcomes string

---@class scope3.MirrorParts
---@field db table  of scope3.state
---@field write fun(self, work: fun(): any, scope3.StateFault?): any, scope3.Error?
---@field fail fun(self, why: scope3.StateFault): nil, scope3.Error
---@field chunks integer  number of the last chunk
---@field parts integer  partitions, numbered from 0
---@field folds integer  number of the last fold
---@field folding scope3.StateFold|false  one that was begun, and has not ended
local parts = {}

local function lacks_part()
  return rows.fault("it lacks a partition", "damaged")
end

-- While a fold has not ended, some partitions have its chunks in them and others have not.
local function check_whole(self)
  if self.folding then
    return rows.fault("a fold was begun and has not ended: finish it first", "folding")
  end
  return true
end

--- The packed members of a partition: an empty text where there are none yet.
---@param k integer
---@return string? members
---@return scope3.Error? err
function parts:part(k)
  local whole, why = check_whole(self)
  local row
  if whole then
    row, why = rows.get(self.db, tables.part, k)
  end
  if not row then
    return self:fail(why or select(2, lacks_part()))
  end
  return row.members
end

--- Shows the packed members of a partition to a function: as a view of the database, or an empty text.
---@param k integer
---@param work fun(members: any)
---@return true?
---@return scope3.Error? err
function parts:show(k, work)
  local whole, why = check_whole(self)
  local found
  if whole then
    found, why = rows.look(self.db, tables.part, function(row)
      work(row.members)
    end, k)
  end
  if not found then
    return self:fail(why or select(2, lacks_part()))
  end
  return true
end

--- A partition as it stands, also in the middle of a fold.
---@param k integer
---@return string? members
---@return boolean|scope3.Error folded  whether it has the chunks of the fold in it
function parts:look(k)
  local row, why = rows.get(self.db, tables.part, k)
  if not row then
    return self:fail(why or select(2, lacks_part()))
  end
  return row.members, self.folding and row.fold == self.folding.n
end

-- Folds the chunks into one partition. Where that changes nothing, nothing is written.
local function fold_part(self, k, apply)
  local row, why = rows.get(self.db, tables.part, k)
  if not row then
    return self:fail(why or select(2, lacks_part()))
  end
  local members, err = apply(k, row.members, self.folding)
  if not members then
    return nil, err
  elseif members == row.members then
    return true
  end
  return self:write(function()
    return rows.put(self.db, tables.part, { k = k, fold = self.folding.n, members = members })
  end)
end

-- Deletes the chunks of a fold and their requests.
local function remove_folded(self, fold)
  return self:write(function()
    for _, sql in ipairs {
      "DELETE FROM try WHERE chunk BETWEEN ? AND ?", "DELETE FROM chunk WHERE n BETWEEN ? AND ?",
    } do
      local changed, why, code = self.db:run(sql, fold.first, fold.last)
      if not changed then
        return rows.fault(why, code)
      end
    end
    return rows.remove(self.db, tables.fold, fold.n)
  end)
end

-- How what is deleted from here on is wiped: ON writes zeros over it, and FAST leaves pages that nothing is in as they
-- are, until shrink() takes them away.
local function wipe(self, how)
  local set, why, code = self.db:run("PRAGMA secure_delete = " .. how)
  if not set then
    return self:fail { message = why, code = code }
  end
  return true
end

-- The chunks are in every partition: they go, and so do their requests. With zeros in all their pages the log would
-- become as long as they are.
local function end_fold(self)
  local ok, err = wipe(self, "FAST")
  if not ok then
    return nil, err
  end
  local fine
  fine, ok, err = pcall(remove_folded, self, self.folding)
  local open, wiped, fault = pcall(wipe, self, "ON") -- where taking back failed, the database is closed by now
  if not fine then
    error(ok, 0)
  end
  if ok then
    self.folding = false
    if not open then
      error(wiped, 0)
    end
    ok, err = wiped, fault
  end
  return ok, err
end

--- Goes on with the fold that was begun, to its end.
---@param apply fun(k: integer, members: string, fold: scope3.StateFold): string?, scope3.Error?  what a partition is
---  with the chunks of the fold in it. The same call must give the same again: a run that was killed does it once more
---@return true?
---@return scope3.Error? err
function parts:finish_fold(apply)
  local list, why = rows.all(self.db, tables.part)
  if not list then
    return self:fail(why)
  elseif #list ~= self.parts then
    return self:fail(select(2, lacks_part()))
  end
  for _, part in ipairs(list) do
    if part.fold ~= self.folding.n then
      local ok, err = fold_part(self, part.k, apply)
      if not ok then
        return nil, err
      end
    end
  end
  return end_fold(self)
end

--- Folds the oldest chunks into the partitions, a transaction each. What became of their operations is fixed first: a
--- fold that is finished later is the same.
---@param last integer  number of the last chunk that is folded
---@param outcomes string  what became of each operation; for `apply`
---@param apply fun(k: integer, members: string, fold: scope3.StateFold): string?, scope3.Error?
---@return true?
---@return scope3.Error? err
function parts:fold(last, outcomes, apply)
  local whole, why = check_whole(self)
  local first
  if whole then
    first, why = schema.value_of(self.db, "SELECT min(n) FROM chunk")
  end
  if why then
    return self:fail(why)
  elseif not first or last < first or last > self.chunks then
    error("there is no such chunk to fold", 2)
  end
  local fold = { n = self.folds + 1, first = first, last = last, outcomes = outcomes }
  local ok, err = self:write(function()
    local put, fault = rows.put(self.db, tables.fold, fold)
    if put then
      put, fault = rows.put(self.db, tables.meta, { key = "folds", value = fold.n })
    end
    return put, fault
  end)
  if not ok then
    return nil, err
  end
  self.folds, self.folding = fold.n, fold
  return self:finish_fold(apply)
end

-- Writes packed members in the place of those of a row.
local function replace(db, of, key, members)
  local row, why = rows.get(db, of, key)
  if not row then
    return nil, why or select(2, rows.fault("it lacks what is written anew", "damaged"))
  end
  row.members = members
  return rows.put(db, of, row)
end

--- Writes a partition and chunks anew, without people that are to be forgotten. Afterwards no byte of them is in the
--- files.
---@param k integer?  nil where it is only chunks
---@param members string?
---@param of_chunks? table<integer, string>  packed operations of chunks, by number
---@return boolean? whole  false where a reader still has the log open: truncate() later
---@return scope3.Error? err
function parts:forget(k, members, of_chunks)
  local whole, fault = check_whole(self)
  if not whole then
    return self:fail(fault)
  end
  local ok, err = self:shrink() -- a run that was killed may have left pages of chunks
  if not ok then
    return nil, err
  end
  ok, err = self:write(function()
    local done, why = true, nil
    if k then
      done, why = replace(self.db, tables.part, k, members)
    end
    for n, operations in entries(of_chunks or {}) do
      if done then
        done, why = replace(self.db, tables.chunk, n, operations)
      end
    end
    return done, why
  end)
  if not ok then
    return nil, err
  end
  return self:truncate()
end

--- Moves everything from the log into the file, and empties the log.
---@return boolean? whole  false where a reader still has it open
---@return scope3.Error? err
function parts:truncate()
  local busy, why = schema.value_of(self.db, "PRAGMA wal_checkpoint(TRUNCATE)")
  if not busy then
    return self:fail(why)
  end
  return busy == 0
end

local STEP = 256 -- pages, so that the log stays small

--- Gives pages that hold nothing back to the file system.
---@return true?
---@return scope3.Error? err
function parts:shrink()
  local before
  while true do
    local free, why = schema.value_of(self.db, "PRAGMA freelist_count")
    if free == 0 or free and free == before then
      return true
    end
    before = free
    local changed, code
    if free then
      changed, why, code = self.db:run("PRAGMA incremental_vacuum(" .. STEP .. ")")
      why = not changed and { message = why, code = code } or nil
    end
    if why then
      return self:fail(why)
    end
  end
end

--- Bytes: of the file, of its pages that hold nothing, of packed members, and of chunks.
---@return {file: integer, free: integer, members: integer, chunks: integer}?
---@return scope3.Error? err
function parts:figures()
  local figures = {}
  for name, sql in entries {
    page = "PRAGMA page_size", pages = "PRAGMA page_count", free = "PRAGMA freelist_count",
    members = "SELECT total(length(members)) FROM part", chunks = "SELECT total(length(members)) FROM chunk",
  } do
    local value, why = schema.value_of(self.db, sql)
    if not value then
      return self:fail(why)
    end
    figures[name] = value
  end
  return { file = figures.pages * figures.page, free = figures.free * figures.page, members = figures.members,
    chunks = figures.chunks }
end

return parts
