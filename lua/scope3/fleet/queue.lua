--- A queue of members that several machines share, in a stream of Redis: what all that touch it ask of Redis.
---
---     {scope3:Q}:s         the stream. An entry is a batch: `v`, its form, `n` operations, and `m`, their lines
---     {scope3:Q}:once:KEY  what KEY names is in the stream; for a day, and for an hour after it has settled
---     {scope3:Q}:lease     who sends; gone after the lease
---     {scope3:Q}:epoch     how often that changed
---     {scope3:Q}:sent      the last entry that may have left under a lease
---     {scope3:Q}:released  the run of Redis in which the lease was handed over
--- All keys have one hash tag, so that a cluster keeps them together. Everything is one script, because a step of its
--- own could be that of another lease. What only takes away works on a full Redis, too.
local core = require "scope3.core"
local errors = require "scope3.error"
local interpreted = require "scope3.util.interpreted"

interpreted(true, true) -- nothing here runs for each member

---@class scope3.Queue
---@field name string
---@field private connection scope3.RedisConnection
local Queue = {}
Queue.__index = Queue

local queue = {}

local ONCE = 86400 -- seconds for which an append is known
-- Seconds for which it is after its members were freed: a machine that crashes just then may find their file again. A
-- day of each would be most of what a queue takes of Redis.
local SETTLED = 3600
local MOST_SETTLED = 1000 -- named in one append

-- Digits of a digest that stand for a name of any length. Among 10^9 keys two are alike once in 10^11 times.
local DIGITS = 24

-- The form of an entry. Who does not know that of a later version leaves it in the queue.
local FORM = 1

queue.LONGEST_NAME = 64
queue.LONGEST_ENTRY = 16 * 1024 * 1024 -- bytes, for which Redis and a drainer have to find room in one piece

