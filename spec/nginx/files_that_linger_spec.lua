-- Files that were appended to a queue: when they are freed, and what is told of them. Without nginx and without a
-- Redis: tables stand in for them.
local core = require "scope3.core"
local queue = require "scope3.fleet.queue"
local spool_files = require "spec.support.spool_files"
local world = require "spec.support.world"

local PLACE, STAND_IN = "spec.torture.nginx_stand_in", { "scope3.nginx.process", "scope3.loop.nginx" }
local MODULES = { "spool", "spool_adoption", "spool_name", "spool_orphans", "spool_pages", "spool_reader", "spool_sink",
  "stream_entries", "stream_outbox" }

describe("a file that was appended to a queue", function()
  local stream_outbox, spool_class, spool, outbox, folder, redis, hooks
  local real, now = { now = core.now, ngx = rawget(_G, "ngx") }, 0

  local function forget()
    for _, name in ipairs(MODULES) do
      package.loaded["scope3.nginx." .. name] = nil
    end
    for _, name in ipairs(STAND_IN) do
      package.loaded[name] = nil
    end
    package.loaded["scope3.util.nginx_log"], package.loaded[PLACE] = nil, nil
  end

  setup(function()
    forget()
    require(PLACE).install()
    core.now = function()
      return now
    end
    spool_class, stream_outbox = require "scope3.nginx.spool", require "scope3.nginx.stream_outbox"
  end)
  teardown(function()
    core.now = real.now
    rawset(_G, "ngx", real.ngx)
    forget()
    world.clean()
  end)

  -- A Redis that takes what is appended, and counts what else it is asked.
  local function new_redis()
    local fake = { appended = {}, keys = {}, settled = {}, asked = 0, open = true, seconds = 0 }
    fake.connection = { is_open = function() return fake.open end, close = function() fake.open = false end,
      call = function()
        fake.asked = fake.asked + 1
        return "PONG"
      end }
    fake.queue = setmetatable({ append_all = function(_, list, settled)
      now = now + fake.seconds
      if fake.refuses then
        return nil, fake.refuses
      end
      local ids = {}
      for i, batch in ipairs(list) do
        fake.appended[#fake.appended + 1], ids[i] = batch.lines, "1-1"
        fake.keys[#fake.keys + 1] = batch.once
      end
      fake.settled = {}
      for i, key in ipairs(settled) do
        fake.settled[i], settled[i] = key, nil
      end
      return ids
    end }, { __index = queue.new({}, "q") })
    return fake
  end

  before_each(function()
    now, redis = 0, new_redis()
    hooks = { unfit = {}, goes_on = {} }
    folder = world.path()
    os.execute("mkdir -m 700 " .. folder)
    spool = spool_class.new { folder = folder, name = "0123456789abcdef", grace = 1, most_bytes = 2 ^ 26 }
    outbox = stream_outbox.new({ now = core.now, sleep = function() end }, { linger_seconds = 3, open = function()
      redis.open = true
      return redis
    end }, { spool = spool, exit_seconds = 10, max_bytes = 500 }, {
      ready = function(goes_on)
        hooks.goes_on[#hooks.goes_on + 1] = goes_on
      end,
      unfit = function(n)
        hooks.unfit[#hooks.unfit + 1] = n
      end,
    })
  end)
  after_each(function()
    outbox:clear()
    spool:close()
    os.execute("rm -rf " .. folder)
  end)

  local function keep(...)
    local builder, payload = core.builder { max_member = 10000 }, core.payload { max_members = 10, max_bytes = 10000 }
    for _, id in ipairs { ... } do
      payload:reset()
      assert(builder:add(payload, { external_id = id, hashed_email = spool_files.HASH }))
      assert(spool:keep(payload, 1, 1, "label"))
    end
    builder:close()
    payload:close()
  end

  local function append(...)
    keep(...)
    spool:seal()
    return outbox:send(true)
  end

  -- Whether a file still holds a member.
  local function holds(id)
    for _, path in ipairs(core.glob(folder .. "/*.spool") or {}) do
      if spool_files.place_of(world.read(path), id) then
        return true
      end
    end
    return false
  end

  it("is freed by the answer of a later append, for which nothing else is asked", function()
    assert.is_true(append "a")
    now = 2.9
    assert.is_true(append "b")
    assert.is_true(holds "a")
    now = 3
    assert.is_true(append "c")
    assert.same({ false, true, true, 0 }, { holds "a", holds "b", holds "c", redis.asked })
  end)

  it("is freed by an answer of its own, a second later, where nothing is appended", function()
    assert.is_true(append "a")
    assert.equal(4, outbox.settle_at)
    now = 3.9
    assert.is_true(outbox:send(true))
    assert.same({ true, 0 }, { holds "a", redis.asked })
    now = 4
    assert.is_true(outbox:send(true))
    assert.same({ false, 1, false }, { holds "a", redis.asked, outbox.settle_at })
  end)

  it("is not freed by an answer to what was asked before it had lingered", function()
    assert.is_true(append "a")
    now = 1
    assert.is_true(append "b")
    now, redis.seconds = 3.5, 1
    assert.is_true(append "c")
    assert.same({ false, true }, { holds "a", holds "b" })
  end)

  it("is not freed where its connection has ended, but appended once more", function()
    assert.is_true(append "a")
    now, redis.open = 5, false
    assert.is_true(append "b")
    assert.same({ true, 3, 2 }, { holds "a", #redis.appended, outbox.appended })
  end)

  it("is neither waited for nor asked about after it was left to other workers", function()
    assert.is_true(append "a")
    spool:close()
    now = 5
    assert.is_true(outbox:send(true))
    assert.same({ 0, false }, { redis.asked, outbox.settle_at })
  end)

  it("is named to the queue with the first append after it was freed, and not before", function()
    assert.is_true(append "a")
    now = 3
    assert.is_true(append "b")
    assert.same({ {}, false }, { redis.settled, holds "a" })
    redis.refuses = { kind = "redis", code = "OOM" }
    assert.is_false(append "c")
    redis.refuses = nil
    assert.is_true(outbox:send(true))
    assert.same({ redis.keys[1] }, redis.settled)
    assert.is_true(append "d")
    assert.same({}, redis.settled)
    now = 6
    assert.is_true(append "e")
    assert.is_true(append "f")
    assert.same({ redis.keys[2], redis.keys[3], redis.keys[4] }, redis.settled)
    assert.equal(6, #redis.keys)
  end)

  it("is named likewise where it is none: members of memory, whose append was answered", function()
    local builder, payload = core.builder { max_member = 10000 }, core.payload { max_members = 10, max_bytes = 10000 }
    assert(builder:add(payload, { external_id = "a", hashed_email = spool_files.HASH }))
    local one = { audience = { id = "x" }, payload = payload }
    outbox:put({ list = { one, one }, living = 2, bytes = 100, give_back = function() end }, 1)
    assert.is_true(outbox:send(true))
    assert.same({ 2, 2 }, { #redis.keys, outbox.appended })
    assert.is_true(append "b")
    assert.same({ redis.keys[1], redis.keys[2] }, redis.settled)
    builder:close()
    payload:close()
  end)

  it("is told of once, with what was too large, although it came several times", function()
    redis.refuses = { kind = "redis", code = "OOM" }
    assert.is_false(append("a", ("x"):rep(450), "b"))
    assert.same({ {}, 0 }, { hooks.unfit, outbox.appended })
    redis.refuses = nil
    assert.is_true(outbox:send(true))
    now, redis.open = 1, false
    assert.is_true(append "c")
    assert.same({ { 1 }, 3 }, { hooks.unfit, outbox.appended })
  end)

  it("is looked for others after, but not with the same care where nothing else waits", function()
    assert.is_true(append "a")
    assert.same({ false, true }, hooks.goes_on)
  end)
end)
