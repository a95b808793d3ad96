-- Epochs: runs of requests in which no external id occurs twice, so that they may be processed in any order.
local core = require "scope3.core"
local world = require "spec.support.world"

local seed = require "spec.support.seed"

-- A builder inside an epoch: what is sealed, and the payloads of this epoch and of the next.
local function kit(limits)
  limits = limits or { max_members = 100000, max_bytes = 8 * 2 ^ 20 }
  local set, now, later = core.id_set(), core.payload(limits), core.payload(limits)
  local builder = core.builder { max_member = limits.max_bytes }
  builder:epoch(set, later)
  return builder, set, now, later
end

local function member(id)
  return { external_id = id, uids = { x = "1" } }
end

describe("a set of sealed ids", function()
  it("sends a further member of a sealed id to the payload of the next epoch, and no other", function()
    math.randomseed(seed)
    print("   seed " .. seed)
    local builder, set, now, later = kit()
    local sealed, deferred = {}, 0
    for _ = 1, 20 do
      local repeated, fresh = 0, {}
      for _ = 1, 2000 do
        local id = ("%s\"é%d"):format(("x"):rep(math.random(0, 9)), math.random(1, 8000))
        assert.is_true(builder:add(now, member(id)))
        if sealed[id] then
          repeated = repeated + 1
        else
          fresh[id] = true
        end
      end
      for id in pairs(fresh) do
        sealed[id] = true
      end
      deferred = deferred + repeated
      assert.equal(deferred, builder:counts().deferred)
      set:seal(now)
      now:reset()
    end
    local distinct = 0
    for _ in pairs(sealed) do
      distinct = distinct + 1
    end
    assert.equal(distinct, (set:size()))
    set:clear()
    assert.same({ 0, 0 }, { set:size() })
    assert.is_true(builder:add(now, member 'x"é1'))
    assert.same({ 1, 0 }, { now:living() })
    assert.is_true(later:count() > 0)
  end)

  it("has no id of a member that was replaced or taken out, whose bytes are gone", function()
    local builder, set, now = kit()
    local before = core.payload { max_members = 10, max_bytes = 65536 }
    for _, id in ipairs { "a", "b", "c" } do
      assert.is_true(core.builder { max_member = 4096 }:add(before, member(id)))
      assert.is_true(builder:add(now, member(id)))
    end
    assert.is_true(builder:add(now, member "a"))
    assert.is_true(now:drop(2))
    set:seal(now, 1, 2)
    assert.equal(0, (set:size()))
    assert.is_false(set:meets(now))
    assert.same({}, before:replace(now, 1, 2))
    set:seal(now)
    assert.equal(2, (set:size()))
    assert.same({ false, true }, { set:meets(now, 1, 2), set:meets(now) })
    assert.same({ 3, 1 }, before:replace(now, 1, 4))
  end)

  it("takes at most 10 bytes an id", function()
    local _, set, now = kit()
    local builder = core.builder { max_member = 4096 }
    for round = 1, 10 do
      for i = 1, 20000 do
        assert(builder:add(now, member(("%d-%d"):format(round, i))))
      end
      set:seal(now)
      now:reset()
      local n, bytes = set:size()
      assert.equal(round * 20000, n)
      assert.is_true(bytes / n <= 10, ("%.2f bytes an id at %d"):format(bytes / n, n))
    end
  end)

  it("says which of the two payloads is full, and loses nothing", function()
    local builder, set, now, later = kit { max_members = 2, max_bytes = 65536 }
    assert.is_true(builder:add(now, member "a"))
    assert.is_true(builder:add(now, member "b"))
    assert.same({ false, "full" }, { builder:add(now, member "c") })
    set:seal(now)
    now:reset()
    assert.is_true(builder:flush(now))
    assert.is_true(builder:add(now, member "a"))
    assert.is_true(builder:add(now, member "b"))
    assert.same({ 1, 0 }, { now:living() })
    set:seal(now)
    assert.same({ false, "turn" }, { builder:add(now, member "c") })
    later:reset()
    assert.is_true(builder:flush(now))
    assert.same({ 6, 3, 0 }, { builder:counts().members, builder:counts().deferred, builder:counts().replaced })
  end)
end)

