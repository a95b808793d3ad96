-- scope3 sync and run with --state: what they print, refuse and exit with.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local json = require "scope3.util.json"
local nights = require "spec.support.nights"
local states = require "spec.support.states"
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local MAP = { "--map", "external_id=id", "--map", "email=mail" }

local function people(n)
  local all = {}
  for i = 1, n do
    all["id" .. i] = ("p%d@example.org"):format(i)
  end
  return all
end

describe("a command with a state", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0, audience_seconds = 0 })
  local state

  before_each(function()
    state = states.path()
  end)

  local function run(text, ...)
    local args = { "sync", world.file(text, ".csv"), "--base-url", sandbox.url, "--account", "25", "--audience", "a",
      "--state", state }
    for _, list in ipairs { MAP, { ... }, (...) ~= "--dry-run" and { "--rate", "100000" } or {} } do
      for _, word in ipairs(list) do
        args[#args + 1] = word
      end
    end
    return world.command(args, { env = "SCOPE3_API_KEY=scope3_test_key" })
  end

  -- The rows of a report under its title, with one space between label and words.
  local function rows_of(said)
    local rows = {}
    for label, words in (said .. "\n\n"):match("\n\n(.-\n)\n"):gmatch "  (%l[%l ]-)  +([^\n]+)\n" do
      rows[label] = words:gsub(" in [%d.]+ m?s.*", "")
    end
    return rows
  end

  it("says of each night what differed and what was sent, and ends with 0 also where nothing was", function()
    local code, said = run(nights.csv(people(5)), "--mirror", "--wait")
    assert.equal(0, code)
    local audience = "a · TOO_SMALL · 5 uploaded · 3 matched (60 % of those uploaded)"
    local first = rows_of(said)
    assert.same({ rows = "5", state = "night 1 · nobody before it",
      difference = "5 added · 0 changed · 0 removed · 0 unchanged", members = "5", identifiers = "5 emails · 0 phones",
      accepted = "5 members", audience = audience },
      { rows = first.rows, state = first.state, difference = first.difference, members = first.members,
        identifiers = first.identifiers, accepted = first.accepted, audience = first.audience })
    code, said = run(nights.csv(people(5)), "--mirror", "--wait")
    assert.equal(0, code)
    assert.same({ rows = "5", state = "night 2 · 5 people before it",
      difference = "0 added · 0 changed · 0 removed · 5 unchanged", sent = "nothing: no member differs",
      audience = audience }, rows_of(said))
    local all = people(6)
    all.id1, all.id2, all.id3 = nil, " P2@example.org", "new@example.org"
    said = select(2, run(nights.csv(all), "--mirror"))
    local rows = rows_of(said)
    assert.equal("1 added · 2 changed (1 of them gives the same member) · 1 removed · 2 unchanged", rows.difference)
    assert.equal("2 members · 1 removed", rows.accepted)
    rows = rows_of((select(2, run(nights.csv { id2 = "p2@example.org" }))))
    assert.equal("0 added · 1 changed (all give the same member) · 0 unchanged", rows.difference)
    assert.same({ "4 kept without a row", "nothing: no member differs" }, { rows.besides, rows.sent })
    rows = rows_of((select(2, run(nights.csv { id2 = "p2@example.org", id9 = "p9@example.org" }, "--mode", "remove"))))
    assert.same({ "1 removed", "4 kept without a row · 1 not in the state, so not removed", "1 member" },
      { rows.difference, rows.besides, rows.removed })
  end)

  it("says in one line what a night came to", function()
    local report = world.path ".txt"
    local function subject(text, ...)
      run(text, "--report", report, "--quiet", "--mirror", ...)
      return world.read(report):match "^scope3 sync of a: ([^\n]*)"
    end
    assert.equal("5 added", (subject(nights.csv(people(5))):gsub(", 1 warning$", "")))
    local all = people(7)
    all.id1, all.id2 = nil, "new@example.org"
    assert.equal("2 added, 1 changed, 1 removed", (subject(nights.csv(all)):gsub(", 1 warning$", "")))
    assert.equal("nothing: no member differs", (subject(nights.csv(all)):gsub(", 1 warning$", "")))
    all.id8 = "nobody"
    all.id9 = "p9@example.org"
    assert.equal("accepted 1 member", (subject(nights.csv(all)):gsub(", 1 warning$", "")))
    assert.equal("FAILED, 6 removals held back, 0 accepted",
      (subject("id,mail\nid3,p3@example.org\n"):gsub(", 1 warning$", "")))
  end)

  it("says what waits for requests of earlier nights", function()
    sandbox:configure { task_seconds = 1000 }
    assert.equal(0, (run(nights.csv(people(4)))))
    local all = people(4)
    all.id1 = "new@example.org"
    local code, said = run(nights.csv(all))
    assert.equal(0, code)
    local rows = rows_of(said)
    assert.same({ "0 added · 0 changed · 0 unchanged",
      "3 under way since an earlier night · 1 deferred to a later night",
      "nothing: what differs waits for requests of earlier nights" }, { rows.difference, rows.waiting, rows.sent })
    assert.is_nil(rows.members)
  end)

  it("says what a night sends again after one whose answers were lost", function()
    sandbox:fault { on = "sync", act = "lost_reply", times = -1 }
    local code, said = run(nights.csv(people(4)), "--patience", "0")
    assert.equal(1, code)
    assert.truthy(rows_of(said).accepted:find("0 members · 4 sent, but never answered", 1, true), said)
    sandbox:configure { faults = world.json.array {} }
    local rows = rows_of((select(2, run(nights.csv(people(4)), "--dry-run"))))
    assert.same({ "nobody yet", "4 under way since an earlier night, and sent again", "4 members" },
      { rows.state, rows.waiting, rows["would send"] })
    rows = rows_of((select(2, run(nights.csv(people(4))))))
    assert.same({ "4 under way since an earlier night, and sent again", "4 members" }, { rows.waiting, rows.accepted })
  end)

  it("removes nobody when too many would leave, says what was not done, and names what allows it", function()
    assert.equal(0, (run(nights.csv(people(10)), "--mirror")))
    local now = people(5)
    now.id1, now.id11 = "new@example.org", "p11@example.org"
    local code, said, complained = run(nights.csv(now), "--mirror")
    assert.equal(1, code)
    assert.truthy(complained:find("5 of 10 members would be removed", 1, true), complained)
    assert.truthy(complained:find("Nothing was sent, and nobody was removed. ", 1, true), complained)
    assert.truthy(complained:find("--max-removed 50%", 1, true), complained)
    local rows = rows_of(said)
    assert.same({ "1 added · 1 changed · 5 to remove · 4 unchanged", "5 removals, by a guard: nothing was sent" },
      { rows["would differ"], rows["held back"] })
    assert.same({}, { rows.sent, rows.members, rows.difference, rows.accepted })
    code, said = run(nights.csv(now), "--dry-run", "--mirror")
    rows = rows_of(said)
    assert.same({ 1, "5 removals, by a guard", "nothing" }, { code, rows["held back"], rows["would send"] })
    assert.equal(0, (run(nights.csv(now), "--mirror", "--max-removed", "50%")))
    assert.equal(6, #sandbox:ids "a")
  end)

  it("says that what is new was sent where a guard refuses the removals only then", function()
    assert.equal(0, (run(nights.csv(people(10)), "--mirror")))
    local now = people(11)
    now.id1 = "nobody"
    local code, said, complained = run(nights.csv(now), "--mirror")
    assert.equal(1, code)
    assert.truthy(complained:find("Nobody was removed; what is new or has changed was sent. ", 1, true), complained)
    local rows = rows_of(said)
    assert.same({ "1 added · 1 changed · 1 to remove · 9 unchanged",
      "1 removal, by a guard: what is new or has changed was sent", "1 member" },
      { rows.difference, rows["held back"], rows.accepted })
  end)

  it("says where nothing was begun, and where no row that differs gives a member", function()
    assert.equal(0, (run(nights.csv(people(3)))))
    local said = select(2, run("id,mail\nid1,p1@example.org\nb,nobody\n"))
    assert.equal("nothing: no row that differs gives a member", rows_of(said).sent)
    said = select(2, run("id,mail\nc,nobody\n", "--where", "id=x"))
    assert.equal("nothing: no row could be compared", rows_of(said).sent)
    sandbox:control("POST", "reset", {})
    local code
    code, said = run(nights.csv(people(4)))
    local rows = rows_of(said)
    assert.same({ 1, "1 added · 0 changed · 3 unchanged", "nothing" }, { code, rows["would differ"], rows.sent })
    code, said = run(nights.csv(people(2)), "--mirror", "--max-removed", "90%")
    rows = rows_of(said)
    assert.same({ 1, "0 added · 0 changed · 1 to remove · 2 unchanged", "nothing" },
      { code, rows["would differ"], rows.sent })
  end)

  it("counts rows that were rejected before against --max-rejected and --strict", function()
    local text = "id,mail\na,a@example.org\nb,nobody\n"
    assert.equal(3, (run(text, "--max-rejected", "0")))
    assert.equal(3, (run(text, "--max-rejected", "0")))
    assert.equal(1, (run(text, "--strict")))
    assert.equal(0, (run(text)))
  end)

  it("shows in a dry run which rows are first of their kind, without a key or an account", function()
    assert.equal(0, (run(nights.csv(people(2)), "--mirror", "--wait")))
    local code, said = world.command { "sync", world.file("id,mail\nid1,p1@example.org\nid7,p7@example.org\n", ".csv"),
      "--base-url", sandbox.url, "--audience", "a", "--mirror", "--max-removed", "100%", "--state", state, "--dry-run",
      "--map", "external_id=id", "--map", "email=mail" }
    assert.equal(0, code)
    assert.truthy(said:find("would differ  1 added · 0 changed · 1 removed · 1 unchanged", 1, true), said)
    assert.truthy(said:find("The first rows of each kind, by their numbers:\n  added      2\n  unchanged  1", 1, true),
      said)
  end)

  it("gives the difference to other programs", function()
    local _, said = run(nights.csv(people(2)), "--mirror", "--json")
    local object = json.decode(said)
    assert.same({ "mirror", 1, 2, 0 }, { object.mirror.mode, object.mirror.night, object.mirror.added,
      object.mirror.unchanged })
  end)

  it("sends again what is older than --refresh-after", function()
    assert.equal(0, (run(nights.csv(people(2)))))
    local _, said = run(nights.csv(people(2)), "--refresh-after", "30d")
    assert.truthy(said:find("0 changed · 2 unchanged", 1, true), said)
    _, said = run(nights.csv(people(2)), "--refresh-after", "0s")
    assert.truthy(said:find("2 changed · 0 unchanged", 1, true), said)
  end)

  it("refuses options that have no effect, or lack a state", function()
    for _, case in ipairs {
      { { "--mirror", "--mode", "upsert" }, "--mirror and --mode contradict each other" },
      { { "--max-removed", "10%" }, "--max-removed has no effect without --mirror" },
      { { "--mirror", "--max-removed", "10" }, "--max-removed takes a share" },
      { { "--refresh-after", "soon" }, "--refresh-after takes a time such as 30d" },
      { { "--mode", "remove", "--full" }, "--full has no effect on a job that removes: nobody is sent" },
      { { "--mode", "remove", "--refresh-after", "1d" }, "--refresh-after has no effect on a job that removes" },
      { { "--journal", "x" }, "--journal has no effect with --state" },
      { { "--unique" }, "--unique has no effect with --state" },
    } do
      local code, _, complained = run("id,mail\n", unpack(case[1]))
      assert.equal(2, code)
      assert.truthy(complained:find(case[2], 1, true), complained)
    end
    local code, _, complained = world.command { "sync", world.file("id,mail\n", ".csv"), "--audience", "a", "--mirror",
      "--sandbox", "--map", "external_id=id", "--map", "email=mail" }
    assert.equal(2, code)
    assert.truthy(complained:find("--mirror needs --state FILE", 1, true), complained)
    code, _, complained = world.command { "sync", world.file("id,mail\n", ".csv"), "--audience", "a", "--state", state,
      "--sandbox", "--map", "external_id=id", "--map", "email=mail" }
    assert.equal(2, code)
    assert.truthy(complained:find("--state has no effect with --sandbox", 1, true), complained)
  end)

  it("fills several audiences of a script, and says what differed in each", function()
    local script = world.file([[
      return { map = { external_id = "id", email = "mail" }, audiences = {
        { id = "gold", where = { tier = { "gold" } } },
        { id = "all", name = "Everybody" },
      } }]], ".lua")
    local rows = world.file("id,mail,tier\na,a@example.org,gold\nb,b@example.org,tin\n", ".csv")
    local function run_script(...)
      return world.command({ "run", script, rows, "--base-url", sandbox.url, "--account", "25", ... },
        { env = "SCOPE3_API_KEY=scope3_test_key" })
    end
    local code, said = run_script("--state", state, "--mirror", "--dry-run")
    assert.equal(0, code)
    assert.truthy(said:find("would differ  3 added · 0 changed · 0 removed · 0 unchanged\n  of gold       1 added", 1,
      true), said)
    assert.truthy(said:find("gold · added  1", 1, true), said)
    assert.truthy(said:find("1  tier eq of gold\n", 1, true), said)
    code, said = run_script("--state", state, "--mirror", "--wait", "--rate", "100000")
    assert.equal(0, code)
    assert.truthy(said:find("  of all       2 added · 0 changed · 0 removed · 0 unchanged\n", 1, true), said)
    assert.same({ 1, 2 }, { #sandbox:ids "gold", #sandbox:ids "all" })
    local page = world.path ".html"
    code, said = run_script("--state", state, "--mirror", "--report", page, "--rate", "100000")
    assert.equal(0, code)
    assert.truthy(said:find("night 2 · 3 members before it\n", 1, true), said) -- one of them twice
    local shown = world.read(page)
    assert.truthy(shown:find("<h1>scope3 run of 2 audiences: nothing: no member differs", 1, true), shown)
    assert.truthy(shown:find("<h2>Members of all audiences, when each night began</h2>", 1, true), shown)
    for message, words in pairs {
      ["a script with audiences needs --state FILE"] = {},
      ["--audience has no effect: the script names audiences of its own"] = { "--state", state, "--audience", "x" },
      ["--name has no effect: the script names audiences of its own"] = { "--state", state, "--name", "x" },
    } do
      local _, complained
      code, _, complained = run_script(unpack(words))
      assert.equal(2, code)
      assert.truthy(complained:find(message, 1, true), complained)
    end
  end)
end)
