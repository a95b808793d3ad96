--- Decides what became of the operations of a mirror, by what its state has on the disk; which of them may be sent
--- again; and which chunks may be folded. It reads and writes nothing.
---
--- The service knows no idempotency: a request without an answer may be carried out until the settling time is over,
--- once more than was seen. The same operation twice comes to the same as once. So an operation is *open* for as long
--- as any of its requests may still be carried out, whatever became of the others, and nothing else is sent of an open
--- member. A try is one sending: a transport that repeats by itself would hide one.
local entries = require "scope3.util.entries"

local protocol = {}

---@class scope3.MirrorTry  one sending of a range of a chunk
---@field request integer  its number, which grows
---@field first integer  number of an entry of the chunk
---@field last integer
---@field without? integer[]  entries in the range that are not in the request
---@field refused? integer[]  entries in the request for whose content it was refused
---@field begun number  second since 1970, written before it was sent
---@field state scope3.MirrorTryState
---@field task_id? string
---@field ended_at? number  second at which its task was seen to have ended

---@alias scope3.MirrorTryState
---| "begun"  no answer was seen
---| "accepted"  it has a task, which was not seen to end
---| "missing"  the service does not know its task, which may be carried out all the same
---| "completed"  all of it was carried out; by what the task says of itself, not by its status alone
---| "failed"  its task has ended in any other way, for all or for some: any part of it was carried out
---| "refused"  a definite answer: nothing was carried out, and nothing will be
---| "unknown"  it had no end within the settling time, and will do no more

---@class scope3.MirrorChunk
---@field count integer  of its entries
---@field tries scope3.MirrorTry[]  in order of their requests

---@alias scope3.MirrorOutcome
---| "applied"  the service has it
---| "unsure"  the service may have it
---| "none"  the service has what it had before
---| "open"  the service may still come to have it

---@class scope3.MirrorRange
---@field first integer
---@field last integer
---@field outcome scope3.MirrorOutcome
---@field refused boolean  the service refuses its content; only of what is unsure or as before

protocol.SETTLING = 72 * 3600 -- seconds: the 48 hours that a task may take, and a day to spare
protocol.SEND_WITHIN = 3600 -- seconds after `begun`, which are taken from what is to spare

local MAY_BE_CARRIED_OUT = { begun = true, accepted = true, missing = true }

local function is_open(try)
  return MAY_BE_CARRIED_OUT[try.state] == true
end

