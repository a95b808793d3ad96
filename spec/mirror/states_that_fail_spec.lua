-- States in a world that fails: a process that is killed at every write, disks that fail at every call, memory that
-- runs out, and files that are damaged. A state is as it was before a step or after it, or it says that it is damaged.
local found = pcall(require, "scope3.state")
if not found or os.getenv "LD_PRELOAD" then
  return -- a build without SQLite; what the sanitizers preload has to come first
end

local compile = require "spec.support.compile"
local seed = require "spec.support.seed"
local states = require "spec.support.states"
local steps = require "spec.support.state_steps"
local world = require "spec.support.world"

local EVERY = world.in_full and 1 or world.thorough and 23 or 61

-- The first point of some that are tried, by seed.
local function first_of(points)
  return 1 + seed % math.max(1, math.min(EVERY, points))
end

describe("a state", function()
  local base, log, calls, memory, before

  -- What a state says, once it was opened again.
  local function said(path)
    local kept, err = states.open(path)
    if not kept then
      return nil, err
    end
    local text
    text, err = states.said(kept)
    kept:close()
    return text, err
  end

  setup(function()
    math.randomseed(seed)
    print("   seed " .. seed)
    calls, memory = compile.failing_calls(), compile.no_memory()
    local path = states.path()
    local kept = steps.base(path)
    log = world.read(path .. "-wal")
    local unfolded = world.read(path)
    kept:close()
    base = { closed = { world.read(path) }, killed = { unfolded, log } }
    before = assert(said(path))
  end)
  teardown(world.clean)

  local function write(path, text)
    world.write(path, text)
    os.execute(("chmod 600 '%s'"):format(path))
  end

  -- A copy of the state: as it was closed, or as a killed process left it.
  local function copy(kind)
    local path = states.path()
    write(path, base[kind][1])
    if base[kind][2] then
      write(path .. "-wal", base[kind][2])
    end
    return path
  end

  -- Carries out a step in a process of its own: how many calls could have failed, how many did, what it said, all that
  -- it printed, and the last call that failed; nil where it was killed.
  local function run(step, path, what, k, count, how)
    local library = how == "memory" and memory or calls
    local command = "LD_PRELOAD=%s %s spec/support/state_steps.lua %s '%s' %s '%s' %d %d %s 2>&1"
    local pipe = assert(io.popen(command:format(library, os.getenv "SCOPE3_LUA_BIN", step, path, library, what, k,
      count, how)))
    local text = pipe:read "*a"
    pipe:close()
    local asked, failed, last, words = text:match "^(%d+) (%d+) (%S+) ([^\n]*)\n$"
    return tonumber(asked), tonumber(failed), words, text, last
  end

  local function clear(path)
    for _, suffix in ipairs { "", "-wal", "-shm", "-lock", "-journal" } do
      os.remove(path .. suffix)
    end
  end

  -- What the state says after a step, and how many calls it makes.
  local function after(step, kind, how)
    local path = copy(kind)
    local asked, failed, words, text = run(step, path, ".state", 0, 0, how)
    assert.same({ 0, "ok" }, { failed, words }, text)
    local all = assert(said(path))
    clear(path)
    return all, asked
  end

  for _, case in ipairs {
    { "open", "killed" }, { "cut", "closed" }, { "cut", "killed" }, { "accepted", "closed" }, { "ended", "killed" },
    { "night", "closed" }, { "fold", "closed" }, { "fold", "killed" }, { "forget", "killed" },
  } do
    local step, kind = case[1], case[2]

    it(("of a process that is killed in '%s' is whole (%s before)"):format(step, kind), function()
      local killed = 0
      for _, how in ipairs { "killed", "halved" } do
        local want, asked = after(step, kind, how)
        for k = first_of(asked), asked, EVERY do
          local path = copy(kind)
          local where = ("%s at %d of %d, seed %d"):format(how, k, asked, seed)
          assert.is_nil((run(step, path, ".state", k, 1, how)), where)
          killed = killed + 1
          local kept = assert(states.open(path))
          if step == "fold" then
            assert.is_truthy(steps.STEPS.fold(kept), where)
            assert.equal(want, states.said(kept), where)
          else
            local now = states.said(kept)
            assert.is_true(now == before or now == want, where)
            assert.is_truthy(step == "night" or steps.STEPS[step](kept), where)
          end
          kept:close()
          clear(path)
        end
      end
      assert.is_true(killed > 0)
    end)
  end

  it("that is killed while it is made is made by the next", function()
    local path = states.path()
    local asked = assert((run("open", path, ".state", 0, 0, "killed")))
    local want = assert(states.open(path)).parts
    for k = first_of(asked), asked, EVERY do
      path = states.path()
      assert.is_nil((run("open", path, ".state", k, 1, "killed")))
      local kept, err = states.open(path)
      assert.is_truthy(kept, ("killed at %d of %d: %s"):format(k, asked, tostring(err)))
      assert.equal(want, kept.parts)
      assert.is_truthy(states.said(kept))
      kept:close()
      clear(path)
    end
  end)

  local CODES = { full = true, io = true, unusable = true, memory = true, busy = true, missing = true, locked = true,
    moved = true, ok = true }

  -- Each call of a step fails, once and from there on.
  local function sweep(step, kind, what, how)
    local failed = 0
    local want = after(step, kind, how == "memory" and "EIO" or how)
    local counted = copy(kind)
    local asked = run(step, counted, what, 0, 0, how)
    clear(counted)
    for _, count in ipairs { 1, 1e9 } do
      for k = first_of(asked), asked, EVERY do
        local path = copy(kind)
        local where = ("%s of %s: %s at %d of %d, %d in a row, seed %d: "):format(step, kind, how, k, asked, count,
          seed)
        local _, did, words, text = run(step, path, what, k, count, how)
        assert.is_truthy(did, where .. text)
        local first, again = words:match "^(%S+) again (%S+)$"
        assert.is_true(CODES[first or words] or false, where .. words)
        assert.equal("ok", again or "ok", where .. words)
        failed = failed + (words ~= "ok" and 1 or 0)
        local kept, err = states.open(path)
        assert.is_truthy(kept, where .. words .. ", then " .. tostring(err))
        if step == "fold" and words ~= "ok" and not again then
          assert.is_truthy(steps.STEPS.fold(kept), where)
        end
        local now = states.said(kept)
        kept:close()
        if step == "fold" or count == 1 or words == "ok" then
          assert.equal(want, now, where .. words)
        else
          assert.is_true(now == before or now == want, where .. words)
        end
        clear(path)
      end
    end
    return failed
  end

  for _, how in ipairs { "ENOSPC", "EIO", "EDQUOT", "short", "torn" } do
    it("on a disk that fails says so, and is as it was or as it is to be: " .. how, function()
      local failed = 0
      for _, case in ipairs { { "cut", "closed" }, { "accepted", "killed" }, { "fold", "killed" } } do
        failed = failed + sweep(case[1], case[2], ".state", how)
      end
      assert.is_true(failed > 0 or how == "short" or how == "torn" and not world.thorough)
    end)
  end

  it("has a cut on the disk before that returns", function()
    local seen
    local _, asked = after("cut", "closed", "EIO")
    for k = 1, asked do
      local path = copy "closed"
      local _, _, words, _, call = run("cut", path, ".state", k, 1, "EIO")
      clear(path)
      -- What fails while it is closed is no longer the cut's.
      seen = call == "fdatasync" and words == "io again ok"
      if seen then
        break
      end
    end
    assert.is_true(seen)
  end)

  it("without memory says so, and is as it was or as it is to be", function()
    local failed = 0
    for _, case in ipairs { { "cut", "killed" }, { "fold", "closed" } } do
      failed = failed + sweep(case[1], case[2], "libsqlite3", "memory")
    end
    assert.is_true(failed > 0)
  end)

  -- The text with one bit of another value.
  local function flipped(text, at)
    local bit = 2 ^ math.random(0, 7)
    local byte = text:byte(at)
    local other = math.floor(byte / bit) % 2 == 0 and byte + bit or byte - bit
    return text:sub(1, at - 1) .. string.char(other) .. text:sub(at + 1)
  end

  it("in a file in which a bit has another value says the same, or that it is damaged", function()
    local text = base.closed[1]
    local page = states.page(text)
    local refused, alike = 0, 0
    for i = 1, (world.in_full and 4000 or world.thorough and 200 or 50) do
      -- A third each: anywhere, the first page with the header and the tables, and where the pages begin.
      local at = i % 3 == 0 and math.random(#text) or i % 3 == 1 and math.random(page)
        or math.random(0, #text / page - 1) * page + math.random(40)
      local path = copy "closed"
      write(path, flipped(text, at))
      local now, err = said(path)
      local where = ("byte %d, seed %d"):format(at, seed)
      if now then
        assert.equal(before, now, where)
        alike = alike + 1
      else
        assert.is_true(err == "checksum" or err.code == "damaged" or err.code == "foreign" or err.code == "version"
          or err.code == "another_job", where .. ": " .. tostring(err))
        refused = refused + 1
      end
      clear(path)
    end
    print(("   %d refused, %d as before"):format(refused, alike))
    assert.is_true(refused > 0 and alike > 0)
  end)

  it("whose log is damaged is one that it was before", function()
    local was = { [before] = true }
    -- What it was after each of its transactions.
    do
      local path = copy "killed"
      for size = 0, #log, states.page(base.killed[1]) + 24 do
        write(path, base.killed[1])
        write(path .. "-wal", log:sub(1, 32 + size))
        local kept = states.open(path)
        if kept then
          was[states.said(kept) or ""] = true
          kept:close()
        end
        clear(path)
      end
    end
    for _ = 1, world.thorough and 60 or 15 do
      local at = math.random(#log)
      local path = copy "killed"
      write(path .. "-wal", flipped(log, at))
      local now, err = said(path)
      assert.is_true(now == nil and (err.code == "damaged" or err.code == "folding") or was[now] == true,
        ("byte %d, seed %d: %s"):format(at, seed, tostring(err)))
      clear(path)
    end
  end)

  it("that was cut short says so", function()
    local text = base.closed[1]
    for i = 1, 12 do
      local size = i == 1 and states.page(text) or math.random(#text - 1)
      local path = states.path()
      write(path, text:sub(1, size))
      local now, err = said(path)
      assert.is_nil(now)
      -- A page that is there in part is read as one that ends in zeros: the checksum of what it holds says so.
      assert.is_true(err == "checksum" or err.code == "damaged" or err.code == "foreign",
        ("%d bytes, seed %d: %s"):format(size, seed, tostring(err)))
      clear(path)
    end
  end)
end)
