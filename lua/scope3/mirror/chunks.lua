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

-- The row of a request that is about to go.
local function row_of(run, chunk, try)
  return { run = run, request = try.request, chunk = chunk, first = try.first, last = try.last,
    without = list_text(try.without), refused = "[]", begun = math.floor(try.begun),
    state = try.state or "begun" }
end

-- Writes rows of a table.
local function put_all(db, of, list)
  local ok, why = true, nil
  for _, row in ipairs(list) do
    if ok then
      ok, why = rows.put(db, of, row)
    end
  end
  return ok, why
end

---@class scope3.NewChunk
---@field members string  packed operations
---@field try? table  request, first, last, without, begun, state (of one that will not go)

-- Writes chunks, numbered from `first` on, and their requests.
local function put_chunks(db, run, batch, list, first)
  local tries, last = {}, first + #list - 1
  for i, chunk in ipairs(list) do
    local n = first + i - 1
    local ok, why = rows.put(db, tables.chunk, { n = n, run = run, batch = batch, members = chunk.members })
    if not ok then
      return nil, why
    end
    tries[#tries + 1] = chunk.try and row_of(run, n, chunk.try)
  end
  local ok, why = rows.put(db, tables.meta, { key = "chunks", value = last })
  if ok then
    ok, why = put_all(db, tables.try, tries)
  end
  return ok, why
end

--- Keeps operations in new chunks, one for each audience of a batch, and the first request of the batch, which is about
--- to go and is a try of some of them: all of this, before it goes.
---@param run integer
---@param batch integer  0 for operations that are not sent
---@param list scope3.NewChunk[]
---@return integer? n  of the first chunk; the others follow
---@return scope3.Error? err
function chunks:cut_several(run, batch, list)
  local first = self.chunks + 1
  local ok, err = self:write(function()
    return put_chunks(self.db, run, batch, list, first)
  end)
  if not ok then
    return nil, err
  end
  self.chunks = first + #list - 1
  return first
end

--- The same of one chunk.
---@param run integer
---@param batch integer
---@param members string  packed
---@param try? table
---@return integer? n  of the chunk
---@return scope3.Error? err
function chunks:cut(run, batch, members, try)
  return self:cut_several(run, batch, { { members = members, try = try } })
end

--- Keeps further requests of chunks that are there, which are about to go: all of them or none.
---@param run integer
---@param tries table[]  request, chunk, first, last, without, begun
---@return true?
---@return scope3.Error? err
function chunks:begin(run, tries)
  local list = {}
  for i, try in ipairs(tries) do
    list[i] = row_of(run, try.chunk, try)
  end
  return self:write(function()
    return put_all(self.db, tables.try, list)
  end)
end

---@class scope3.StateChange  what became of a request; what is nil stays
---@field request integer
---@field state? string
---@field begun? number  second since 1970
---@field task_id? string
---@field ended_at? number  second since 1970
---@field refused? integer[]  operations that the service refused

local CHANGES = { "state", "begun", "task_id", "ended_at", "refused" }
local FORMS = { begun = math.floor, ended_at = math.floor, refused = list_text }

-- Takes a change over into the row of its request.
local function apply(try, change)
  for _, name in ipairs(CHANGES) do
    local value, form = change[name], FORMS[name]
    if value ~= nil then
      try[name] = form and form(value) or value
    end
  end
end

--- Changes requests by what became of them: all of them or none.
---@param run integer
---@param changes scope3.StateChange[]
---@return true?
---@return scope3.Error? err
function chunks:change(run, changes)
  return self:write(function()
    for _, change in ipairs(changes) do
      local try, why = rows.get(self.db, tables.try, run, change.request)
      local ok = try
      if try then
        apply(try, change)
        ok, why = rows.put(self.db, tables.try, try)
      end
      if not ok then
        return nil, why or select(2, lacks "the request")
      end
    end
    return true
  end)
end

--- The service has accepted a request.
---@param run integer
---@param request integer
---@param task_id string
---@return true?
---@return scope3.Error? err
function chunks:accepted(run, request, task_id)
  return self:change(run, { { request = request, state = "accepted", task_id = task_id } })
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
  return self:change(run, { { request = request, state = state, ended_at = at, refused = refused } })
end

--- A request that was not sent yet, or came to nothing, goes so late that it counts as begun anew.
---@param run integer
---@param request integer
---@param at number  second since 1970
---@return true?
---@return scope3.Error? err
function chunks:begin_anew(run, request, at)
  return self:change(run, { { request = request, begun = at } })
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

--- Shows the packed operations of a chunk to a function: as a view of the database, which the core reads meanwhile.
---@param n integer
---@param work fun(members: any)
---@return true?
---@return scope3.Error? err
function chunks:show_chunk(n, work)
  local found, why = rows.look(self.db, tables.chunk, function(row)
    work(row.members)
  end, n)
  if not found then
    return self:fail(why or select(2, lacks "a chunk"))
  end
  return true
end

return chunks
