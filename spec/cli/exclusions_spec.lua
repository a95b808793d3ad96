-- scope3 sync and run with --exclude: what they print, refuse and exit with.
local json = require "scope3.util.json"
local world = require "spec.support.world"

local INPUT = "id,mail,ok\nid1,p1@example.org,yes\nid2,p2@example.org,yes\n"
  .. "id3,p3@example.org,yes\nid4,p4@example.org,no\n"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local function file(text, suffix)
  return world.file(text, suffix or ".txt")
end

local function sync(...)
  return world.command { "sync", file(INPUT, ".csv"), "--dry-run", "--audience", "a", "--map", "external_id=id",
    "--map", "email=mail", ... }
end

describe("a command that leaves people out", function()
  teardown(world.clean)

  it("tells who was left out apart from the rows that a condition skips, and what its lists hold", function()
    local lists = { "--exclude", file "id1\n", "--exclude", file(("p2@example.org\n%s\n"):format(("ab"):rep(32))) }
    local code, said = sync(unpack(lists))
    assert.equal(0, code)
    assert.truthy(said:find("\n  skipped      2 excluded\n  to exclude   1 id · 1 email · 1 hash\n", 1, true), said)
    lists[5], lists[6] = "--where", "ok=yes"
    code, said = sync(unpack(lists))
    assert.equal(0, code)
    assert.truthy(said:find("\n  skipped      1 by --where · 2 excluded\n", 1, true), said)
    assert.truthy(said:find("would send   1 member\n", 1, true), said)
  end)

  it("gives the numbers to other programs", function()
    local code, said = sync("--exclude", file "id1\n+44 20 7946 0001\n", "--json")
    assert.equal(0, code)
    local res = json.decode(said)
    assert.same({ ids = 1, emails = 0, phones = 1, hashes = 0 }, res.exclusions)
    assert.same({ 1, 1, 1 }, { res.skipped, res.excluded, res.excluded_rows })
  end)

  it("takes nobody who is left out for a rejected row", function()
    assert.equal(0, (sync("--exclude", file "id1\n", "--strict", "--max-rejected", "0")))
  end)

  it("names them in a page", function()
    local page = world.path ".html"
    assert.equal(0, (sync("--exclude", file "id1\n", "--report", page)))
    assert.truthy(world.read(page):find("excluded", 1, true))
  end)

  it("ends with 1 for a list that cannot be understood, and with 3 where nobody is left", function()
    local code, _, complained = sync("--exclude", file "id1\njane@example\n")
    assert.equal(1, code)
    assert.truthy(complained:find("line 2 is neither an id, an email, a phone nor a SHA-256", 1, true), complained)
    assert.is_nil(complained:find("jane", 1, true))
    assert.equal(3, (sync("--exclude", file "id1\nid2\nid3\nid4\n")))
  end)

  it("ends with 1 for a list without a value, also where the input may be empty", function()
    for _, text in ipairs { "", "\n", "\239\187\191", "id\n" } do
      local code, said, complained = sync("--exclude", file(text), "--allow-empty", "--json")
      assert.equal(1, code)
      assert.equal("no_exclusions", json.decode(said).error.code)
      assert.truthy(complained:find("the list is empty", 1, true), complained)
    end
  end)

  it("is a wrong usage without a file, and where nobody is sent or the list would be overwritten", function()
    local list = file "id1\n"
    for _, case in ipairs {
      { "cannot be -", "--exclude", "-" }, { "cannot be empty", "--exclude", "" },
      { "nobody is sent", "--exclude", list, "--mode", "remove" },
      { "which would be overwritten", "--exclude", list, "--rejects", list },
    } do
      local code, _, complained = sync(unpack(case, 2))
      assert.equal(2, code)
      assert.truthy(complained:find(case[1], 1, true), complained)
    end
    assert.equal("id1\n", world.read(list))
  end)

  it("takes a script", function()
    local script = file('return { audience = "a", map = { external_id = "id", email = "mail" } }\n', ".lua")
    local code, said = world.command { "run", script, file(INPUT, ".csv"), "--dry-run", "--exclude", file "id1\n" }
    assert.equal(0, code)
    assert.truthy(said:find("skipped      1 excluded", 1, true), said)
  end)

  if not pcall(require, "scope3.state") then
    return -- a build without SQLite
  end

  it("names rows of who is excluded in a dry run with a state", function()
    local code, said = sync("--exclude", file "id1\np3@example.org\n", "--mirror", "--state", world.path ".state")
    assert.equal(0, code)
    assert.truthy(said:find("2 added · 0 changed · 0 removed · 0 unchanged\n", 1, true), said)
    assert.truthy(said:find("\n  besides       2 excluded\n", 1, true), said)
    assert.truthy(said:find("\n  excluded  1, 3\n", 1, true), said)
  end)
end)
