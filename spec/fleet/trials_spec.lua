-- The whole fleet while its parts are killed, stopped and cut: what was answered true is what the service has, each id
-- with its last operation. `make trial` runs it with a million members, and acts at random.
local nginx = require "spec.support.nginx"
if not nginx.here() then
  return
end

local acts = require "spec.fleet.trial.acts"
local seed = require "spec.support.seed"
local trial_of = require "spec.fleet.trial.trial"

describe("a fleet", function()
  local trial

  after_each(function()
    trial:close()
    nginx.close_all()
  end)

  -- Members of 2 kB, so that a request is longer than what the system takes of it at once.
  local function try(names, maxmemory)
    print("   trial of seed " .. seed)
    trial = trial_of.new { seed = seed, members = 4000, seconds = 6, lease = 2, every = 0.5, max_bytes = 6000000,
      pad = 2000, window = 1500, batch = 50, maxmemory = maxmemory }
    for _, name in ipairs(names) do
      acts[name](trial)
    end
    local found = trial:finish()
    assert.same({}, found.wrong, ("seed %d"):format(seed))
    local counts = found.counts
    assert.same({ counts.ids, 0 }, { counts.landed, counts.unkept })
    assert.is_true(counts.answered >= counts.ids)
    return counts
  end

  it("has every member land with its last value, whatever is killed", function()
    try { "stop_drainer", "kill_worker_without_redis", "kill_drainer_at_work", "cut_redis", "kill_node" }
  end)

  it("goes on by itself where a drainer is killed while Redis is full", function()
    try({ "kill_drainer_of_full_redis" }, "8mb")
  end)
end)
