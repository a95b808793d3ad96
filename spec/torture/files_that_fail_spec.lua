-- Every call on a file of a job fails in turn: once, and from then on for ever, with every error that a disk gives.
-- The job says which file it was, or goes on. With a healthy disk again, it ends with everything in the audience.
local compile = require "spec.support.compile"
local seed = require "spec.support.seed"
local sweeps = require "spec.torture.sweeps"
local world = require "spec.support.world"

-- What the sanitizers preload has to come first, and replaces some of these calls too.
local here = not os.getenv "LD_PRELOAD"

local ERRORS = { "ENOSPC", "EIO", "EDQUOT", "EINTR" }
-- "short": half of what is read or written arrives, and the rest may follow. "torn": half is written, and nothing more.
local MODES = { "ENOSPC", "EIO", "EDQUOT", "EINTR", "short", "torn" }
-- A call that goes on after such a failure loses nothing, so not all of these end a job.
local HARMLESS = { EINTR = true, short = true }

local JOBS = {
  journal = { "a journal", MODES },
  resume = { "a journal that a job is resumed from", MODES },
  limiter = { "a limiter", MODES },
  collector = { "a spool", ERRORS }, -- it is written through a mapping
}
-- What a collector cannot keep in its spool it keeps in memory.
local GOES_ON = { collector = true }

describe("files that fail:", here and function()
  local sandbox = world.around(setup, teardown, before_each)
  local settings

  setup(function()
    settings = { url = sandbox.url, folder = sweeps.folder(), library = compile.failing_calls() }
    print("   seed " .. seed)
  end)
  teardown(function()
    os.execute("rm -rf " .. settings.folder)
  end)

  for job, about in pairs(JOBS) do
    it(about[1] .. " says so, and the job that is started again loses nothing", function()
      for _, mode in ipairs(about[2]) do
        local failed = sweeps.run("files", job, mode, settings, true)
        assert.is_true(failed > 0 or HARMLESS[mode] ~= nil or GOES_ON[job] ~= nil, mode .. ": nothing failed")
      end
    end)
  end
end or function()
  pending "under sanitizers"
end)
