-- The state of a mirror, in its file: what is kept, who may have it, and what is refused.
local found = pcall(require, "scope3.state")
if not found then
  return -- a build without SQLite
end

local seed = require "spec.support.seed"
local state = require "scope3.state"
local states = require "spec.support.states"
local store = require "scope3.mirror.store"
local world = require "spec.support.world"

local function shell(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

local function mode_of(path)
  return shell(("stat -c %%a '%s'"):format(path)):match "%d+"
end

-- A state with a chunk and its request, and then others.
local function filled(path)
  local kept = assert(states.open(path))
  local run = assert(kept:begin_run(1000))
  assert(kept:cut(run, 1, states.packed(3000), { request = 1, first = 1, last = 9, begun = 1001.5 }))
  assert(kept:cut(run, 2, states.packed(90000), { request = 2, first = 1, last = 30, begun = 1002,
    without = { 4, 7 } }))
  assert(kept:accepted(run, 1, "task-1"))
  return kept, run
end

describe("a state", function()
  setup(function()
    math.randomseed(seed)
    print("   seed " .. seed)
  end)
  teardown(world.clean)

  it("keeps chunks, requests, what became of them, and nights", function()
    local path = states.path()
    local kept, run = filled(path)
    assert(kept:ended(run, 1, "completed", 1010.9))
    assert(kept:ended(run, 2, "refused", 1011, { 5 }))
    assert(kept:begin(run, { { request = 3, chunk = 2, first = 1, last = 30, begun = 1012,
      without = { 4, 5, 7 } } }))
    assert(kept:cut(run, 0, states.packed(10)))
    assert(kept:end_run(run, 1020.2, { added = 12, removed = 0 }))
    local key, said = kept.key, assert(states.said(kept))
    assert.equal(16, #key)
    kept:close()
    kept:close()
    kept = assert(states.open(path))
    assert.equal(said, states.said(kept))
    assert.equal(key, kept.key)
    assert.equal(8, kept.parts)
    assert.is_false(kept.folding)
    local chunks = assert(kept:open_chunks())
    assert.same({ 1, 2, 3 }, { chunks[1].n, chunks[2].n, chunks[3].n })
    assert.same({ 1, 2, 0 }, { chunks[1].batch, chunks[2].batch, chunks[3].batch })
    assert.same({ 3016, 90016, 26 }, { chunks[1].size, chunks[2].size, chunks[3].size })
    assert.same({ { run = 1, request = 1, chunk = 1, first = 1, last = 9, without = {}, refused = {}, begun = 1001,
      state = "completed", task_id = "task-1", ended_at = 1010 } }, chunks[1].tries)
    local second, third = chunks[2].tries[1], chunks[2].tries[2]
    assert.same({ { 4, 7 }, { 5 }, "refused" }, { second.without, second.refused, second.state })
    assert.same({ { 4, 5, 7 }, "begun", 3 }, { third.without, third.state, third.request })
    assert.same({}, chunks[3].tries)
    assert.same({ { n = 1, began = 1000, ended = 1020, counts = { added = 12, removed = 0 } } }, kept:runs())
    local next_run, goes_on = kept:begin_run(2000)
    assert.same({ 2, false }, { next_run, goes_on })
    assert.same({ 2, true }, { kept:begin_run(3000) })
    kept:close()
  end)

  it("is another key for each file", function()
    local one, other = assert(states.open(states.path())), assert(states.open(states.path()))
    assert.is_true(one.key ~= other.key)
    one:close()
    other:close()
  end)

  it("is this user's alone, with all files beside it, and leaves one file behind", function()
    local path = states.path()
    local code = ([[local state = require "scope3.state" assert(state.open(%q, { create = true }))]]):format(path)
    shell(("umask 0; %s -e '%s'"):format(os.getenv "SCOPE3_LUA_BIN", code))
    assert.equal("600", mode_of(path))
    local kept = filled(path)
    for _, suffix in ipairs { "", "-wal", "-shm", "-lock" } do
      assert.equal("600", mode_of(path .. suffix), suffix)
    end
    kept:close()
    assert.equal("600", mode_of(path))
    for _, suffix in ipairs { "-wal", "-shm", "-lock", "-journal" } do
      assert.is_false(world.exists(path .. suffix), suffix)
    end
  end)

  it("is not opened where others may read it, or what stands beside it", function()
    for _, suffix in ipairs { "", "-wal", "-shm", "-lock", "-journal" } do
      local path = states.path()
      assert(states.open(path)):close()
      if suffix ~= "" then
        world.write(path .. suffix, "")
      end
      os.execute(("chmod 640 '%s%s'"):format(path, suffix))
      local kept, err = states.open(path)
      assert.is_nil(kept)
      assert.same({ "journal", "unsafe" }, { err.kind, err.code }, suffix)
      assert.truthy(err.message:find("is not used: other users may open it: chmod 600", 1, true), err.message)
      assert.equal("640", mode_of(path .. suffix))
      os.execute(("chmod 600 '%s%s'"):format(path, suffix))
      assert(states.open(path)):close()
    end
  end)

  it("is not opened through a symbolic link, nor what is no file", function()
    local path, link, folder = states.path(), states.path(), states.path()
    assert(states.open(path)):close()
    os.execute(("ln -s '%s' '%s' && mkdir '%s'"):format(path, link, folder))
    local kept, err = states.open(link)
    assert.same({ nil, "unsafe" }, { kept, err.code })
    kept, err = states.open(folder)
    assert.same({ nil, "unsafe" }, { kept, err.code })
    os.execute(("rmdir '%s'; ln -s /nowhere '%s-wal'"):format(folder, path))
    kept, err = states.open(path)
    assert.same({ nil, "unsafe" }, { kept, err.code })
  end)

  it("is not opened where it has a second name, by which another process would have other locks", function()
    local path, link = states.path(), states.path()
    assert(states.open(path)):close()
    os.execute(("ln '%s' '%s'"):format(path, link))
    for _, name in ipairs { path, link } do
      for _, opts in ipairs { {}, { read_only = true } } do
        local kept, err = store.open(name, nil, opts)
        assert.same({ nil, "unsafe" }, { kept, err and err.code })
        assert.truthy(err.message:find("it has another name, too (a hard link)", 1, true), err.message)
      end
    end
    os.remove(link)
    assert(states.open(path)):close()
  end)

  it("takes no name for an address or for memory", function()
    local folder = world.path ".folder"
    os.execute(("mkdir '%s'"):format(folder))
    local script = [[cd '%s' && LUA_PATH='%s' %s -e "local s = require [=[scope3.state]=]
      for _, name in ipairs { [=[file:x?mode=memory]=], [=[:memory:]=] } do
        assert(s.open(name, { create = true })):close() end" && ls]]
    local here = shell "pwd":match "[^\n]+"
    assert.equal(":memory:\nfile:x?mode=memory\n", shell(script:format(folder,
      ("%s/lua/?.lua;%s/lua/?/init.lua;;"):format(here, here), os.getenv "SCOPE3_LUA_BIN")))
    os.execute(("rm -r '%s'"):format(folder))
    assert.has_error(function() state.open("") end)
    assert.has_error(function() state.open("a\0b") end)
  end)

  it("is not made unless that is said, and is not there where its folder is not", function()
    local path = states.path()
    local kept, err = store.open(path, states.ABOUT)
    assert.same({ nil, "missing" }, { kept, err.code })
    assert.truthy(err.message:find("is not there", 1, true))
    assert.is_false(world.exists(path) or world.exists(path .. "-lock"))
    kept, err = states.open("/nowhere/at/all.state")
    assert.same({ nil, "missing" }, { kept, err.code })
    -- An empty file is none, either.
    world.write(path, "")
    os.execute(("chmod 600 '%s'"):format(path))
    kept, err = store.open(path, states.ABOUT)
    assert.same({ nil, "foreign" }, { kept, err.code })
    assert.equal("", world.read(path))
    assert(states.open(path)):close()
  end)

  it("belongs to one process and one job at a time", function()
    local path = states.path()
    local kept = filled(path)
    local other, err = states.open(path)
    assert.same({ nil, "journal", "locked" }, { other, err.kind, err.code })
    assert.truthy(err.message:find("is in use by another process", 1, true))
    local code = ([[local states = require "spec.support.states"
      local kept, err = states.open %q print(kept, err and err.code)]]):format(path)
    local function elsewhere()
      return shell(("%s -e '%s'"):format(os.getenv "SCOPE3_LUA_BIN", code)):gsub("table: [%w]+", "table")
    end
    assert.equal("nil\tlocked\n", (elsewhere()))
    local said = states.said(kept)
    kept:close()
    assert.equal("table\tnil\n", (elsewhere()))
    kept = assert(states.open(path))
    assert.equal(said, states.said(kept))
    kept:close()
  end)

  it("is not written by a child of its process, and stays its parent's", function()
    if os.getenv "LD_PRELOAD" then
      return -- a child of the sanitizers reports what its parent holds
    end
    local fork = require("spec.support.compile").fork()
    local path = states.path()
    local kept, run = filled(path)
    local code = fork(function()
      local n, err = kept:cut(run, 3, "x")
      local members = kept:part(0)
      kept:close()
      return n == nil and err.code == "forked" and members == nil and 7 or 1
    end)
    assert.equal(7, code)
    assert.is_true(world.exists(path .. "-lock") and world.exists(path .. "-wal"))
    assert.equal("locked", select(2, states.open(path)).code)
    assert(kept:cut(run, 3, states.packed(10)))
    kept:close()
    assert.is_false(world.exists(path .. "-lock"))
  end)

  it("notices that its file was moved, and writes nothing more", function()
    local path, away = states.path(), states.path()
    local kept, run = filled(path)
    os.execute(("mv '%s' '%s'"):format(path, away))
    local n, err = kept:cut(run, 3, states.packed(10))
    assert.same({ nil, "moved" }, { n, err.code })
    assert.truthy(err.message:find("bring it back", 1, true))
    os.execute(("mv '%s' '%s'"):format(away, path))
    assert.equal(3, kept:cut(run, 3, states.packed(10)))
    kept:close()
  end)

  it("refuses what is no state, and leaves it as it is", function()
    local others = { ("a,b\n1,2\n"):rep(4000), "SQLite format 3\0" .. ("x"):rep(5000) }
    if shell "sqlite3 --version":find "^3%." then
      local path = states.path()
      shell(("sqlite3 '%s' 'CREATE TABLE a(b); INSERT INTO a VALUES(1)'"):format(path))
      others[3] = world.read(path)
    end
    for i, text in ipairs(others) do
      local path = states.path()
      world.write(path, text)
      os.execute(("chmod 600 '%s'"):format(path))
      local kept, err = states.open(path)
      assert.same({ nil, "foreign" }, { kept, err.code }, i)
      assert.truthy(err.message:find("is no state of scope3", 1, true), err.message)
      assert.equal(text, world.read(path))
    end
  end)

  -- Changes a state by SQL.
  local function altered(sql)
    local path = states.path()
    filled(path):close()
    local db = assert(state.open(path))
    assert(db:run(sql))
    db:close()
    return states.open(path)
  end

  it("refuses one of a newer or older version, and says which", function()
    local kept, err = altered "PRAGMA user_version = 3"
    assert.same({ nil, "version" }, { kept, err.code })
    assert.truthy(err.message:find("newer version of this library", 1, true), err.message)
    kept, err = altered "PRAGMA user_version = 0"
    assert.same({ nil, "version" }, { kept, err.code })
    assert.truthy(err.message:find("older version of this library", 1, true), err.message)
  end)

  it("refuses one to which anything was added, or in which anything was changed", function()
    for _, sql in ipairs {
      "CREATE TABLE more(x)", "CREATE INDEX more ON try(chunk)", "CREATE VIEW more AS SELECT * FROM try",
      "CREATE TRIGGER more AFTER INSERT ON try BEGIN DELETE FROM part; END", "ALTER TABLE try ADD COLUMN more",
      "DROP TABLE try",
      "DELETE FROM meta WHERE key = 'key'", "UPDATE meta SET value = x'00' WHERE key = 'key'",
      "UPDATE audience SET consent_basis = '' WHERE number = 0", "UPDATE meta SET value = '26' WHERE key = 'account'",
    } do
      local kept, err = altered(sql)
      assert.same({ nil, "damaged" }, { kept, err.code }, sql)
    end
  end)

  it("reads no request, chunk, night or partition that was changed", function()
    for _, sql in ipairs {
      "UPDATE try SET state = 'completed'", "UPDATE try SET last = 8 WHERE request = 1",
      "UPDATE try SET request = 9 WHERE request = 1",
      "DELETE FROM chunk WHERE n = 1", "UPDATE chunk SET members = x'0102' WHERE n = 1", "UPDATE chunk SET run = 4",
      "UPDATE part SET fold = 3", "DELETE FROM part WHERE k = 3", "UPDATE part SET members = 5 WHERE k = 2",
      "UPDATE run SET began = 'x'", "UPDATE try SET seal = NULL",
    } do
      local kept, err = altered(sql)
      local said
      if kept then
        said, err = states.said(kept)
        kept:close()
      end
      assert.same({ nil, "damaged" }, { said, err.code }, sql)
    end
  end)

  it("says that it lacks what it should have, and is as before", function()
    local path = states.path()
    local kept, run = filled(path)
    local said = states.said(kept)
    local apply = function(_, members) return members end
    for what, call in pairs {
      request = function() return kept:accepted(run, 99, "task") end,
      ["request of another run"] = function() return kept:ended(9, 1, "completed", 5) end,
      chunk = function() return kept:show_chunk(99, error) end,
      partition = function() return kept:part(8) end,
      run = function() return kept:end_run(9, 5, {}) end,
      ["chunk that is forgotten"] = function() return kept:forget(1, "x", { [99] = "y" }) end,
    } do
      local value, err = call()
      assert.same({ nil, "journal", "damaged" }, { value, err.kind, err.code }, what)
    end
    assert.equal(said, states.said(kept))
    assert.has_error(function() kept:cut(run, 3, { "no text" }) end)
    assert.is_false(kept.db:in_transaction())
    assert.equal(said, states.said(kept))
    kept.db:run "DELETE FROM part WHERE k = 7"
    local ok, err = kept:fold(1, "", apply)
    assert.same({ nil, "damaged" }, { ok, err.code })
    ok, err = kept:forget(1, "x")
    assert.same({ nil, "folding" }, { ok, err.code })
    kept:close()
    assert.has_error(function() states.open(path, { audiences = 5 }) end)
    assert(states.open(path)):close() -- it was closed
  end)

  it("takes no database for a new one because it has no tables", function()
    for _, sql in ipairs { "PRAGMA application_id = 5", "PRAGMA user_version = 1" } do
      local path = states.path()
      local db = assert(state.open(path, { create = true }))
      assert(db:run(sql))
      db:close()
      local kept, err = states.open(path)
      assert.same({ nil, "foreign" }, { kept, err.code })
    end
  end)

  it("belongs to a service, an account and its audiences, and says what differs", function()
    local path = states.path()
    assert(states.open(path)):close()
    for fields, words in pairs {
      [{ account = "26" }] = "account was 25 and is now 26",
      [{ service = "https://other.example" }] = "service was https://api.example and is now https://other.example",
      [{ audiences = { { id = "x", name = "CRM", consent_basis = "consent" }, { id = "vips" } } }] =
        "audience 1 was crm and is now x",
      [{ audiences = { { id = "crm", name = "CRM", consent_basis = "consent" } } }] =
        "audience 2 was vips and is now nil",
      [{ audiences = { { id = "crm", name = "CRM" }, { id = "vips" } } }] =
        "consent_basis of audience 1 was consent and is now ",
    } do
      local kept, err = states.open(path, fields)
      assert.same({ nil, "journal", "another_job" }, { kept, err.kind, err.code })
      assert.truthy(err.message:find("belongs to another job: " .. words, 1, true), err.message)
    end
    assert(states.open(path)):close()
  end)

  it("goes on with another script, newer rules and further audiences, and says so", function()
    local path = states.path()
    local kept = assert(states.open(path))
    assert.is_nil(kept.changed)
    kept:close()
    local more = { states.ABOUT.audiences[1], states.ABOUT.audiences[2], { id = "third" } }
    kept = assert(states.open(path, { identity = "3.2", audiences = more }))
    assert.equal("identity was 3.1 and is now 3.2", kept.changed)
    kept:close()
    kept = assert(states.open(path, { identity = "3.2", script = "s2", audiences = more }))
    assert.equal("script was s1 and is now s2", kept.changed)
    kept:close()
    local none, err = states.open(path, { identity = "3.2", script = "s2" })
    assert.is_nil(none)
    assert.truthy(err.message:find("audience 3 was third and is now nil", 1, true), err.message)
  end)

  it("folds the oldest chunks into every partition, once", function()
    local path = states.path()
    local kept, run = filled(path)
    local apply = states.fold_into(kept)
    local want = {}
    for k = 0, 7 do
      want[k] = apply(k, assert(kept:part(k)), { first = 1, last = 1, outcomes = "A" })
    end
    assert.has_error(function() kept:fold(3, "A", apply) end)
    assert.is_true(kept:fold(1, "A", apply))
    for k = 0, 7 do
      assert.equal(want[k], kept:part(k))
    end
    assert.is_false(kept.folding)
    local chunks = assert(kept:open_chunks())
    assert.same({ 1, 2, 2 }, { #chunks, chunks[1].n, chunks[1].tries[1].request })
    assert.has_error(function() kept:fold(1, "A", apply) end)
    assert.is_true(kept:fold(2, "B", apply))
    assert.same({}, kept:open_chunks())
    assert.has_error(function() kept:fold(2, "B", apply) end)
    assert.equal(3, kept:cut(run, 3, states.packed(10)))
    kept:close()
  end)

  it("finishes a fold that was left, with the outcomes that it began with, before anything is read", function()
    local path = states.path()
    local kept = filled(path)
    local apply, calls = states.fold_into(kept), 0
    local ok, err = kept:fold(2, "AB", function(k, members, fold)
      calls = calls + 1
      if calls == 4 then
        return nil, "no memory"
      end
      return apply(k, members, fold)
    end)
    assert.same({ nil, "no memory" }, { ok, err })
    local members
    members, err = kept:part(0)
    assert.same({ nil, "folding" }, { members, err.code })
    ok, err = kept:fold(2, "XY", apply)
    assert.same({ nil, "folding" }, { ok, err.code })
    kept:close()
    kept = assert(states.open(path))
    assert.same({ n = 1, first = 1, last = 2, outcomes = "AB" }, kept.folding)
    local again = {}
    assert.is_true(kept:finish_fold(function(k, given, fold)
      again[#again + 1] = k
      return states.fold_into(kept)(k, given, fold)
    end))
    assert.same({ 3, 4, 5, 6, 7 }, again) -- the fourth call and on
    assert.is_truthy(kept:part(0):find("AB", 1, true))
    kept:close()
  end)

  it("writes nothing where a fold changes nothing", function()
    local kept = filled(states.path())
    local before = kept.db:first("SELECT group_concat(seal) FROM part")[1]
    assert.is_true(kept:fold(2, "", function(_, members) return members end))
    assert.equal(before, kept.db:first("SELECT group_concat(seal) FROM part")[1])
    assert.same({}, kept:open_chunks())
    kept:close()
  end)

  it("is written and read in memory that stays flat", function()
    if not world.exists "/proc/self/status" or os.getenv "LD_PRELOAD" then
      return -- nobody else tells
    end
    local code = [[local store, states = require "scope3.mirror.store", require "spec.support.states"
      local kept = assert(store.open(%q, states.ABOUT, { create = true }))
      kept:cut(kept:begin_run(1), 1, "x")
      assert(kept:fold(1, "", function(k) return ("x"):rep(300000 + k) end))
      for k = 0, 255 do assert(#kept:part(k) == 300000 + k) end
      for line in io.lines "/proc/self/status" do io.write(line:match "VmHWM:%%s+(%%d+)" or "") end]]
    local peak = tonumber(shell(("%s -e '%s'"):format(os.getenv "SCOPE3_LUA_BIN", code:format(states.path()))))
    assert.is_true(peak < 45000, peak .. " kB") -- of 77 MB
  end)

  it("holds no byte of who was forgotten, in any of its files", function()
    local path = states.path()
    local kept = filled(path)
    local SECRET = "somebody-who-asked-to-be-forgotten"
    assert(kept:cut(1, 3, ("x"):rep(70000) .. SECRET))
    assert.is_true(kept:forget(5, ("y"):rep(200000) .. SECRET))
    local function is_there()
      return (world.read(path) .. world.read(path .. "-wal")):find(SECRET, 1, true) ~= nil
    end
    assert.is_true(is_there())
    assert.is_true(kept:forget(5, ("y"):rep(200000), { [3] = ("x"):rep(70000) }))
    assert.is_false(is_there())
    assert.equal(("y"):rep(200000), kept:part(5))
    assert.equal(("x"):rep(70000), states.chunk(kept, 3))
    assert(kept:cut(1, 4, ("x"):rep(70000) .. SECRET .. ("x"):rep(70000)))
    assert.is_true(kept:fold(4, "", function(_, members) return members end))
    assert.is_true(is_there()) -- until the pages of the fold are given back, which a run that is killed does not do
    assert.is_true(kept:forget(5, ("z"):rep(200000)))
    assert.is_false(is_there())
    kept:close()
    assert.is_nil(world.read(path):find(SECRET, 1, true))
  end)

  it("reads what is packed only where it is asked for, once this process has seen its pages", function()
    local path = states.path()
    local kept = filled(path)
    assert(kept:cut(1, 3, ("y"):rep(200000)))
    kept:close()
    local file = world.read(path)
    local page = states.page(file)
    for at = page, #file - page, page do -- cuts the first of its pages off from the others
      if file:sub(at + 5, at + 100) == ("y"):rep(96) then
        world.write(path, file:sub(1, at) .. ("\0"):rep(4) .. file:sub(at + 5))
        break
      end
    end
    local none, err = states.open(path)
    assert.same({ nil, "damaged" }, { none, err.code })
    kept = assert(store.open(path, states.about(), { seen = true }))
    local chunks = assert(kept:open_chunks())
    assert.same({ 3, 200000 }, { chunks[3].n, chunks[3].size })
    none, err = kept:show_chunk(3, error)
    assert.same({ nil, "damaged" }, { none, err.code })
    kept:close()
  end)

  it("gives back the pages that nothing is in", function()
    local path = states.path()
    local kept = filled(path)
    for i = 3, 12 do
      assert(kept:cut(1, i, states.packed(20) .. ("z"):rep(200000)))
    end
    local figures = assert(kept:figures())
    assert.is_true(figures.chunks > 2000000 and figures.free == 0 and figures.members == 0)
    assert.is_true(kept:fold(12, "", function(_, members) return members end))
    assert.is_true(kept:figures().free > 2000000)
    assert.is_true(kept:shrink())
    assert.is_true(kept:truncate())
    figures = assert(kept:figures())
    assert.same({ 0, 0 }, { figures.free, figures.chunks })
    assert.equal(figures.file, #world.read(path))
    assert.is_true(figures.file < 1000000)
    assert.equal("", world.read(path .. "-wal"))
    kept:close()
  end)

  it("may be read by the sqlite3 shell while a job has it, and afterwards", function()
    if not shell "sqlite3 --version":find "^3%." then
      return pending "sqlite3 is not installed"
    end
    local path = states.path()
    local kept, run = filled(path)
    local sql = ("sqlite3 -readonly '%s' 'SELECT count(*), sum(length(members)) FROM chunk'"):format(path)
    assert.equal("2|93032\n", shell(sql))
    assert(kept:cut(run, 3, states.packed(84)))
    assert.equal("3|93132\n", shell(sql))
    kept:close()
    assert.equal("3|93132\n", shell(sql))
    assert.equal("ok\n", shell(("sqlite3 '%s' 'PRAGMA integrity_check'"):format(path)))
  end)

  it("is not loaded with the library", function()
    local code = [[require("scope3").preload()
      print(package.loaded["scope3.state"])]]
    assert.equal("nil\n", shell(("%s -e '%s'"):format(os.getenv "SCOPE3_LUA_BIN", code)))
  end)

  it("says that a build has no SQLite", function()
    package.loaded["scope3.state"] = nil
    package.preload["scope3.state"] = function()
      error "module 'scope3.state' not found"
    end
    local kept, err = states.open(states.path())
    package.preload["scope3.state"], package.loaded["scope3.state"] = nil, state
    assert.same({ nil, "journal", "unusable" }, { kept, err.kind, err.code })
    assert.truthy(err.message:find("libsqlite3-dev", 1, true))
  end)
end)
