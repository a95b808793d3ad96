-- scope3.state by itself: values, statements, what is in use, and what goes wrong between processes.
local found, state = pcall(require, "scope3.state")
if not found then
  return -- a build without SQLite
end

local core = require "scope3.core"
local states = require "spec.support.states"
local until_true = require "spec.support.until_true"
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local BIN = os.getenv "SCOPE3_LUA_BIN"

describe("a database", function()
  local db

  before_each(function()
    db = assert(state.open(states.path(), { create = true }))
    assert(db:run "CREATE TABLE t(n INTEGER PRIMARY KEY, value)")
  end)
  after_each(function()
    db:close()
  end)
  teardown(world.clean)

  it("gives back each value as it was", function()
    local bytes = {}
    for i = 0, 255 do
      bytes[i + 1] = string.char(i)
    end
    local values = { "", "text", "a\0b", table.concat(bytes), 0, -1, 2 ^ 53, -2 ^ 53, 0.5, 1e300, -1 / 0, n = 11 }
    for i = 1, values.n do
      assert.equal(1, db:run("INSERT INTO t VALUES(?, ?)", i, values[i]))
      assert.same({ i, values[i] }, db:first("SELECT n, value FROM t WHERE n = ?", i))
    end
    assert(db:run("INSERT INTO t VALUES(?, ?)", 20, nil))
    assert.same({ 20, nil, "null" }, db:first "SELECT n, value, typeof(value) FROM t WHERE n = 20")
    assert(db:run("INSERT INTO t VALUES(21, CAST(? AS BLOB))", ""))
    assert.same({ "", "blob" }, db:first "SELECT value, typeof(value) FROM t WHERE n = 21")
    -- A whole number is one, whichever Lua wrote it.
    assert.same({ "integer,integer,integer,integer,real,real,real" },
      db:first "SELECT group_concat(typeof(value)) FROM t WHERE n BETWEEN 5 AND 11")
    if math.type then
      local least = math.tointeger(-2 ^ 63)
      assert(db:run("INSERT INTO t VALUES(30, ?)", least))
      assert.equal(least, db:first "SELECT value FROM t WHERE n = 30"[1])
    end
  end)

  it("takes a view as a blob, while it shows something", function()
    local chunk = core.mirror.chunk(1)
    assert(chunk:add("remove", 0, "a\0b", ("h"):rep(8)))
    local kept
    assert.is_true(chunk:show(function(view)
      kept = view
      assert.equal(1, db:run("INSERT INTO t VALUES(1, ?)", view))
      assert.equal(1, db:run("INSERT INTO t VALUES(2, CAST(? AS BLOB))", view))
    end))
    for n = 1, 2 do
      assert.same({ chunk:blob(), "blob" }, db:first("SELECT value, typeof(value) FROM t WHERE n = ?", n))
    end
    assert.has_error(function() db:run("INSERT INTO t VALUES(3, ?)", kept) end, "attempt to use a closed view")
    assert.has_error(function() db:run("INSERT INTO t VALUES(3, ?)", chunk) end,
      "a value of a statement is a userdata")
  end)

  it("takes as many values as a statement has, and no others", function()
    for _, values in ipairs { { n = 0 }, { 1, 2, n = 2 }, { true, n = 1 }, { {}, n = 1 }, { 0 / 0, n = 1 } } do
      local fine = pcall(db.run, db, "INSERT INTO t VALUES(1, ?)", unpack(values, 1, values.n))
      assert.is_false(fine)
    end
    assert.is_false(db:first "SELECT * FROM t")
    assert.has_error(function() db:run() end)
    assert.has_error(function() db:each("SELECT 1", "no function") end)
    assert.has_error(function() state.open() end)
    assert.has_error(function() state.open("x", "create") end)
  end)

  it("says how many rows were changed, and gives each", function()
    for i = 1, 9 do
      assert(db:run("INSERT INTO t VALUES(?, ?)", i, i % 2))
    end
    assert.equal(4, db:run("UPDATE t SET value = 5 WHERE value = ?", 0))
    local seen = {}
    assert.is_true(db:each("SELECT n FROM t WHERE value = ? ORDER BY n DESC", function(row)
      seen[#seen + 1] = row[1]
    end, 5))
    assert.same({ 8, 6, 4, 2 }, seen)
    assert.is_true(db:each("SELECT n FROM t WHERE n > ?", error, 100))
  end)

  it("carries out a statement while it gives the rows of one, of the same one too", function()
    for i = 1, 3 do
      assert(db:run("INSERT INTO t VALUES(?, 0)", i))
    end
    local seen = {}
    local sql = "SELECT n FROM t ORDER BY n"
    assert(db:each(sql, function(row)
      assert(db:each(sql, function(inner)
        seen[#seen + 1] = row[1] * 10 + inner[1]
      end))
      assert(db:run("UPDATE t SET value = value + 1 WHERE n = ?", row[1]))
      seen[#seen + 1] = db:first(sql)[1]
    end))
    assert.same({ 11, 12, 13, 1, 21, 22, 23, 1, 31, 32, 33, 1 }, seen)
    assert.same({ 3 }, db:first "SELECT sum(value) FROM t")
  end)

  it("is usable after an error of a function that it gave rows to, or that it was closed by", function()
    assert(db:run "INSERT INTO t VALUES(1, 1)")
    local thrown = {}
    local fine, err = pcall(db.each, db, "SELECT n FROM t", function() error(thrown) end)
    assert.is_true(not fine and err == thrown)
    fine = coroutine.wrap(function()
      return (pcall(db.each, db, "SELECT n FROM t", coroutine.yield))
    end)()
    assert.is_false(fine)
    -- No statement is left that would keep this from being written.
    assert(db:run "DROP TABLE t")
    assert(db:run "CREATE TABLE t(n)")
    assert(db:run "INSERT INTO t VALUES(1)")
    fine, err = pcall(db.each, db, "SELECT n FROM t", function()
      db:close()
      assert.is_false(pcall(db.first, db, "SELECT 1"))
      db:close()
    end)
    assert.is_false(fine)
    assert.truthy(tostring(err):find("attempt to use a closed database", 1, true))
    assert.is_false(pcall(db.in_transaction, db))
    assert.is_false(pcall(db.check, db))
  end)

  it("keeps few of many statements", function()
    for round = 1, 2 do
      for i = 1, 100 do
        assert.same({ i * round }, db:first(("SELECT %d * ?"):format(i), round))
      end
    end
    -- More at once than it keeps.
    local function nested(depth)
      local sum
      assert(db:each(("SELECT %d"):format(depth), function(row)
        sum = row[1] + (depth > 1 and nested(depth - 1) or 0)
      end))
      return sum
    end
    assert.equal(60 * 61 / 2, nested(60))
    assert.equal(60 * 61 / 2, nested(60))
  end)

  it("says no word of a statement or a value that fails", function()
    assert(db:run "INSERT INTO t VALUES(1, 'secret')")
    for _, sql in ipairs {
      "SELEC secret", "SELECT secret FROM t", "", "-- nothing", "INSERT INTO t VALUES(1, 'secret')",
      "SELECT abs(-9223372036854775807 - 1)", "SELECT load_extension('secret')", "SELECT \"secret\"",
      "SELECT json('secret') FROM secret", "ATTACH '/nowhere/secret' AS s",
    } do
      local changed, why, code = db:run(sql)
      assert.same({ nil, "unusable", "string" }, { changed, code, type(why) }, sql)
      assert.is_nil(why:find("secret", 1, true))
    end
  end)

  it("is not opened where its name is too long, and is another file where its name is one", function()
    local opened, why, code = state.open("/tmp/" .. ("x"):rep(5000), { create = true })
    assert.same({ nil, "unusable" }, { opened, code })
    assert.truthy(why:find("long", 1, true))
    opened, why, code = state.open("/tmp/" .. ("x"):rep(253), { create = true }) -- of a file beside it
    assert.same({ nil, "unusable" }, { opened, code }, why)
    opened, why, code = state.open("bin/man.lua/state", { create = true }) -- below what is no folder
    assert.same({ nil, "unusable" }, { opened, code }, why)
    local path = states.path()
    local one = assert(state.open(path, { create = true }))
    assert.is_true(one:check())
    os.execute(("mv '%s' '%s.old' && touch '%s' && chmod 600 '%s'"):format(path, path, path, path))
    world.forget(path .. ".old")
    opened, why, code = one:check()
    assert.same({ nil, "moved" }, { opened, code })
    assert.truthy(why:find("another file has its name", 1, true))
    one:close()
  end)

  it("belongs to another user than the one who opens it", function()
    local pipe = io.popen "id -u; command -v setpriv"
    local who = pipe:read "*a"
    pipe:close()
    if not who:find "^0\n/" then
      return pending "only root can give files away, by setpriv"
    end
    local path = states.path()
    assert(state.open(path, { create = true })):close()
    os.execute(("chown 12345 '%s'"):format(path))
    local opened, why, code = state.open(path)
    assert.same({ nil, "it belongs to another user", "unsafe" }, { opened, why, code })
  end)

  it("is one process's of several that want it at once, and loses nothing", function()
    local path = states.path()
    assert(states.open(path)):close()
    local code = ([[local states = require "spec.support.states"
      local done, seen = 0, {}
      for i = 1, 1e6 do
        local kept, err = states.open %q
        if kept then
          local n = assert(kept:cut(1, 1, "x"))
          kept:close()
          done = done + 1
          if done == 6 then break end
        elseif err.code ~= "locked" and err.code ~= "busy" then
          error(tostring(err))
        end
      end
      print(done)]]):format(path)
    local file = world.file(code, ".lua")
    local pipes = {}
    for i = 1, 4 do
      pipes[i] = assert(io.popen(("%s %s 2>&1"):format(BIN, file)))
    end
    for i = 1, 4 do
      assert.equal("6\n", pipes[i]:read "*a")
      pipes[i]:close()
    end
    local kept = assert(states.open(path))
    assert.equal(24, #assert(kept:open_chunks()))
    kept:close()
    assert.is_false(world.exists(path .. "-lock"))
  end)

  it("says that the sqlite3 shell writes to it, and waits for no reader", function()
    local pipe = assert(io.popen "command -v sqlite3")
    local there = pipe:read "*a" ~= ""
    pipe:close()
    if not there then
      return pending "sqlite3 is not installed"
    end
    local path = states.path()
    local kept = assert(states.open(path))
    assert(kept:cut(1, 1, "x"))
    -- A shell that has carried out these lines, and waits for more.
    local function shell(lines)
      local flag = world.path ".flag"
      local other = assert(io.popen(("sqlite3 '%s' >/dev/null"):format(path), "w"))
      other:write(lines, "\n.shell touch ", flag, "\n")
      other:flush()
      until_true(function() return world.exists(flag) end, "the shell")
      return other
    end
    local other = shell "BEGIN IMMEDIATE;"
    local n, err = kept:cut(1, 2, "y")
    assert.same({ nil, "busy" }, { n, err.code })
    assert.truthy(err.message:find("is in use by another process", 1, true))
    other:close()
    assert.equal(2, kept:cut(1, 2, "y"))
    other = shell "BEGIN; SELECT count(*) FROM chunk;"
    assert.equal(3, kept:cut(1, 3, "z"))
    assert.is_false(kept:truncate())
    other:close()
    assert.is_true(kept:truncate())
    kept:close()
  end)
end)
