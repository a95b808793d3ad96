--- Asks what became of the requests of earlier nights whose end nobody saw.
local core = require "scope3.core"
local night = require "scope3.mirror.night"
local protocol = require "scope3.mirror.protocol"
local tasks = require "scope3.job.tasks"

local earlier_requests = {}

local ONE_LOOK = 20 -- seconds for each question
local NEW = 60 -- seconds within which a service may not find a task that it has made

-- The requests that wait for a task, by the task: one may stand in several chunks.
local function by_task(chunks)
  local list, of = {}, {}
  for _, chunk in ipairs(chunks) do
    for _, try in ipairs(chunk.tries) do
      if try.task_id and (try.state == "accepted" or try.state == "missing") then
        if not of[try.task_id] then
          of[try.task_id] = {}
          list[#list + 1] = try.task_id
        end
        table.insert(of[try.task_id], try)
      end
    end
  end
  return list, of
end

-- Whether the task was made long ago: a request goes a while after it began at the latest, and clocks may be put back.
local function is_old(tries)
  local began = 0
  for _, try in ipairs(tries) do
    began = math.max(began, try.begun)
  end
  return core.time() - began > protocol.SEND_WITHIN + NEW
end

-- What a task says of its requests: a state of theirs, nil where it goes on; or nil and why nothing is known. Where it
-- failed for some audiences alone, a third result has their ids.
local function look(context, id, tries, limits, on_event)
  local one = { once = ONE_LOOK, guard = limits.guard, cancel = limits.cancel, deadline = limits.deadline,
    over = limits.over, pace = limits.pace, patience = limits.patience }
  local seen, err = tasks.wait_one(context, id, one, { is_old = is_old(tries) }, on_event)
  if seen then
    return "completed"
  elseif err.kind == "task_failed" then
    return "failed", nil, err.audiences
  elseif err.kind == "not_found" then
    return "missing"
  elseif err.kind == "needs_action" or err.kind == "timeout" then
    return nil
  end
  return nil, err
end

-- Those tries whose audience did not fail, where a task failed for some alone. A chunk is of one audience.
local function completed_of(store, tries, failed)
  local names, completed, some = {}, {}, false
  for _, id in ipairs(failed or {}) do
    names[id] = true
  end
  for _, try in ipairs(next(names) and tries or {}) do
    local number
    local shown, err = store:show_chunk(try.chunk, function(blob)
      number = core.mirror.chunk_audience(blob)
    end)
    if not shown then
      return nil, err
    end
    local audience = number and store.about.audiences[number + 1]
    completed[try] = audience and not names[audience.id] or nil
    some = some or audience ~= nil and names[audience.id] == true
  end
  return some and completed or {} -- else it speaks of others, and all may have failed
end

-- Writes what is known of requests; `failed` are the audiences for which their task failed, where it says which.
local function write(store, tries, said, now, failed)
  local completed, why = completed_of(store, tries, failed)
  if not completed then
    return nil, why
  end
  for _, try in ipairs(tries) do
    local state = completed[try] and "completed" or said
    if try.state ~= state then
      local ok, err = store:ended(try.run, try.request, state, now)
      if not ok then
        return nil, err
      end
    end
  end
  return true
end

-- Requests that began later than it is now: the clock was wrong.
local function put_right(store, chunks, now)
  for _, chunk in ipairs(chunks) do
    for _, try in ipairs(protocol.begun_later(chunk, now)) do
      local ok, err = store:begin_anew(try.run, try.request, now)
      if not ok then
        return nil, err
      end
    end
  end
  return true
end

--- Asks for the tasks of earlier nights, and writes down what time has decided.
---@param context scope3.Context
---@param store scope3.MirrorStore
---@param chunks scope3.StateChunk[]
---@param limits table  as for transport:drive()
---@param on_event fun(event: scope3.Event)
---@return true?
---@return scope3.Error? err
function earlier_requests.settle(context, store, chunks, limits, on_event)
  local list, of = by_task(chunks)
  for _, id in ipairs(list) do
    local state, err, failed = look(context, id, of[id], limits, on_event)
    local ok = not err
    if state then
      ok, err = write(store, of[id], state, core.time(), failed)
    end
    if not ok then
      return nil, err
    end
  end
  local now = core.time()
  local ok, err = put_right(store, chunks, now)
  if not ok then
    return nil, err
  end
  chunks, err = store:open_chunks()
  if not chunks then
    return nil, err
  end
  return night.settle(store, chunks, now)
end

return earlier_requests
