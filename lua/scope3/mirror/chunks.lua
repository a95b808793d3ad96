--- What a state keeps of what is sent: chunks of operations, and their requests. Methods of scope3.MirrorStore.
local json = require "scope3.util.json"
local rows = require "scope3.mirror.rows"
local schema = require "scope3.mirror.schema"

local tables = schema.tables

---@class scope3.StateTry  a request of a chunk
---@field run integer
---@field request integer
---@field chunk integer
---@field first integer  its first operation in the chunk, from 1
---@field last integer
---@field without integer[]  those between them that it does not have
---@field refused integer[]  those that the service refused in answer to it
---@field begun integer  second since 1970
---@field state string  "begun", "accepted", or as it ended
---@field task_id? string
---@field ended_at? integer

---@class scope3.StateChunk
---@field n integer
---@field run integer
---@field batch integer  of its run; 0 for one that sends nothing
---@field size integer  bytes
---@field tries scope3.StateTry[]  in order

---@class scope3.MirrorChunks
---@field db table  of scope3.state
---@field write fun(self, work: fun(): any, scope3.StateFault?): any, scope3.Error?
---@field fail fun(self, why: scope3.StateFault): nil, scope3.Error
---@field chunks integer  number of the last chunk
local chunks = {}

local function list_text(list)
  local copy = json.array {}
  for i, number in ipairs(list or {}) do
    copy[i] = number
  end
  return json.encode(copy)
end

local function lacks(what)
  return rows.fault("it lacks " .. what, "damaged")
end

-- Writes what is about to be sent. `chunk` and `try` are rows.
local function cut(db, chunk, try)
  local ok, why = true, nil
  if chunk then
    ok, why = rows.put(db, tables.chunk, chunk)
    if ok then
      ok, why = rows.put(db, tables.meta, { key = "chunks", value = chunk.n })
    end
  end
  if ok and try then
    ok, why = rows.put(db, tables.try, try)
  end
  return ok, why
end

--- Keeps operations in a new chunk, and a request of it that is about to go: both, before it goes. Or a further request
--- of a chunk that is there.
---@param run integer
---@param batch integer  0 for operations that are not sent
---@param members string?  packed; nil for a further request
---@param try? table  request, chunk (of a further one), first, last, without, begun, state (of one that will not go)
---@return integer? n  of the chunk
---@return scope3.Error? err
function chunks:cut(run, batch, members, try)
  local n = members and self.chunks + 1 or try.chunk
  local chunk = members and { n = n, run = run, batch = batch, members = members } or nil
  local row = try and { run = run, request = try.request, chunk = n, first = try.first, last = try.last,
    without = list_text(try.without), refused = "[]", begun = math.floor(try.begun),
    state = try.state or "begun" } or nil
  local ok, err = self:write(function()
    return cut(self.db, chunk, row)
  end)
  if not ok then
    return nil, err
  end
  self.chunks = math.max(self.chunks, n)
  return n
end

-- Changes a request, by what came of it.
local function change(self, run, request, set)
  return self:write(function()
    local try, why = rows.get(self.db, tables.try, run, request)
    if not try then
      return nil, why or select(2, lacks "the request")
    end
    set(try)
    return rows.put(self.db, tables.try, try)
  end)
end

--- The service has accepted a request.
---@param run integer
---@param request integer
---@param task_id string
---@return true?
---@return scope3.Error? err
function chunks:accepted(run, request, task_id)
  return change(self, run, request, function(try)
    try.state, try.task_id = "accepted", task_id
  end)
end

--- A request has ended: its task, or the request itself.
---@param run integer
---@param request integer
---@param state string
---@param at number  second since 1970
---@param refused? integer[]  operations that the service refused
---@return true?
---@return scope3.Error? err
function chunks:ended(run, request, state, at, refused)
  return change(self, run, request, function(try)
    try.state, try.ended_at = state, math.floor(at)
    try.refused = refused and list_text(refused) or try.refused
  end)
end

--- The chunks that are not folded yet, in order, with their requests.
---@return scope3.StateChunk[]?
---@return scope3.Error? err
function chunks:open_chunks()
  local all, tries, why
  all, why = rows.all(self.db, tables.chunk)
  if all then
    tries, why = rows.all(self.db, tables.try)
  end
  if not tries then
    return self:fail(why)
  end
  local of = {}
  for _, chunk in ipairs(all) do
    chunk.tries, of[chunk.n] = {}, chunk
  end
  for _, try in ipairs(tries) do
    local chunk = of[try.chunk]
    if not chunk then
      return self:fail(select(2, lacks "a chunk"))
    end
    try.without, try.refused = json.decode(try.without), json.decode(try.refused)
    table.insert(chunk.tries, try)
  end
  return all
end

--- The packed operations of a chunk.
---@param n integer
---@return string? members
---@return scope3.Error? err
function chunks:chunk(n)
  local row, why = rows.get(self.db, tables.chunk, n)
  if not row then
    return self:fail(why or select(2, lacks "a chunk"))
  end
  return row.members
end

return chunks
