--- Runs foreign code inside a job or a wait: listeners, `cancel`, iterators, readers, a limiter's store, a host's loop.
--- Where it raises an error, the job stops in order and returns `nil, err` with what was achieved. Then no callback is
--- called any more.
local errors = require "scope3.error"
local redact = require "scope3.util.redact"

---@class scope3.Guard
---@field fault scope3.Error?  of the first callback that raised
local Guard = {}
Guard.__index = Guard

local guard = {}

-- Whether a coroutine can yield over pcall(): not in Lua 5.1 itself. Trying it out would fail in nginx, whose
-- coroutine.wrap cannot be used while a request loads a module.
local yieldable = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

local parents = setmetatable({}, { __mode = "k" })

-- A host may forbid reading globals that do not exist.
local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local finish

-- Goes on with the coroutine of a call, unless it came to its end without us.
local function go_on(call, inner, ...)
  local results = call.results
  if results then
    return true, unpack(results, 1, results.n)
  end
  call.driven = true
  return finish(call, inner, coroutine.resume(inner, ...))
end

-- Runs a coroutine to its end. What it yields goes to the caller that resumes ours.
finish = function(call, inner, ok, ...)
  call.driven = false
  if not ok then
    return false, ...
  elseif coroutine.status(inner) == "dead" then
    return true, ...
  end
  return go_on(call, inner, coroutine.yield(...))
end

local function resumed(ok, ...)
  if not ok then
    error(select(1, ...), 0)
  end
  return ...
end

-- The function of a call has ended. A host that had it wait may know only the coroutine of the call, and have resumed
-- that: then ours goes on from here. What a function raises after such a wait goes to that host.
local function ended(call, outer, ...)
  if call.driven then
    return ...
  end
  call.results = { n = select("#", ...), ... }
  return resumed(coroutine.resume(outer))
end

--- pcall() over which the function may yield, on every Lua.
---@param f function
---@param ... any
---@return boolean ok
---@return any ...
function guard.call(f, ...)
  local outer = not yieldable and coroutine.running()
  if not outer then
    return pcall(f, ...)
  end
  local call = { driven = true }
  local inner = coroutine.create(function(...)
    return ended(call, outer, f(...))
  end)
  parents[inner] = outer
  return finish(call, inner, coroutine.resume(inner, ...))
end

--- The coroutine that the host knows: it runs the one of guard.call(), where there is one.
---@param thread thread?
---@return thread?
function guard.outermost(thread)
  while parents[thread or false] do
    thread = parents[thread]
  end
  return thread
end

--- What foreign code raised, as a redacted text. Its __tostring may raise an error too, or return no text.
---@param problem any
---@return string
function guard.text(problem)
  local fine, text = pcall(tostring, problem)
  return fine and type(text) == "string" and redact.text(text) or ("a %s that has no text"):format(type(problem))
end

--- The error of foreign code.
---@param what string  the callback, in a sentence
---@param problem any  what it raised
---@param kind? string  "script" unless given
---@param code? string
---@return scope3.Error
function guard.error(what, problem, kind, code)
  local said = errors.is(problem) and problem.message or guard.text(problem)
  return errors.new(kind or "script", ("%s raised an error: %s"):format(what, said),
    { code = code or "callback_error" })
end

---@return scope3.Guard
function guard.new()
  return setmetatable({}, Guard)
end

--- Notes what foreign code raised that is called without wrap().
---@param what string  in a sentence
---@param problem any  what it raised
function Guard:blame(what, problem)
  self.fault = self.fault or guard.error(what, problem)
end

--- The callback, which raises no more.
---@generic F: function
---@param what string
---@param f F?
---@return F?
function Guard:wrap(what, f)
  return f and function(...)
    if self.fault then
      return nil
    end
    local ok, answer = guard.call(f, ...)
    if ok then
      return answer
    end
    self.fault = self.fault or guard.error(what, answer)
  end
end

return guard
