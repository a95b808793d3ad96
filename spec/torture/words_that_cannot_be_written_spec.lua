-- What the command writes, to standard output or to a file of --rejects, --events, --report, --metrics or `init`, fails
-- at every call: once, and from then on for ever. The exit code and a message say so, in the object of --json too. What
-- was written is the beginning of what was meant; a file that is replaced is the old one or the new one. The job itself
-- goes on to its end, or sends nothing; the counts add up, and no file is left behind, unless removing one fails too.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local seed = require "spec.support.seed"
local sweeps = require "spec.torture.sweeps"
local world = require "spec.support.world"

-- What the sanitizers preload has to come first, and replaces some of these calls too.
local here = not os.getenv "LD_PRELOAD"

-- `name`: of its path in the words of the command. `replaces`: it takes the place of an old file, as a whole.
local REJECTS = { code = 1, says = "cannot write ", file = ".rejects", name = "REJECTS" }
local EVENTS = { code = 1, says = "cannot write ", file = ".events", name = "EVENTS" }
local REPORT = { code = 1, says = "cannot write ", file = ".txt", name = "REPORT", replaces = true }
local METRICS = { code = 1, says = "cannot write the metrics to ", file = ".prom", name = "METRICS", replaces = true }
local NEW_SCRIPT = { code = 1, says = "cannot write ", file = "new.lua", name = "NEW" }
local OLD_SCRIPT = { code = 1, says = "cannot write ", file = "new.lua", name = "NEW", replaces = true }
local OUTPUT = { code = 4, says = "cannot write to standard output", file = ".out" }
local OLD = "what an earlier run wrote\n"

-- All errors count the same calls.
local ERRORS = { ENOSPC = true, EIO = true, EDQUOT = true }
local COUNTS = { EINTR = { 1, 3 }, torn = { 1e9 } }

-- What is written, where, and the words of the command. `goes_on`: a script does not see that its words were lost.
local JOBS = {
  { "refused rows", REJECTS, "sync ROWS TO --rejects REJECTS" },
  { "many refused rows", REJECTS, "sync MANY TO --rejects REJECTS" },
  { "refused rows beside an object", REJECTS, "sync ROWS TO --rejects REJECTS --json" },
  { "refused rows that a script finds", REJECTS, "run SCRIPT ROWS --rejects REJECTS" },
  { "events beside an object", EVENTS, "sync ROWS TO --events EVENTS --json" },
  { "a report in a file, beside an object", REPORT, "sync ROWS TO --report REPORT --json" },
  { "metrics beside an object", METRICS, "sync ROWS TO --metrics METRICS --json" },
  { "a script for a file", NEW_SCRIPT, "init ROWS --output NEW" },
  { "a script in place of another one", OLD_SCRIPT, "init ROWS --output NEW --force" },
  { "what a file holds", OUTPUT, "look ROWS" },
  { "what a file holds, as an object", OUTPUT, "look ROWS --json" },
  { "what a shell is to complete", OUTPUT, "completion bash" },
  { "a report", OUTPUT, "sync ROWS TO" },
  { "a report after a wait", OUTPUT, "sync ROWS TO --wait" },
  { "an object", OUTPUT, "sync ROWS TO --json" },
  { "refused rows on standard output", OUTPUT, "sync MANY TO --rejects -" },
  { "what a script prints, and a report", OUTPUT, "run SCRIPT ROWS", goes_on = true },
  { "a list of audiences", OUTPUT, "audiences" },
  { "hashes", OUTPUT, "hash email a@x.example" },
}

local SCRIPT = [[
for i = 1, 3 do
  print("line " .. i)
end
return { audience = "a", map = { external_id = "id", email = "mail" } }
]]

