-- client:forget with a state: whom the service has removed leaves the state, too, and no byte of them stays in its
-- files. Whoever may still be at the service stays in it, so that the next night finds out.
local found = pcall(require, "scope3.state")
if not found then
  return -- a build without SQLite
end

local core = require "scope3.core"
local erase = require "scope3.mirror.erase"
local peopled = require "spec.support.peopled"
local scope3 = require "scope3"
local states = require "spec.support.states"
local store = require "scope3.mirror.store"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local NAMES = { "crm", "vips" }

describe("client:forget with a state", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })
  local client, path

  -- Audiences with zq1 to zq4, and a state that knows them from two nights, the first of which was folded.
  before_each(function()
    sandbox:configure { clock = "manual" }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
    local list = {}
    for i, name in ipairs(NAMES) do
      list[i] = assert(scope3.audience { id = name })
      for n = 1, 4 do
        assert(list[i]:add { external_id = "zq" .. n, email = ("c%d@example.com"):format(n) })
      end
    end
    assert(assert(client:sync(list)):wait())
    path = states.path()
  end)

  local function open()
    return assert(states.open(path, { service = client.base, account = client.account_id }))
  end

  local function fill(came_to, at)
    local kept = open()
    peopled.night(kept, 1000, { { "add", 0, "zq1" }, { "add", 0, "zq2" }, { "add", 1, "zq1" }, { "add", 1, "zq2" },
      { "add", 0, "zq3" } }, "completed", { added = 5 })
    assert(peopled.fold(kept, 1))
    peopled.night(kept, at or 2000, { { "add", 1, "zq3" }, { "add", 0, "zq4" } }, came_to or "completed", { added = 2 })
    return kept
  end

  local function all()
    local kept = assert(store.open(path, nil, { read_only = true }))
    local people, runs = peopled.all(kept), assert(kept:runs())
    local chunks = assert(kept:open_chunks())
    kept:close()
    return people, runs[#runs], chunks
  end

  -- Whether an id, or its hash, stands in a file of the state.
  local function stands(id, key)
    for _, suffix in ipairs { "", "-wal", "-shm", "-lock", "-journal" } do
      local text = world.exists(path .. suffix) and world.read(path .. suffix) or ""
      if text:find(id, 1, true) or text:find(core.mirror.key_hash(key, id), 1, true) then
        return true
      end
    end
    return false
  end

  local function key_of()
    local kept = fill()
    local key = kept.key
    kept:close()
    return key
  end

  local function no_ids(value)
    local said = world.json.encode(value):gsub("lua_%w+", "") -- the name of a file is letters by chance
    assert.is_nil(said:find("zq", 1, true), said)
  end

  it("takes them out of it when they have been removed, with every byte", function()
    local key = key_of()
    assert.is_true(stands("zq1", key) and stands("zq3", key) and stands("zq2", key))
    local res = assert(client:forget({ "zq1", "zq3", "nobody" }, { wait = 60, state = path }))
    assert.same({ people = 2, erased = 2 }, res.state)
    no_ids(res)
    assert.same({ false, false, true, true }, { stands("zq1", key), stands("zq3", key), stands("zq2", key),
      stands("zq4", key) })
    local people, last = all()
    assert.same({ zq2 = "kk 1000 nil", zq4 = "k- 2000 nil" }, people)
    assert.same({ 3, { forgotten = 2 } }, { last.n, last.counts })
    assert.is_false(world.exists(path .. "-lock") or world.exists(path .. "-wal"))
    -- Once more, and nobody is there: it is no night.
    res = assert(client:forget({ "zq1" }, { wait = 60, state = path }))
    assert.same({ people = 0, erased = 0 }, res.state)
    assert.equal(3, select(2, all()).n)
  end)

  it("leaves them in it, as people of whom nothing is sure, where nobody waits", function()
    key_of()
    local res = assert(client:forget({ "zq1", "zq4" }, { state = path }))
    assert.same({ people = 2, erased = 0 }, res.state)
    local people, last = all()
    assert.same({ zq1 = "uu 1000 nil", zq2 = "kk 1000 nil", zq3 = "kk 2000 nil", zq4 = "u- 2000 nil" }, people)
    assert.same({ forgotten = 0 }, last.counts)
    res = assert(client:forget({ "zq1", "zq4" }, { wait = 60, state = path }))
    assert.same({ people = 2, erased = 2 }, res.state)
    assert.same({ zq2 = "kk 1000 nil", zq3 = "kk 2000 nil" }, (all()))
  end)

  it("leaves them in it where an audience failed, or was not listed", function()
    local key = key_of()
    sandbox:fault { on = "sync", act = "status", status = 400, after = 1 }
    local _, err = client:forget({ "zq1" }, { wait = 60, state = path })
    assert.same({ "invalid", { people = 1, erased = 0 } }, { err.kind, err.result.state })
    assert.equal("uu 1000 nil", all().zq1)
    assert.is_true(stands("zq1", key))
    sandbox:fault { on = "audiences", act = "status", status = 400 }
    _, err = client:forget({ "zq2" }, { wait = 60, state = path })
    assert.same({ people = 0, erased = 0 }, err.result.state)
    assert.equal("kk 1000 nil", all().zq2)
    no_ids(err.message)
  end)

  it("takes them out of it where an audience is gone, and keeps them where the list says otherwise", function()
    local key = key_of()
    local rule = { on = "sync", act = "status", status = 404, times = -1 }
    sandbox:fault(rule)
    local _, err = client:forget({ "zq1" }, { wait = 60, state = path })
    assert.same({ 404, { people = 1, erased = 0 } }, { err.status, err.result.state })
    sandbox:fault(rule)
    local res = assert(client:forget({ "zq1" }, { wait = 60, state = path, on_event = function(event)
      if event.event == "request" then
        sandbox:control("PUT", "audience", { account = "25", audienceId = event.audience_id, deleted = true })
      end
    end }))
    assert.same({ "gone", { people = 1, erased = 1 } }, { res.audiences[1].state, res.state })
    assert.is_false(stands("zq1", key))
  end)

  it("keeps somebody of whom a night's request is under way, and says so", function()
    local at = math.floor(core.time()) - 100
    fill("accepted", at):close()
    local res, err = client:forget({ "zq1", "zq3", "zq4" }, { wait = 60, state = path })
    assert.is_nil(res)
    assert.same({ "journal", "under_way", { people = 3, erased = 1 } }, { err.kind, err.code, err.result.state })
    assert.truthy(err.message:find("keeps 2 people: a request of an earlier night may still put them back", 1, true),
      err.message)
    no_ids(err.message)
    local people, last, chunks = all()
    assert.same({ zq2 = "kk 1000 nil", zq3 = "uo 1000 nil", zq4 = "o- nil nil" }, people)
    assert.same({ forgotten = 1 }, last.counts)
    -- What the night's request came to is still found by its numbers.
    local kept = open()
    assert(kept:ended(2, chunks[1].tries[1].request, "completed", at + 50))
    local unsure = ("%d nil"):format(at)
    assert.same({ zq2 = "kk 1000 nil", zq3 = "uu " .. unsure, zq4 = "u- " .. unsure }, peopled.all(kept))
    kept:close()
  end)

  describe("after a night whose tasks nobody has seen to end", function()
    local function night(text)
      local file = world.file("id,mail\n" .. text, ".csv")
      assert(client:run({ map = { external_id = "id", email = "mail" } }, file, { audience = "crm", state = path }))
    end

    local function forget()
      return client:forget({ "zq1" }, { wait = 60, state = path })
    end

    it("asks for them before it removes anybody", function()
      night "zq1,p1@example.org\nzq2,p2@example.org\n"
      local res = assert(forget())
      assert.same({ people = 1, erased = 1 }, res.state)
      assert.equal("zq2", (next((all()))))
    end)

    it("keeps them while such a task goes on, and takes them out when it is run again after its end", function()
      sandbox:configure { task_lengths = { 1000 } }
      night "zq1,p1@example.org\n"
      local _, err = forget()
      assert.same({ "under_way", { people = 1, erased = 0 } }, { err.code, err.result.state })
      sandbox:control("PUT", "clock", { advance = 1000 })
      _, err = forget()
      assert.is_nil(err)
      assert.same({}, (all()))
    end)

    it("removes them all the same where the service does not say", function()
      night "zq1,p1@example.org\n"
      sandbox:fault { on = "task", act = "status", status = 403 }
      local _, err = forget()
      assert.same({ "under_way", 2, { people = 1, erased = 0 } }, { err.code, err.result.accepted, err.result.state })
      assert.is_nil(sandbox:members("crm").zq1)
    end)
  end)

  it("ends a night that was interrupted, and a fold", function()
    for stop_at = 0, 7 do
      path = states.path()
      local kept = fill()
      peopled.night(kept, 3000, { { "remove", 0, "zq2" } }, "completed")
      assert.equal("stopped", select(2, peopled.fold(kept, 2, stop_at)))
      kept:close()
      local res = assert(client:forget({ "zq1", "zq3" }, { wait = 60, state = path }))
      assert.same({ people = 2, erased = 2 }, res.state)
      kept = assert(store.open(path, nil))
      assert.same({ zq2 = "-k 1000 nil", zq4 = "k- 2000 nil" }, peopled.all(kept))
      local runs = assert(kept:runs())
      assert.same({ { interrupted = true }, { forgotten = 2 } }, { runs[3].counts, runs[4].counts })
      assert.is_false(kept.folding)
      kept:close()
    end
  end)

  it("says in a dry run how many it has, and changes nothing", function()
    key_of()
    local before = world.read(path)
    local res = assert(client:forget({ "zq1", "zq9" }, { dry_run = true, state = path }))
    assert.same({ people = 1, erased = 0 }, res.state)
    assert.is_true(before == world.read(path))
  end)

  it("sends nothing where the state belongs to another account, is in use, or is none", function()
    local other, locked = states.path(), states.path()
    peopled.usual(other):close()
    local kept = assert(states.open(locked, { service = client.base, account = client.account_id }))
    local before = #sandbox:requests()
    for file, code in pairs { [other] = "another_job", [locked] = "locked", [states.path()] = "missing" } do
      local _, err = client:forget({ "zq1" }, { wait = 60, state = file })
      assert.same({ "journal", code }, { err.kind, err.code })
      assert.equal(0, err.result.accepted)
      assert.equal(code == "locked", world.exists(file .. "-lock"))
    end
    kept:close()
    local _, err = client:forget({ "zq1" }, { state = other })
    assert.truthy(err.message:find("belongs to account 25 of https://api.example, and not to account", 1, true),
      err.message)
    assert.equal(before, #sandbox:requests())
    for _, wrong in ipairs { 5, "", "a\0b" } do
      assert.has_error(function() client:forget({ "zq1" }, { state = wrong }) end)
    end
  end)

  it("says that a reader still has the log, and is done when it is run again", function()
    local key = key_of()
    local reader
    local res, err = client:forget({ "zq1" }, { wait = 60, state = path, on_event = function()
      reader = reader or assert(store.open(path, nil, { read_only = true }))
    end })
    assert.is_nil(res)
    assert.same({ "journal", "busy", { people = 1, erased = 1 } }, { err.kind, err.code, err.result.state })
    assert.truthy(err.message:find("is being read by another process, so its log still has those", 1, true))
    assert.equal("uu 1000 nil", peopled.all(reader).zq1)
    reader:close()
    local people, last = all()
    assert.same({ nil, { forgotten = 1 } }, { people.zq1, last.counts })
    res = assert(client:forget({ "zq1" }, { wait = 60, state = path }))
    assert.same({ people = 0, erased = 0 }, res.state)
    assert.is_false(stands("zq1", key))
  end)

  it("never takes somebody for known whom the service has removed, wherever it ends", function()
    local function attempt(writes)
      path = states.path()
      key_of()
      local erasure = assert(erase.open(path, { service = client.base, account = client.account_id },
        { "zq1", "zq3", "zq4" }, {}))
      local write, left = erasure.kept.write, writes
      function erasure.kept:write(work)
        left = left - 1
        if left < 0 then
          return self:fail { message = "the disk is full", code = "full" }
        end
        return write(self, work)
      end
      local n, err = erasure:note(3000)
      if n then
        n, err = erasure:erase(3001, n)
      end
      erasure:close()
      return n, err
    end
    local writes = 0
    repeat
      local n, err = attempt(writes)
      assert.equal(n and 3 or "full", n or err.code)
      local people = all()
      for _, id in ipairs { "zq1", "zq3", "zq4" } do
        if writes >= 2 then -- the run and the note: before them nothing is sent
          assert.is_nil((people[id] or ""):find("^[ku-]*k"), ("%s after %d writes"):format(id, writes))
        end
      end
      assert.equal("kk 1000 nil", people.zq2)
      writes = writes + 1
    until n
    assert.is_true(writes > 5) -- one for each partition that has any of the three: the random key says which
  end)

  it("gives the state back where a callback raises", function()
    key_of()
    local _, err = client:forget({ "zq1" }, { wait = 60, state = path, on_event = function() error "no" end })
    assert.equal("callback_error", err.code)
    assert.equal("uu 1000 nil", all().zq1)
    open():close()
  end)

  it("forgets a thousand people of one state", function()
    local kept, ids, entries = open(), {}, {}
    for i = 1, 1500 do
      entries[i] = { "add", i % 2, "zq" .. i }
      ids[i] = i <= 1000 and "zq" .. i or nil
    end
    peopled.night(kept, 1000, entries, "completed", {})
    assert(peopled.fold(kept, 1))
    local key = kept.key
    kept:close()
    local res = assert(client:forget(ids, { wait = 60, state = path }))
    assert.same({ people = 1000, erased = 1000 }, res.state)
    local n = 0
    for _ in pairs((all())) do
      n = n + 1
    end
    assert.equal(500, n)
    assert.is_false(stands("zq999", key))
  end)
end)
