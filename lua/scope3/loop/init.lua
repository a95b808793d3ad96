--- Loops: how the client waits in its host. The client is plain sequential Lua. The loop decides whether a wait blocks
--- or lets others run.
local arguments = require "scope3.util.arguments"
local blocking = require "scope3.loop.blocking"

local loops = {}

---@class scope3.Loop
---@field name string  clients with loops of one name share an engine
---@field now fun(): number  seconds of a clock that only goes forward
---@field sleep fun(seconds: number)
---@field wait fun(engine: table, seconds: number, waiter: scope3.Waiter): boolean?  returns when the waiter was woken,
---  when the engine may have news for it, or after `seconds`; too early does no harm. True where the loop itself steps
---  the engine meanwhile: then the waiter need not
---@field wake? fun(waiter: scope3.Waiter)  ends a waiter's wait: needed where several wait at once
---@field rest? fun(): false?  lets others run, between two slices of work; false where there are no others
---@field hold? fun()  where the host interrupts Lua anywhere: keeps others from running until `rest` or a wait
---@field bar? fun(): string?  why nothing can wait here and now, for people

---@class scope3.Waiter  a caller that waits; a loop may keep fields of its own in it
---@field woken boolean?  something of its own has happened since it last looked
---@field waiting scope3.Call[]  its calls that are not due
---@field calls table<integer, scope3.Call>  its calls on the wire, by the id of their transfer
---@field flying integer  how many these are
---@field news table[]  events that its listeners have not got yet
---@field answers boolean?  it waits for the answer of one host, and nothing has to be done until that comes
---@field fault scope3.Error?  what a listener, a loop or a limiter's store raised
---@field step fun(gently: boolean?): boolean  steps the engine and wakes the waiters of calls that have ended; gently,
---  in small parts. False when nothing moved
---@field abandon fun(waiter: scope3.Waiter)  cancels its requests: for a loop that knows that it will never run again

local hosts = {}

-- nginx's master may read files that its workers may not. So in nginx everything is loaded at once that is needed
-- later. A build may lack the last two modules.
local in_nginx = rawget(_G, "ngx")
if in_nginx and in_nginx.get_phase then
  hosts.nginx = require "scope3.loop.nginx"
  pcall(require, "scope3.gzip")
  pcall(require, "scope3.crypto")
end

local function host(name)
  hosts[name] = hosts[name] or require("scope3.loop." .. name)
  return hosts[name]
end

local function is_haproxy(core)
  return type(core) == "table" and core.register_action ~= nil and core.msleep ~= nil
end

-- The loop of the host that runs now. Waiting may block while nginx's master reads its configuration ("init"), and in
-- a worker that serves nobody any more ("exit_worker").
local function here()
  local ngx = rawget(_G, "ngx")
  if ngx and ngx.get_phase then
    local phase = ngx.get_phase()
    if phase ~= "init" and phase ~= "exit_worker" then
      return host "nginx" -- a host may set ngx after it loaded this
    end
  end
  local cqueues = package.loaded.cqueues
  if cqueues and cqueues.running() then
    return host "cqueues"
  elseif rawget(_G, "_TARANTOOL") then
    return host "tarantool"
  elseif is_haproxy(rawget(_G, "core")) then
    return host "haproxy"
  end
  return blocking
end

-- Finds the host at each wait: a client may be made by a script, and used inside nginx or cqueues.
---@type scope3.Loop
local auto = { name = "auto", now = blocking.now }

function auto.sleep(seconds)
  return here().sleep(seconds)
end

function auto.wait(engine, seconds, waiter)
  local loop = here()
  waiter.loop = loop
  return loop.wait(engine, seconds, waiter)
end

-- The caller that wakes may run in another host than the one that waits.
function auto.wake(waiter)
  local loop = waiter.loop
  if loop and loop.wake then
    loop.wake(waiter)
  end
end

function auto.rest()
  local rest = here().rest
  return rest ~= nil and rest()
end

-- HAProxy is there before anything is loaded. Elsewhere nobody has to be held back.
if is_haproxy(rawget(_G, "core")) then
  auto.hold = host("haproxy").hold
end

-- Servers that run Lua in their own event loop, and a global of each with one of its fields. A call that blocks stops
-- the whole server.
local SERVERS = {
  { "lighttpd", "lighty", "r" }, { "Prosody", "prosody", "hosts" }, { "Apache httpd", "apache2", "version" },
  { "Redis", "redis", "call" },
}

-- Knot Resolver runs coroutines in cqueues. The others of its calls block. Its globals lie behind a metatable.
local IN_KNOT = "nothing can wait here in Knot Resolver: do this in worker.coroutine(function() … end), which needs "
  .. 'cqueues for LuaJIT, or take loop = "blocking" where nothing is served yet'

local function server()
  for _, known in ipairs(SERVERS) do
    local found = rawget(_G, known[2])
    if type(found) == "table" and found[known[3]] ~= nil then
      return known[1]
    end
  end
end

function auto.bar()
  local loop = here()
  if loop ~= blocking then
    return loop.bar and loop.bar()
  end
  if package.loaded.kluautil and package.loaded.kres then
    return IN_KNOT
  end
  local name = server()
  return name and name .. " has no loop here, and a call that blocks stops the whole server: give the client a loop of "
    .. "your own (docs/hosts.md), or take loop = \"blocking\" where nothing is served yet"
end

local NAMES = { blocking = true, nginx = true, cqueues = true, luv = true, haproxy = true, tarantool = true }

--- Whether functions of a loop may raise: of the caller's own, and of Tarantool's, which ends a fiber so.
---@param loop scope3.Loop
---@return boolean
function loops.may_raise(loop)
  local is_ours = loop == auto or NAMES[loop.name] and package.loaded["scope3.loop." .. loop.name] == loop
  return not is_ours or rawget(_G, "_TARANTOOL") ~= nil
end

local function is_loop(loop)
  if type(loop) ~= "table" or type(loop.name) ~= "string" then
    return false
  end
  for _, name in ipairs { "wake", "rest", "bar", "hold" } do
    if loop[name] ~= nil and type(loop[name]) ~= "function" then
      return false
    end
  end
  return type(loop.now) == "function" and type(loop.sleep) == "function" and type(loop.wait) == "function"
end

--- Finds a loop by its name. The caller's own loop is returned as it is. For nil it is one that finds the host by
--- itself. Raises for anything else, at the line of the caller's caller.
---@param loop "blocking"|"nginx"|"cqueues"|"luv"|"haproxy"|"tarantool"|scope3.Loop|nil
---@return scope3.Loop
function loops.find(loop)
  if loop == nil then
    return auto
  elseif is_loop(loop) then
    return loop
  elseif type(loop) == "string" and NAMES[loop] then
    local there, found = pcall(require, "scope3.loop." .. loop)
    if not there then
      error(('scope3.client: loop "%s" cannot be used here: %s'):format(loop, tostring(found):match("[^\r\n]*")), 3)
    end
    return found
  end
  error("scope3.client: " .. arguments.problem("loop",
    '"blocking", "nginx", "cqueues", "luv", "haproxy", "tarantool", or a table with name, now, sleep and wait '
    .. "(scope3.Loop)", loop), 3)
end

return loops
