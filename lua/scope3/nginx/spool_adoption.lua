--- Adopts spool files of workers that are no more, the oldest first.
---
--- No file is adopted before an older one, however large that is. Where one cannot be opened yet, what is newer waits.
local core = require "scope3.core"
local interpreted = require "scope3.util.interpreted"
local plural = require "scope3.util.plural"
local spool_orphans = require "scope3.nginx.spool_orphans"

interpreted(true, true) -- nothing here runs for each member

local spool_adoption = {}

local MAX_READING = 64 -- adopted files that are open at once
local AT_ONCE = 16 * 2 ^ 20 -- bytes of files that are opened where nobody else can run: some ten milliseconds

--- Lets other workers adopt again, once no adopted member waits.
---@param spool scope3.Spool
function spool_adoption.end_if_done(spool)
  if spool.adopted == 0 and not spool.unopened then
    spool.orphans:release_lock()
  end
end

-- Takes over a file that was opened: how many members it has, and how many are lost.
local function adopt(spool, opened, path)
  local lost, members = opened:lost(), opened:count()
  if opened:damaged() > 0 or lost > 0 then
    spool.orphans:report(path, ("is damaged: %s of it cannot be read, and %s lost"):format(
      plural.of(opened:damaged(), "byte"), plural.of(lost, "member is", "members are")))
  end
  spool.stamp = math.max(spool.stamp, (select(2, opened:last())))
  local file = spool:own(opened, path, true)
  if members == 0 then
    spool:free(file)
  else
    opened:unload()
  end
  return members, lost
end

-- Adopts those files that no worker holds: what they had, and why members have to wait for the others.
local function adopt_all(spool, list, rest)
  local found, locked, wait = { members = 0, lost = 0 }, {}, nil
  for _, file in ipairs(list) do
    if spool.adopted >= MAX_READING or not rest and spool.bytes >= AT_ONCE then
      spool.unopened = file.made
      break
    end
    local opened, message, word = core.spool(file.path)
    if opened then
      local members, lost = adopt(spool, opened, file.path)
      found.members, found.lost = found.members + members, found.lost + lost
      if rest then
        rest()
      end
    elseif word == "locked" then
      locked[#locked + 1] = file
    else
      wait = spool.orphans:cannot_open(file.path, message, word)
    end
    if wait then
      spool.unopened = file.made
      break
    end
  end
  return found, spool.orphans:must_wait(locked) or wait
end

--- Adopts what there is.
---@param spool scope3.Spool
---@param rest? fun()  lets others run between two files
---@return {members: integer, lost: integer}? found
---@return string? wait  why no member may be sent now
---@return boolean? replaced  workers of a later configuration have members: all are theirs to send, in one order
function spool_adoption.look(spool, rest)
  local list, newest = spool.orphans:candidates(spool.files)
  spool.unopened, spool.stamp = nil, math.max(spool.stamp, newest)
  if #list == 0 then
    spool_adoption.end_if_done(spool)
    return nil
  elseif spool_orphans.is_replaced(list) then
    return nil, nil, true
  end
  local wait = spool.orphans:take_lock()
  if wait then
    return nil, wait
  end
  local found
  found, wait = adopt_all(spool, list, rest)
  spool_adoption.end_if_done(spool)
  return found, wait
end

return spool_adoption
