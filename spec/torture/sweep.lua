-- Runs a job again and again, and has another of its calls fail each time; for a process of its own:
--   sweep.lua WHAT JOB MODE SETTINGS     WHAT is files, core.so, gzip.so, crypto.so or libcurl; SETTINGS is JSON:
--   url, folder, gzip, most, seed, library
-- Prints what went wrong, a line for each, and at the end how many points there were, were tried, and made it fail.
local jobs = require "spec.torture.jobs"
local json = require "scope3.sandbox.json"

local what, name, mode, settings = arg[1], arg[2], arg[3], json.decode(arg[4])
local job = jobs[name](settings)

-- Ways to have calls fail: begin(k, count), and stop(), which gives how many calls there were and how many failed.
local WAYS = {}

function WAYS.files()
  local interpose = assert(package.loadlib(settings.library, "luaopen_interpose"))()
  return { begin = function(k, count)
    interpose.fail(job.files, k, count, mode)
  end, stop = interpose.seen, words = { job.files } }
end

local function library(part)
  local no_memory = assert(package.loadlib(settings.library, "luaopen_no_memory"))()
  return { begin = function(k, count)
    no_memory.fail(part, k, count)
  end, stop = function()
    return no_memory.asked()
  end, words = { "memory" } }
end

for _, part in ipairs { "core.so", "gzip.so", "crypto.so" } do
  WAYS[part] = function()
    return library(part)
  end
end

function WAYS.libcurl()
  local curl_memory = assert(package.loadlib(settings.library, "luaopen_curl_memory"))()
  return { begin = curl_memory.fail, stop = curl_memory.asked, live = curl_memory.live }
end

local way = WAYS[what]()

-- Whether an error says what it was.
local function names_cause(message)
  if not way.words then
    return true
  end
  for _, word in ipairs(way.words) do
    if message:lower():find(word, 1, true) then
      return true
    end
  end
  return false
end

local problems = 0
local function complain(where, text)
  problems = problems + 1
  print(where .. tostring(text))
end

-- Runs the job once; gives how many calls there were, and whether the job failed.
local function attempt(k, count)
  job.prepare()
  collectgarbage()
  local live = way.live and way.live()
  way.begin(k, count)
  local fine, message = pcall(job.act)
  local asked, failed = way.stop()
  local where = ("%s of %s, %s, call %d of %d, %.0f in a row: "):format(what, name, mode, k, asked, count)
  local raised = not fine and not (what ~= "files" and tostring(message):lower():find("memory", 1, true))
  if raised then
    complain(where, "raised: " .. tostring(message))
  elseif message and not names_cause(tostring(message)) then
    complain(where, "does not say why: " .. tostring(message))
  elseif message and failed == 0 then
    complain(where, "failed although nothing did: " .. tostring(message))
  end
  collectgarbage()
  collectgarbage()
  if live and way.live() ~= live then
    complain(where, ("%d allocations of libcurl stayed"):format(way.live() - live))
  end
  local checked, problem = pcall(job.check)
  if not checked or problem then
    complain(where, "afterwards: " .. tostring(problem) .. (message and " (it said: " .. tostring(message) .. ")" or ""))
  end
  return asked, not fine or message ~= nil, failed
end

-- Every k, or where these are too many a sample.
local function points(n, most)
  local list = {}
  for k = 1, n do
    if n <= most or math.random(n) <= most then
      list[#list + 1] = k
    end
  end
  return list
end

math.randomseed(settings.seed)
attempt(0, 0) -- what is made once
local asked = attempt(0, 0)
local tried, failed = 0, 0
local counts = mode == "torn" and { 1e9 } or mode == "EINTR" and { 1, 3 } or { 1, 1e9 }
for _, count in ipairs(counts) do
  for _, k in ipairs(points(asked, settings.most)) do
    local _, has_failed = attempt(k, count)
    tried, failed = tried + 1, failed + (has_failed and 1 or 0)
  end
end
print(("swept %d calls: %d tries, %d failed, %d problems"):format(asked, tried, failed, problems))
