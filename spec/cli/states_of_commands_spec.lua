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
  local sandbox = world.around(setup, teardown, before_each)
  local state

  before_each(function()
    state = states.path()
  end)

  local function run(text, ...)
    local args = { "sync", world.file(text, ".csv"), "--base-url", sandbox.url, "--account", "25", "--audience", "a",
      "--state", state, "--rate", "100000" }
    for _, list in ipairs { MAP, { ... } } do
      for _, word in ipairs(list) do
        args[#args + 1] = word
      end
    end
    return world.command(args, { env = "SCOPE3_API_KEY=scope3_test_key" })
  end

  it("says what differed, and ends with 0 also where nothing did", function()
    local code, said = run(nights.csv(people(5)), "--mirror", "--wait")
    assert.equal(0, code)
    assert.truthy(said:find("difference   5 added · 0 changed · 0 removed · 0 unchanged", 1, true), said)
    code, said = run(nights.csv(people(5)), "--mirror", "--wait")
    assert.equal(0, code)
    assert.truthy(said:find("0 added · 0 changed · 0 removed · 5 unchanged", 1, true), said)
    assert.is_nil(said:find("identifiers", 1, true))
  end)

  it("removes nobody when too many would leave, and names the option that allows it", function()
    assert.equal(0, (run(nights.csv(people(10)), "--mirror", "--wait")))
    local code, _, complained = run(nights.csv(people(5)), "--mirror", "--wait")
    assert.equal(1, code)
    assert.truthy(complained:find("5 of 10 members would be removed", 1, true), complained)
    assert.truthy(complained:find("--max-removed 50%", 1, true), complained)
    assert.equal(0, (run(nights.csv(people(5)), "--mirror", "--wait", "--max-removed", "50%")))
    assert.equal(5, #sandbox:ids "a")
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
    assert.truthy(said:find("Rows that are first of their kind:\n  added      2\n  unchanged  1", 1, true), said)
  end)

  it("gives the difference to other programs", function()
    local _, said = run(nights.csv(people(2)), "--mirror", "--json")
    local object = json.decode(said)
    assert.same({ "mirror", 1, 2, 0 }, { object.mirror.mode, object.mirror.night, object.mirror.added,
      object.mirror.unchanged })
  end)

  it("sends again what is older than --refresh-after", function()
    assert.equal(0, (run(nights.csv(people(2)), "--wait")))
    local _, said = run(nights.csv(people(2)), "--refresh-after", "30d")
    assert.truthy(said:find("0 changed · 0 removed · 2 unchanged", 1, true), said)
    _, said = run(nights.csv(people(2)), "--refresh-after", "0s")
    assert.truthy(said:find("2 changed · 0 removed · 0 unchanged", 1, true), said)
  end)

  it("refuses options that have no effect, or lack a state", function()
    for _, case in ipairs {
      { { "--mirror", "--mode", "upsert" }, "--mirror and --mode contradict each other" },
      { { "--max-removed", "10%" }, "--max-removed has no effect without --mirror" },
      { { "--mirror", "--max-removed", "10" }, "--max-removed takes a share" },
      { { "--refresh-after", "soon" }, "--refresh-after takes a time such as 30d" },
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
