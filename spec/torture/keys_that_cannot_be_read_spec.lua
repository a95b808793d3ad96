-- Each call on the file of a key or of profiles fails: once, and from then on for ever. The command sends nothing then,
-- and names the file; or it has the right key all the same. No part of a key is in what it says.
local compile = require "spec.support.compile"
local world = require "spec.support.world"

local KEY = "scope3_right_key"

local JOBS = {
  { "the file of a key", "audiences --api-key-file FOLDER/key", "/key" },
  { "the file of a key, named by the environment", "audiences", "/key", env = "SCOPE3_API_KEY_FILE=FOLDER/key" },
  { "the file of a key that a profile names", "audiences --profile p", "/key" },
  { "the file of profiles", "audiences", "/config.lua" },
  { "the file of profiles, one of which is named", "audiences --profile p", "/config.lua" },
}

-- What the sanitizers preload has to come first, and replaces some of these calls too.
describe("a command that cannot read", not os.getenv "LD_PRELOAD" and function()
  local sandbox = world.around(setup, teardown, before_each)
  local folder, library

  setup(function()
    folder, library = world.path "", compile.failing_calls()
    os.execute("mkdir -p " .. folder .. "/scope3")
    world.write(folder .. "/key", KEY .. "\n")
    world.write(folder .. "/scope3/config.lua", ("return { default = { account_id = 25, api_key_file = '%s/key' }, "
      .. "p = { account_id = 25, api_key_file = '%s/key' } }"):format(folder, folder))
  end)
  teardown(function()
    os.execute("rm -rf " .. folder)
  end)

  local function run(job, how, k, count)
    sandbox:reset()
    sandbox:configure { keys = world.json.array { KEY } }
    local told, seen = world.path ".told", {}
    local env = ("SCOPE3_ACCOUNT_ID=25 XDG_CONFIG_HOME=%s SCOPE3_BASE_URL=%s LD_PRELOAD=%s %s LUA_INIT=\"${LUA_INIT-} "
      .. "dofile 'spec/torture/failing_command.lua'\" FAILING='%s failing_calls %s %d %.0f %s %s'"):format(folder,
      sandbox.url, library, (job.env or ""):gsub("FOLDER", folder), library, job[3], k, count, how, told)
    local words = {}
    for word in job[2]:gsub("FOLDER", folder):gmatch "%S+" do
      words[#words + 1] = word
    end
    seen.code, seen.out, seen.err = world.command(words, { env = env })
    seen.asked = tonumber(world.read(told):match "^%d+")
    seen.requests = #sandbox:requests()
    return seen
  end

  local function problem_of(job, seen)
    if (seen.out .. seen.err):find("right_key", 1, true) then
      return "the key is told"
    elseif seen.code == 0 then
      return seen.requests ~= 1 and "it asked nothing" or nil
    elseif seen.code ~= 1 and seen.code ~= 2 then
      return "the exit code is " .. seen.code
    elseif seen.requests > 0 then
      return "it sent something"
    end
    return not seen.err:find(job[3], 1, true) and "it does not name the file" or nil
  end

  for _, job in ipairs(JOBS) do
    it(job[1] .. " sends nothing, and says so", function()
      local failures = 0
      for _, how in ipairs { "EIO", "EINTR" } do
        local healthy = run(job, how, 0, 0)
        assert.same({ 0, 1 }, { healthy.code, healthy.requests }, healthy.err)
        for _, count in ipairs { 1, 1e9 } do
          for k = 1, healthy.asked do
            local seen = run(job, how, k, count)
            failures = failures + (seen.code ~= 0 and 1 or 0)
            local problem = problem_of(job, seen)
            assert.is_nil(problem, ("%s, call %d of %d, %.0f in a row: %s\n%s"):format(how, k, healthy.asked, count,
              tostring(problem), seen.err))
          end
        end
      end
      assert.is_true(failures > 0, "nothing failed")
    end)
  end
end or function()
  pending "under sanitizers"
end)
