--- Takes people out of a state, once the service has removed them.
---
--- Before the first request goes, the state notes of each of them that the service may have any version of them, or
--- none. So whatever ends this, the next night finds out by itself. Their records and operations go when their removal
--- has completed. Records go first and the note goes last: it stands in the state until nothing else does.
---
--- Somebody of whom an operation is open stays: a request that is under way may put them back, and only the state would
--- know.
local core = require "scope3.core"
local errors = require "scope3.error"
local folding = require "scope3.mirror.folding"
local members = require "scope3.mirror.members"
local plural = require "scope3.util.plural"
local store = require "scope3.mirror.store"

local erase = {}

local CHUNK_BYTES = 4000000
local EACH_MAX = 16 -- members of a person (scope3.input.map)

---@class scope3.StateErasure
---@field kept scope3.MirrorStore
---@field ids table<string, string>  by their hashes: those of people, and those of further members that the state has
---@field list string[]  the same ids, those of people first
---@field hashes string[]  in the same order
---@field private of table<string, integer>  by hash: the number of the person
---@field run integer|false  the night that it counts as
local Erasure = {}
Erasure.__index = Erasure

-- Calls a function with the hash and the standing of each of them whom the state has.
local function each(kept, hashes, see)
  local reading, err = members.open(kept, hashes)
  if not reading then
    return nil, err
  end
  local id, standing = reading:next()
  while id do
    see(core.mirror.key_hash(kept.key, id), standing)
    id, standing = reading:next()
  end
  reading:close()
  return not standing, standing
end

local function failed(kept, message, code)
  return kept:fail { message = message, code = code }
end

local function check_place(kept, place)
  local about = kept.about
  if about.service == place.service and about.account == place.account then
    return true
  end
  return nil, errors.new("journal", ("the state %s belongs to account %s of %s, and not to account %s of %s: give "
    .. "those, or another state"):format(kept.path, about.account, about.service, place.account, place.service),
    { code = "another_job" })
end

