-- Compares what clients were promised with what the service has in the end.
local core = require "scope3.core"
local entries = require "scope3.util.entries"

local checks = {}

local MOST = 20 -- wrong ids that are named

-- Notes an operation of an attempt. `may` says that it is not known whether it was taken, or that it may be lost.
local function note(wanted, id, value, may)
  local known = wanted[id]
  if not may then
    wanted[id] = value
  elseif type(known) == "table" then
    known[#known + 1] = value
  else
    wanted[id] = { known or "-", value }
  end
end

-- Reads what a client was promised. For each id the operation that is the last, "-" for a removal; a list of them where
-- each may be. Counts attempts of operations that were made more than once.
local function read_log(path, wanted, attempts, counts)
  local list = {}
  for line in io.lines(path) do
    local sign, id, name = line:match "^([+-])(%S+) (%S+)$"
    local taken, unkept = line:match "^= (%d+) (%d+)$"
    if sign then
      list[#list + 1] = { id, sign == "-" and "-" or name, name }
    elseif taken or line == "?" then
      taken, unkept = tonumber(taken), tonumber(unkept or 0)
      for i = 1, taken or #list do
        local one = list[i]
        note(wanted, one[1], one[2], not taken or unkept > 0)
        if not taken then
          attempts[one[3]] = (attempts[one[3]] or 1) + 1
        end
      end
      counts.answered, counts.unkept = counts.answered + (taken or 0), counts.unkept + unkept
      counts.unanswered = counts.unanswered + (taken and 0 or #list)
      list = {}
    end
  end
end

-- Who is in the audience: operation by id, and whether a hash is another than that of the operation.
local function read_members(path, wrong)
  local there = {}
  for line in io.lines(path) do
    local id, hash, uid = line:match "^(%S+) (%S+) (%S+)$"
    local name = uid:match "^[^.]*%.[^.]*"
    there[id] = name
    if core.sha256(name .. "@example.com") ~= hash then
      wrong[#wrong + 1] = id .. " has the email of another operation than " .. name
    end
  end
  return there
end

local function fits(want, found)
  if type(want) ~= "table" then
    return want == found
  end
  for _, one in ipairs(want) do
    if one == found then
      return true
    end
  end
  return false
end

-- How often each operation was carried out beyond the first time, and beyond the attempts that a client made of it.
local function count_doubles(path, attempts)
  local seen, doubled, operations = {}, 0, 0
  for line in io.lines(path) do
    local name = line:match "^%+%S+ (%S+)$"
    operations = operations + 1
    if name then
      seen[name] = (seen[name] or 0) + 1
      doubled = doubled + (seen[name] > (attempts[name] or 1) and 1 or 0)
    end
  end
  return doubled, operations
end

-- Operations that the log of Redis has more often than a client made them.
local function look_at_appends(counts, attempts, wrong)
  for name, n in entries(counts) do
    if n > (attempts[name] or 1) then
      wrong[#wrong + 1] = ("%s is in the queue's log %d times"):format(name, n)
    end
  end
end

---@class scope3.TrialFound
---@field wrong string[]  what is
---@field more integer  wrong ones that are not named
---@field counts table<string, number>

--- Looks at a trial that has ended.
---@param trial table
---@param sums {repeated: integer, failed: integer, lost: integer}  of the drainers that ended by themselves
---@return scope3.TrialFound
function checks.look(trial, sums)
  local wanted, attempts, wrong = {}, {}, {}
  local counts = { answered = 0, unanswered = 0, unkept = 0, ids = 0, landed = 0, repeated = sums.repeated,
    failed = sums.failed, lost = sums.lost, requests = #trial:noted(), bytes_cut = trial.bytes_cut }
  for _, client in ipairs(trial.clients) do
    read_log(client.log, wanted, attempts, counts)
  end
  local there = read_members(trial.folder .. "/members", wrong)
  for id, want in entries(wanted) do
    local found = there[id] or "-"
    counts.ids = counts.ids + 1
    if fits(want, found) then
      counts.landed = counts.landed + 1
    else
      wrong[#wrong + 1] = ("%s has %s in place of %s"):format(id, found,
        type(want) == "table" and table.concat(want, " or ") or want)
    end
  end
  for id in entries(there) do
    if wanted[id] == nil then
      wrong[#wrong + 1] = id .. " is there, and nobody added it"
    end
  end
  counts.doubled, counts.carried = count_doubles(trial.folder .. "/carried", attempts)
  look_at_appends(trial.appends:count(), attempts, wrong)
  if sums.failed > 0 then
    wrong[#wrong + 1] = sums.failed .. " members were given up by drainers"
  end
  local named = {}
  for i = 1, math.min(MOST, #wrong) do
    named[i] = wrong[i]
  end
  return { wrong = named, more = #wrong - #named, counts = counts }
end

return checks
