--- What the rows of a mirror's files go into: the night, which compares them with the state; and after that the
--- payloads and chunks of those that have to be sent.
local batcher = require "scope3.job.batcher"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local night_of = require "scope3.mirror.night"
local payload_pool = require "scope3.job.payload_pool"
local plural = require "scope3.util.plural"
local request = require "scope3.api.request"
local result = require "scope3.result"

---@class scope3.NightRows: scope3.RowTaker
---@field builder table
---@field cuts integer  batches that were sent
---@field removals integer[]  of their members, those that are removed, for each audience
---@field is_again boolean  what is built now was sent by an earlier night
---@field payloads table[]  for each audience
---@field others table[]  a chunk for each audience, with an entry for each member of its payload; or a list of those of
---  earlier chunks
---@field notes? table  entries of rows that send nothing
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
---@field keep fun(batch: integer, operations: scope3.BatchOperations[]|scope3.OlderOperations)  the operations of a
---  batch that is about to be sent, part by part; or, member by member, which of earlier chunks they are
---@field note fun(operations: any): true?, scope3.Error?  operations that send nothing, which it may only look at

--- Starts one for a job.
---@param night scope3.Night
---@param sink scope3.NightSink
---@param audiences {id: string, name: string?, consent_basis: string?}[]
---@param opts table  checked options of the job
---@param shape table
---@param run integer  the night's number
---@return scope3.NightRows
function night_rows.new(night, sink, audiences, opts, shape, run)
  local frame, removals = request.frame(opts.push_notification_config), {}
  for i, audience in ipairs(audiences) do
    frame, removals[i] = frame + request.overhead(audience), 0
  end
  local pool = payload_pool.new(opts, frame)
  return setmetatable({
    night = night.core, sink = sink, audiences = audiences, opts = opts, run = run, pool = pool,
    columns = shape.columns or {}, conditions = shape.plan or {}, where = shape.where, wheres = shape.wheres or {},
    builder = batcher.builder(opts, shape, pool.size - pool.frame), cuts = 0, removals = removals, number = 0,
    is_again = false, payloads = {}, others = {},
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
  return checked(self, self.builder:build(self.payloads, handle, self.night, self.others, self.notes, self.number,
    bytes, seconds))
end

--- From now on rows go into the night.
function Rows:survey()
  self.step = survey_step
end

local function build_again_step(self, handle, bytes, seconds)
  return checked(self, self.builder:build_again(self.payloads, handle, self.night, self.others, self.number, bytes,
    seconds))
end

-- An empty payload and a chunk, or a list, for each audience. They are made anew together: all have the room of one
-- request. A chunk keeps the room that it had.
local function renew(self)
  for i in ipairs(self.audiences) do
    local other = self.others[i] or self.is_again and core.mirror.list() or core.mirror.chunk(self.run)
    other:reset()
    self.payloads[i], self.others[i] = self.pool:take(), other
  end
  self.notes = self.notes or core.mirror.chunk(self.run)
  self.began = self.sink.seconds()
end

-- Gives back the payloads that nothing has gone into.
local function give_back(self)
  for _, payload in ipairs(self.payloads) do
    if payload:count() == 0 then
      self.pool:give_back(payload)
    end
  end
end

-- From now on rows of this kind go into payloads, which are sent when they are full.
local function build(self, is_again, step)
  give_back(self)
  for _, other in ipairs(self.others) do
    other:close()
  end
  self.others, self.step, self.is_again = {}, step, is_again
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
  local ok, err
  local shown, message, code = self.notes:show(function(operations)
    ok, err = self.sink.note(operations)
  end)
  if not shown then
    return nil, night_of.failure(message, code)
  end
  self.notes:reset()
  return ok, err
end

-- The parts of a batch: what the payloads hold. Their members are numbered through.
local function parts_of(self)
  local parts, count, bytes = {}, 0, 0
  for i, payload in ipairs(self.payloads) do
    local adds, removes = payload:living()
    if adds + removes > 0 then
      parts[#parts + 1] = { audience = self.audiences[i], payload = payload, first = 1, last = payload:count(),
        adds = adds, removes = removes, offset = count, number = i }
      count, bytes = count + payload:count(), bytes + payload:bytes()
    end
  end
  return parts, bytes
end

local function append(to, list)
  for _, value in ipairs(list) do
    to[#to + 1] = value
  end
end

-- What the members of some parts are in the state.
local function operations_of(self, parts)
  local older, list = { chunks = {}, entries = {} }, {}
  for i, part in ipairs(parts) do
    local other = self.others[part.number]
    if self.is_again then
      local chunks, numbers = other:numbers()
      append(older.chunks, chunks)
      append(older.entries, numbers)
    else
      local blob, err = blob_of(other)
      if not blob then
        return nil, err
      end
      list[i] = { members = part.last, operations = blob }
    end
  end
  return self.is_again and older or list
end

-- What frees the payloads of a batch that no request reads any longer.
local function release_of(self, parts)
  local all = {}
  for i, part in ipairs(parts) do
    all[i] = self.pool:release_of(part.payload)
  end
  return function()
    for _, release in ipairs(all) do
      release()
    end
  end
end

-- Sends what the payloads hold.
local function send(self, parts, bytes)
  local operations, err = operations_of(self, parts)
  if not operations then
    return nil, err
  end
  self.cuts = self.cuts + 1
  for _, part in ipairs(parts) do
    self.removals[part.number] = self.removals[part.number] + part.removes
    self.pool:sent(part.payload, bytes)
  end
  self.sink.keep(self.cuts, operations)
  local batch = { number = self.cuts, parts = parts, began = self.began, release = release_of(self, parts) }
  give_back(self)
  renew(self)
  return self.sink:send(batch)
end

--- Sends what there is, and writes down what sends nothing.
---@return true?
---@return scope3.Error? err
function Rows:cut()
  local ok, err = keep_notes(self)
  local parts, bytes = parts_of(self)
  if ok and #parts > 0 then
    ok, err = send(self, parts, bytes)
  end
  return ok, err
end

Rows.make_room = Rows.cut

-- Sends removals of one kind.
local function remove(self, pause)
  while true do
    local state, message, code
    if self.is_again then
      state, message, code = self.builder:leave_again(self.payloads, self.night, self.others)
    else
      state, message, code = self.builder:leave(self.payloads, self.night, self.others)
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
  for _, part in ipairs(parts_of(self)) do
    give_up(part)
    self.removals[part.number] = self.removals[part.number] + part.removes
    part.payload:reset()
  end
end

-- Warns of audiences whose function took no row.
local function warn_of_wheres(self, res, counts)
  for i in entries(self.wheres) do
    if counts.rows > counts.skipped and self.builder:wanted(i) == 0 then
      local id = self.audiences[i].id
      result.warn(res, "no_row_taken", ("where(row) of the audience %s took none of %s"):format(id,
        plural.of(counts.rows, "row")), { rows = counts.rows, audience_id = id })
    end
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
    local counts = self.builder:counts()
    batcher.report(self, res, counts)
    warn_of_wheres(self, res, counts)
  end
  self.builder:close()
  for _, list in ipairs { self.payloads, self.others, { self.notes } } do
    for _, object in ipairs(list) do
      object:close()
    end
  end
  self.pool:close()
end

return night_rows
