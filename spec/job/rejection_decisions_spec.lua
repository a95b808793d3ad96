-- What becomes of a request that the service rejects: halves where it is too large, or one without some members.
local body_sizes = require "scope3.job.body_sizes"
local errors = require "scope3.error"
local payloads = require "spec.support.payloads"
local people = require "spec.support.people"
local records = require "scope3.job.records"
local rejection = require "scope3.job.rejection"
local splitter = require "scope3.job.splitter"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local MIB = 2 ^ 20

-- A request of so many members of one audience.
local function request_of(members, from, batch)
  return records.request(batch or {}, { payloads.part(payloads.of(members)) }, nil, from)
end

local function http(status, message, more)
  local fields = { status = status }
  for key, value in pairs(more or {}) do
    fields[key] = value
  end
  return errors.new(status == 400 and "invalid" or "http", message or "no", fields)
end

local function kind(req, err)
  local decision = rejection.decide(req, err)
  return decision and decision.kind
end

local function issues(...)
  local list = {}
  for i, path in ipairs { ... } do
    list[i] = { path = path, message = "is odd" }
  end
  return { issues = list }
end

describe("a request that is rejected", function()
  local of_member = issues "audiences[0].add[0].hashedEmail"
  for what, case in pairs {
    ["by a 413 is split"] = { http(413), "split" },
    ["by a 413 is split, though it names members"] = { http(413, "no", of_member), "split" },
    ["by a 400 that speaks of size is split"] = { http(400, "Payload Too Large"), "split" },
    ["by a 422 that speaks of size is split"] = { http(422, "exceeds the size limit"), "split" },
    ["by a 400 of another code fails"] = { http(400, "no", { code = "TOO_MANY_AUDIENCES" }), nil },
    ["by a code of size is split"] = { http(400, "no", { code = "REQUEST_TOO_LARGE" }), "split" },
    ["by a 500 that speaks of size fails"] = { http(500, "too large"), nil },
    ["while it was being sent is split"] =
      { errors.new("timeout", "no answer", { code = "OPERATION_TIMEDOUT" }), "split" },
    ["after it had left fails"] =
      { errors.new("timeout", "no answer", { code = "OPERATION_TIMEDOUT", uncertain = true }), nil },
    ["by a deadline fails"] = { errors.new("timeout", "the deadline passed"), nil },
    ["by a 400 for a member goes without it"] = { http(400, "no", of_member), "without" },
    ["by a 422 for a member goes without it"] = { http(422, "no", of_member), "without" },
    ["by a 409 for a member fails"] = { http(409, "no", of_member), nil },
    ["by a 401 fails"] = { http(401, "no", of_member), nil },
    ["for its audience fails"] = { http(400, "no", issues "audiences[0].name"), nil },
    ["for a member that it has not fails"] = { http(400, "no", issues "audiences[0].add[40]"), nil },
    ["for a member of another audience fails"] = { http(400, "no", issues "audiences[1].add[0]"), nil },
    ["without a reason fails"] = { http(400), nil },
    ["by a broken network fails"] = { errors.new("network", "broken", { uncertain = true }), nil },
  } do
    it(what, function()
      assert.equal(case[2], kind(request_of(40), case[1]))
    end)
  end

  it("goes in parts of three quarters at most, however large the half of one audience is", function()
    local parts = { payloads.part(payloads.of(1)), payloads.part(payloads.of(100)), payloads.part(payloads.of(100)) }
    local req = records.request({}, parts)
    local _, second = splitter.halve(parts)
    assert.is_true(records.request({}, second).bytes > req.bytes * 0.9)
    assert.equal(math.floor(req.bytes * 0.75), rejection.decide(req, http(413)).max_bytes)
  end)

  it("is halved to a size that lets its halves pass as they are, and not below a kilobyte", function()
    local push = { url = "https://example.com/" .. ("x"):rep(1000) }
    for _, case in ipairs { { 40 }, { 41 }, { 300 }, { 40, push } } do
      local req = records.request({}, { payloads.part(payloads.of(case[1])) }, case[2])
      local most = 0
      for _, parts in ipairs(rejection.halves(req)) do
        most = math.max(most, records.request({}, parts, case[2]).bytes)
      end
      assert.equal(most, rejection.decide(req, http(413)).max_bytes)
    end
    local small = request_of(12)
    assert.is_true(small.bytes > 1024 and small.bytes < 2048)
    assert.equal(1024, rejection.decide(small, http(413)).max_bytes)
    small.bytes = 1024
    assert.is_nil(rejection.decide(small, http(413)))
  end)

  it("is not halved where it has one member, or deletes what is missing", function()
    local one = request_of(1)
    one.bytes = 100000
    assert.is_false(rejection.divisible(one))
    assert.is_nil(kind(one, http(413)))
    assert.is_nil(kind(request_of(40, nil, { delete_missing = true }), http(413)))
    assert.is_true(rejection.divisible(request_of(40)))
  end)

  it("goes without each member that is named, once", function()
    local decision = rejection.decide(request_of(40), http(400, "no", issues("audiences[0].add[0].hashedEmail",
      "audiences.0.add.39", "audiences[0].add[0].externalId", "audiences[0].add[40]", "audiences[0].remove[0]")))
    local found = {}
    for i, member in ipairs(decision.members) do
      found[i] = member.index
    end
    assert.same({ 1, 40 }, found)
  end)

  it("goes again as often as it and all that came of it may, and no more", function()
    assert.equal("without", kind(request_of(40, { repairs = { left = 1 } }), http(400, "no", of_member)))
    assert.is_nil(kind(request_of(40, { repairs = { left = 0 } }), http(400, "no", of_member)))
  end)
end)

