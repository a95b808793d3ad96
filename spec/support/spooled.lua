-- A process of its own that uses a spool, for specs that kill it, lock it out or fill its disk:
--   spooled.lua append PATH EVERY       keeps numbered batches until it is killed, and empties the spool
--                                       after each EVERY of them
--   spooled.lua open PATH               prints "opened", "locked" or the reason
--   spooled.lua fill PATH               keeps members until that fails, and prints how many and why
--   spooled.lua share PATH TIMES SEED   opens it TIMES times, keeps a member each time, and sometimes removes all
local core = require "scope3.core"

local spooled = {}

--- A builder and a payload.
function spooled.kit()
  return core.builder { max_member = 100000 }, core.payload { max_members = 1000, max_bytes = 10000000 }
end

--- Iterates over the members of a spool that can be read: JSON, "add" or "remove", number, stamp, label.
function spooled.members(spool)
  local reader, payload = spool:reader(), core.payload { max_members = 1, max_bytes = 10000000 }
  return function()
    local _, _, stamp, _, _, label = reader()
    if not stamp then
      payload:close()
      return nil
    end
    payload:reset()
    local members, number = reader(payload, nil, 1, label)
    assert(members == 1, "a member that is there was not read")
    local operation = payload:living() == 1 and "add" or "remove"
    return payload:text(operation, 1, 1), operation, number, stamp, label
  end
end

--- Members of a spool as they were kept: an array of { id, operation, JSON }.
function spooled.read(spool)
  local found = {}
  for json, operation in spooled.members(spool) do
    found[#found + 1] = { json:match('^{"externalId":"([^"]*)"'), operation, json }
  end
  return found
end

--- Batch `n` in a payload: one to four members "n:i/size", removals among them. Gives their number.
function spooled.batch(builder, payload, n)
  local size = 1 + n % 4
  payload:reset()
  for i = 1, size do
    local remove = (n + i) % 3 == 0
    assert(builder:add(payload, { external_id = ("%d:%d/%d"):format(n, i, size), remove = remove,
      hashed_email = not remove and ("%064x"):format(n) or nil }))
  end
  return size
end

--- The first and the last batch in a spool that append filled, after a look at every member; nil when it is empty.
function spooled.batches(spool)
  local first, last, expected, size
  for json, operation in spooled.members(spool) do
    local n, i, of = json:match('^{"externalId":"(%d+):(%d)/(%d)"')
    n, i, of = tonumber(n), tonumber(i), tonumber(of)
    if not n or (last and (n ~= (expected > size and last + 1 or last) or i ~= (expected > size and 1 or expected)))
      or (not last and i ~= 1) then
      error(("%s is not what comes behind batch %s"):format(json, tostring(last)))
    end
    local remove = (n + i) % 3 == 0
    local text = remove and ('{"externalId":"%d:%d/%d"}'):format(n, i, of)
      or ('{"externalId":"%d:%d/%d","hashedEmail":"%064x"}'):format(n, i, of, n)
    assert(json == text and operation == (remove and "remove" or "add"), json)
    first, last, expected, size = first or n, n, i + 1, of
  end
  assert(not last or expected > size, "a batch was kept in part")
  return first, last
end

-- A second spool beside the first holds a member a batch that keep() has answered for:
-- a count that costs no system call between two appends.
local function append(path, every)
  local builder, payload = spooled.kit()
  local _, one = spooled.kit()
  builder:add(one, { external_id = "1", remove = true })
  local spool, acks = assert(core.spool(path)), assert(core.spool(path .. ".acks"))
  local _, last = spooled.batches(spool)
  if (last or 0) > acks:count() then -- killed between the two
    assert(acks:keep(one, 1, 1))
  end
  local n = acks:count()
  io.stdout:write("go\n")
  io.stdout:flush()
  while true do
    if n % every == 0 then
      assert(spool:reset())
    end
    n = n + 1
    assert(spool:keep(payload, 1, spooled.batch(builder, payload, n)))
    assert(acks:keep(one, 1, 1))
    if n % 64 == 0 then
      io.stdout:write(n, "\n")
      io.stdout:flush()
    end
  end
end

local function fill(path)
  local builder, payload = spooled.kit()
  local spool, message = core.spool(path, { capacity = 2 ^ 30 })
  if not spool then
    print(0, message)
    return
  end
  for n = 1, 1000000 do
    payload:reset()
    builder:add(payload, { external_id = tostring(n), uids = { { type = "t", value = ("x"):rep(900) } } })
    local ok, why = spool:keep(payload, 1, 1)
    if not ok then
      print(spool:count(), why)
      return
    end
  end
end

local function share(path, times, seed)
  local builder, payload = spooled.kit()
  builder:add(payload, { external_id = "1", remove = true })
  math.randomseed(seed)
  local kept, taken = 0, 0
  while kept < times do
    local spool, message, locked = core.spool(path, { capacity = 65536 })
    if spool then
      assert(spool:keep(payload, 1, 1))
      kept = kept + 1
      if math.random(3) == 1 then
        taken = taken + spool:count()
        assert(spool:remove())
      else
        spool:close()
      end
    else
      assert(locked == "locked", message)
    end
  end
  print(taken)
end

if arg and arg[0] and arg[0]:find("spooled%.lua$") then
  local what, path = arg[1], arg[2]
  if what == "append" then
    append(path, tonumber(arg[3]))
  elseif what == "open" then
    local spool, message, locked = core.spool(path)
    print(spool and "opened" or locked or message)
  elseif what == "fill" then
    fill(path)
  elseif what == "share" then
    share(path, tonumber(arg[3]), tonumber(arg[4]))
  end
end

return spooled
