-- A request whose answer was lost may take effect once more, up to two days later.
-- What that would undo waits, and nothing else does.
local core = require "scope3.core"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json
local DAY = 86400

describe("a request whose answer was lost", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client, loop
  before_each(function()
    loop = virtual.loop(sandbox.url)
    client = sandbox:client { loop = loop }
  end)

  local function settings(more)
    local all = { clock = "manual", task_seconds = 1, faults = json.array { { on = "sync", act = "lost_reply" } } }
    for key, value in pairs(more or {}) do
      all[key] = value
    end
    sandbox:configure(all)
  end

  -- A removal of `id` after an add of A and B, whose answer was lost.
  local function remove(id, opts)
    local settled
    opts = opts or {}
    opts.max_members, opts.unique, opts.on_event = 2, true, function(event)
      settled = event.event == "in_doubt" and event.seconds or settled
    end
    local stream = assert(client:stream("a", opts))
    stream:add { external_id = "A", email = "a@example.com" }
    stream:add { external_id = "B", email = "b@example.com" }
    stream:add { external_id = "C", email = "c@example.com" }
    stream:remove { external_id = id }
    local res, err = stream:finish()
    return res, err, settled
  end

  it("stops the job before a removal of its members, names the rows, and says that this holds for 72 hours", function()
    settings()
    local res, err, settled = remove "A"
    assert.same({ nil, "timeout", "in_doubt", nil }, { res, err.kind, err.code, settled })
    assert.truthy(err.message:find("25[89]%d%d%d s") or err.message:find("259200 s", 1, true), err.message)
    assert.same({ 3, 1 }, { err.result.accepted, err.result.failed })
    local last = err.result.requests[#err.result.requests]
    assert.same({ "not sent", { first = 4, last = 4 } }, { last.state, last.rows })
    world.assert_sums(err.result)
  end)

  it("holds back the removal of its members for as long as is asked, so a late copy brings nobody back", function()
    settings { task_lengths = json.array { 47 * 3600 } } -- of the copy whose answer was lost
    local res, _, settled = assert(remove("A", { in_doubt_timeout = 3 * DAY }))
    assert.is_true(settled > 3 * DAY - 60 and settled <= 3 * DAY, tostring(settled))
    assert.same({ 4, 2 }, { res.accepted, res.possibly_twice })
    loop.sleep(2)
    assert.same({ "B", "C" }, sandbox:ids "a")
  end)

  -- The answer to the whole is lost, and then it is too large. The job is stopped after one half.
  it("leaves those members unknown that were to go once more, and did not", function()
    local faults = json.array {
      { on = "sync", act = "lost_reply" },
      { on = "sync", act = "status", status = 413 },
    }
    sandbox:configure { clock = "manual", task_seconds = 1, faults = faults }
    local stopped
    local stream = assert(client:stream("a", {
      max_members = 100,
      cancel = function()
        return stopped
      end,
      on_event = function(event)
        stopped = stopped or event.event == "split"
      end,
    }))
    for i = 1, 100 do
      stream:add { external_id = "member-" .. i, email = "a" .. i .. "@example.com" }
    end
    local res, err = stream:finish()
    assert.same({ nil, "cancelled" }, { res, err.kind })
    assert.same({ 50, 50, 0 }, { err.result.accepted, err.result.unknown, err.result.failed })
    local states = {}
    for i, request in ipairs(err.result.requests) do
      states[i] = request.state
    end
    assert.same({ "split", "accepted", "unknown" }, states)
    world.assert_sums(err.result)
  end)

  it("holds back nothing that does not touch its members", function()
    settings()
    local started = loop.now()
    local stream = assert(client:stream("a", { max_members = 2, unique = true }))
    for _, id in ipairs { "A", "B", "C", "D", "E", "C" } do -- C is repeated, of a request that was answered
      stream:add { external_id = id, email = id .. "@example.com" }
    end
    local res = assert(stream:finish())
    assert.same({ 2, 2, 6 }, { res.epochs, res.possibly_twice, res.accepted })
    assert.is_true(loop.now() - started < 600)
  end)

  it("holds back as long as is asked for", function()
    settings()
    local res, _, settled = assert(remove("A", { in_doubt_timeout = 900 }))
    assert.is_true(settled > 800 and settled <= 900)
    assert.equal(4, res.accepted)
    sandbox:reset()
    settings()
    res, _, settled = remove("B", { in_doubt_timeout = 0 })
    assert.same({ 4, nil }, { res.accepted, settled })
  end)

  it("holds back nothing any more when that time is over", function()
    for timeout, seconds in pairs { [900] = 900, [false] = 3 * DAY } do
      sandbox:reset()
      settings()
      local settled
      local stream = assert(client:stream("a", { max_members = 2, unique = true, in_doubt_timeout = timeout or nil,
        on_event = function(event)
          settled = settled or event.event == "in_doubt"
        end }))
      for _, id in ipairs { "A", "B", "C", "D", "E" } do -- the first request is answered before the second goes
        stream:add { external_id = id, email = id .. "@example.com" }
      end
      loop.sleep(seconds)
      stream:remove { external_id = "A" }
      local res = assert(stream:finish())
      assert.same({ 6, nil }, { res.accepted, settled or nil })
    end
  end)

  it("stops a job at once that has a deadline before that, and says when to come back", function()
    settings()
    local started = loop.now()
    local res, err = remove("A", { deadline = 3600, in_doubt_timeout = 3 * DAY })
    assert.same({ nil, "timeout", "in_doubt" }, { res, err.kind, err.code })
    assert.truthy(err.message:find("2591%d%d s") or err.message:find("2592%d%d s"), err.message)
    assert.is_true(loop.now() - started < 600)
    assert.same({ 3, 1 }, { err.result.accepted, err.result.failed })
    world.assert_sums(err.result)
  end)

  it("stops a job at once whose deadline is the very second in which that would end", function()
    local random, now = core.random, loop.now
    core.random = function() -- no pause before the second attempt
      return 0
    end
    loop.now = function()
      return math.floor(now())
    end
    for deadline, code in pairs { [899] = "in_doubt", [900] = "in_doubt", [901] = false } do
      sandbox:reset()
      settings()
      local res, err = remove("A", { deadline = deadline, in_doubt_timeout = 900 })
      assert.equal(code, not res and err.code)
    end
    core.random = random
  end)

  it("is still in doubt for the run that resumes the job, from when it was sent", function()
    settings()
    local file, path = world.file "id,email\nA,a@example.com\nB,b@example.com\nC,c@example.com\nA,\n",
      world.path ".journal"
    local script = { audience = "a", member = function(row)
      return { external_id = row.id, email = row.email ~= "" and row.email or nil, remove = row.email == "" }
    end }
    local opts = { max_members = 2, unique = true, journal = path }
    local res, err = client:run(script, file, opts)
    assert.same({ nil, "in_doubt" }, { res, err.code })
    local settled
    opts.in_doubt_timeout, opts.on_event = 3 * DAY, function(event)
      settled = event.event == "in_doubt" and event.seconds or settled
    end
    res = assert(client:run(script, file, opts))
    assert.is_true(settled > 2 * DAY and settled <= 3 * DAY)
    assert.same({ 4, 2 }, { res.accepted, res.possibly_twice })
    assert(res:wait())
    assert.same({ "B", "C" }, sandbox:ids "a")
    settled = nil
    assert(client:run(script, file, opts))
    assert.is_nil(settled) -- nothing is left to send
    assert(core.now())
  end)

  -- Of two copies the first is still under way; the task of the second fails.
  it("is still in doubt for the run that resumes the job where its own task has failed", function()
    settings { task_outcomes = json.array { "completed", "failed:terminal" },
      task_lengths = json.array { 47 * 3600 } }
    local file = world.file "id,email\nA,a@example.com\nB,b@example.com\nC,c@example.com\nA,\n"
    local script = { audience = "a", member = function(row)
      return { external_id = row.id, email = row.email ~= "" and row.email or nil, remove = row.email == "" }
    end }
    local opts = { max_members = 2, unique = true, journal = world.path ".journal" }
    for _ = 1, 3 do
      local res, err = client:run(script, file, opts)
      assert.same({ nil, 1 }, { res, err and err.result.accepted })
      local last = err.result.requests[#err.result.requests]
      assert.same({ "not sent", { first = 4, last = 4 } }, { last.state, last.rows })
    end
    assert.equal(3, #sandbox:requests "sync")
    opts.in_doubt_timeout = 3 * DAY
    client:run(script, file, opts)
    loop.sleep(2)
    assert.same({ 4, "B C" }, { #sandbox:requests "sync", table.concat(sandbox:ids "a", " ") })
  end)
end)