local function add(self, id, hash, person)
  if not self.ids[hash] then
    self.list[#self.list + 1], self.hashes[#self.hashes + 1] = id, hash
    self.ids[hash], self.of[hash] = id, person
  end
end

-- Adds the further members of the people that the state has.
local function add_further(self, people)
  local ids, of, hashes = {}, {}, {}
  for person, id in ipairs(people) do
    for member = 2, EACH_MAX do
      local further = ("%s#%d"):format(id, member)
      local hash = core.mirror.key_hash(self.kept.key, further)
      ids[hash], of[hash], hashes[#hashes + 1] = further, person, hash
    end
  end
  return each(self.kept, hashes, function(hash)
    add(self, ids[hash], hash, of[hash])
  end)
end

--- Opens a state, to take people out of it.
---@param path string
---@param place {service: string, account: string}  whose state it must be
---@param ids string[]
---@param opts {dry_run: boolean?}  only looks
---@return scope3.StateErasure?
---@return scope3.Error? err
function erase.open(path, place, ids, opts)
  local kept, err = store.open(path, nil, { read_only = opts.dry_run })
  if not kept then
    return nil, err
  end
  local ok
  ok, err = check_place(kept, place)
  if ok and kept.folding and not opts.dry_run then
    ok, err = folding.finish(kept)
  end
  if not ok then
    kept:close()
    return nil, err
  end
  local self = setmetatable({ kept = kept, ids = {}, list = {}, hashes = {}, of = {}, run = false }, Erasure)
  for person, id in ipairs(ids) do
    add(self, id, core.mirror.key_hash(kept.key, id), person)
  end
  ok, err = add_further(self, ids)
  if not ok then
    kept:close()
    return nil, err
  end
  return self
end

--- Gives the state back. Idempotent.
function Erasure:close()
  self.kept:close()
end

-- Counts people by the hashes of their members.
local function counter(self)
  local seen, n = {}, 0
  return function(hash)
    local person = self.of[hash]
    n = n + (seen[person] and 0 or 1)
    seen[person] = true
    return n
  end
end

--- How many people of them the state has.
---@return integer?
---@return scope3.Error? err
function Erasure:count()
  local n, count = 0, counter(self)
  local ok, err = each(self.kept, self.hashes, function(hash)
    n = count(hash)
  end)
  return ok and n or nil, err
end

-- The night that this counts as.
local function begin_run(self, now)
  local n, err = self.kept:begin_night(now)
  self.run = n or false
  return n, err
end

-- Writes what a chunk has by now.
local function write_chunk(self, chunk, request, now)
  local count = chunk:size()
  return self.kept:cut(self.run, 0, chunk:blob(),
    { request = request, first = 1, last = count, begun = now, state = "unknown" })
end

-- Writes the note: a removal of unknown outcome, of each of them and each audience.
local function write_notes(self, standings, now)
  local chunk, request = core.mirror.chunk(self.run), 1
  local ok, err = true, nil
  for _, hash in ipairs(self.hashes) do
    for audience = 1, #(standings[hash] or "") do
      if ok and standings[hash]:sub(audience, audience) ~= "-" then
        ok, err = chunk:add("remove", audience - 1, self.ids[hash], hash)
      end
    end
    if ok and select(2, chunk:size()) > CHUNK_BYTES then
      ok, err = write_chunk(self, chunk, request, now)
      chunk:close()
      chunk, request = core.mirror.chunk(self.run), request + 1
    end
  end
  if ok and chunk:size() > 0 then
    ok, err = write_chunk(self, chunk, request, now)
  end
  chunk:close()
  return ok and true, err
end

--- Notes that the service may have any version of them, or none.
---@param now number  second since 1970
---@return integer?  how many people of them the state has
---@return scope3.Error? err
function Erasure:note(now)
  local standings, n, count = {}, 0, counter(self)
  local ok, err = each(self.kept, self.hashes, function(hash, standing)
    standings[hash], n = standing, count(hash)
  end)
  if ok and n > 0 then
    ok, err = begin_run(self, now)
  end
  if ok and n > 0 then
    ok, err = write_notes(self, standings, now)
  end
  return ok and n or nil, err
end

-- The hashes of those who can go, and how many people stay.
local function closed_ones(self)
  local open, n, count = {}, 0, counter(self)
  local ok, err = each(self.kept, self.hashes, function(hash, standing)
    if standing:find("o", 1, true) then
      open[hash], n = true, count(hash)
    end
  end)
  if not ok then
    return nil, err
  end
  local list = {}
  for _, hash in ipairs(self.hashes) do
    list[#list + 1] = not open[hash] and hash or nil
  end
  return list, n
end

-- Writes a partition anew. Gives how many records went.
local function rewrite_part(self, without, k)
  local kept = self.kept
  local blob, err = kept:part(k)
  if not blob or blob == "" then
    return blob and 0, err
  end
  local new, gone, code = without:members(k, blob)
  if new == nil then
    return failed(kept, gone, code)
  elseif not new then
    return 0
  end
  local whole
  whole, err = kept:forget(k, new)
  return whole ~= nil and gone or nil, err
end

-- Writes the partitions anew that have them.
local function rewrite_parts(self, without, hashes)
  local seen = {}
  for _, hash in ipairs(hashes) do
    local k = members.part_of(self.kept, hash)
    local gone, err = 0, nil
    if not seen[k] then
      seen[k] = true
      gone, err = rewrite_part(self, without, k)
    end
    if not gone then
      return nil, err
    end
  end
  return true
end

-- Writes the chunks anew that have them.
local function rewrite_chunks(self, without)
  local kept = self.kept
  local chunks, err = kept:open_chunks()
  for _, chunk in ipairs(chunks or {}) do
    local shown, new, why, code
    shown, err = kept:show_chunk(chunk.n, function(blob)
      new, why, code = without:chunk(blob)
    end)
    if not shown then
      return nil, err
    elseif new == nil then
      return failed(kept, why, code)
    elseif new then
      local whole
      whole, err = kept:forget(nil, nil, { [chunk.n] = new })
      if whole == nil then
        return nil, err
      end
    end
  end
  return chunks and true, err
end

-- Writes all anew that has one of them, and empties the log: false where that has to wait for a reader.
local function rewrite(self, hashes)
  local kept = self.kept
  local without = core.mirror.without { hashes = table.concat(hashes), parts = kept.parts,
    audiences = #kept.about.audiences }
  local ok, err = rewrite_parts(self, without, hashes)
  if ok then
    ok, err = rewrite_chunks(self, without)
  end
  without:close()
  if ok then
    ok, err = kept:truncate()
  end
  return ok, err
end

-- What is still to be done, or nil.
local function rest_of(self, open, whole)
  if open > 0 then
    return errors.new("journal", ("the state %s keeps %s: a request of an earlier night may still put them back. Run "
      .. "the same again when that has ended"):format(self.kept.path, plural.of(open, "person", "people")),
      { code = "under_way" })
  elseif not whole then
    return errors.new("journal", ("the state %s is being read by another process, so its log still has those who were "
      .. "forgotten: run the same again when that has ended"):format(self.kept.path), { code = "busy" })
  end
end

--- Takes them out: afterwards no byte of them is in the files of the state. To be called when the service has removed
--- them.
---@param now number  second since 1970
---@param noted integer  what note() gave
---@return integer?  how many went
---@return scope3.Error? err  also where something is still to be done
function Erasure:erase(now, noted)
  local hashes, open = closed_ones(self)
  if not hashes then
    return nil, open
  end
  local whole, err = rewrite(self, hashes)
  local ok = whole ~= nil
  if ok and self.run then
    ok, err = self.kept:end_run(self.run, now, { forgotten = noted - open })
  end
  if not ok then
    return nil, err
  end
  return noted - open, rest_of(self, open, whole)
end

--- Ends it where they stay, because their removal has not completed.
---@param now number
---@return true?
---@return scope3.Error? err
function Erasure:leave(now)
  if not self.run then
    return true
  end
  return self.kept:end_run(self.run, now, { forgotten = 0 })
end

return erase
