-- What a client counts, and the text for Prometheus: numbers that add up, and a page that Prometheus takes.
local core = require "scope3.core"
local exposition = require "spec.support.exposition"
local scope3 = require "scope3"
local world = require "spec.support.world"

local STATUS = { held = 3, audiences = 2, refused = 1, rejected = 5, rejected_by_service = 0, accepted = 7, failed = 0,
  adopted = 4, unkept = 0, lost = 6, appended = 9, reasons = { email_malformed = 4, audience = 1 } }

local function status(fields)
  local all = {}
  for key, value in pairs(STATUS) do
    all[key] = value
  end
  for key, value in pairs(fields or {}) do
    all[key] = value
  end
  return all
end

describe("client:metrics", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function audience(id)
    local made = assert(scope3.audience(id))
    assert(made:add { external_id = "1", email = "a@example.com" })
    assert(made:add { external_id = "2", email = "b@example.com" })
    assert(made:remove { external_id = "3" })
    assert.is_nil((made:add { external_id = "4", email = "nobody" }))
    return made
  end

  it("counts nothing of a client that did nothing, and of a dry run", function()
    local client = sandbox:client()
    assert(client:sync(audience "readers", { dry_run = true }))
    local counts = client:metrics()
    assert.same({ ok = 0 }, counts.requests)
    assert.same({ accepted = 0, removed = 0, rejected = 0, rejected_by_service = 0, failed = 0, unknown = 0 },
      counts.members)
    assert.same({ 0, 0, 0, 0, 0 }, { counts.retries, counts.throttled_seconds, counts.bytes_sent, counts.attempts,
      counts.tasks_accepted })
  end)

  it("counts the members, requests, bytes and tasks of its jobs", function()
    local client = sandbox:client()
    local res = assert(client:sync(audience "readers"))
    local before = client:metrics()
    assert.same({ accepted = 3, removed = 1, rejected = 1, rejected_by_service = 0, failed = 0, unknown = 0 },
      before.members)
    assert.equal(res.bytes_sent, before.bytes_sent)
    assert.same({ 1, 0 }, { before.tasks_accepted, before.tasks_ended.completed or 0 })
    assert(res:wait())
    assert(res:wait()) -- what was counted is not counted again
    local counts = client:metrics()
    assert.same(before.members, counts.members)
    assert.same({ completed = 1 }, counts.tasks_ended)
    assert.equal(#sandbox:requests(), counts.requests.ok)
    assert.equal(#sandbox:requests(), counts.attempts)
    assert.is_true(counts.attempt_seconds >= 0)
    assert(client:sync(audience "buyers"))
    assert.equal(6, client:metrics().members.accepted)
  end)

  it("counts members that fail after they were accepted, once", function()
    local client = sandbox:client()
    sandbox:configure { task_outcomes = { "failed:terminal" } }
    local res = assert(client:sync(audience "readers"))
    assert.is_nil((res:wait()))
    assert.is_nil((res:wait()))
    local counts = client:metrics()
    assert.same({ 3, 3 }, { counts.members.accepted, counts.members.failed })
    assert.same({ failed = 1 }, counts.tasks_ended)
  end)

  it("counts attempts that follow failures, and requests by how they end", function()
    local client = sandbox:client()
    sandbox:fault { on = "sync", times = 1, act = "status", status = 503 }
    assert(client:sync(audience "readers"))
    local counts = client:metrics()
    assert.same({ 1, 1, 2 }, { counts.retries, counts.requests.ok, counts.attempts })
    sandbox:fault { on = "sync", times = 1, act = "status", status = 403 }
    assert.is_nil((client:sync(audience "buyers")))
    counts = client:metrics()
    assert.same({ 1, 3, 3 }, { counts.requests.http, counts.members.failed, counts.members.accepted })
    local sum = 0
    for _, n in pairs(counts.requests) do
      sum = sum + n
    end
    assert.equal(sum + counts.retries, counts.attempts)
  end)

  it("sorts attempts by how long they took", function()
    local client = sandbox:client()
    sandbox:fault { on = "sync", times = 1, act = "delay", seconds = 0.3 }
    assert(client:sync(audience "readers"))
    local counts = client:metrics()
    assert.same({ 0.05, 0.1, 0.25 }, { counts.attempt_bounds[1], counts.attempt_bounds[2], counts.attempt_bounds[3] })
    assert.same({ 1, 0, 0, 0 }, { counts.attempts, counts.attempt_buckets[1], counts.attempt_buckets[2],
      counts.attempt_buckets[3] })
    assert.is_true(counts.attempt_seconds >= 0.3)
  end)

  it("counts the seconds that requests wait for their turn", function()
    local clock, told = core.now(), 0
    local loop = { name = "mine" }
    function loop.now()
      return clock
    end
    function loop.sleep(seconds)
      clock = clock + seconds
    end
    function loop.wait(engine, seconds)
      if seconds > 100 then -- for an answer; else for the rate, which need not take that long
        return engine:wait(1)
      end
      clock = clock + seconds
    end
    local client = sandbox:client { rate = 1, loop = loop, on_event = function(event)
      told = told + (event.event == "throttled" and event.seconds or 0)
    end }
    assert(client:health())
    assert.equal(0, client:metrics().throttled_seconds)
    assert(client:health())
    local waited = client:metrics().throttled_seconds
    assert.is_true(told > 0 and waited > 0 and waited <= told + 0.001, ("%s of %s"):format(waited, told))
  end)

  it("gives a table of its own each time", function()
    local client = sandbox:client()
    client:metrics().requests.ok = 7
    client:metrics().members.accepted = 7
    assert.same({ 0, 0 }, { client:metrics().requests.ok, client:metrics().members.accepted })
  end)
end)

describe("scope3.metrics.prometheus", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("writes each count of a client once, as what it is", function()
    local client = sandbox:client()
    local made = assert(scope3.audience "readers")
    assert(made:add { external_id = "4711", email = "jane@example.com" })
    assert(assert(client:sync(made)):wait())
    local counts = client:metrics()
    local page = scope3.metrics.prometheus(counts)
    local found = exposition.read(page)
    assert.equal(counts.requests.ok, found['scope3_client_requests_total{outcome="ok"}'])
    assert.equal(1, found.scope3_client_members_accepted_total)
    assert.equal(0, found.scope3_client_members_failed_total)
    assert.equal(1, found['scope3_client_tasks_ended_total{status="completed"}'])
    assert.equal(counts.bytes_sent, found.scope3_client_sent_bytes_total)
    local name = "scope3_client_attempt_duration_seconds"
    assert.equal(counts.attempts, found[name .. "_count"])
    assert.equal(counts.attempts, found[name .. '_bucket{le="+Inf"}'])
    assert.is_true(math.abs(found[name .. "_sum"] - counts.attempt_seconds) < 1e-9)
    local last = 0
    for _, bound in ipairs { "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "+Inf" } do
      local n = assert(found[('%s_bucket{le="%s"}'):format(name, bound)], bound)
      assert.is_true(n >= last)
      last = n
    end
    for _, word in ipairs { "readers", "4711", "jane", "example" } do
      assert.is_nil(page:find(word, 1, true), word)
    end
    exposition.check(page)
  end)

  it("writes the counts of a collector, with its reasons and the user's labels", function()
    local page = scope3.metrics.prometheus(status(), { labels = { collector = "visitors" } })
    local found = exposition.read(page)
    for key, name in pairs { held = "held_members", accepted = "members_accepted_total", lost = "members_lost_total",
      refused = "members_refused_total", rejected = "members_rejected_total", failed = "members_failed_total",
      rejected_by_service = "members_rejected_by_service_total", adopted = "members_adopted_total",
      unkept = "members_unkept_total", appended = "members_appended_total", audiences = "worker_audiences" } do
      assert.equal(STATUS[key], found[('scope3_collector_%s{collector="visitors"}'):format(name)], key)
    end
    local by_reason = 'scope3_collector_members_rejected_by_reason_total{reason="%s",collector="visitors"}'
    assert.same({ 4, 1 }, { found[by_reason:format "email_malformed"], found[by_reason:format "audience"] })
    assert.equal(0, found['scope3_collector_worker_failing{collector="visitors"}'])
    exposition.check(page)
  end)

  it("counts for all workers where they share a dictionary, and says what one of them holds", function()
    local all = status { held = 30, accepted = 70, reasons = {} }
    all.audiences = nil
    local found = exposition.read(scope3.metrics.prometheus(status { all = all, error = "scope3: jane@example.com" }))
    assert.same({ 30, 70, 3, 2, 1 }, { found.scope3_collector_held_members,
      found.scope3_collector_members_accepted_total, found.scope3_collector_worker_held_members,
      found.scope3_collector_worker_audiences, found.scope3_collector_worker_failing })
  end)

  it("writes what a collector that was closed still knows", function()
    local found = exposition.read(scope3.metrics.prometheus { held = 0, closed = true })
    assert.equal(0, found.scope3_collector_held_members)
    assert.is_nil(found.scope3_collector_members_accepted_total)
  end)

  it("puts several collectors and clients on one page, each family once", function()
    local page = scope3.metrics.prometheus({
      { counts = status(), labels = { collector = "a" } },
      { counts = status { held = 9 }, labels = { collector = "b" } },
      { counts = sandbox:client():metrics() },
    }, { labels = { host = "web1" } })
    local found = exposition.read(page)
    assert.equal(3, found['scope3_collector_held_members{collector="a",host="web1"}'])
    assert.equal(9, found['scope3_collector_held_members{collector="b",host="web1"}'])
    assert.equal(0, found['scope3_client_retries_total{host="web1"}'])
    exposition.check(page)
  end)

  it("escapes labels, and writes no byte that is not UTF-8", function()
    local page = scope3.metrics.prometheus(status { reasons = { ['a"b\\c\nd'] = 2 } },
      { labels = { note = 'say "hi"\\\n', broken = "a\255b", name = "Zoë" } })
    assert.truthy(page:find('note="say \\"hi\\"\\\\\\n"', 1, true), page)
    assert.truthy(page:find('reason="a\\"b\\\\c\\nd"', 1, true), page)
    assert.truthy(page:find('broken="a\239\191\189b"', 1, true), page)
    assert.truthy(page:find('name="Zoë"', 1, true), page)
    exposition.check(page)
  end)

  it("leaves out what is no number", function()
    local page = scope3.metrics.prometheus(status { accepted = 0 / 0, failed = math.huge, lost = "many" })
    local found = exposition.read(page)
    assert.same({ 1 }, { found.scope3_collector_members_refused_total, found.scope3_collector_members_accepted_total,
      found.scope3_collector_members_failed_total, found.scope3_collector_members_lost_total })
    exposition.check(page)
  end)

  for what, misuse in pairs {
    ["counts that are none"] = { {}, nil, "counts must be what client:metrics() or collector:status() gives" },
    ["an entry without counts"] = { { { labels = {} } }, nil, "counts[1].counts must be" },
    ["an entry with others"] = { { { counts = status(), label = {} } }, nil, "counts[1]: unknown option 'label'" },
    ["a series that stands twice"] = { { { counts = status() }, { counts = status() } }, nil,
      "counts[2] has the labels of counts[1]: give each its own" },
    ["labels of other names"] = { status(), { labels = { ["a-b"] = "x" } }, "labels must be a table of names" },
    ["labels of Prometheus' own"] = { status(), { labels = { __name = "x" } }, "labels must be a table of names" },
    ["labels that metrics have of their own"] = { status(), { labels = { reason = "x" } },
      "labels must be a table of names" },
    ["labels that are no texts"] = { status(), { labels = { a = 1 } }, "labels must be a table of names" },
  } do
    it("raises for " .. what, function()
      local ok, message = pcall(scope3.metrics.prometheus, misuse[1], misuse[2])
      assert.is_false(ok)
      assert.truthy(message:find("scope3.metrics.prometheus: " .. misuse[3], 1, true), message)
    end)
  end
end)
