-- Memory runs out in a process of the command, of Lua and of this library: once, and from then on for ever. Where the
-- exit code is 0 all is as it should be. Any other one comes with a message, and is none of a crash or of a fault of
-- the command. A file that an earlier run wrote is the old one or a whole new one, and none is left beside it. No key
-- is in a message. The audience is what it was or what was meant.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local seed = require "spec.support.seed"
local sweeps = require "spec.torture.sweeps"
local world = require "spec.support.world"

local OLD = "what an earlier run wrote\n"
local KEY = "scope3_key_of_a_file"
local MOST = math.min(sweeps.MOST, 60) -- points of a sweep: there are some 100,000 allocations in a command

-- What runs, the words of the command, and the files that it replaces.
local JOBS = {
  { "a look", "look ROWS" },
  { "a look as an object", "look ROWS --json" },
  { "a script for a file", "init ROWS --output new.lua --force", "new.lua" },
  { "what a shell is to complete", "completion bash" },
  { "a key and an account of a profile", "audiences --profile p" },
  { "a sync with reports, events and metrics",
    "sync ROWS TO --profile p --report new.html --report new.txt --events new.events --metrics new.prom --json",
    "new.html", "new.txt", "new.prom" },
}

describe("a command whose memory runs out", not os.getenv "LD_PRELOAD" and function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })
  local folder, libraries

  setup(function()
    folder, libraries = world.path "", { failing = compile.failing_file(), no_memory = compile.no_memory() }
    os.execute("mkdir -p " .. folder .. "/scope3")
    world.write(folder .. "/rows.csv", "id,mail,phone\n1,a@x.example,+493012345678\n2,none,\n"
      .. "3,c@x.example,030 1234567\n")
    world.write(folder .. "/key", KEY .. "\n")
    world.write(folder .. "/scope3/config.lua", ("return { p = { account_id = 25, api_key_file = '%s/key' } }")
      :format(folder))
    print("   seed " .. seed)
  end)
  teardown(function()
    os.execute("rm -rf " .. folder)
  end)

  local function words_of(line)
    local names = { ROWS = folder .. "/rows.csv", TO = "--audience a --map external_id=id --map email=mail" }
    local words = {}
    for word in line:gsub("%u+", names):gmatch "%S+" do
      words[#words + 1] = word:find "^new%." and folder .. "/" .. word or word
    end
    return words
  end

  -- Two runs differ in ids, numbers, and units of time.
  local function comparable(text)
    return (text:gsub("[%x.,ms -]", ""))
  end

  local function file(name)
    local path = folder .. "/" .. name
    return world.exists(path) and world.read(path) or ""
  end

  -- Runs a job while the k-th allocation and count - 1 more fail.
  local function run(job, module, k, count)
    sandbox:reset()
    os.execute(("rm -f %s/new*"):format(folder))
    for i = 3, #job do
      world.write(folder .. "/" .. job[i], OLD)
    end
    local told, seen, preload = world.path ".told", { files = {} }, ""
    if module == "no_memory" then
      preload = "LD_PRELOAD=" .. libraries.no_memory
    end
    local env = ("XDG_CONFIG_HOME=%s SCOPE3_BASE_URL=%s %s LUA_INIT=\"${LUA_INIT-} dofile "
      .. "'spec/torture/failing_command.lua'\" FAILING='%s %s core.so %d %.0f memory %s'"):format(folder, sandbox.url,
      preload, libraries[module], module, k, count, told)
    seen.code, seen.out, seen.err = world.command(words_of(job[2]), { env = env })
    seen.asked, seen.failed = world.read(told):match "^(%d+) (%d+)\n$"
    for i = 3, #job do
      seen.files[i] = file(job[i])
    end
    seen.events = file "new.events"
    os.remove(folder .. "/new.events")
    seen.left = table.concat(core.glob(folder .. "/new*") or {}, " "):gsub("%S*/", "")
    seen.ids = #sandbox:requests "sync" > 0 and table.concat(sandbox:ids "a", " ") or ""
    return seen
  end

  -- Whether a command that failed may leave this: the old file, or a whole one that tells of the failure.
  local function could_be_left(name, healthy, text)
    if text == OLD then
      return true
    elseif name:find "%.prom$" then
      return text:find "\nscope3_job_exit_code{.-} [1-9]\n" ~= nil and text:sub(-1) == "\n"
    elseif name:find "%.lua$" then
      return comparable(text) == comparable(healthy)
    end
    return text:sub(-1) == "\n" and (not name:find "%.html$" or text:sub(-8) == "</html>\n")
  end

  local function problem_of_files(job, healthy, seen)
    for i = 3, #job do
      local text = seen.files[i]
      local fine = seen.code == 0 and comparable(text) == comparable(healthy.files[i])
        or seen.code ~= 0 and could_be_left(job[i], healthy.files[i], text)
      if not fine then
        return job[i] .. " is neither the old one nor a new one: " .. text
      end
    end
    if seen.left ~= healthy.left then
      return "files are left: " .. seen.left
    end
  end

  local CODES = { [0] = true, [1] = true, [2] = true, [4] = true }

  local function problem_of(job, healthy, seen)
    if not CODES[seen.code] then
      return "the exit code is " .. seen.code
    elseif (seen.out .. seen.err):find(KEY, 1, true) then
      return "the key is told"
    elseif seen.ids ~= healthy.ids and (seen.code == 0 or seen.ids ~= "") then
      return "in the audience: " .. seen.ids
    elseif seen.code ~= 0 and not (seen.err .. seen.out):find "memory" then
      return "it says nothing"
    elseif seen.code == 0 and (comparable(seen.out) ~= comparable(healthy.out)
      or comparable(seen.events) ~= comparable(healthy.events)) then
      return "lost without a word"
    end
    return problem_of_files(job, healthy, seen)
  end

  -- The first, the last, and one of each part between.
  local function points(n)
    local list = { n > 0 and 1 or nil, n > 1 and n or nil }
    for part = 3, math.min(MOST, n) do
      list[part] = math.random(2, n - 1)
    end
    return list
  end

  for _, job in ipairs(JOBS) do
    it("says so: " .. job[1], function()
      math.randomseed(seed)
      for _, module in ipairs { "failing", "no_memory" } do
        local healthy, failures = run(job, module, 0, 0), 0
        assert.equal(0, healthy.code, healthy.err)
        for _, count in ipairs { 1, 1e9 } do
          for _, k in ipairs(points(tonumber(healthy.asked))) do
            local seen = run(job, module, k, count)
            failures = failures + (seen.code ~= 0 and 1 or 0)
            local problem = problem_of(job, healthy, seen)
            assert.is_nil(problem, ("%s, allocation %d of %d, %.0f in a row, seed %d: %s\n%d\n%s\n%s"):format(module, k,
              healthy.asked, count, seed, tostring(problem), seen.code, seen.out, seen.err))
          end
        end
        assert.is_true(failures > 0 or tonumber(healthy.asked) == 0, module .. ": nothing failed")
      end
    end)
  end
end or function()
  pending "under sanitizers"
end)
