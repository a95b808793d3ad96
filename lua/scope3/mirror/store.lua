--- The state of a mirror: what a service has of one source's people, in a file that outlives the process.
---
--- Whatever is told to be written is on the disk when the call returns, or the state is as before. Packed members and
--- operations are opaque here; the core builds them, and protocol says what became of them. One process has a state at
--- a time, from open() to close(). Errors are those of a journal: kind "journal", and a code.
local chunks = require "scope3.mirror.chunks"
local difference = require "scope3.util.difference"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local json = require "scope3.util.json"
local parts_of = require "scope3.mirror.parts"
local rows = require "scope3.mirror.rows"
local schema = require "scope3.mirror.schema"

local tables = schema.tables

---@class scope3.StateAudience
---@field id string
---@field name? string
---@field consent_basis? string

---@class scope3.StateAbout  what a state belongs to
---@field service string
---@field account? string  nil where who only looks does not know it
---@field audiences scope3.StateAudience[]  numbered from 0; more may be added at the end
---@field identity string  version of the rules for ids and hashes
---@field script string  which one made the members

---@class scope3.MirrorStore : scope3.MirrorChunks, scope3.MirrorParts
---@field path string
---@field key string  16 bytes, of the keyed hashes
---@field changed string?  what differs from the last run, of what may: the identity version and the script
---@field audiences integer  how many there are
---@field closed boolean  it was given back
---@field over integer?  the night that this process has ended
---@field about scope3.StateAbout  what it belongs to
local Store = {}
Store.__index = Store

local store = {}

local PARTS = 256

local SAID = {
  locked = "is in use by another process, which runs this job: wait for it, or stop it",
  busy = "is in use by another process: wait for it, or stop it",
  missing = "is not there: %s",
  unsafe = "is not used: %s",
  moved = "is not where it was: %s. What this run sent stands in the file that was moved: bring it back, "
    .. "and run the same command again",
  forked = "cannot be used: %s",
  memory = "cannot be used: %s",
  full = "cannot be written: %s",
  io = "cannot be read or written: %s",
  damaged = "is damaged, so it cannot say what was sent. Bring it back from a copy, and send all once "
    .. "(full, --full); or name another state, and every row is sent again",
  foreign = "is no state of scope3",
  another_job = "belongs to another job: %s. Give the same again, or name another state",
}
local VERSIONS = {
  newer = "was written by a newer version of this library: use that one",
  older = "was written by an older version of this library: name another state, and every row is sent again",
}

-- What may differ from one night to the next: members are compared by what they are.
local MAY_CHANGE = { "identity", "script" }

local function failed(path, why)
  local said = why.code == "version" and VERSIONS[why.message] or SAID[why.code] or "cannot be used: %s"
  return nil, errors.new("journal", ("the state %s %s"):format(path, said:format(why.message)), { code = why.code })
end

function Store:fail(why)
  return failed(self.path, why)
end

--- All of some work or nothing of it, in the file that the name still means.
---@param work fun(): any, scope3.StateFault?
---@return any
---@return scope3.Error? err
function Store:write(work)
  local here, message, code = self.db:check()
  if not here then
    return self:fail { message = message, code = code }
  end
  local value, why = schema.atomically(self.db, work)
  if value == nil then
    return self:fail(why)
  end
  return value
end

-- The value of a name in `meta`.
local function meta(db, key)
  local row, why = rows.get(db, tables.meta, key)
  if not row then
    return nil, why or select(2, rows.fault("it lacks " .. key, "damaged"))
  end
  return row.value
end

local function set_meta(db, key, value)
  return rows.put(db, tables.meta, { key = key, value = value })
end

-- What a new state begins with.
local function fill(db, about, parts)
  local key, why = schema.value_of(db, "SELECT randomblob(16)")
  local ok = key and true or nil
  for _, pair in ipairs { { "key", key }, { "parts", parts }, { "service", about.service },
    { "account", about.account }, { "identity", about.identity }, { "script", about.script }, { "chunks", 0 },
    { "folds", 0 } } do
    if ok then
      ok, why = set_meta(db, pair[1], pair[2])
    end
  end
  for k = 0, parts - 1 do
    if ok then
      ok, why = rows.put(db, tables.part, { k = k, fold = 0, members = "" })
    end
  end
  return ok, why