-- Redis has one object for all values that are a small number, and one for each other value.
local APPEND = [[#!lua
local ids, n = {}, (#ARGV - 2) / 2
for i = 1, n do
  ids[i] = 0
  if redis.call('EXISTS', KEYS[1 + i]) == 0 then
    ids[i] = redis.call('XADD', KEYS[1], '*', 'v', ']] .. FORM .. [[', 'n', ARGV[2 * i + 1], 'm', ARGV[2 * i + 2])
    redis.call('SET', KEYS[1 + i], 1, 'EX', ARGV[1])
  end
end
for i = n + 2, #KEYS do
  redis.call('EXPIRE', KEYS[i], ARGV[2], 'LT')
end
return ids]]

-- Nothing has the id 0-0. Who may not remove gets no lease: what is sent, and stays, would be sent for ever.
local LEASE = [[#!lua flags=allow-oom
local holder, sent = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[1] then
  return {0, redis.call('PTTL', KEYS[1])}
elseif holder then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  if ARGV[4] ~= '' then
    redis.call('SET', KEYS[3], ARGV[4])
  end
  return {1, redis.call('GET', KEYS[2]), 0, sent}
end
redis.call('XTRIM', KEYS[5], 'MINID', '=', '0-0')
redis.call('XDEL', KEYS[5], '0-0')
local released, epoch = redis.call('GET', KEYS[4]) == ARGV[3], redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('DEL', KEYS[4])
return {2, tostring(epoch), released and 1 or 0, sent}]]

-- What lies before the first entry that was read came later, and is unread: another stream took the place of this one,
-- or it was deleted and the clock of Redis set back.
local ACK = [[#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then
  return 0
elseif #redis.call('XRANGE', KEYS[3], '-', '(' .. ARGV[4], 'COUNT', 1) > 0 then
  return 2
end
redis.call('XTRIM', KEYS[3], 'MINID', '=', ARGV[3])
redis.call('XDEL', KEYS[3], ARGV[3])
return 1]]

-- Redis builds a reply in one piece, and a few large entries may follow many small ones. So as much as may come is
-- looked at before it is read on: never more than 16 entries beyond what is given. The list has three values an entry,
-- so that one of few members costs little: its id, `n` and `m`, or false for what it lacks. What is too large, or has
-- too many fields, is given without them. It ends before an entry of a later form, and says so.
local READ = [[#!lua flags=no-writes
local list, entries, bytes, after, ahead = {}, 0, 0, ARGV[1], 1
local most, room, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
while entries < most and bytes < room do
  local chunk = redis.call('XRANGE', KEYS[1], after, '+', 'COUNT', math.min(ahead, most - entries))
  if #chunk == 0 then
    return {list, 0}
  end
  local before = bytes
  for _, one in ipairs(chunk) do
    if bytes >= room then
      break
    end
    local fields, size, n, lines, form = one[2], 0, false, false, nil
    for i = 1, #fields, 2 do
      local name, value = fields[i], fields[i + 1]
      size = size + #name + #value
      if name == 'n' then
        n = value
      elseif name == 'm' then
        lines = value
      elseif name == 'v' then
        form = value:find('^%d%d?%d?$') and tonumber(value)
      end
    end
    if n and form and form > ]] .. FORM .. [[ then
      return {list, 0, one[1]}
    end
    if size > longest or #fields > 64 then
      size, n, lines = 0, false, false
    end
    local at = 3 * entries
    list[at + 1], list[at + 2], list[at + 3] = one[1], n, lines
    entries, bytes, after = entries + 1, bytes + size, '(' .. one[1]
  end
  ahead = bytes - before <= 65536 and math.min(2 * ahead, 16) or 1
end
return {list, 1}]]

local FIGURES = [[#!lua flags=no-writes
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
return {redis.call('XLEN', KEYS[1]), first and first[1] or false, redis.call('TIME')[1]}]]

local RELEASE = [[#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[2] then
  return 0
end
redis.call('SET', KEYS[3], ARGV[3])
redis.call('DEL', KEYS[1])
return 1]]

--- What is wrong with the name of a queue, or nil.
---@param name any
---@return string?
function queue.problem(name)
  if type(name) ~= "string" or #name > queue.LONGEST_NAME or not name:find("^[A-Za-z0-9][A-Za-z0-9._-]*$") then
    return ("must be 1 to %d of A-Z a-z 0-9 . _ -, and begin with a letter or digit"):format(queue.LONGEST_NAME)
  end
end

--- A queue over an open connection.
---@param connection scope3.RedisConnection
---@param name string  that queue.problem() finds nothing wrong with
---@param run? string  that Redis has run under since it started, as checks.look() gives it; for lease() and release()
---@return scope3.Queue
function queue.new(connection, name, run)
  return setmetatable({ connection = connection, name = name, run = run }, Queue)
end

local function key(self, what)
  return ("{scope3:%s}:%s"):format(self.name, what)
end

-- What Redis answered is none of what the scripts answer: the keys are another program's.
local function strange(what)
  return nil, errors.new("redis", ("the %s of this queue is none of scope3: another program writes to its keys")
    :format(what), { code = "WRONGTYPE" })
end

---@class scope3.QueueBatch  what becomes an entry
---@field once string  unique for these bytes: a file and its generation
---@field n integer  members, each operation counted
---@field lines scope3.RespArgument  of them (scope3.fleet.entry)

local function is_too_large(lines)
  return (type(lines) == "string" and #lines or lines:size()) > queue.LONGEST_ENTRY
end

local function once_key(self, name)
  return key(self, "once:" .. core.sha256(name):sub(1, DIGITS))
end

--- Appends batches in their order, each once: what was appended under a key is not appended again. It is one step of
--- Redis: all are in or none. So a full Redis that gets room in between leaves none out before a later one.
---@param list scope3.QueueBatch[]
---@param settled? string[]  as `once` of batches that nobody appends again, as far as is known; what was taken in is
---  removed from it
---@return (string|false)[]? ids  of the entries; false where one was there already
---@return scope3.Error? err  code "OOM" where Redis is full; with `uncertain` they may be in
function Queue:append_all(list, settled)
  local keys, args = { key(self, "s") }, { ONCE, SETTLED }
  for i, batch in ipairs(list) do
    if is_too_large(batch.lines) then
      return nil, errors.new("redis", "an entry of a queue is larger than 16 MiB", { code = "TOO_LARGE" })
    end
    keys[i + 1], args[2 * i + 1], args[2 * i + 2] = once_key(self, batch.once), batch.n, batch.lines
  end
  local named = math.min(settled and #settled or 0, MOST_SETTLED)
  for i = 1, named do
    keys[#keys + 1] = once_key(self, settled[i])
  end
  local ids, err = self.connection:script(APPEND, keys, args)
  if err then
    return nil, err
  elseif type(ids) ~= "table" or #ids ~= #list then
    return strange "stream"
  end
  for i = 1, named > 0 and #settled or 0 do
    settled[i] = settled[i + named]
  end
  for i, id in ipairs(ids) do
    ids[i] = id ~= 0 and id
  end
  return ids
end

--- Appends one batch, likewise.
---@param once string
---@param n integer
---@param lines scope3.RespArgument
---@param settled? string[]
---@return string|false|nil id
---@return scope3.Error? err
function Queue:append(once, n, lines, settled)
  local ids, err = self:append_all({ { once = once, n = n, lines = lines } }, settled)
  if not ids then
    return nil, err
  end
  return ids[1]
end

local function is_epoch(value)
  return type(value) == "string" and value:find "^%d+$" ~= nil
end

-- Each entry that is read is looked at: Lua compares with a range in half the time that it takes for %d.
local function is_id(value)
  return type(value) == "string" and value:find "^[0-9]+%-[0-9]+$" ~= nil
end

--- Keeps the lease, or takes it where it is free.
---@param owner string  unique for a process
---@param seconds number
---@param sent? string  the last entry that may be sent from now on
---@return scope3.LeaseGrant?  with `sent`: the last entry that may have been sent before, or nil
---@return scope3.Error? err
function Queue:lease(owner, seconds, sent)
  local said, err = self.connection:script(LEASE,
    { key(self, "lease"), key(self, "epoch"), key(self, "sent"), key(self, "released"), key(self, "s") },
    { owner, math.floor(seconds * 1000), self.run or "", sent or "" })
  if err then
    return nil, err
  elseif type(said) ~= "table" then
    return strange "lease"
  elseif said[1] == 0 and type(said[2]) == "number" then
    return { held = false, left = math.max(0, said[2]) / 1000 }
  elseif not is_epoch(said[2]) or said[4] and not is_id(said[4]) then
    return strange "lease"
  end
  return { held = true, epoch = said[2], taken = said[1] == 2, released = said[3] == 1, sent = said[4] or nil }
end

---@class scope3.QueueEntry
---@field id string
---@field n integer  members, each operation counted; 0 where it does not say
---@field lines string?  nil where the entry is none

local function members_of(digits)
  return type(digits) == "string" and digits:find "^%d%d?%d?%d?%d?%d?%d?$" and tonumber(digits) or nil
end

-- The entries of a list of three values each; nil where it is none.
local function entries_of(raw)
  local list, digits, n = {}, nil, nil
  for i = 1, #raw, 3 do
    local id, lines = raw[i], raw[i + 2]
    if not is_id(id) then
      return nil
    elseif raw[i + 1] ~= digits then -- most have as many as the one before
      digits = raw[i + 1]
      n = members_of(digits)
    end
    local is_entry = n and type(lines) == "string"
    list[#list + 1] = { id = id, n = is_entry and n or 0, lines = is_entry and lines or nil }
  end
  return list
end

local function later()
  return errors.new("redis", "an entry of this queue is of a later version of scope3, and stays in it: upgrade this "
    .. "drainer", { code = "LATER_FORM" })
end

--- Reads entries, the oldest first.
---@param after? string  the id that they come after; from the head of the stream unless given
---@param most integer
---@param bytes? integer  after which no further one is read; a megabyte unless given
---@return scope3.QueueEntry[]?
---@return boolean|scope3.Error more  others may follow that can be read
---@return scope3.Error? later  why the next one cannot: it is of a later version
function Queue:read(after, most, bytes)
  local said, err = self.connection:script(READ, { key(self, "s") },
    { after and "(" .. after or "-", most, bytes or 2 ^ 20, queue.LONGEST_ENTRY + 64 })
  if err then
    return nil, err
  end
  local list = type(said) == "table" and type(said[1]) == "table" and entries_of(said[1])
  if not list then
    return strange "stream"
  end
  return list, said[2] == 1, said[3] and later() or nil
end

--- Removes all entries up to one, under a lease.
---@param owner string
---@param epoch string
---@param last string  id of an entry
---@param first? string  id of the first one that was read; what lies before it is never removed
---@return boolean? ok  false where another one has the lease
---@return scope3.Error? err  code "CHANGED" where something lies before the first one: nothing was removed
function Queue:ack(owner, epoch, last, first)
  local said, err = self.connection:script(ACK, { key(self, "lease"), key(self, "epoch"), key(self, "s") },
    { owner, epoch, last, first or "0-1" })
  if err then
    return nil, err
  elseif said == 2 then
    return nil, errors.new("redis", "entries lie before those that were sent: the stream was replaced, or deleted and "
      .. "the clock of Redis set back; nothing was removed, and all are read anew", { code = "CHANGED" })
  end
  return said == 1
end

--- Hands the lease over, so that the next one need not wait. Nothing may be under way any more.
---@param owner string
---@param epoch string
---@return boolean? ok  false where another one has it
---@return scope3.Error? err
function Queue:release(owner, epoch)
  local said, err = self.connection:script(RELEASE, { key(self, "lease"), key(self, "epoch"), key(self, "released") },
    { owner, epoch, self.run or "" })
  if err then
    return nil, err
  end
  return said == 1
end

---@class scope3.QueueFigures
---@field entries integer
---@field first? string  id of the first of them
---@field oldest? number  seconds since it came, by the clock of Redis

--- What waits in it.
---@return scope3.QueueFigures?
---@return scope3.Error? err
function Queue:figures()
  local said, err = self.connection:script(FIGURES, { key(self, "s") })
  if err then
    return nil, err
  elseif type(said) ~= "table" or type(said[1]) ~= "number" then
    return strange "stream"
  end
  local first = type(said[2]) == "string" and said[2] or nil
  local at, now = first and tonumber(first:match "^%d+"), tonumber(said[3])
  return { entries = said[1], first = first, oldest = at and now and math.max(0, now - at / 1000) or nil }
end

--- Whether an entry lies at or before another one.
---@param id string
---@param last string
---@return boolean
function queue.is_up_to(id, last)
  local a, c = id:match "^(%d+)%-(%d+)$"
  local b, d = last:match "^(%d+)%-(%d+)$"
  if a ~= b then
    return #a < #b or #a == #b and a < b
  end
  return #c < #d or #c == #d and c <= d
end

return queue
