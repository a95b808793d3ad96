-- What a limiter does while another process has its file locked, and with a file that fails it: what replies said is
-- kept, up to 64 notes, and written once; the patience for a lock is five seconds each time; a damage is told once.
local core = require "scope3.core"
local limiter = require "scope3.http.limiter"
local world = require "spec.support.world"

local WHO = { host = "h", key = "k" }
local RATE = 5000
local NOW = 1795990400

local function whom(i)
  return { host = "h", key = "key " .. i }
end

-- A limiter whose file another process has locked: the limiter, and what unlocks it.
local function locked_limiter()
  local path = world.path ".limiter"
  local own, other = assert(limiter.new(path)), assert(core.count_file(path))
  assert.is_true(other:lock())
  return own, function()
    assert(other:unlock())
  end, function()
    assert.is_true(other:lock())
  end
end

-- Runs something while the clock of this process says what `clock.now` is.
local function by_clock(clock, run)
  local real = core.now
  core.now = function()
    return clock.now
  end
  local ok, why = pcall(run)
  core.now = real
  assert(ok, why)
end

local function announce(own, who, remaining)
  own:learn(who, { ratelimit = ("limit=9, remaining=%d, reset=30"):format(remaining) }, 0, NOW, NOW)
end

describe("a limiter's file that is locked", function()
  teardown(world.clean)

  it("is looked at again within 11 ms, and not at once", function()
    local own, unlock = locked_limiter()
    local least, most = math.huge, 0
    by_clock({ now = 1000 }, function() -- each look waits some milliseconds for the lock itself
      for _ = 1, 40 do
        local wait = assert(own:pass(WHO, RATE, false, NOW))
        least, most = math.min(least, wait), math.max(most, wait)
      end
    end)
    unlock()
    assert.is_true(least >= 0.001 and most <= 0.011 and most > 0.003, least .. " " .. most)
    assert.equal(0, own:pass(WHO, RATE, false, NOW))
  end)

  it("is waited for five seconds each time, and then is an error", function()
    local own, unlock, lock = locked_limiter()
    local clock = { now = 1000 }
    by_clock(clock, function()
      for _, began in ipairs { 1000, 2000 } do -- the second time begins anew
        for _, after in ipairs { 0, 4.5, 5 } do
          clock.now = began + after
          local wait = own:pass(WHO, RATE, false, NOW)
          assert.is_true(wait and wait > 0, after)
        end
        clock.now = began + 5.5
        local wait, err = own:pass(WHO, RATE, false, NOW)
        assert.same({ "nil", "limiter" }, { type(wait), err.kind })
        assert.truthy(err.message:find("another process has kept it locked for over 5 s", 1, true), err.message)
      end
      clock.now = 3000
      assert.is_true(own:pass(WHO, RATE, false, NOW) > 0)
      unlock()
      assert.equal(0, own:pass(WHO, RATE, false, NOW))
      lock()
      clock.now = 3020 -- it was free in between
      assert.is_true((own:pass(WHO, RATE, false, NOW) or -1) > 0)
      unlock()
    end)
  end)

  it("has what replies said meanwhile written once, in their order", function()
    local own, unlock = locked_limiter()
    announce(own, WHO, 9)
    announce(own, WHO, 2)
    own:block(whom(1), 40, NOW)
    unlock()
    for _, expected in ipairs { 0, 0, 30, 30 } do
      assert.equal(expected, own:pass(WHO, RATE, false, NOW))
    end
    assert.is_true(math.abs(own:pass(whom(1), RATE, false, NOW) - 40.1) < 1e-6)
  end)

  it("has nothing written again later that could be written at once", function()
    local path = world.path ".limiter"
    local own, other = assert(limiter.new(path)), assert(limiter.new(path))
    announce(own, WHO, 2)
    assert.equal(0, other:pass(WHO, RATE, false, NOW))
    assert.equal(0, other:pass(WHO, RATE, false, NOW))
    assert.equal(30, own:pass(WHO, RATE, false, NOW))
  end)

  it("has 64 notes written that replies left", function()
    local own, unlock = locked_limiter()
    for i = 1, 66 do
      own:block(whom(i), 40, NOW)
    end
    unlock()
    for i = 1, 66 do
      assert.equal(i > 64, own:pass(whom(i), RATE, false, NOW) == 0, i)
    end
    announce(own, WHO, 2)
    assert.equal(0, own:pass(WHO, RATE, false, NOW))
    assert.equal(0, own:pass(WHO, RATE, false, NOW))
    assert.equal(30, own:pass(WHO, RATE, false, NOW))
    announce(own, whom(65), 0)
    own:learn(whom(65), {}, 0, NOW, NOW)
    assert.equal(0, own:pass(whom(65), RATE, false, NOW))
  end)
end)