end

-- Audiences by what is told of them, for difference().
local function named(audiences)
  local all = {}
  for i, audience in ipairs(audiences) do
    all[("audience %d"):format(i)] = audience.id
    all[("name of audience %d"):format(i)] = audience.name or ""
    all[("consent_basis of audience %d"):format(i)] = audience.consent_basis or ""
  end
  return all
end

-- Writes the audiences that are new at the end.
local function add_audiences(db, audiences, known)
  for i = known + 1, #audiences do
    local audience = audiences[i]
    local ok, why = rows.put(db, tables.audience, { number = i - 1, id = audience.id, name = audience.name or "",
      consent_basis = audience.consent_basis or "" })
    if not ok then
      return nil, why
    end
  end
  return true
end

-- What a state says that it belongs to.
local function read_about(db)
  local about = { audiences = {} }
  for _, key in ipairs { "service", "account", "identity", "script" } do
    local value, why = meta(db, key)
    if not value then
      return nil, why
    end
    about[key] = value
  end
  local known, why = rows.all(db, tables.audience)
  for i, row in ipairs(known or {}) do
    about.audiences[i] = { id = row.id, name = row.name ~= "" and row.name or nil,
      consent_basis = row.consent_basis ~= "" and row.consent_basis or nil }
  end
  return known and about, why
end

