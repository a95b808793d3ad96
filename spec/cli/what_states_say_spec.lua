-- scope3 state and scope3 history: what people read out of a state, beside whatever runs. And scope3 forget with one.
local found = pcall(require, "scope3.state")
if not found then
  return -- a build without SQLite
end

local cjson = require("cjson.safe").new()
local core = require "scope3.core"
local peopled = require "spec.support.peopled"
local states = require "spec.support.states"
local world = require "spec.support.world"

local function command(line, path, options)
  local words = {}
  for word in line:gmatch "%S+" do
    words[#words + 1] = word
  end
  if path then
    words[#words + 1] = "--state=" .. path
  end
  return world.command(words, options)
end

-- What a command prints that goes well.
local function said(line, path)
  local code, out, err = command(line, path)
  assert.same({ 0, "" }, { code, err })
  return out
end

local function name_of(path)
  return path:match "[^/]+$"
end

local function sorted_lines(text)
  local lines = {}
  for line in text:gmatch "[^\n]*\n" do
    lines[#lines + 1] = line
  end
  local head = table.remove(lines, 1)
  table.sort(lines)
  return head .. table.concat(lines)
end

local ONE = { audiences = { { id = "crm" } } }

describe("scope3 state", function()
  teardown(world.clean)
  local path

  before_each(function()
    path = states.path()
  end)

  it("says what a state belongs to, who is in it, and what is still open", function()
    peopled.usual(path):close()
    assert.equal(([[
scope3 state · %s

  belongs to  account 25 · api.example
  people      6 · 1 with a row that is rejected
  nights      2 · the last 2026-11-19T11:06:40Z, which has not ended
  size        147.5 kB · 159 bytes in 3 chunks that are not folded yet

Audiences, and how people stand in them:
  AUDIENCE  KNOWN  UNSURE  OPEN  NAME
  crm           2       0     2  CRM
  vips          2       1     0

Chunks whose requests may still be carried out:
  CHUNK  NIGHT  REQUESTS  UNTIL, AT MOST
      2      2         1  2026-11-22T11:06:41Z
]]):format(name_of(path)), said("state", path))
    assert.equal(said("state", path), said("state show", path))
    local object = cjson.decode(said("state --json", path))
    assert.same({ "https://api.example", "25", 6, 1, 0, 2, 3, cjson.null }, { object.service, object.account_id,
      object.people, object.rejected, object.refused, object.nights, object.chunks, object.error })
    assert.same({ { audience_id = "crm", name = "CRM", consent_basis = "consent", known = 2, unsure = 0, open = 2 },
      { audience_id = "vips", known = 2, unsure = 1, open = 0 } }, object.audiences)
    assert.same({ { chunk = 2, night = 2, requests = 1, bytes = 73, ["until"] = "2026-11-22T11:06:41Z" } },
      object.open_chunks)
    local bytes = object.bytes
    assert.same({ 147456, 0, 159 }, { bytes.file, bytes.free, bytes.chunks })
    assert.is_true(bytes.members > 100 and bytes.members < 250) -- each partition that has somebody has a head
    assert.same({ "2026-11-19T11:06:40Z", cjson.null }, { object.last_night, object.last_night_ended })
  end)

  it("says little of one that is new", function()
    assert(states.open(path, ONE)):close()
    local out = said("state", path)
    assert.truthy(out:find("\n  people      0\n  nights      0\n  size        ", 1, true), out)
    assert.is_nil(out:find("Chunks", 1, true))
    assert.equal("external_id,status,last_accepted,rejected_by\n", said("state members", path))
    assert.equal("", said("state members --json", path))
    assert.truthy(said("history", path):find("The state has no nights yet.", 1, true))
    assert.same({}, cjson.decode(said("history --json", path)).nights)
  end)

  it("lists its people as CSV, with a column for each audience where there are several", function()
    peopled.usual(path):close()
    assert.equal([[
external_id,status:crm,status:vips,last_accepted,rejected_by
"cy,d",,known,2026-11-18T11:06:40Z,
ann,known,known,2026-11-18T11:06:40Z,
bob,open,,2026-11-18T11:06:40Z,
dee,known,unsure,2026-11-18T11:06:40Z,
eve,open,,,
fay,,,,row
]], sorted_lines(said("state members", path)))
    local kept = assert(states.open(states.path(), ONE))
    path = kept.path
    peopled.night(kept, 1795000000, { { "add", 0, 'a "b"\n' }, { "add", 0, "\27[1m" } }, "completed", {})
    local run = assert(kept:begin_run(1795000100))
    assert(kept:cut(run, 1, peopled.packed(kept, run, { { "add", 0, "gus" } }), { request = 1, first = 1, last = 1,
      begun = 1795000101 }))
    assert(kept:ended(run, 1, "refused", 1795000102, { 1 }))
    kept:close()
    local out = said("state members", path)
    assert.truthy(out:find('\n"a ""b""\n",known,2026-11-18T11:06:40Z,\n', 1, true), out)
    assert.truthy(out:find("\ngus,,,service\n", 1, true), out)
    assert.truthy(out:find("\27[1m", 1, true)) -- a file of data has what it has
    assert.truthy(said("state", path):find("people      3 · 1 that the service refused", 1, true))
  end)

  it("lists them as JSON, an object on each line", function()
    peopled.usual(path):close()
    local people = {}
    for line in said("state members --json", path):gmatch "[^\n]+" do
      local one = assert(cjson.decode(line))
      people[one.external_id], one.external_id = one, nil
    end
    assert.same({ status = { crm = "known", vips = "known" }, last_accepted = "2026-11-18T11:06:40Z",
      rejected_by = cjson.null }, people.ann)
    assert.same({ status = {}, last_accepted = cjson.null, rejected_by = "row" }, people.fay)
    assert.same({ status = { vips = "known" }, last_accepted = "2026-11-18T11:06:40Z", rejected_by = cjson.null },
      people["cy,d"])
  end)

  it("lists as many as there are, beside the process that has the state", function()
    local kept = assert(states.open(path, ONE))
    local entries = {}
    for i = 1, 6000 do
      entries[i] = { "add", 0, ("person-%d"):format(i) }
    end
    peopled.night(kept, 1795000000, entries, "completed", {})
    assert(peopled.fold(kept, 1))
    peopled.night(kept, 1795086400, { { "add", 0, "person-0" } }, "accepted")
    local seen, n = {}, 0
    for id in said("state members", path):gmatch "person%-(%d+),%a" do
      assert.is_nil(seen[id])
      seen[id], n = true, n + 1
    end
    assert.equal(6001, n)
    assert.is_true(world.exists(path .. "-lock"))
    assert(kept:ended(2, 1, "completed", 1795086500))
    kept:close()
  end)

  it("ends where standard output takes no more, with 4", function()
    local kept = assert(states.open(path, ONE))
    local entries = {}
    for i = 1, 3000 do
      entries[i] = { "add", 0, ("person-%d"):format(i) }
    end
    peopled.night(kept, 1795000000, entries, "completed", {})
    kept:close()
    for _, words in ipairs { "state members", "state members --json", "state", "history" } do
      local line = ("%s bin/scope3.in %s --state '%s' >/dev/full 2>/dev/null"):format(os.getenv "SCOPE3_LUA_BIN",
        words, path)
      local pipe = assert(io.popen(line .. "; echo $?"))
      assert.equal("4", pipe:read "*l", words)
      pipe:close()
    end
  end)

  it("says what is wrong with a state, and how to go on, with 1", function()
    world.write(path, ("a,b\n"):rep(3000))
    for _, words in ipairs { "state", "state members", "history" } do
      local code, out, err = command(words, path)
      assert.same({ 1, "" }, { code, out })
      assert.truthy(err:find("is not used: other users may open it: chmod 600", 1, true), err)
      code, out, err = command(words, path .. ".none")
      assert.same({ 1, "" }, { code, out })
      assert.truthy(err:find("is not there", 1, true), err)
      code, out = command(words .. " --json", path .. ".none")
      assert.same({ 1, "missing" }, { code, cjson.decode(out).error.code })
      assert.is_false(world.exists(path .. ".none") or world.exists(path .. ".none-lock"))
    end
    os.execute(("chmod 600 '%s'"):format(path))
    local code, _, err = command("state", path)
    assert.equal(1, code)
    assert.truthy(err:find("is no state of scope3", 1, true), err)
  end)

  it("names the folder of temporary files where that is to blame, and not the state", function()
    peopled.usual(path):close()
    for _, line in ipairs { "state", "state members" } do
      local code, _, err = command(line, path, { env = "TMPDIR=/nowhere/at/all" })
      assert.equal(1, code)
      assert.truthy(err:find("temporary files, in the folder of TMPDIR: ", 1, true), err)
    end
  end)

  it("ends a list of a state that is damaged with the error, also as JSON", function()
    local kept, run = peopled.usual(path)
    assert(kept:cut(run, 0, "no chunk"))
    kept:close()
    for _, words in ipairs { "state", "state members", "state members --json" } do
      local code, out, err = command(words, path)
      assert.equal(1, code)
      assert.truthy(err:find("is damaged", 1, true), err)
      if words:find "json" then
        assert.equal("damaged", cjson.decode(out:match "[^\n]+\n$").error.code)
      end
    end
  end)

  it("is asked for a file", function()
    for words, problem in pairs { state = "--state is missing: the file that the state is in",
      history = "--state is missing", ["state --state="] = "--state is empty",
      ["state --state -"] = "--state takes the path of a file, and cannot be -",
      ["state people --state x"] = "", ["forget zq1 --state -"] = "--state takes the path of a file",
      ["forget zq1 --state a.txt --report a.txt"] = "--state" } do
      local code, _, err = command(words)
      assert.equal(2, code, words)
      assert.truthy(err:find(problem, 1, true), err)
    end
  end)
end)

describe("scope3 history", function()
  teardown(world.clean)

  it("lists the nights, and says which was interrupted and which has not ended", function()
    local path = states.path()
    local kept = assert(states.open(path, ONE))
    peopled.night(kept, 1795000000, { { "add", 0, "ann" } }, "completed",
      { before = 0, added = 1234, changed = 0, removed = 0, unchanged = 0, deferred = 0, sent_bytes = 250000,
        mode = "mirror", samples = {} })
    peopled.night(kept, 1795086400, { { "add", 0, "bob" } }, "completed", { interrupted = true })
    peopled.night(kept, 1795090000, { { "add", 0, "cy" } }, "completed", { forgotten = 1 })
    peopled.night(kept, 1795172800, { { "add", 0, "dee" } }, "completed",
      { before = 1233, added = 3, changed = 12, removed = 2, unchanged = 1220, deferred = 1, sent_bytes = 4000 })
    peopled.night(kept, 1795259200, { { "add", 0, "dee" } }, "completed", { before = 1234, added = 0, changed = 0,
      removed = 0, unchanged = 20, deferred = 0, sent_bytes = 0, held_back = 1214, failed = 1 })
    peopled.night(kept, 1795345600, { { "add", 0, "dee" } }, "completed", { before = 1234, added = 1, changed = 0,
      removed = 0, unchanged = 1234, deferred = 0, sent_bytes = 0, failed = 1 })
    kept:close()
    assert.equal(([[
scope3 history · %s · account 25 · api.example

  NIGHT  BEGAN                   TOOK  BEFORE  ADDED  CHANGED  REMOVED  UNCHANGED  DEFERRED      SENT  NOTE
      1  2026-11-18T11:06:40Z  90.0 s       0  1,234        0        0          0         0  250.0 kB
      2  2026-11-19T11:06:40Z       -       -      -        -        -          -         -         -  interrupted
      3  2026-11-19T12:06:40Z  90.0 s       -      -        -        -          -         -         -  1 person forgotten
      4  2026-11-20T11:06:40Z  90.0 s   1,233      3       12        2      1,220         1    4.0 kB
      5  2026-11-21T11:06:40Z  90.0 s   1,234      0        0        0         20         0   0 bytes  1,214 removals held back
      6  2026-11-22T11:06:40Z  90.0 s   1,234      1        0        0      1,234         0   0 bytes  failed
]]):format(name_of(path)), (said("history", path):gsub(" +\n", "\n")))
    local nights = cjson.decode(said("history --json", path)).nights
    assert.same({ night = 1, began = "2026-11-18T11:06:40Z", ended = "2026-11-18T11:08:10Z", seconds = 90,
      interrupted = false, counts = { added = 1234, changed = 0, removed = 0, unchanged = 0, deferred = 0,
        before = 0, sent_bytes = 250000, mode = "mirror" } }, nights[1])
    assert.is_true(nights[2].interrupted)
    path = states.path()
    peopled.usual(path):close()
    local out = said("history", path)
    assert.truthy(out:find("  not ended\n\nThe last night has not ended: it is under way, or was interrupted.", 1,
      true), out)
    assert.same({ cjson.null, cjson.null }, { cjson.decode(said("history --json", path)).nights[2].ended,
      cjson.decode(said("history --json", path)).nights[2].seconds })
  end)
end)

describe("scope3 forget with a state", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })
  local env, path

  before_each(function()
    env = ("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s"):format(sandbox.url)
    local rows = world.file("id,mail\nzq1,a@example.com\nzq2,b@example.com\n", ".csv")
    local code, _, err = command(("sync %s --audience crm --map external_id=id --map email=mail --rate 100000 --quiet "
      .. "--wait"):format(rows), nil, { env = env })
    assert.equal(0, code, err)
    path = states.path()
    local kept = assert(states.open(path, { service = sandbox.url .. "/api/v2/buyer", audiences = ONE.audiences }))
    peopled.night(kept, 1795000000, { { "add", 0, "zq1" }, { "add", 0, "zq2" } }, "completed", {})
    kept:close()
  end)

  local function forget(words)
    local code, out, err = command("forget " .. words, path, { env = env })
    local unnamed = (out .. err):gsub("/lua_%w+", "/") -- the name of a file is letters by chance
    assert.is_nil(unnamed:find("zq", 1, true), out .. err)
    return code, out, err
  end

  local function ids()
    local list = {}
    for id in said("state members", path):gmatch "\n([^,]+)," do
      list[#list + 1] = id
    end
    table.sort(list)
    return table.concat(list, " ")
  end

  it("takes them out of it, and says how many", function()
    local code, out, err = forget "zq1 zq9 --wait"
    assert.equal(0, code, err)
    assert.truthy(out:find("\n  state      1 of 1 person left it\n", 1, true), out)
    assert.equal("zq2", ids())
    assert.truthy(said("history", path):find("1 person forgotten", 1, true))
    local _, listed = forget "zq2 --dry-run"
    assert.truthy(listed:find("\n  state         1 of the ids are in it\n", 1, true), listed)
  end)

  it("says that they stay while nobody waits", function()
    local code, out = forget "zq1 --json"
    assert.same({ 0, { people = 1, erased = 0 } }, { code, cjson.decode(out).state })
    code, out = forget "zq1"
    assert.equal(0, code)
    assert.truthy(out:find("The state keeps them until their removal has completed: run the same command with --wait.",
      1, true), out)
    assert.equal("zq1 zq2", ids())
  end)

  it("fails where one stays for a night's request that is under way, or the state is another's", function()
    local kept = assert(states.open(path, { service = sandbox.url .. "/api/v2/buyer", audiences = ONE.audiences }))
    peopled.night(kept, core.time(), { { "add", 0, "zq1" } }, "accepted", {})
    kept:close()
    local code, _, err = forget "zq1 --wait"
    assert.equal(1, code)
    assert.truthy(err:find("keeps 1 person: a request of an earlier night may still put them back", 1, true), err)
    assert.equal("zq1 zq2", ids())
    code, _, err = forget "zq1 --wait --account 26"
    assert.equal(1, code)
    assert.truthy(err:find("belongs to account 25 of", 1, true), err)
  end)
end)
