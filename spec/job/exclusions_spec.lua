-- Lists of people who are never sent: how they are read, and what a job without a state makes of them.
local core = require "scope3.core"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local MAP = { map = { external_id = "id", email = "mail" } }

local function list(text, suffix)
  return world.file(text, suffix or ".txt")
end

-- Rows of n people, id1 to idn.
local function rows(n)
  local lines = { "id,mail" }
  for i = 1, n do
    lines[i + 1] = ("id%d,p%d@example.org"):format(i, i)
  end
  return world.file(table.concat(lines, "\n") .. "\n", ".csv")
end

describe("a job that leaves people out", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client

  before_each(function()
    sandbox:configure { clock = "manual" }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
  end)

  local function run(input, exclude, more, script)
    local opts = { audience = "a", exclude = exclude }
    for key, value in pairs(more or {}) do
      opts[key] = value
    end
    local res, err = client:run(script or MAP, input, opts)
    if res then
      world.assert_sums(res)
      assert(#res.tasks == 0 or res:wait { timeout = 60 })
    end
    return res, err
  end

  -- What is left of three people.
  local function left_of(text, suffix)
    local res = assert(run(rows(3), list(text, suffix)))
    return sandbox:ids "a", res
  end

  describe("reads in its lists", function()
    for what, text in pairs {
      ["one value a line"] = "id1\np2@example.org\n",
      ["line ends of Windows, blank lines and spaces"] = "\r\n  id1 \r\n\r\np2@example.org\r\n",
      ["a byte order mark"] = "\239\187\191id1\np2@example.org\n",
      ["UTF-16"] = "\255\254" .. ("id1\np2@example.org\n"):gsub(".", "%0\0"),
      ["a column of CSV with its title, quoted"] = '"E-Mail"\n"id1"\n"P2@example.org"\n',
      ["what a row would be repaired of"] = "'id1\nJane <p2@example.org>\n",
      ["no line end behind the last value"] = "id1\np2@example.org",
      ["empty columns beside the values"] = "id1,\np2@example.org,\n",
      ["a value that comes twice"] = "id1\nid1\np2@example.org\nP2@example.org\n",
    } do
      it(what, function()
        assert.same({ "id3" }, (left_of(text)))
      end)
    end

    it("gzip", function()
      local path = list "id1\np2@example.org\n"
      os.execute(("gzip -f %s"):format(path))
      world.forget(path .. ".gz")
      assert(run(rows(3), path .. ".gz"))
      assert.same({ "id3" }, sandbox:ids "a")
    end)

    it("values by kind", function()
      local _, res = left_of(("Email\nid1\nid9\np2@example.org\n+44 20 7946 0001\n%s\n"):format(("ab"):rep(32)))
      assert.same({ ids = 2, emails = 1, phones = 1, hashes = 1 }, res.exclusions)
      _, res = left_of "customer-no-17\nid1\n" -- an id, although its words are those of titles
      assert.equal(2, res.exclusions.ids)
    end)

    it("several, and phones in national form where it has a region", function()
      local res = assert(run(rows(3), { list "id1\n", list "(206) 555-0142\nid3\n" }, { region = "US" }))
      assert.same({ ids = 2, emails = 0, phones = 1, hashes = 0 }, res.exclusions)
      assert.same({ "id2" }, sandbox:ids "a")
    end)
  end)

  describe("sends nothing for a list", function()
    local function refused(exclude, more)
      local res, err = run(rows(3), exclude, more)
      assert.is_nil(res)
      assert.equal(0, #sandbox:requests "sync")
      return err
    end

    for what, case in pairs {
      ["an email that is none"] = { "id1\n\njane@example\n", 3, "email" },
      ["several emails in a line"] = { "p1@example.org; p2@example.org\n", 1, "" },
      ["several emails in a value"] = { 'id1\n"p1@example.org, p2@example.org"\n', 2, "several addresses" },
      ["a phone that is none"] = { "id1\nid2\n+44 12\n", 3, "phone" },
      ["a phone without its country"] = { "id1\n(206) 555-0142\n", 2, "country code" },
      ["several columns"] = { "id,mail\nid1,p1@example.org\n", 1, "several columns" },
      ["a row that is longer than the others"] = { "id1\nid2,p2@example.org\n", 2, "columns" },
      ["a word that stands for no value"] = { "id1\nn/a\n", 2, "stands for no value" },
      ["what is not UTF-8"] = { "id1\nM\252ller\n", 2, "UTF-8" },
      ["a number that a spreadsheet wrote"] = { "id1\n1.2E+11\n", 2, "spreadsheet" },
    } do
      it("with " .. what .. ", and says where", function()
        local err = refused(list(case[1]))
        assert.same({ "source", "bad_exclusion", case[2] }, { err.kind, err.code, err.line })
        assert.truthy(err.message:find(("line %d "):format(case[2]), 1, true), err.message)
        assert.truthy(err.message:find(case[3], 1, true), err.message)
        assert.is_nil(err.message:find("p1@", 1, true))
        assert.is_nil(err.message:find("555", 1, true))
      end)
    end

    it("that is written to while it is read", function()
      local path, asked = list "id1\n", false
      local err = refused(path, { cancel = function()
        if not asked then
          asked = true
          local file = assert(io.open(path, "a"))
          file:write "id2\n"
          file:close()
        end
        return false
      end })
      assert.same({ "source", "changed_input" }, { err.kind, err.code })
      assert.truthy(err.message:find(path, 1, true), err.message)
    end)

    it("that is empty, blank, or only a title", function()
      assert.equal("no_exclusions", refused(list "").code)
      assert.equal("no_exclusions", refused(list "\n \n").code)
      assert.equal("no_exclusions", refused(list "Customer Id\n").code)
      assert.equal("no_exclusions", refused { list "id1\n", list "email\n" }.code)
    end)

    it("that is not there, or a folder", function()
      local err = refused { list "id1\n", "/nowhere/list" }
      assert.truthy(err.message:find("cannot read /nowhere/list", 1, true))
      assert.equal("source", refused("/").kind)
    end)

    it("when it is stopped", function()
      assert.equal("cancelled", refused(list "id1\n", { cancel = function() return true end }).kind)
    end)
  end)

  local function leave_out_of_many()
    local named = {}
    for i = 1, 400, 3 do
      named[#named + 1] = i % 2 == 0 and "id" .. i or ("P%d@example.org"):format(i)
    end
    local res = assert(run(rows(400), list(table.concat(named, "\n")), { max_members = 50, concurrency = 3 }))
    assert.equal(#named, res.excluded)
    local there = {}
    for _, id in ipairs(sandbox:ids "a") do
      there[id] = true
    end
    for i = 1, 400 do
      assert.equal(i % 3 ~= 1, there["id" .. i] == true)
    end
    assert.equal(scope3.email.hash "p3@example.org", sandbox:members("a").id3.hashedEmail)
  end

  it("counts who is left out among the rows that are skipped", function()
    local res = assert(run(rows(10), list "id1\np2@example.org\nid3\nnobody\n"))
    assert.same({ 10, 3, 3, 3, 7 }, { res.rows, res.skipped, res.excluded_rows, res.excluded, res.accepted })
    assert.same({}, res.rejected)
    assert.is_nil(assert(run(rows(1))).exclusions)
  end)

  for _, way in ipairs { "avx2", "portable" } do
    it("leaves them out of many rows, with hashes that are made together or one by one: " .. way, function()
      local usual = core.sha256_use()
      if core.sha256_use(way) then
        local ok, problem = pcall(leave_out_of_many)
        core.sha256_use(usual)
        assert(ok, problem)
      end
    end)
  end

  it("leaves out by the phone of who has an email, too, and by an email or a phone that is an id", function()
    local text = "id,mail,phone\nid1,p1@example.org,+442079460001\nid2,p2@example.org,+442079460002\n"
    local with_both = { map = { external_id = "id", email = "mail", phone = "phone" } }
    assert(run(world.file(text, ".csv"), list "+442079460002\n", nil, with_both))
    assert.same({ "id1" }, sandbox:ids "a")
    local by_mail, input = { map = { external_id = "mail", phone = "phone" } }, world.file(text, ".csv")
    assert(run(input, list "p1@example.org\n", { ids = "as_is", audience = "b" }, by_mail))
    assert.same({ "p2@example.org" }, sandbox:ids "b")
    local hash = scope3.email.hash "p1@example.org"
    assert(run(input, list(hash:upper() .. "\n"), { ids = "hash", audience = "c" }, by_mail))
    assert.same({ (scope3.email.hash "p2@example.org") }, sandbox:ids "c")
    local res = assert(run(world.file("id,mail,phone\nx,p1@example.org,206 555 0142\n", ".csv"),
      list "(206) 555-0142\n", { ids = "hash", region = "US", audience = "d" }, with_both))
    assert.same({ 1, 1 }, { res.exclusions.phones, res.excluded })
  end)

  it("counts a row that a script skips after one that is left out", function()
    local res = assert(run(rows(2), list "id1\n", nil, { member = function(row)
      return row.id == "id1" and { external_id = "id1", email = row.mail } or nil
    end }))
    assert.same({ 2, 1 }, { res.skipped, res.excluded_rows })
  end)
  it("drops nothing of who is left out, and rejects a bad row all the same", function()
    local told = {}
    local text = "id,mail,phone\nid1,p1@example.org,12\nid2,broken,\nid3,p3@example.org,\n"
    local res = assert(run(world.file(text, ".csv"), list "id1\nid2\n", { on_reject = function(rejection)
      told[#told + 1] = rejection.row
    end }, { map = { external_id = "id", email = "mail", phone = "phone" } }))
    assert.same({ 1, 1, 2 }, { res.excluded, res.rejected.no_identifier, told[#told] })
    assert.is_nil(res.dropped.phone_national)
  end)

  it("takes rows that are tables, and members of a script", function()
    local given = { { id = "id1", mail = "p1@example.org" }, { id = "id2", mail = "p2@example.org" } }
    local i = 0
    assert(run(function() i = i + 1 return given[i] end, list "p1@example.org\n"))
    assert.same({ "id2" }, sandbox:ids "a")
    local script = { member = function(row)
      return { { external_id = row.id, email = row.mail }, { external_id = "x" .. row.id, email = "x" .. row.mail } }
    end }
    local res = assert(run(rows(2), list "id1\np2@example.org\nxid2\n", { audience = "b" }, script))
    assert.same({ "xid1" }, sandbox:ids "b")
    assert.same({ 3, 1, 1 }, { res.excluded, res.excluded_rows, res.skipped })
  end)

  it("removes whom a script removes", function()
    assert(run(rows(2)))
    assert(run(rows(2), list "id1\nid2\n", nil, { member = function(row)
      return { external_id = row.id, email = row.mail, remove = row.id == "id1" }
    end }))
    assert.same({ "id2" }, sandbox:ids "a")
  end)

  it("leaves them out also where a failed task is sent again", function()
    sandbox:configure { clock = "manual", task_outcomes = world.json.array { "failed:transient", "completed" } }
    local res = assert(run(rows(3), list "p1@example.org\n"))
    assert.equal(2, #sandbox:requests "sync")
    assert.equal(2, res.accepted)
    assert.same({ "id2", "id3" }, sandbox:ids "a")
  end)

  it("goes on with its journal only where it still leaves people out", function()
    local journal, input = world.path ".journal", rows(3)
    assert(run(input, list "id1\n", { journal = journal }))
    local _, err = run(input, nil, { journal = journal })
    assert.truthy(err.message:find("exclude", 1, true), err.message)
    assert.equal(2, assert(run(input, list "id1\n", { journal = journal })).resumed)
  end)

  it("says in a dry run who would be left out", function()
    local res = assert(run(rows(3), list "id1\n", { dry_run = true }))
    assert.same({ 1, 2 }, { res.excluded, res.would_send })
  end)

  it("is misused without a path, and where it removes", function()
    for _, wrong in ipairs { "", "-", {}, { "" }, { 1 }, { a = "b" }, 5, { list "id1\n", "a\0b" } } do
      assert.has_error(function() run(rows(1), wrong) end)
    end
    local ok, message = pcall(run, rows(1), list "id1\n", { mode = "remove" })
    assert.is_false(ok)
    assert.truthy(tostring(message):find("exclude has no effect", 1, true))
    assert.has_error(function() client:sync(assert(scope3.audience "a"), { exclude = list "id1\n" }) end)
  end)

  describe("in C", function()
    it("holds so many ids and so many contacts", function()
      local held = core.exclusions { most = 2 }
      for _, value in ipairs { "id1", "id2", "a@example.org", "b@example.org" } do
        assert.is_true((held:add(value)))
      end
      assert.equal("too_many", (held:add "id3"))
      assert.equal("too_many", (held:add "c@example.org"))
      assert.same({ "refused", "id_email" }, { held:add "jane (at) example.org" })
      held:close()
    end)

    it("stays as long as a builder uses it", function()
      local held = core.exclusions { most = 2 }
      assert.is_false(held:has_contacts())
      assert(held:add "a@example.org")
      assert.is_true(held:has_contacts())
      local builder = core.builder { max_member = 1000, exclusions = held }
      held:close()
      held:close()
      assert.has_error(function() held:add "b@example.org" end)
      assert.has_error(function() held:counts() end)
      assert.has_error(function() core.builder { max_member = 1000, exclusions = held } end)
      local payload = core.payload { max_members = 10, max_bytes = 10000 }
      assert.is_nil((builder:add(payload, { external_id = "1", email = "A@example.org" })))
      assert.is_true((builder:add(payload, { external_id = "2", email = "b@example.org" })))
      assert.equal(1, builder:counts().excluded)
      builder:close()
      payload:close()
    end)

    it("refuses what is no option and no value", function()
      for _, wrong in ipairs { {}, { most = 0 }, { most = 1, ids = "x" }, { most = 1, other = 1 } } do
        assert.has_error(function() core.exclusions(wrong) end)
      end
      assert.has_error(function() core.exclusions { most = 1 }:add " " end)
      assert.has_error(function() core.builder { max_member = 1000, exclusions = {} } end)
    end)
  end)
end)