-- Whether the state belongs to what the run says. What may change is noted in `changed`.
local function compare(self, about, read_only)
  local was, is, may_was, may_be = {}, {}, {}, {}
  for _, key in ipairs { "service", "account", "identity", "script" } do
    local value, why = meta(self.db, key)
    if not value then
      return nil, why
    end
    was[key], is[key] = value, about[key] == nil and value or about[key]
  end
  for _, key in ipairs(MAY_CHANGE) do
    may_was[key], may_be[key], was[key], is[key] = was[key], is[key], nil, nil
  end
  local known, why = rows.all(self.db, tables.audience)
  if not known then
    return nil, why
  end
  local changed = difference(was, is)
  local audiences = {}
  for i = 1, #known do
    audiences[i] = about.audiences[i]
  end
  changed = changed or difference(named(known), named(audiences))
  if changed then
    return rows.fault(changed, "another_job")
  end
  self.changed, self.audiences = difference(may_was, may_be), math.max(#known, #about.audiences)
  if read_only then
    return true
  end
  return schema.atomically(self.db, function()
    local ok
    ok, why = add_audiences(self.db, about.audiences, #known)
    for _, key in ipairs(MAY_CHANGE) do
      if ok and may_was[key] ~= may_be[key] then
        ok, why = set_meta(self.db, key, may_be[key])
      end
    end
    return ok, why
  end)
end

-- Opens the tables, and compares what the state belongs to, or reads that.
local function load_tables(self, about, opts)
  local db = self.db
  local ok, why
  if opts.read_only then
    ok, why = schema.open_to_read(db, opts.seen)
  else
    ok, why = schema.open(db, opts.create and function()
      return fill(db, about, opts.parts or PARTS)
    end, opts.seen)
  end
  if ok and about then
    ok, why = compare(self, about, opts.read_only)
    self.about = about
  elseif ok then
    self.about, why = read_about(db)
    ok = self.about and true
    self.audiences = ok and #self.about.audiences
  end
  return ok, why
end

-- Finds, or makes, what a state has, once its file is open.
local function load(self, about, opts)
  local db = self.db
  local ok, why = load_tables(self, about, opts)
  for _, key in ipairs { "key", "parts", "chunks", "folds" } do
    if ok then
      ok, why = meta(db, key)
      self[key] = ok
    end
  end
  if ok then
    ok, why = rows.all(db, tables.fold)
    self.folding = ok and ok[1] or false
  end
  return ok, why
end

--- Takes a state for this process. Or opens it only to be read: beside a process that has it, as it is now until it is
--- closed, and without writing anything.
---@param path string
---@param about? scope3.StateAbout  nil takes what the state says, into the field `about`
---@param opts? {create: boolean?, parts: integer?, read_only: boolean?, seen: boolean?}  `create` makes one where there
---  is none, of so many partitions; `seen` where this process has had it, and need not look at all pages again
---@return scope3.MirrorStore?
---@return scope3.Error? err
function store.open(path, about, opts)
  local found, state = pcall(require, "scope3.state")
  if not found then
    return failed(path, { code = "unusable", message = "this build is without scope3.state: install "
      .. "SQLite's headers (libsqlite3-dev), and build again" })
  end
  opts = opts or {}
  -- Before there is something to lose.
  local self = setmetatable({ path = path, db = false, about = false, closed = false }, Store)
  local db, message, code = state.open(path, { create = opts.create, read_only = opts.read_only })
  if not db then
    return failed(path, { message = message, code = code })
  end
  self.db = db
  local fine, ok, why = pcall(load, self, about, opts)
  if not fine or not ok then
    db:close() -- memory may have run out, which must not leave it locked
    if not fine then
      error(ok, 0)
    end
    return failed(path, why)
  end
  return self
end

-- What a state that is not there yet has, for who only looks.
local Empty = { parts = PARTS, key = ("\0"):rep(16) }
Empty.__index = Empty

function Empty.close() end

function Empty.show(_, _, work)
  work ""
  return true
end

function Empty.open_chunks()
  return {}
end
Empty.runs = Empty.open_chunks

--- In the place of a state that is not there, and is not to be made. Nothing can be written to it.
---@param audiences integer  how many it would have
---@return scope3.MirrorStore
function store.empty(audiences)
  return setmetatable({ audiences = audiences }, Empty)
end

--- Gives the state back. Idempotent.
function Store:close()
  self.closed = true
  self.db:close()
end

-- --- nights ---

--- Begins a night; or gives the one that was begun and has not ended, which goes on.
---@param at number  second since 1970
---@return integer? n
---@return scope3.Error|boolean? err  true where the night goes on
function Store:begin_run(at)
  local all, why = rows.all(self.db, tables.run)
  if not all then
    return self:fail(why)
  end
  local last = all[#all]
  if last and not last.ended then
    return last.n, true
  end
  local n = last and last.n + 1 or 1
  local ok, err = self:write(function()
    return rows.put(self.db, tables.run, { n = n, began = math.floor(at) })
  end)
  return ok and n, err or false
end

--- Begins a night of this process. One that was interrupted is ended first: what it left stands in its chunks.
---@param at number  second since 1970
---@return integer? n
---@return scope3.Error? err
function Store:begin_night(at)
  local n, goes_on = self:begin_run(at)
  if n and goes_on == true then
    local ok, err = self:end_run(n, at, { interrupted = true })
    if not ok then
      return nil, err
    end
    n, goes_on = self:begin_run(at)
  end
  return n, not n and goes_on or nil
end

--- Ends a night. Its chunks stay until they are folded; the ends of their tasks may still be noted.
---@param n integer
---@param at number  second since 1970
---@param counts table<string, integer>
---@return true?
---@return scope3.Error? err
function Store:end_run(n, at, counts)
  local ok, err = self:write(function()
    local run, why = rows.get(self.db, tables.run, n)
    if not run then
      return nil, why or select(2, rows.fault("it lacks the run", "damaged"))
    end
    run.ended, run.counts = math.floor(at), json.encode(counts)
    return rows.put(self.db, tables.run, run)
  end)
  self.over = ok and n or self.over
  return ok, err
end

--- The nights so far, in order: n, began, ended, and their counts.
---@return {n: integer, began: integer, ended: integer?, counts: table?}[]?
---@return scope3.Error? err
function Store:runs()
  local all, why = rows.all(self.db, tables.run)
  if not all then
    return self:fail(why)
  end
  for _, run in ipairs(all) do
    run.counts = run.counts and json.decode(run.counts)
  end
  return all
end

-- --- chunks and their requests; partitions and folds ---

for _, methods in ipairs { chunks, parts_of } do
  for name, method in entries(methods) do
    Store[name] = method
  end
end

return store
