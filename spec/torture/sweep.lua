-- Runs a job again and again, and has another of its calls fail each time; for a process of its own:
--   sweep.lua WHAT JOB MODE SETTINGS
-- WHAT fails: files, core.so, engine.so, gzip.so, crypto.so, libcurl or lua. SETTINGS is JSON: url, folder, gzip, most,
-- seed, and library, the module that has it fail. Prints what went wrong, a line for each, and at the end what it has
-- tried.
local core = require "scope3.core"
local jobs = require "spec.torture.jobs"
local json = require "scope3.sandbox.json"

local what, name, mode, settings = arg[1], arg[2], arg[3], json.decode(arg[4])
settings.answers_fail = what ~= "files"

---@class torture.Way  how calls are made to fail
---@field job table
---@field run fun(k: integer, count: integer): boolean, any, integer, integer  runs the job while the k-th call and
---  count - 1 more fail: whether it returned, what it gave or raised, how many calls there were, how many failed
---@field words string[]?  of which one is in the error of a job that failed
---@field live? fun(): integer  what was made and not given back

local function load_module(opener)
  return assert(package.loadlib(settings.library, opener))()
end

-- A job of this Lua state, with calls of a library that fail between begin() and stop().
local function here(fields)
  fields.job = jobs[name](settings)
  function fields.run(k, count)
    fields.begin(k, count)
    local fine, message = pcall(fields.job.act)
    local asked, failed = fields.stop()
    return fine, message, asked, failed
  end
  return fields
end

local WAYS = {}

function WAYS.files()
  local failing_calls, files = load_module "luaopen_failing_calls", nil
  local way = here { stop = failing_calls.stop, begin = function(k, count)
    failing_calls.of_files(files, k, count, mode)
  end }
  files = way.job.files
  way.words = { files }
  return way
end

function WAYS.libcurl()
  local curl_memory = load_module "luaopen_curl_memory"
  return here { begin = curl_memory.fail, stop = curl_memory.asked, live = curl_memory.live }
end

for _, library in ipairs { "core.so", "engine.so", "libz.so", "libcrypto.so" } do
  WAYS[library] = function()
    local no_memory = load_module "luaopen_no_memory"
    return here { words = { "memory" }, begin = function(k, count)
      no_memory.fail(library, k, count)
    end, stop = no_memory.asked }
  end
end

-- The job is in a Lua state of its own, whose allocator fails.
function WAYS.lua()
  local failing = load_module "luaopen_failing"
  local code = ("if jit then jit.off() end\nlocal json = require 'scope3.sandbox.json'\n"
    .. "return require('spec.torture.jobs')[%q](json.decode(%q))"):format(name, arg[4])
  local state = failing.state(code, package.path, package.cpath)
  local function call(step)
    local status, message = state:run(step)
    return status ~= 0 and error(message, 0) or message
  end
  return {
    -- Lua's own table.sort says in these words that it got no memory for its stack.
    words = { "memory", "stack overflow ()" },
    job = { prepare = function() return call "prepare" end, check = function() return call "check" end },
    run = function(k, count)
      local status, message, asked, refused = state:run("act", k, count)
      return status == 0, message, asked, refused
    end,
  }
end

local way = WAYS[what]()

-- Whether an error says what it was.
local function names_cause(message)
  for _, word in ipairs(way.words or { "" }) do
    if message:lower():find(word, 1, true) then
      return true
    end
  end
  return false
end

local problems = 0

-- What is wrong with how the job ended, while things failed.
local function problem_of(fine, message, failed)
  if not fine and (what == "files" or not tostring(message):lower():find("memory", 1, true)) then
    return "raised: " .. tostring(message)
  elseif message and failed == 0 then
    return "failed although nothing else did: " .. tostring(message)
  elseif message and not names_cause(tostring(message)) then
    return "does not say why: " .. tostring(message)
  end
end

-- Runs the job once; gives how many calls there were, and whether the job failed.
local function attempt(k, count)
  way.job.prepare()
  collectgarbage()
  local live = way.live and way.live()
  local fine, message, asked, failed = way.run(k, count)
  local function complain(problem)
    if problem then
      problems = problems + 1
      print(("%s of %s, %s, call %d of %d, %.0f in a row: %s"):format(what, name, mode, k, asked, count, problem))
    end
  end
  complain(problem_of(fine, message, failed))
  collectgarbage()
  collectgarbage()
  if live and way.live() ~= live then
    complain(("%d allocations of libcurl stayed"):format(way.live() - live))
  end
  local checked, problem = pcall(way.job.check)
  if not checked or problem then
    complain(("afterwards: %s (it said: %s)"):format(tostring(problem), tostring(message)))
  end
  return asked, not fine or message ~= nil
end

-- Every k; or where these are too many the first, and one of each part of the others.
local function points(n)
  local list, most = { n > 0 and 1 or nil }, math.min(settings.most, n)
  for part = 2, most do
    list[part] = most == n and part or math.floor((part - 2 + math.random()) * (n - 1) / (most - 1)) + 2
  end
  return list
end

local function open_files()
  collectgarbage()
  collectgarbage()
  return #(core.glob "/proc/self/fd/*" or {})
end

math.randomseed(settings.seed)
attempt(0, 0) -- what is made once
local asked = attempt(0, 0)
local tried, failed, before = 0, 0, open_files()
local counts = mode == "torn" and { 1e9 } or mode == "EINTR" and { 1, 3 } or { 1, 1e9 }
for _, count in ipairs(counts) do
  for _, k in ipairs(points(asked)) do
    local _, has_failed = attempt(k, count)
    tried, failed = tried + 1, failed + (has_failed and 1 or 0)
  end
end
attempt(0, 0) -- as before
if open_files() > before + 1 then -- a slot of LuaJIT's stack may still hold one
  problems = problems + 1
  print(("%d descriptors stayed open"):format(open_files() - before))
end
print(("swept %d calls: %d tries, %d failed, %d problems"):format(asked, tried, failed, problems))