describe("what is left of a request", function()
  local function rest(members, rounds, dropped)
    local req = request_of(members)
    req.rounds = rounds
    for i = 1, dropped or 0 do
      req.parts[1].payload:drop(i)
    end
    records.measure(req)
    local lists, next_rounds = rejection.remaining(req)
    local counts = {}
    for i, parts in ipairs(lists) do
      counts[i] = parts[1].adds
    end
    return counts, next_rounds
  end

  for what, case in pairs {
    ["goes whole after the first time"] = { { 10, 1, 3 }, { 7 }, 1 },
    ["goes whole after the second time"] = { { 10, 2, 3 }, { 7 }, 2 },
    ["is halved after the third, and begins anew"] = { { 10, 3, 2 }, { 4, 4 }, 0 },
    ["goes whole where it is one member"] = { { 3, 3, 2 }, { 1 }, 3 },
    ["is nothing where nobody is left"] = { { 3, 1, 3 }, {}, 0 },
  } do
    it(what, function()
      assert.same({ case[2], case[3] }, { rest(case[1][1], case[1][2], case[1][3]) })
    end)
  end
end)

describe("a size that was found too large", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  -- A job of five requests of 40 members, whose bodies have one size, over a service that takes bodies up to a limit.
  local function run(client, most)
    sandbox:reset()
    sandbox:configure { max_body = most }
    local told = {}
    local res = assert(client:run({ map = people.MAP, audience = "a" }, people.rows(200, 1000), {
      max_members = 40, on_event = function(event)
        told[#told + 1] = event.event == "split" and event.bytes or nil
      end,
    }))
    world.assert_sums(res)
    assert.equal(200, res.accepted)
    local sizes = {}
    for i, request in ipairs(res.requests) do
      sizes[i] = request.members
    end
    return table.concat(sizes, " "), told, res
  end

  it("is found once in a job: its halves go, and after them nothing that is larger", function()
    local client = sandbox:client { loop = virtual.loop() }
    local _, _, whole = run(client, 1e6)
    local halves = "40" .. (" 20"):rep(10)
    for _, most in ipairs { whole.requests[1].bytes - 100, math.floor(whole.requests[1].bytes / 2) + 100 } do
      local sizes, told, res = run(client, most)
      assert.equal(halves, sizes)
      assert.same({ res.requests[2].bytes }, told)
      assert.same({ "split", "accepted" }, { res.requests[1].state, res.requests[2].state })
    end
    local sizes, told = run(client, math.floor(whole.requests[1].bytes / 3))
    assert.equal("40 20" .. (" 10"):rep(2) .. (" 10"):rep(18), sizes)
    assert.equal(2, #told)
  end)

  -- What a job knows of sizes, where a limiter knows one already; and the sizes that the limiter was told.
  local function sizes_of(known)
    local told = {}
    return body_sizes.new({
      size_limit = function()
        return known
      end,
      learn_size = function(_, bytes)
        told[#told + 1] = bytes
      end,
    }, {}), told
  end

  it("is never forgotten for a larger one that was under way beside it", function()
    for _, case in ipairs { { nil, 2000, 1200, 1100 }, { 5000, 2000, 1200, 1100 }, { 1500, 1500, 1200, 1100 } } do
      local sizes = sizes_of(case[1])
      for i, half in ipairs { 2000, 1200, 2000, 1100 } do
        sizes:refused(2 * half, half)
        assert.equal(({ case[2], case[3], case[3], case[4] })[i], sizes:most())
      end
    end
  end)

  it("lets 3/16 more than the largest pass that did, where that is between the half and the whole", function()
    for _, case in ipairs { -- taken, refused, half -> most, in MiB; 8 are taken to pass
      { 12, 16, 9, 14.25 }, { 9, 16, 9, 10.6875 }, { 8.5, 16, 9, 9 }, { 16, 16, 9, 9 }, { 20, 16, 9, 9 },
      { 1, 16, 7, 9.5 }, { 8, 9.5, 5, 8 }, { 8, 10, 5, 9.5 }, { 15, 16, 9, 15 },
    } do
      local sizes, told = sizes_of()
      sizes:took(case[1] * MIB)
      sizes:took(MIB)
      sizes:refused(case[2] * MIB, case[3] * MIB)
      assert.same({ case[4] * MIB, { case[4] * MIB } }, { sizes:most(), told })
    end
  end)

  it("is told to others from 32 kB on", function()
    for half, expected in pairs { [32767] = {}, [32768] = { 32768 } } do
      local sizes, told = sizes_of()
      sizes:refused(2 * half, half)
      assert.same(expected, told)
    end
  end)

  it("makes no trial of a request that will be divided, nor of one of a size that passed", function()
    local sizes = sizes_of()
    assert.same({ false, true }, { sizes:is_trial(8 * MIB), sizes:is_trial(8 * MIB + 1) })
    sizes:took(12 * MIB)
    assert.same({ false, true }, { sizes:is_trial(12 * MIB), sizes:is_trial(12 * MIB + 1) })
    sizes:keep_to(14 * MIB)
    assert.same({ true, false }, { sizes:is_trial(14 * MIB), sizes:is_trial(14 * MIB + 1) })
  end)
end)

describe("members that the service refuses", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("are all counted, and the first thousand are listed", function()
    for _, refused in ipairs { 999, 1000, 1001 } do
      sandbox:reset()
      local names = world.json.array {}
      for i = 1, refused do
        names[i] = "r" .. i
      end
      sandbox:configure { refuse = names, issues_listed = 2000 }
      local res = assert(sandbox:client { loop = virtual.loop() }:run({ map = people.MAP, audience = "a" },
        people.rows(1010)))
      assert.same({ refused, math.min(refused, 1000), 1010 - refused },
        { res.rejected_by_service, #res.quarantine, res.accepted })
      assert.equal(#res.quarantine, res.quarantine[#res.quarantine].row)
    end
  end)
end)