describe("a limiter's file that fails", function()
  teardown(world.clean)

  it("while its lock is released is an error that says why", function()
    local own = assert(limiter.new(world.path ".limiter"))
    local real = own.limits.store.counts
    own.limits.store.counts = setmetatable({
      unlock = function()
        real:unlock()
        return nil, "No space left on device"
      end,
    }, { __index = function(_, name)
      return function(_, ...)
        return real[name](real, ...)
      end
    end })
    local wait, err = own:pass(WHO, RATE, false, NOW)
    assert.same({ "nil", "limiter" }, { type(wait), err.kind })
    assert.truthy(err.message:find("No space left on device", 1, true), err.message)
  end)

  it("was damaged: who finds it first tells so, once, and all wait for a minute", function()
    local path = world.path ".limiter"
    local own, other = assert(limiter.new(path)), assert(limiter.new(path))
    assert.equal(0, own:pass(WHO, RATE, false, NOW))
    local size = #world.read(path)
    world.write(path, ("\0"):rep(size))
    own:block(whom(1), 1, NOW) -- what a reply said is written, and the damage is found
    own:block(whom(1), 1, NOW)
    local wait, err, news = own:pass(WHO, RATE, false, NOW)
    assert.same({ 62, "nil", "damaged" }, { wait, type(err), news })
    assert.same({ 61, nil, nil }, { own:pass(WHO, RATE, false, NOW + 1) })
    assert.same({ 60, nil, nil }, { other:pass(whom(2), RATE, false, NOW + 2) })
    assert.equal(0, own:pass(WHO, RATE, false, NOW + 62))
  end)

  it("is full: that is an error of the limiter with the reason", function()
    local path = world.path ".limiter"
    local own, file = assert(limiter.new(path)), assert(core.count_file(path))
    assert.is_true(file:lock())
    for i = 1, 12000 do -- more than there are cells, in every part of the file
      pcall(file.set, file, "key" .. i, i)
    end
    assert(file:unlock())
    local wait, err = own:pass(WHO, RATE, false, NOW)
    assert.same({ "nil", "limiter" }, { type(wait), err.kind })
    assert.truthy(err.message:find(path, 1, true) and err.message:find("it is full", 1, true), err.message)
    assert.is_true(file:lock()) -- and it was not left locked
    assert(file:unlock())
  end)

  it("cannot be written: the reason is said at once", function()
    local path = world.path ".limiter"
    assert.equal(0, assert(limiter.new(path)):pass(WHO, RATE, false, NOW))
    -- No file may have more bytes than none, and the signal that says so is ignored.
    local script = ([[local own = assert(require "scope3.http.limiter".new %q)
      local _, err = own:pass({ host = "h", key = "k" }, %d, false, %d)
      io.write(err and err.message or "no error")]]):format(path, RATE, NOW)
    local pipe = assert(io.popen(("trap '' XFSZ; ulimit -f 0; exec %s -e '%s'")
      :format(os.getenv "SCOPE3_LUA_BIN", script)))
    local said = pipe:read "*a"
    pipe:close()
    assert.truthy(said:find(path, 1, true) and said:find("File too large", 1, true), said)
  end)

  it("cannot be opened any more: the reason is said, and what replies said is no error", function()
    local path = world.path ".limiter"
    local own = assert(limiter.new(path))
    os.remove(path)
    assert(os.execute("mkdir " .. path))
    own:block(WHO, 40, NOW)
    local wait, err = own:pass(WHO, RATE, false, NOW)
    assert.same({ "nil", "limiter" }, { type(wait), err.kind })
    assert.truthy(err.message:find("directory", 1, true), err.message)
    assert(os.execute("rmdir " .. path))
  end)
end)
