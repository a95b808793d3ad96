-- Long random jobs against a service that fails a fifth of the requests and works in no order.
-- The audience holds what was meant, or the result names the missing rows.
local core = require "scope3.core"
local model = require "spec.support.model"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local SEEDS = tonumber(os.getenv "SOAK_SEEDS") or (world.in_full and 20 or world.thorough and 3 or 1)
local AUDIENCES, REQUESTS, MEMBERS, IDS = 5, 1000, 10, 600

local FAULTS = {
  { on = "sync", act = "lost_reply", share = 0.04 }, { on = "sync", act = "cut_before", share = 0.03 },
  { on = "sync", act = "cut_inside", share = 0.02 }, { on = "sync", act = "cut_after", share = 0.02 },
  { on = "sync", act = "half_reply", share = 0.02 }, { on = "sync", act = "garbage", share = 0.01 },
  { on = "sync", act = "status", status = 500, share = 0.01 },
  { on = "sync", act = "status", status = 502, html = true, share = 0.02 },
  { on = "sync", act = "status", status = 503, share = 0.02 },
  { on = "sync", act = "status", status = 429, retry_after = 3, share = 0.02 },
  { on = "sync", act = "status", status = 504, empty = true, share = 0.01 },
  { on = "task", act = "cut_after", share = 0.1 }, { on = "task", act = "status", status = 502, share = 0.1 },
}

describe("a long job against a service in trouble", function()
  local sandbox = world.around(setup, teardown, before_each)
  local started = core.now()

  local function trouble(seed, more)
    local rules = world.json.array()
    for i, rule in ipairs(FAULTS) do
      rules[i] = { times = -1 }
      for key, value in pairs(rule) do
        rules[i][key] = value
      end
    end
    local settings = {
      seed = seed, clock = "manual", task_seconds = 2, task_jitter = 20, retry_after = 4, faults = rules,
    }
    for key, value in pairs(more or {}) do
      settings[key] = value
    end
    sandbox:configure(settings)
  end

  local function check(seed, results, models)
    local failed, sent, requests = 0, 0, 0
    for i, res in ipairs(results) do
      world.assert_sums(res)
      failed = failed + res.failed + res.unknown
      sent = sent + res.accepted
      requests = requests + #res.requests
      model.compare(sandbox, "a" .. i, models[i], res)
      if res.failed + res.unknown == 0 then
        assert.equal(0, (model.compare(sandbox, "a" .. i, models[i], res)))
      end
    end
    assert(failed <= sent / 5, ("seed %d: %d members failed, %d were sent"):format(seed, failed, sent))
    return requests
  end

  it("over five streams at once, several requests of each under way", function()
    local requests, stopped = 0, 0
    for seed = 1, SEEDS do
      sandbox:reset()
      trouble(seed)
      local roll = model.dice(seed)
      local client = sandbox:client { loop = virtual.loop(sandbox.url) }
      local streams, operations, models, results = {}, {}, {}, {}
      for i = 1, AUDIENCES do
        operations[i], models[i] = model.history(roll, REQUESTS * MEMBERS / AUDIENCES, IDS)
        streams[i] = assert(client:stream("a" .. i,
          { max_members = MEMBERS, concurrency = (seed + i) % 4 + 1, in_doubt_timeout = 3 * 86400 }))
      end
      for step = 1, #operations[1] do
        for i, stream in ipairs(streams) do
          local one = operations[i][step]
          if one.hash then
            stream:add { external_id = one.id, hashed_email = one.hash }
          else
            stream:remove { external_id = one.id }
          end
        end
      end
      for i, stream in ipairs(streams) do
        local res, err = stream:finish()
        results[i] = res or err.result
        stopped = stopped + (err and 1 or 0)
        results[i]:wait() -- what was accepted takes effect
      end
      requests = requests + check(seed, results, models)
    end
    assert(requests >= REQUESTS * SEEDS * 0.6, requests .. " requests")
    print(("   %d seeds of streams, %d requests, in %.1f s; %d of %d streams gave up on the way"):format(SEEDS,
      requests, core.now() - started, stopped,
      SEEDS * AUDIENCES))
  end)

  it("over five files, with tasks that fail and are sent again", function()
    started = core.now()
    local requests, stopped = 0, 0
    for seed = 101, 100 + math.ceil(SEEDS / 4) do
      sandbox:reset()
      trouble(seed, { task_shares = { ["failed:transient"] = 0.03 } })
      local roll = model.dice(seed)
      local client = sandbox:client { loop = virtual.loop(sandbox.url) }
      local models, results = {}, {}
      for i = 1, AUDIENCES do
        local operations
        operations, models[i] = model.history(roll, REQUESTS * MEMBERS / AUDIENCES, IDS)
        local res, err = client:run({
          audience = "a" .. i, max_members = MEMBERS, concurrency = i,
          in_doubt_timeout = 3 * 86400, member = model.member,
        },
          world.file(model.csv(operations)))
        results[i] = res or err.result
        stopped = stopped + (err and 1 or 0)
        results[i]:wait()
      end
      requests = requests + check(seed, results, models)
    end
    print(("   %d seeds of files, %d requests, in %.1f s; %d jobs gave up on the way"):format(math.ceil(SEEDS / 4),
      requests, core.now() - started, stopped))
  end)
end)