describe("a command that cannot write", here and function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })
  local library, folder, names

  setup(function()
    local many = { "id,mail", "1,a@x.example" }
    for i = 2, 400 do
      many[i + 1] = i .. ",none"
    end
    folder, library = world.path "", compile.failing_calls()
    os.execute("mkdir " .. folder)
    names = {
      ROWS = { folder .. "/rows.csv" }, MANY = { folder .. "/many.csv" }, SCRIPT = { folder .. "/script.lua" },
      REJECTS = { folder .. "/new.rejects" }, EVENTS = { folder .. "/new.events" },
      REPORT = { folder .. "/new.txt" }, METRICS = { folder .. "/new.prom" }, NEW = { folder .. "/new.lua" },
      TO = { "--audience", "a", "--map", "external_id=id", "--map", "email=mail" },
    }
    world.write(names.ROWS[1], "id,mail\n1,a@x.example\n2,none\n3,c@x.example\n4,none\n")
    world.write(names.MANY[1], table.concat(many, "\n") .. "\n")
    world.write(names.SCRIPT[1], SCRIPT)
    print("   seed " .. seed)
  end)
  teardown(function()
    os.execute("rm -rf " .. folder)
  end)

  local function words_of(line)
    local words = {}
    for word in line:gmatch "%S+" do
      for _, name in ipairs(names[word] or { word }) do
        words[#words + 1] = name
      end
    end
    return words
  end

  -- Two runs differ in ids, numbers, and units of time. Without these, also of a part of one, they are the same.
  local function comparable(text)
    return (text:gsub("[%x.,ms -]", ""))
  end

  -- Runs a job's command while the k-th call on its file and count - 1 more fail.
  local function run(job, how, k, count)
    local file = job[2].name and names[job[2].name][1]
    sandbox:reset()
    os.execute(("rm -f %s/new*"):format(folder))
    if job[2].replaces then
      world.write(file, OLD)
    end
    local told, seen = world.path ".told", {}
    local env = ("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s LD_PRELOAD=%s "
      .. "LUA_INIT=\"${LUA_INIT-} dofile 'spec/torture/failing_command.lua'\" "
      .. "FAILING='%s failing_calls %s %d %.0f %s %s'"):format(sandbox.url, library, library, job[2].file, k, count,
        how, told)
    seen.code, seen.out, seen.err = world.command(words_of(job[3]), { env = env })
    local asked, failed = world.read(told):match "^(%d+) (%d+)\n$"
    seen.asked, seen.failed = tonumber(asked), tonumber(failed)
    local written = not file and seen.out or world.exists(file) and world.read(file) or ""
    seen.text = comparable(written)
    seen.requests = #sandbox:requests "sync"
    seen.ids = seen.requests > 0 and table.concat(sandbox:ids "a", " ") or ""
    seen.files = #core.glob(folder .. "/*")
    return seen
  end

  -- What is wrong with the object that standard output has.
  local function problem_of_object(text, says)
    local object = world.json.decode(text)
    local fine, why = pcall(world.assert_sums, object)
    if not fine then
      return why
    end
    return not tostring(object.error.message):find(says, 1, true) and "the object does not say it" or nil
  end

  -- Whether a command that failed may leave what was written.
  local function could_be_left(job, healthy, seen)
    if job[2].replaces then
      return seen.text == comparable(OLD) or seen.text == healthy.text
    end
    return healthy.text:sub(1, #seen.text) == seen.text
  end

  -- What is wrong with how the command ended, beside a run in which nothing failed.
  local function problem_of(job, healthy, seen, for_ever)
    local unsent = seen.requests == 0 and seen.ids == ""
    if (seen.requests ~= healthy.requests or seen.ids ~= healthy.ids) and not (unsent and seen.code == 1) then
      return "in the audience: " .. seen.ids
    elseif seen.files > healthy.files and not (job[2].replaces and for_ever) then
      return "a file is left behind"
    elseif seen.code == healthy.code then
      return seen.text ~= healthy.text and "lost without a word" or nil
    elseif seen.failed == 0 or seen.code ~= job[2].code then
      return ("the exit code is %d"):format(seen.code)
    elseif not seen.err:find(job[2].says, 1, true) then
      return "it does not say what could not be written"
    elseif not job.goes_on and not could_be_left(job, healthy, seen) then
      return "something else was written"
    end
    return job[2] ~= OUTPUT and job[3]:find "--json" and not unsent and problem_of_object(seen.out, job[2].says) or nil
  end

  -- The numbers of the calls that fail: all, or where that is too much the first, the last and some between.
  local function points(n)
    local list = {}
    for i = 1, math.min(n, sweeps.MOST) do
      list[i] = n <= sweeps.MOST and i or i == 1 and 1 or i == 2 and n or math.random(2, n - 1)
    end
    return list
  end

  -- How calls fail for the job of this number, and how many in a row. A job meets each way once or from then on, its
  -- neighbours the other; elsewhere it meets half of the ways, and its neighbours the others.
  local function tries_of(number)
    local list = {}
    for i, how in ipairs { "ENOSPC", "EIO", "EDQUOT", "EINTR", "short", "torn" } do
      local counts = COUNTS[how] or { 1, 1e9 }
      if world.thorough and not world.in_full then
        list[#list + 1] = { how = how, counts = { counts[(number + i) % #counts + 1] } }
      elseif world.in_full or (number + i) % 2 == 0 then
        list[#list + 1] = { how = how, counts = counts }
      end
    end
    return list
  end

  for number, job in ipairs(JOBS) do
    it("says so: " .. job[1], function()
      math.randomseed(seed)
      local healthy, failures = run(job, "EIO", 0, 0), 0
      assert.same({ 0, healthy.text }, { healthy.code, run(job, "EIO", 0, 0).text }, healthy.err)
      local asked_of = { EIO = healthy.asked }
      for _, try in ipairs(tries_of(number)) do
        local how = try.how
        local kind = ERRORS[how] and "EIO" or how
        asked_of[kind] = asked_of[kind] or run(job, how, 0, 0).asked
        local asked = asked_of[kind]
        for _, count in ipairs(try.counts) do
          for _, k in ipairs(points(asked)) do
            local seen = run(job, how, k, count)
            failures = failures + (seen.code ~= 0 and 1 or 0)
            local problem = problem_of(job, healthy, seen, count > 1)
            assert.is_nil(problem, ("%s, call %d of %d, %.0f in a row, seed %d: %s\n%s\n%s"):format(how, k, asked,
              count, seed, tostring(problem), seen.err, seen.text))
          end
        end
      end
      assert.is_true(failures > 0, "nothing failed")
    end)
  end
end or function()
  pending "under sanitizers"
end)
