--- What the rows of a mirror's files go into: the night, which compares them with the state; and after that the
--- payloads and chunks of those that have to be sent.
local batcher = require "scope3.job.batcher"
local core = require "scope3.core"
local errors = require "scope3.error"
local night_of = require "scope3.mirror.night"
local payload_pool = require "scope3.job.payload_pool"
local request = require "scope3.api.request"

---@class scope3.NightRows: scope3.RowTaker
---@field builder table
---@field cuts integer  payloads that were sent
---@field removals integer  of their members, those that are removed
---@field is_again boolean  what is built now was sent by an earlier night
---@field payload table
---@field chunk table  an entry for each member of the payload
---@field notes table  entries of rows that send nothing
---@field file? string  that is read, for rejections
---@field number integer  of the file, from 0
---@field step fun(self, handle: table, bytes: number, seconds: number): string, ...  set by survey() and build()
local Rows = {}
Rows.__index = Rows

local night_rows = {}

---@class scope3.EarlierEntries  which entries of earlier chunks the members of a payload are, by their numbers in it
---@field chunks integer[]
---@field entries integer[]

---@class scope3.NightSink  what takes the batches of a night
---@field send fun(self, batch: scope3.Batch): true?, scope3.Error?
---@field seconds fun(): number
---@field keep fun(batch: integer, operations: string|scope3.EarlierEntries)  the operations of a batch that is about
---  to be sent; or, member by member, which of earlier chunks they are
---@field note fun(operations: string): true?, scope3.Error?  operations that send nothing

--- Starts one for a job.
---@param night scope3.Night
---@param sink scope3.NightSink
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked options of the job
---@param shape table
---@param run integer  the night's number
---@return scope3.NightRows
function night_rows.new(night, sink, audience, opts, shape, run)
  local pool = payload_pool.new(opts, request.frame(opts.push_notification_config) + request.overhead(audience))
  return setmetatable({
    night = night.core, sink = sink, audience = audience, opts = opts, run = run, pool = pool,
    columns = shape.columns or {}, conditions = shape.plan or {}, where = shape.where,
    builder = batcher.builder(opts, shape, pool.size - pool.frame), cuts = 0, removals = 0, number = 0,
    is_again = false,
  }, Rows)
end

-- What a step comes to: a failure of the night becomes an error.
local function checked(self, state, detail, row, line)
  if state == nil then
    return "fault", night_of.failure(detail, row)
  elseif state == "changed" then
    return "fault", errors.new("source", (self.path or "the input") .. ": the file was changed while it was compared; "
      .. "run the job again. What was sent before that counts", { code = "changed_input" })
  end
  return state, detail, row, line
end

local function survey_step(self, handle, bytes, seconds)
  return checked(self, self.builder:survey(self.night, handle, self.number, bytes, seconds))
end

local function build_step(self, handle, bytes, seconds)
  return checked(self, self.builder:build(self.payload, handle, self.night, self.chunk, self.notes, self.number, bytes,
    seconds))
end

--- From now on rows go into the night.
function Rows:survey()
  self.step = survey_step
end

local function build_again_step(self, handle, bytes, seconds)
  return checked(self, self.builder:build_again(self.payload, handle, self.night, self.list, self.number, bytes,
    seconds))
end

local function renew(self)
  self.payload, self.chunk, self.list = self.pool:take(), false, false
  if self.is_again then
    self.list = core.mirror.list()
  else
    self.chunk = core.mirror.chunk(self.run)
  end
  self.notes = self.notes or core.mirror.chunk(self.run)
  self.began = self.sink.seconds()
end

-- Gives back what members and their operations were to go into; both are empty.
local function give_back(self)
  if self.payload then
    self.pool:give_back(self.payload)
  end
  for _, object in ipairs { self.chunk or false, self.list or false } do
    if object then
      object:close()
    end
  end
end

-- From now on rows of this kind go into payloads, which are sent when they are full.
local function build(self, is_again, step)
  give_back(self)
  self.step, self.is_again = step, is_again
  renew(self)
end

--- From now on candidates of the night go into payloads, which are sent when they are full.
function Rows:build()
  build(self, false, build_step)
end

