-- How large requests are: the first one is small enough for most services, each after a large one may be twice as
-- large, and what the service refuses is tried once. docs/reliability.md says so.
local limiter = require "scope3.http.limiter"
local people = require "spec.support.people"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local MIB = 2 ^ 20
local LONG = ("x"):rep(4000)
local MEMBER = #LONG + 200 -- bytes, at most

-- Rows whose ids are so long that a few thousand fill a request.
local function long_rows(n)
  local i = 0
  return function()
    i = i + 1
    return i <= n and { id = LONG .. i, mail = ("r%d@example.com"):format(i) } or nil
  end
end

local function twice(size)
  return 2 * size - size / 64
end

local SCRIPT = { map = people.MAP, audience = "a" }

-- Asserts that each body but the last is as large as may be.
local function assert_filled(expected, requests)
  assert.equal(#expected, #requests)
  for i, size in ipairs(expected) do
    local bytes = requests[i].bytes
    local least = i < #requests and size * MIB - MEMBER or 1
    assert.is_true(bytes <= size * MIB and bytes >= least, ("request %d has %d bytes"):format(i, bytes))
  end
end

describe("the requests of a job", function()
  local client = assert(scope3.client { account_id = 25 })

  for what, case in pairs {
    ["have 8 MiB at first, and double to 64"] = { nil, 46000, { 8, 15.875, twice(15.875), twice(twice(15.875)), 64 } },
    ["grow to max_bytes"] = { 20 * MIB, 15000, { 8, 15.875, 20, 20 } },
    ["are no larger than max_bytes from the first"] = { 4 * MIB, 2500, { 4, 4, 4 } },
  } do
    it(what, function() -- and a little less, so that two requests of one size hold what one of the next does
      local res = assert(client:run(SCRIPT, long_rows(case[2]), { dry_run = true, max_bytes = case[1] }))
      assert_filled(case[3], res.requests)
      assert.equal(case[2], res.would_send)
    end)
  end

  it("grow in epochs as well", function()
    local res = assert(client:run(SCRIPT, long_rows(15000), { dry_run = true, unique = true }))
    assert_filled({ 8, 15.875, twice(15.875), 64 }, res.requests)
  end)

  it("grow only after one that is over half as large as it might be", function()
    for members, size in pairs { [1000] = 8, [1050] = 15.875 } do -- a little under 4 MiB, and over
      local i = 0
      local res = assert(client:run(SCRIPT, function()
        i = i + 1
        local id = i <= 2 * members and LONG or LONG:rep(6)
        return i <= 4 * members and { id = id .. i, mail = "r@example.com" } or nil
      end, { dry_run = true, max_members = members }))
      local bytes = res.requests[3].bytes
      assert.is_true(bytes <= size * MIB and bytes > (size - 1) * MIB, ("%s MiB: %s bytes"):format(size, bytes))
    end
  end)

  it("grow where an audience was built in memory, which leaves no small ones between", function()
    local audience = assert(scope3.audience "a")
    for i = 1, 13000 do
      assert(audience:add { external_id = LONG .. i, email = "r@example.com" })
    end
    local requests = assert(client:sync(audience, { dry_run = true })).requests
    assert.equal(3, #requests)
    for i, size in ipairs { 8, 16, 32 } do
      assert.is_true(requests[i].bytes <= size * MIB and requests[i].bytes > size * MIB * 0.8, requests[i].bytes)
    end
    requests = assert(client:sync(audience, { dry_run = true, max_bytes = 5 * MIB })).requests
    for _, request in ipairs(requests) do
      assert.is_true(request.bytes <= 5 * MIB)
    end
  end)
end)

describe("a request that is larger than the service takes", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function too_large(max_body)
    sandbox:reset()
    sandbox:configure { max_body = max_body, task_seconds = 0 }
  end

  local function refusals()
    local n = 0
    for _, request in ipairs(sandbox:requests "sync") do
      n = n + (request.status == 413 and 1 or 0)
    end
    return n
  end

  local function splits(res)
    local n = 0
    for _, request in ipairs(res.requests) do
      n = n + (request.state == "split" and 1 or 0)
    end
    return n
  end

  local function run(client, n, opts, input)
    local res = assert(client:run(SCRIPT, input or long_rows(n), opts))
    world.assert_sums(res)
    assert(res:wait { timeout = 60, interval = 0.05 })
    assert.same({ n, n }, { res.accepted, assert(client:audience "a").uploaded_count })
    return splits(res), res
  end

  for _, concurrency in ipairs { 1, 4 } do
    it(("is tried once in a job of %d at once, and the others fit"):format(concurrency), function()
      too_large(10 * MIB)
      local split, res = run(sandbox:client { limiter = limiter.new() }, 9000, { concurrency = concurrency })
      assert.same({ 1, 1 }, { split, refusals() })
      for _, request in ipairs(res.requests) do
        assert.is_true(request.state == "split" or request.bytes <= 10 * MIB)
      end
    end)
  end

  it("is not tried while another one is under way", function()
    too_large()
    sandbox:fault { on = "sync", act = "delay", seconds = 1, times = -1 }
    local trials, most = {}, 0
    run(sandbox:client { limiter = limiter.new() }, 12000, { concurrency = 4, on_event = function(event)
      if event.event == "request" and event.bytes > 8 * MIB then
        trials[event.request] = true
      elseif event.event == "accepted" then
        trials[event.request] = nil
      end
      local n = 0
      for _ in pairs(trials) do
        n = n + 1
      end
      most = math.max(most, n)
    end })
    assert.equal(1, most)
  end)

  it("goes as requests of a little more than what passed, or as those that passed", function()
    for most, expected in pairs {
      [10] = "8 16* 9 6 9 9 9 2", [8] = "8 16* 9* 8 1 6 8 8 8 7", [20] = "8 16 31* 19 12",
    } do
      too_large(most * MIB)
      local _, res = run(sandbox:client { limiter = limiter.new() }, 14000)
      local sizes = {}
      for i, request in ipairs(res.requests) do
        sizes[i] = ("%.0f%s"):format(request.bytes / MIB, request.state == "split" and "*" or "")
      end
      assert.equal(expected, table.concat(sizes, " "))
    end
  end)

  it("is not tried by other jobs that share the limiter, until an hour has passed", function()
    too_large(8.5 * MIB)
    local loop, path = virtual.loop(), world.path ".limits"
    for _, limiters in ipairs { { limiter.new() }, { scope3.limiter(path), scope3.limiter(path) } } do
      local function client(which)
        return sandbox:client { limiter = limiters[which] or limiters[1], loop = loop }
      end
      assert.equal(1, (run(client(1), 4300)))
      assert.equal(0, (run(client(2), 4300)))
      loop.sleep(3610)
      assert.equal(1, (run(client(2), 4300)))
    end
  end)

  it("is not tried by a run that goes on from a journal", function()
    too_large(10 * MIB)
    local lines = { "id,mail" }
    for row in long_rows(9000) do
      lines[#lines + 1] = row.id .. "," .. row.mail
    end
    local file, journal = world.file(table.concat(lines, "\n")), world.path ".journal"
    local is_split = false
    local _, err = sandbox:client { limiter = limiter.new() }:run(SCRIPT, file, { journal = journal,
      on_event = function(event)
        is_split = is_split or event.event == "split"
        assert(not (is_split and event.event == "accepted"), "enough")
      end })
    assert.truthy(err.message:find("enough", 1, true))
    assert.equal(1, refusals())
    local split, res = run(sandbox:client { limiter = limiter.new() }, 9000, { journal = journal }, file)
    assert.same({ 0, 1 }, { split, refusals() })
    assert.is_true(res.resumed > 2000)
  end)

  it("is no matter of other jobs where it is small", function()
    for members, requests in pairs { [20] = 2, [12] = 1 } do -- 80 and 48 kB
      too_large()
      sandbox:fault { on = "sync", act = "status", status = 413 }
      local client = sandbox:client { limiter = limiter.new() }
      assert.equal(1, (run(client, members)))
      local res = assert(client:run(SCRIPT, long_rows(members)))
      assert.equal(requests, #res.requests)
    end
  end)
end)
