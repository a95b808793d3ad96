-- Steps of a state's life, for a process of its own in which something fails or that is killed:
-- state_steps.lua STEP STATE LIBRARY WHAT K COUNT HOW
-- LIBRARY is preloaded: that of compile.failing_calls() where WHAT is a part of file names, that of compile.no_memory()
-- where HOW is "memory" and WHAT a part of a library's name. Prints how many calls could have failed, how many did, the
-- last of these, and what came of the step: "ok", or a code. What failed once is done again then, and "again" is
-- printed with it.
local core = require "scope3.core"
local states = require "spec.support.states"

local steps = {}

-- The same bytes in each process.
local function packed(name, size)
  local text = core.sha256(name):rep(math.ceil(size / 64)):sub(1, size)
  return text .. core.sha256(text):sub(1, 16)
end

--- A state with filled partitions, an ended chunk, one whose request is under way, and a night that goes on.
function steps.base(path)
  local kept = assert(states.open(path))
  local run = assert(kept:begin_run(1000))
  assert(kept:cut(run, 1, packed("zero", 100), { request = 1, first = 1, last = 2, begun = 1001 }))
  assert(kept:fold(1, "", function(k)
    return packed("part" .. k, 80000 - k * 9000)
  end))
  assert(kept:cut(run, 2, packed("one", 3000), { request = 2, first = 1, last = 9, begun = 1002 }))
  assert(kept:accepted(run, 2, "task-2"))
  assert(kept:cut(run, 3, packed("two", 90000), { request = 3, first = 1, last = 30, begun = 1003 }))
  return kept
end

steps.STEPS = {
  open = function() return true end,
  cut = function(kept)
    return kept:cut(1, 4, packed("three", 130000), { request = 4, first = 1, last = 40, begun = 1004 })
  end,
  accepted = function(kept) return kept:accepted(1, 3, "task-3") end,
  ended = function(kept) return kept:ended(1, 2, "completed", 1010, { 4 }) end,
  night = function(kept) return kept:end_run(1, 1020, { added = 3 }) end,
  fold = function(kept)
    if kept.folding then
      return kept:finish_fold(states.fold_into(kept))
    end
    local chunks, err = kept:open_chunks()
    if not chunks then
      return nil, err
    elseif #chunks == 0 then
      return true
    end
    return kept:fold(3, "AB", states.fold_into(kept))
  end,
  forget = function(kept) return kept:forget(2, packed("other", 40000), { [2] = packed("less", 2000) }) end,
}

local function attempt(step, path)
  local kept, err = states.open(path)
  if not kept then
    return nil, err
  end
  local ok
  ok, err = steps.STEPS[step](kept)
  kept:close()
  return ok, err
end

-- With Lua's own allocator alone, errors of memory come as errors of the database.
local function told(fine, ok, err)
  return not fine and "raised " .. tostring(ok) or ok ~= nil and "ok" or tostring(err and err.code)
end

if arg and arg[0] and arg[0]:find("state_steps%.lua$") then
  local step, path, library, what, k, count, how = arg[1], arg[2], arg[3], arg[4], tonumber(arg[5]), tonumber(arg[6]),
    arg[7]
  require "scope3.state"
  local asked, failed, last
  local fine, ok, err
  if how == "memory" then
    local no_memory = assert(package.loadlib(library, "luaopen_no_memory"))()
    no_memory.fail(what, k, count)
    fine, ok, err = pcall(attempt, step, path)
    asked, failed = no_memory.asked()
  else
    local failing_calls = assert(package.loadlib(library, "luaopen_failing_calls"))()
    failing_calls.of_files(what, k, count, how)
    fine, ok, err = pcall(attempt, step, path)
    asked, failed, last = failing_calls.stop()
  end
  local said = told(fine, ok, err)
  if said ~= "ok" and count == 1 then
    said = said .. " again " .. told(pcall(attempt, step, path))
  end
  print(("%d %d %s %s"):format(asked, failed, last or "-", said))
end

return steps