--- From now on those go again that an earlier night sent, and of which it knows no end.
function Rows:build_again()
  build(self, true, build_again_step)
end

--- Goes on with another file, whose columns may lie elsewhere.
---@param shape {targets: table?, conditions: table, columns: table}
---@param file? string  its path, for rejections
---@param number integer
function Rows:turn_to(shape, file, number)
  self.builder:columns(shape.targets, shape.conditions)
  self.columns, self.file, self.path, self.number = shape.columns, file, file, number - 1
end

Rows.report_rejections = batcher.report_rejections

local function blob_of(chunk)
  local blob, message, code = chunk:blob()
  if not blob then
    return nil, night_of.failure(message, code)
  end
  return blob
end

-- Writes down what sends nothing.
local function keep_notes(self)
  if self.notes:size() == 0 then
    return true
  end
  local blob, err = blob_of(self.notes)
  if not blob then
    return nil, err
  end
  self.notes:close()
  self.notes = core.mirror.chunk(self.run)
  return self.sink.note(blob)
end

-- What the members of the payload are in the state.
local function operations_of(self)
  if self.is_again then
    local chunks, numbers = self.list:numbers()
    self.list:close()
    return { chunks = chunks, entries = numbers }
  end
  local blob, err = blob_of(self.chunk)
  if blob then
    self.chunk:close()
  end
  return blob, err
end

-- Sends what the payload holds.
local function send(self)
  local payload = self.payload
  local adds, removes = payload:living()
  local operations, err = operations_of(self)
  if not operations then
    return nil, err
  end
  self.cuts, self.removals = self.cuts + 1, self.removals + removes
  self.pool:sent(payload)
  self.sink.keep(self.cuts, operations)
  local part = { audience = self.audience, payload = payload, first = 1, last = payload:count(), adds = adds,
    removes = removes }
  local batch = { number = self.cuts, parts = { part }, began = self.began, release = self.pool:release_of(payload) }
  renew(self)
  return self.sink:send(batch)
end

--- Sends what there is, and writes down what sends nothing.
---@return true?
---@return scope3.Error? err
function Rows:cut()
  local ok, err = keep_notes(self)
  if ok and self.payload:count() > 0 then
    ok, err = send(self)
  end
  return ok, err
end

Rows.make_room = Rows.cut

-- Sends removals of one kind.
local function remove(self, pause)
  while true do
    local state, message, code
    if self.is_again then
      state, message, code = self.builder:leave_again(self.payload, self.night, self.list)
    else
      state, message, code = self.builder:leave(self.payload, self.night, self.chunk)
    end
    if not state then
      return nil, night_of.failure(message, code)
    end
    local ok, err = self:cut()
    err = err or pause()
    if not ok or err then
      return nil, err
    elseif state == "end" then
      return true
    end
  end
end

--- Sends the removal of all who leave, and again those that an earlier night sent and of which it knows no end. After
--- the last candidate.
---@param pause fun(): scope3.Error?
---@return true?
---@return scope3.Error? err
function Rows:remove_leavers(pause)
  self:build_again()
  local ok, err = remove(self, pause)
  if ok then
    self:build()
    ok, err = remove(self, pause)
  end
  return ok, err
end

--- Gives up the members that were built and will not be sent. Called when a job ends early.
---@param give_up fun(part: scope3.Part)
function Rows:abandon(give_up)
  local adds, removes = 0, 0
  if self.payload then
    adds, removes = self.payload:living()
  end
  if adds + removes > 0 then
    give_up { audience = self.audience, payload = self.payload, first = 1, last = self.payload:count(), adds = adds,
      removes = removes }
    self.removals = self.removals + removes
    self.payload:reset()
  end
end

--- Adds the counts and warnings to the result of the job, and frees what is held. Idempotent.
---@param res? scope3.Result  nil where the job was dropped
function Rows:close(res)
  if self.closed then
    return
  end
  self.closed = true
  if res then
    self:report_rejections()
    batcher.report(self, res, self.builder:counts())
  end
  self.builder:close()
  for _, object in ipairs { self.payload or false, self.chunk or false, self.list or false, self.notes or false } do
    if object then
      object:close()
    end
  end
  self.pool:close()
end

return night_rows
