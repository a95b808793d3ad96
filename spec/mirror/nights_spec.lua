-- One night of a mirror in small: what comes in which order, where its file lies, and what ends it.
local compile = require "spec.support.compile"
local core = require "scope3.core"
local mirrored = require "spec.support.mirrored"
local world = require "spec.support.world"

local KEY = "0123456789abcdef"

local function night_of(options)
  options = options or {}
  options.key, options.parts = KEY, options.parts or 1
  return assert(core.mirror.night(options))
end

local function folder()
  local path = world.path ""
  assert(os.execute("mkdir " .. path))
  return path
end

local function files_in(path)
  local pipe = assert(io.popen("ls -A " .. path))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

-- What this process has open without a name: its mode and size, or what else a command says of it.
local function unnamed(path, command)
  local stat = assert(io.open "/proc/self/stat")
  local pid = stat:read "*n"
  stat:close()
  local found = {}
  local pipe = assert(io.popen(("for fd in /proc/%d/fd/*; do case $(readlink $fd) in %s/*deleted*) %s;; esac; done")
    :format(pid, path, command or "stat -L -c '%a %s' $fd")))
  for line in pipe:lines() do
    found[#found + 1] = line
  end
  pipe:close()
  return found
end

-- Rows in the order in which they come out.
local function rows_of(night)
  local list = {}
  while true do
    local hash, _, _, _, _, _, row = night:candidate()
    if not hash then
      return list
    end
    list[#list + 1] = row
  end
end

describe("a night", function()
  after_each(world.clean)

  it("gives candidates by row, however many there are, each once", function()
    for _, n in ipairs { 1, 31, 33, 2000, 30011 } do
      local night = night_of { parts = 4 }
      for i = 1, n do
        assert(night:row("id" .. i * 7919 % n, { "x" }, 1, i, 0, i > n / 2 and 1 or 0))
      end
      for part = 3, 0, -1 do
        assert(night:merge(part, ""))
      end
      local rows = rows_of(night)
      assert.equal(n, #rows)
      for i = 1, n do
        assert.equal(i, rows[i])
      end
      assert.equal(n, night:counts()[1].added)
      night:close()
    end
  end)

  it("takes the last row of an id, with memory for ids rather than rows", function()
    local night = night_of()
    for i = 1, 300000 do -- more than have room at once
      assert(night:row("id" .. i % 3, { tostring(i) }, i == 300000 and 0 or 1, i, 0, 0))
    end
    assert(night:merge(0))
    assert.same({ 299998, 299999 }, rows_of(night))
    assert.same({ 300000, 299997, 2 }, { night:counts().rows, night:counts().replaced, night:counts()[1].added })
    night:close()
  end)

  it("has a file without a name, of mode 600, that no child inherits, where the caller says", function()
    local path = folder()
    local night = night_of { folder = path }
    for i = 1, 4000 do
      assert(night:row("id" .. i, { "x" }, 1, i, 0, 0))
    end
    assert.equal("", files_in(path))
    assert.same({ "600 65536" }, unnamed(path))
    local pipe = assert(io.popen "ls -l /proc/self/fd")
    assert.is_nil(pipe:read("*a"):find(path, 1, true))
    pipe:close()
    night:close()
    assert.same({}, unnamed(path))
  end)

  it("takes the place of blocks that were read", function()
    local path = folder()
    local night = night_of { folder = path, parts = 8 }
    for i = 1, 40000 do
      assert(night:row("id" .. i, { "x" }, 1, i, 0, 0))
    end
    for part = 0, 7 do
      assert(night:merge(part))
    end
    local bytes = tonumber(unnamed(path)[1]:match " (%d+)")
    assert.is_true(bytes < 40000 * 33 + 40000 * 46 / 2, bytes)
    assert.equal(40000, #rows_of(night))
    night:close()
  end)

  it("fails where somebody has written into its file what no candidate is", function()
    local path = folder()
    local night = night_of { folder = path }
    for i = 1, 20000 do
      assert(night:row("id" .. i, { "x" }, 1, i, 0, 0))
    end
    assert(night:merge(0))
    local name = unnamed(path, "echo $fd")[1]
    local file = assert(io.open(name, "r+b"))
    local size = file:seek "end"
    file:seek "set"
    assert(file:write(("\255"):rep(size)))
    file:close()
    local said, message, code
    repeat
      said, message, code = night:candidate()
    until not said
    assert.same({ "temporary files, in the folder of TMPDIR: Input/output error", "io" }, { message, code })
    night:close()
  end)

  it("says which call comes out of its order, and is of no use then", function()
    local CASES = {
      ["a row before another"] = function(night)
        assert(night:row("a", {}, 1, 5, 0, 1))
        night:row("b", {}, 1, 6, 0, 0)
      end,
      ["a partition twice"] = function(night)
        assert(night:merge(0))
        night:merge(0)
      end,
      ["a row after a partition"] = function(night)
        assert(night:merge(0))
        night:row("a", {}, 1, 1, 0, 0)
      end,
      ["an exclusion after a partition"] = function(night)
        assert(night:merge(0))
        night:exclude "a"
      end,
      ["a chunk after a partition"] = function(night)
        assert(night:merge(0))
        night:chunk("", {})
      end,
      ["a candidate before the last partition"] = function(night)
        assert(night:merge(0))
        night:candidate()
      end,
      ["a leaver before the last partition"] = function(night)
        night:leaver()
      end,
      ["somebody leaves before the last partition"] = function(night)
        night:leave("a", 1)
      end,
      ["a candidate after a leaver"] = function(night)
        assert(night:merge(0))
        assert(night:merge(1))
        assert.is_nil(night:leaver())
        night:candidate()
      end,
    }
    for name, act in pairs(CASES) do
      local night = night_of { parts = 2 }
      local fine, why = pcall(act, night)
      assert.is_false(fine, name)
      assert.truthy(why:find("come out of their order", 1, true), why)
      assert.has_error(function() night:exclude "a" end)
      night:close()
    end
    local fold = assert(core.mirror.fold { parts = 2 })
    assert.is_false(fold:part(0))
    assert.has_error(function() fold:part(0) end)
    fold:close()
    fold = assert(core.mirror.fold { parts = 2 })
    assert.is_false(fold:part(0))
    assert.has_error(function() fold:chunk("", {}) end)
    fold:close()
  end)

  it("belongs to the process that began it", function()
    local fork = compile.fork()
    local night = night_of()
    for i = 1, 400 do
      assert(night:row("id" .. i, { "x" }, 1, i, 0, 0))
    end
    assert.equal(7, fork(function()
      local fine, message, code = night:merge(0)
      assert.same({ nil, "the temporary file belongs to the parent process", "forked" }, { fine, message, code })
      return 7
    end))
    assert(night:merge(0))
    assert.equal(400, #rows_of(night))
    night:close()
  end)

  it("says where its folder cannot be used, and where its file may not grow", function()
    local missing = world.path ".missing"
    local why = "temporary files, in the folder of TMPDIR: No such file or directory"
    assert.same({ nil, why, "io" }, { core.mirror.night { key = KEY, folder = missing } })
    assert.same({ nil, why, "io" }, { core.mirror.fold { folder = missing } })
    local script, log = world.file [[
      local night = assert(require "scope3.core".mirror.night { key = "0123456789abcdef", parts = 1 })
      for i = 1, 10000 do
        local fine, message, code = night:row("id" .. i, {}, 1, i, 0, 0)
        if not fine then
          assert(not night:merge(0))
          print(code, message)
          break
        end
      end
    ]], world.path ".log"
    os.execute(("(ulimit -f 64; exec %s %s) >%s 2>&1"):format(os.getenv "SCOPE3_LUA_BIN", script, log))
    assert.equal("full\ttemporary files, in the folder of TMPDIR: File too large\n", world.read(log))
  end)

  it("goes through a fold and a second night", function()
    local path, open = folder(), {}
    local said = mirrored.run(core, path, 30, function(object)
      open[#open + 1] = object
      return object
    end)
    -- Every seventh is gone, every fourth was added with other cells, 1 is excluded, and 2 and 3 are open. All but two,
    -- who were forgotten, are seen.
    assert.equal("3:2 4:1 6:2 8:1 9:2 12:3 15:2 16:1 18:2 20:1 24:3 27:2 30:2\n"
      .. "one more:1 person-14:1 person-1:1 person-21:1 person-28:1 person-7:1\n26 17 9\n"
      .. "28 seen: f0291e4a", said)
    for _, object in ipairs(open) do
      object:close()
    end
    assert.equal("", files_in(path))
  end)
end)

describe("a chunk", function()
  it("gives a blob at any time, and takes more", function()
    local chunk = core.mirror.chunk(1)
    local function add(id)
      return chunk:add("remove", 15, id, core.mirror.key_hash(KEY, id))
    end
    assert.equal(13, #chunk:blob())
    assert.equal(1, add "a")
    local one = chunk:blob()
    assert.equal(one, chunk:blob())
    assert.equal(2, add "b")
    assert.equal(#one + 28, #chunk:blob())
    local night = night_of { audiences = 16 }
    assert(night:chunk(chunk:blob(), { { first = 1, last = 2, outcome = "open" } }))
    assert(night:merge(0))
    assert.equal(2, night:counts()[16].under_way)
    night:close()
    chunk:close()
  end)

  it("cannot be folded while an entry is open", function()
    local chunk = core.mirror.chunk(1)
    chunk:add("add", 0, "a", ("h"):rep(8), ("c"):rep(8), ("m"):rep(8))
    local fold = assert(core.mirror.fold {})
    assert.has_error(function()
      fold:chunk(chunk:blob(), { { first = 1, last = 1, outcome = "open" } })
    end, "an entry is open, and cannot be folded")
    fold:close()
    chunk:close()
  end)
end)