-- The numbers at which a range with one outcome may begin, in their order; the last is behind the chunk.
local function borders_of(count, tries, sets)
  local list, seen = {}, {}
  local function add(number)
    if not seen[number] and number <= count + 1 then
      list[#list + 1], seen[number] = number, true
    end
  end
  add(1)
  add(count + 1)
  for i, try in ipairs(tries) do
    add(try.first)
    add(try.last + 1)
    for number in entries(sets[i]) do
      add(number)
      add(number + 1)
    end
  end
  table.sort(list)
  return list
end

-- The entries in its range that each try is known not to have carried out, and why.
local function sets_of(tries)
  local sets = {}
  for i, try in ipairs(tries) do
    local set = {}
    for _, number in ipairs(try.without or {}) do
      set[number] = "not sent"
    end
    for _, number in ipairs(try.refused or {}) do
      set[number] = "refused"
    end
    sets[i] = set
  end
  return sets
end

-- What tries that can do no more came to, in any order; those that were refused left nothing.
--
-- One that completed does not decide over one that failed or had no end: such a task may put back what was there before
-- it, at a time that nobody knows. So what completed in a second attempt is sent once more, by a later night.
local function outcome_of(tries)
  for _, try in ipairs(tries) do
    if try.state ~= "completed" then
      return "unsure"
    end
  end
  return tries[1] and "applied" or "none"
end

-- The outcome of an entry, and whether its content was refused by the last try that sent it.
local function decide(number, tries, sets)
  local list, refused = {}, false
  for i, try in ipairs(tries) do
    local why = sets[i][number]
    if number >= try.first and number <= try.last and why ~= "not sent" then
      refused = why == "refused"
      if not refused and is_open(try) then
        return "open", false
      elseif not refused and try.state ~= "refused" then
        list[#list + 1] = try
      end
    end
  end
  local outcome = outcome_of(list)
  return outcome, refused and outcome ~= "applied"
end

--- What became of each entry of a chunk: ranges that cover it in order, neighbours of which differ.
---@param chunk scope3.MirrorChunk
---@return scope3.MirrorRange[]
function protocol.outcomes(chunk)
  local sets, ranges = sets_of(chunk.tries), {}
  local borders = borders_of(chunk.count, chunk.tries, sets)
  for i = 1, #borders - 1 do
    local outcome, refused = decide(borders[i], chunk.tries, sets)
    local before = ranges[#ranges]
    if before and before.outcome == outcome and before.refused == refused then
      before.last = borders[i + 1] - 1
    else
      ranges[#ranges + 1] = { first = borders[i], last = borders[i + 1] - 1, outcome = outcome, refused = refused }
    end
  end
  return ranges
end

--- Whether a chunk may come to no more than it has.
---@param chunk scope3.MirrorChunk
---@return boolean
function protocol.is_ended(chunk)
  for _, try in ipairs(chunk.tries) do
    if is_open(try) then
      return false
    end
  end
  return true
end

--- How many of the oldest chunks may be folded. What became of a chunk is applied in the order in which chunks were
--- cut, so none is folded before an older one.
---@param chunks scope3.MirrorChunk[]  that are not folded, oldest first, up to those that this process may yet send
---@return integer
function protocol.foldable(chunks)
  for i, chunk in ipairs(chunks) do
    if not protocol.is_ended(chunk) then
      return i - 1
    end
  end
  return #chunks
end

--- Tries that had no end within the settling time. A night asks for their tasks, then writes these down as "unknown".
--- Until that is on the disk they are open: decided by the time alone, a clock that is put back would open them again,
--- after others were sent of their members.
---@param chunk scope3.MirrorChunk
---@param now number
---@param settling? number
---@return scope3.MirrorTry[]
function protocol.settled(chunk, now, settling)
  local list = {}
  for _, try in ipairs(chunk.tries) do
    if is_open(try) and now - try.begun >= (settling or protocol.SETTLING) then
      list[#list + 1] = try
    end
  end
  return list
end

--- Tries that began later than it is now, because the clock was wrong. They are written down as begun now, which is
--- later than they were sent: else they would be open until the clock comes to that time.
---@param chunk scope3.MirrorChunk
---@param now number
---@return scope3.MirrorTry[]
function protocol.begun_later(chunk, now)
  local list = {}
  for _, try in ipairs(chunk.tries) do
    if is_open(try) and try.begun > now then
      list[#list + 1] = try
    end
  end
  return list
end

--- Whether a request may go that has begun but was not sent yet. A process may have been stopped meanwhile: what goes
--- later than this is written down as begun anew before.
---@param try scope3.MirrorTry
---@param now number
---@return boolean
function protocol.may_be_sent(try, now)
  return now - try.begun <= protocol.SEND_WITHIN
end

-- Whether an entry may still be carried out, and whether it was, or waits for a task that is known: then another
-- sending would add nothing.
local function state_of(number, tries, sets)
  local open, has_task = false, false
  for i, try in ipairs(tries) do
    if number >= try.first and number <= try.last and not sets[i][number] then
      open = open or is_open(try)
      has_task = has_task or try.state == "accepted" or try.state == "completed"
    end
  end
  return open, has_task
end

--- Whether entries may be sent, for the first time or again. The caller sees to it that each is still wanted, and comes
--- to exactly the member that the chunk has; the range may be another one than before.
---
--- The process that cut a chunk cut no other with the same members. Of any other chunk only what is open may go: an
--- open member is in no later chunk. One that is not open may be, and would be put back. A night that goes on after a
--- crash compares anew, so what the process before it cut is not its own.
---@param chunk scope3.MirrorChunk
---@param range {first: integer, last: integer, without?: integer[]}
---@param is_own boolean  this process cut the chunk
---@return boolean
function protocol.may_go(chunk, range, is_own)
  local tries = { { first = range.first, last = range.last, without = range.without } }
  for _, try in ipairs(chunk.tries) do
    tries[#tries + 1] = try
  end
  local sets = sets_of(tries)
  local borders = borders_of(chunk.count, tries, sets)
  local left_out = table.remove(sets, 1)
  for _, number in ipairs(borders) do
    if number >= range.first and number <= range.last and not left_out[number] then
      local open, has_task = state_of(number, chunk.tries, sets)
      if has_task or not is_own and not open then
        return false
      end
    end
  end
  return true
end

--- What an open member is counted as, of which nothing is sent tonight.
---@param open {op: "add"|"remove", cells?: any}  the operation that is open
---@param cells? any  of the member that is wanted; nil where none is
---@return "under_way"|"deferred"  whether the open operation brings what is wanted
function protocol.while_open(open, cells)
  if open.op == "remove" then
    return cells == nil and "under_way" or "deferred"
  end
  return cells ~= nil and cells == open.cells and "under_way" or "deferred"
end

return protocol
