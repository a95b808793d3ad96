-- Memory runs out in the middle of whole jobs, at every allocation: of Lua, of this library, of libcurl, zlib and
-- libcrypto; once, and from then on for ever. The job says so, or goes on. Nothing stays allocated, open or locked, and
-- the job that is started again ends with everything in the audience.
local compile = require "spec.support.compile"
local seed = require "spec.support.seed"
local servers = require "spec.support.redis"
local sweeps = require "spec.torture.sweeps"
local world = require "spec.support.world"

-- A job, and what asks for memory in it. `least` points are tried, where few of all have done harm.
local SWEEPS = {
  { "file", "lua", "core.so", "engine.so", "libcurl" },
  { "gzip", "lua", "core.so", "libz.so" },
  { "sync", "lua", "core.so", "engine.so", "libcurl" },
  { "stream", "lua", "core.so", "engine.so", "libcurl" },
  { "journal", "lua", "core.so", "engine.so", "libcurl" },
  { "resume", "lua", "core.so", "engine.so", "libcurl" },
  { "delete_missing", "lua", "core.so", "engine.so", "libcurl" },
  { "webhook", "lua", "core.so", "libcrypto.so", least = 12 },
  { "collector", "lua", "core.so", least = 12 },
  { "redis", "lua", "engine.so", "libcurl", least = 12 },
}

-- What the sanitizers preload has to come first, and takes the place of these allocators.
describe("a job whose memory runs out:", not os.getenv "LD_PRELOAD" and function()
  local sandbox = world.around(setup, teardown, before_each)
  local settings, libraries, redis

  setup(function()
    redis = servers.start()
    settings = { url = sandbox.url, folder = sweeps.folder(), redis = redis.url }
    settings.gzip = settings.folder .. "/packed.csv.gz"
    local of_c = compile.no_memory()
    libraries = { lua = compile.failing_file(), libcurl = compile.curl_memory(),
      ["core.so"] = of_c, ["engine.so"] = of_c, ["libz.so"] = of_c, ["libcrypto.so"] = of_c }
    print("   seed " .. seed)
  end)
  teardown(function()
    redis:close()
    os.execute("rm -rf " .. settings.folder)
  end)

  for _, sweep in ipairs(SWEEPS) do
    local job = sweep[1]
    it(("%s says so, and goes on afterwards"):format(job), function()
      for i = 2, #sweep do
        local what = sweep[i]
        settings.library, settings.most = libraries[what], math.max(sweep.least or 0, sweeps.MOST)
        -- Lua's own allocator, and libcurl's, are set by the module itself.
        local failed = sweeps.run(what, job, "memory", settings, what ~= "lua" and what ~= "libcurl")
        assert.is_true(failed > 0, what .. ": nothing failed")
      end
    end)
  end
end or function()
  pending "under sanitizers"
end)