-- A random history over one audience: what it does to a stream, and what is to be left.
local function history(stream, steps, ids)
  local model = {}
  for i = 1, steps do
    local id = "id" .. math.random(1, ids)
    if math.random() < 0.4 then
      assert(stream:remove { external_id = id })
      model[id] = nil
    else
      model[id] = ("%064x"):format(i)
      assert(stream:add { external_id = id, hashed_email = model[id] })
    end
  end
  return model
end

local function membership(sandbox, audience)
  local found = {}
  for id, kept in pairs(sandbox:members(audience)) do
    found[id] = kept.hashedEmail
  end
  return found
end

describe("a job in epochs", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("leaves what its operations meant, though the service works in reverse order", function()
    math.randomseed(seed)
    sandbox:configure { task_order = "reversed", task_seconds = 0.05, retry_after = 0.02 }
    for round = 1, world.thorough and 5 or 1 do
      local epochs = 0
      local stream = assert(sandbox:client():stream("a" .. round, { max_members = 20, on_event = function(event)
        epochs = epochs + (event.event == "barrier" and 1 or 0)
      end }))
      local model = history(stream, 400, 100)
      local res = assert(assert(stream:finish()):wait())
      world.assert_sums(res)
      assert.same(model, membership(sandbox, "a" .. round))
      assert.is_true(res.deferred > 0 and res.epochs > 1)
      assert.equal(res.epochs - 1, epochs)
      assert.equal(400, res.members)
    end
  end)

  it("has no two requests with an id in common, unless a task of the first had ended", function()
    local stream = assert(sandbox:client():stream("a", { max_members = 3, unique = true }))
    for _, id in ipairs { "1", "2", "3", "4", "1", "5", "6", "2", "7" } do
      assert(stream:add(member(id)))
    end
    local res = assert(stream:finish())
    assert.same({ 2, 2, 9 }, { res.deferred, res.epochs, res.accepted })
    assert.same({ 3, 3, 1, 2 },
      { res.requests[1].members, res.requests[2].members, res.requests[3].members, res.requests[4].members })
    assert.same({ 1, 1, 1, 2 },
      { res.requests[1].epoch, res.requests[2].epoch, res.requests[3].epoch, res.requests[4].epoch })
    for i = 1, 3 do
      assert.equal("completed", res.tasks[i].status)
    end
  end)

  it("waits for the tasks of an epoch before the next, and stops where one failed", function()
    sandbox:configure { task_outcomes = world.json.array { "completed", "failed:terminal" } }
    local stream = assert(sandbox:client():stream("a", { max_members = 2, unique = true }))
    for _, id in ipairs { "1", "2", "3", "4", "1" } do
      assert(stream:add(member(id)))
    end
    local res, err = stream:finish()
    assert.is_nil(res)
    assert.equal("task_failed", err.kind)
    -- those of the task, and those that waited for it
    assert.same({ 5, 2, 3 }, { err.result.members, err.result.accepted, err.result.failed })
    world.assert_sums(err.result)
    assert.equal(2, #sandbox:requests("sync"))
  end)

  it("takes the last of an id that is repeated further apart than a request", function()
    sandbox:configure { task_order = "reversed", task_seconds = 0.1 }
    local i = 0
    local function rows()
      i = i + 1
      if i <= 60 then
        return { id = "r" .. i % 25, mail = ("v%d@example.com"):format(i) }
      end
    end
    local res = assert(assert(sandbox:client():run({
      map = { external_id = "id", email = "mail" }, audience = "a", unique = true,
    },
      rows, { max_members = 10 })):wait())
    world.assert_sums(res)
    local kept = membership(sandbox, "a")
    for n = 36, 60 do
      assert.equal(require("scope3").email.hash(("v%d@example.com"):format(n)), kept["r" .. n % 25])
    end
  end)

  it("does not begin where a job only adds, or adds and removes in one request", function()
    local stream = assert(sandbox:client():stream("a", { max_members = 100 }))
    for i = 1, 90 do
      assert(stream:add(member(i)))
    end
    assert(stream:remove(member(7)))
    local res = assert(stream:finish())
    assert.same({ 1, 0, 1, 1 }, { res.epochs, res.deferred, #res.requests, res.replaced })
    assert.equal(0, #sandbox:requests("task"))
  end)
end)
