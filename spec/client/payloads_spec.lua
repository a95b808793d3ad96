-- The payloads of a job: how many it holds at once, and when they are freed.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("the payloads of a job", function()
  it("are freed when it ends, however it does, and not at the next garbage collection", function()
    local made, make = {}, core.payload
    core.payload = function(limits)
      made[#made + 1] = make(limits)
      return made[#made]
    end
    finally(function()
      core.payload = make
    end)
    local client = assert(scope3.client {})
    local function member(i)
      return { external_id = i, email = "a@b.example" }
    end
    local function fill(opts)
      opts.dry_run, opts.max_members = true, 10
      local stream = assert(client:stream("a", opts))
      for i = 1, 95 do
        assert(stream:add(member(i % 60)))
      end
      return stream
    end
    assert(fill {}:finish())
    assert(fill { unique = true }:finish())
    fill {}:cancel()
    local i = 0
    assert(client:run({ audience = "a", member = function(row) return member(row[1]) end }, function()
      i = i + 1
      return i < 50 and { i } or nil
    end, { dry_run = true, max_members = 10 }))
    assert.is_true(#made >= 4)
    for _, payload in ipairs(made) do
      assert.has_error(function()
        payload:living()
      end, "attempt to use a closed payload")
    end
  end)
end)

describe("the payloads that hold members", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- The most that hold members at once, in a job of 120 rows in requests of 10.
  local function most_of(opts, id_of)
    local made, make, most = {}, core.payload, 0
    core.payload = function(limits)
      made[#made + 1] = make(limits)
      return made[#made]
    end
    finally(function()
      core.payload = make
    end)
    sandbox:configure { faults = { { on = "sync", act = "delay", seconds = 0.05, times = -1 } } }
    opts.max_members = 10
    opts.on_event = function()
      local n = 0
      for _, payload in ipairs(made) do
        n = n + (payload:count() > 0 and 1 or 0)
      end
      most = math.max(most, n)
    end
    local i = 0
    local res = assert(sandbox:client():run({ audience = "a", map = { external_id = "id", email = "mail" } }, function()
      i = i + 1
      return i <= 120 and { id = id_of(i), mail = ("%d@example.com"):format(i) } or nil
    end, opts))
    core.payload = make
    assert.equal(res.members, res.accepted + res.replaced)
    return most
  end

  it("are the requests under way and one more, however fast rows come", function()
    local function each(i)
      return i
    end
    for _, opts in ipairs { {}, { unique = true }, { concurrency = 4 } } do
      local most, allowed = most_of(opts, each), (opts.concurrency or 1) + 1
      assert.is_true(most > 1 and most <= allowed, ("%d payloads, %d allowed"):format(most, allowed))
    end
  end)

  it("and what waits for the next epoch, where ids come again", function()
    local most = most_of({ unique = true }, function(i)
      return i % 25 == 0 and 1 or i
    end)
    assert.is_true(most <= 3, most .. " payloads")
  end)
end)
