-- client.lua SETTINGS: whoever visits a node of a trial, as a process that nothing kills. It sends operations on ids
-- of its own, at a pace, and writes each attempt and its answer to a file: its memory of what was promised. It tells by
-- a file when it has made as many ids as it is to, and goes on until it is told that this is enough.
--
-- An id gets operations for a while: it is added, added with other values, removed, and added again. All of its
-- operations go to one worker, or to those that come after it died. Where the connection moves to another worker
-- although the one before lives, the ids that come are others: between living workers there is no order.
--
-- The file has for each attempt its operations "+ID OPERATION" or "-ID OPERATION", and then
--   = TAKEN UNKEPT   so many of them were answered true, and of these some may be lost with their worker
--   ?                the answer was lost: any of the first ones may have been taken
-- and a dot in the end.
package.path = "./?.lua;" .. package.path
local core = require "scope3.core"
local curl = require "scope3.engine"
local model = require "spec.support.model"
local process = require "spec.fleet.trial.process"
local world = require "spec.support.world"

local settings = world.json.decode(world.read(arg[1]))
local roll = model.dice(settings.seed)
local log = assert(io.open(settings.log, "wb"))
local session, made, all_made, numbered, removed = 1, 0, 0, 0, {}
local engine, worker

local function next_operation()
  numbered = numbered + 1
  local name, number = ("c%d.%d"):format(settings.number, numbered), made + 1
  if made == 0 or roll(10) <= 7 then
    made, all_made = number, all_made + 1
  else -- rather a young one
    number = math.max(1, made - math.floor(settings.window * (roll(1000) / 1000) ^ 2))
  end
  local removes = removed[number] == false and roll(2) == 1
  removed[number] = removes
  return ("%s%s %s"):format(removes and "-" or "+", ("c%d-%d-%d"):format(settings.number, session, number), name)
end

-- The text of an answer; nil where there is none.
local function post(body)
  engine = engine or assert(curl.engine { connect_timeout = 5 })
  local submitted = engine:submit { method = "POST", url = world.read(settings.url) .. "/ops", body = body,
    headers = {}, timeout = 60 }
  while submitted and not engine:step() do
    engine:wait(0.2)
  end
  local result = submitted and engine:result()
  if result and result.status == 200 then
    return result.body
  end
  engine:close()
  engine = nil
  return nil
end

-- Sends some operations. How many were taken; nil where that is not known.
local function attempt(operations)
  local body = table.concat(operations, "\n") .. "\n"
  log:write(body)
  log:flush()
  local pid, taken, unkept, said = (post(body) or ""):match "^(%d+) (%d+) (%d+) (%S+)$"
  log:write(pid and ("= %s %s\n"):format(taken, unkept) or "?\n")
  log:flush()
  assert(said == nil or said == "ok" or said == "full", said)
  local before = worker
  worker = tonumber(pid) or worker
  if before and worker ~= before and process.lives(before) then
    session, made, removed = session + 1, 0, {}
  end
  return tonumber(taken)
end

-- Sends operations until they are answered, or, now and then, leaves it at an answer that was lost.
local function send(operations)
  while operations[1] do
    local taken = attempt(operations)
    if not taken and roll(2) == 1 then
      return
    end
    local left = {}
    for i = (taken or 0) + 1, #operations do
      left[#left + 1] = operations[i]
    end
    operations = left
    if left[1] then
      core.sleep(0.2)
    end
  end
end

local began, has_made = core.now(), false
while world.exists(settings.alive) and not (has_made and world.exists(settings.enough)) do
  local operations = {}
  for i = 1, settings.batch do
    operations[i] = next_operation()
  end
  send(operations)
  if not has_made and all_made >= settings.ids then
    has_made = true
    world.write(settings.made, "")
  end
  core.sleep(math.max(0.001, began + numbered / settings.pace - core.now()))
end
log:write(".\n")
log:close()
