-- Exit code 0 means that every row and member is explained by the counts.
-- A job that failed before, a wrong column or an empty input gives another code.
local cjson = require("cjson.safe").new()
local judge = require "scope3.cli.outcome"
local json = require "scope3.sandbox.json"
local result_of = require "scope3.result"
local world = require "spec.support.world"

local GOOD, MAP = "id,mail\n1,a@example.com\n2,b@example.com\n", { "--map", "external_id=id", "--map", "email=mail" }

describe("the exit code", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- Runs `sync` of a text against the sandbox: the code, what it printed, what it complained.
  local function sync(text, ...)
    local args = { "sync", world.file(text, ".csv"), "--audience", "a" }
    for _, list in ipairs { MAP, { ... } } do
      for _, word in ipairs(list) do
        args[#args + 1] = word
      end
    end
    return world.command(args, { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. sandbox.url })
  end

  it("is 1 again where the job of a journal has failed for good", function()
    local path, journal = world.file(GOOD, ".csv"), world.path(".journal")
    local function run(...)
      return world.command({
        "sync", path, "--audience", "a", "--account", "25", "--base-url", sandbox.url,
        "--journal", journal, "--map", "external_id=id", "--map", "email=mail", ...,
      }, { env = "SCOPE3_API_KEY=scope3_x" })
    end
    sandbox:configure { task_outcomes = json.array { "failed:terminal" } }
    assert.equal(1, (run("--wait")))
    for _, more in ipairs { {}, { "--wait" }, { "--allow-empty" }, { "--json" } } do
      local code, out = run((table.unpack or unpack)(more)) -- luacheck: ignore
      assert.equal(1, code, out)
    end
    assert.equal(1, #sandbox:requests("sync"))
  end)

  it("is 1 where the map fits no row, also with --allow-empty, which says so", function()
    for _, text in ipairs { "x,y\n1,2\n", "x,y\n" } do
      assert.equal(1, (sync(text, "--dry-run")))
      local code, _, err = sync(text, "--allow-empty", "--dry-run")
      assert.equal(1, code)
      assert.truthy(err:find("--allow-empty does not make that a success", 1, true), err)
    end
    for text, expected in pairs { ['{"x":1}\n{"x":2}\n'] = 1, ['{"id":1,"mail":"none"}\n'] = 0 } do
      local code, _, err = world.command { "sync", world.file(text, ".jsonl"), "--audience", "a", "--dry-run",
        "--allow-empty", "--map", "external_id=id", "--map", "email=mail" }
      assert.equal(expected, code)
      assert.equal(expected == 1, err:find("--allow-empty does not make that a success", 1, true) ~= nil, err)
    end
  end)

  it("is 3 where no row came to an accepted member, and 0 for that with --allow-empty", function()
    local skipping = world.file('return { audience = "a", where = { mail = "z" }, map = { external_id = "id", '
      .. 'email = "mail" } }', ".lua")
    local texts = {
      "id,mail\n", "id,mail\r\n", "", "\n\n", "\239\187\191",
      "id,mail\n1,nonsense\n2,none\n", "id,mail\n,a@example.com\n", "id,mail\n\n\n",
    }
    for _, text in ipairs(texts) do
      for _, dry in ipairs { "--dry-run", nil } do
        local code, out, err = sync(text, dry)
        assert.equal(3, code, text .. out .. err)
        assert.is_true(#err > 0)
        code, out = sync(text, "--allow-empty", "--json", dry)
        assert.same({ 0, 0 }, { code, assert(cjson.decode(out)).members })
      end
    end
    for _, strict in ipairs { "--strict", "--json" } do
      assert.equal(3, (world.command { "run", skipping, world.file(GOOD), "--dry-run", strict }))
    end
    assert.equal(0, (world.command { "run", skipping, world.file(GOOD), "--dry-run", "--allow-empty" }))
    assert.equal(3, (world.command {
      "sync", world.file("", ".jsonl"), "--dry-run", "--audience",
      "a", "--map", "external_id=id", "--map", "email=mail",
    }))
    assert.equal(0, #sandbox:requests("sync"))
  end)

  it("counts lines that a stray quote swallowed as rejected rows, under --strict and --max-rejected", function()
    local rows = { "id,mail,name" }
    for i = 1, 100 do
      rows[#rows + 1] = ("%d,u%d@example.com,%s"):format(i, i, i == 10 and '"Big Joe' or i == 90 and 'Joe"' or "Joe")
    end
    local text = table.concat(rows, "\n") .. "\n" -- 20 rows are taken, 80 lines are in none
    for _, case in ipairs { { 0 }, { 1, "--strict" }, { 3, "--max-rejected", "79" }, { 0, "--max-rejected", "80" },
      { 3, "--max-rejected", "79%" }, { 0, "--max-rejected", "80%" } } do
      local code, out, err = sync(text, "--dry-run", case[2], case[3])
      assert.equal(case[1], code, table.concat(case, " ") .. out .. err)
    end
  end)

  it("is 3 where a threshold is missed, and what failed comes before that", function()
    local half = GOOD .. "3,nonsense\n4,nobody\n"
    for _, case in ipairs {
      { 0, half, "--max-rejected", "2" }, { 3, half, "--max-rejected", "1" }, { 3, half, "--max-rejected", "0" },
      { 0, GOOD, "--max-rejected", "0" }, { 0, half, "--max-rejected", "50%" }, { 3, half, "--max-rejected", "49.9%" },
      { 3, half, "--max-rejected=5%" }, { 0, half, "--max-rejected", "100%" }, { 0, half, "--min-accepted", "2" },
      { 3, half, "--min-accepted", "3" }, { 3, "id,mail\n", "--allow-empty", "--min-accepted", "1" },
      { 3, "", "--allow-empty", "--min-accepted", "1" }, { 1, half, "--strict", "--max-rejected", "0" },
    } do
      local code, out, err = sync(case[2], case[3], case[4], case[5], case[6], "--dry-run")
      assert.equal(case[1], code, table.concat(case, " ") .. out .. err)
    end
    for _, word in ipairs { "5x", "101%", "%", "", "-1", "1.5" } do
      assert.equal(2, (sync(GOOD, "--max-rejected=" .. word, "--dry-run")), word)
    end
    for _, word in ipairs { "0", "1.5", "-1", "many" } do
      assert.equal(2, (sync(GOOD, "--min-accepted=" .. word, "--dry-run")), word)
    end
    sandbox:configure { refuse = json.array { "2" } }
    assert.equal(1, (sync(GOOD, "--min-accepted", "2")))
  end)

  it("is 3 with --require-ready for an audience that is not READY, which is a warning without", function()
    local code, out = sync(GOOD, "--wait")
    assert.equal(0, code)
    assert.truthy(out:find("Warning: The audience a is TOO_SMALL: it has too few", 1, true), out)
    local strict, _, err = sync(GOOD, "--wait", "--require-ready", "--quiet")
    assert.equal(3, strict)
    assert.truthy(err:find("the audience a is TOO_SMALL", 1, true), err)
    sandbox:configure { min_size = 1 }
    assert.equal(0, (sync(GOOD, "--wait", "--require-ready")))
    sandbox:configure { match_rate = 0 }
    code, out = sync(GOOD, "--wait", "--json")
    assert.equal(0, code)
    assert.equal("audience_unmatched", cjson.decode(out).warnings[1].code)
  end)

  it("of wait and task follows the task and the audience", function()
    local env = { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. sandbox.url }
    local client = sandbox:client()
    local function task_of(outcome)
      sandbox:configure { task_outcomes = json.array { outcome } }
      local stream = assert(client:stream("a"))
      assert(stream:add { external_id = "1", email = "a@example.com" })
      return assert(stream:finish()).tasks[1].task_id
    end
    local done = task_of("completed")
    assert.equal(0, (world.command({ "wait", done }, env)))
    assert.equal(0, (world.command({ "task", done }, env)))
    for _, status in ipairs { "READY", "TOO_SMALL", "SUSPENDED", "ERROR" } do
      sandbox:control("PUT", "audience",
        { account = "25", audienceId = "a", status = status, uploadedCount = 1, matchedCount = 1 })
      local code, out, err, _ = world.command({ "wait", done, "--audience", "a", "--require-ready" }, env)
      assert.equal(({ READY = 0, ERROR = 1 })[status] or 3, code, out .. err)
      code, _, err = world.command({ "wait", done, "--audience", "a" }, env)
      assert.equal(status == "ERROR" and 1 or 0, code)
      assert.equal(status ~= "READY", err:find(status, 1, true) ~= nil, err)
    end
    for _, outcome in ipairs { "failed:terminal", "canceled", "rejected" } do
      local failed = task_of(outcome)
      assert.equal(1, (world.command({ "wait", failed }, env)), outcome)
      assert.equal(1, (world.command({ "task", failed, "--quiet" }, env)), outcome)
    end
  end)

  it("is never 0 where the counts leave a row or a member unexplained", function()
    local function code_of(counts)
      local res = result_of.new(nil, { { id = "a" } })
      for key, value in pairs(counts) do
        res[key] = value
      end
      return (judge.code(res, nil, {}))
    end
    assert.equal(0, code_of {
      rows = 5, skipped = 1, rejected = { no_identifier = 1 }, members = 3, accepted = 2, replaced = 1,
    })
    assert.equal(0, code_of { rows = 1, members = 3, accepted = 3 }) -- a script may give several members a row
    assert.equal(0, code_of { rows = 2, members = 2, would_send = 2 })
    for _, counts in ipairs {
      { rows = 3, members = 3, accepted = 2 }, { rows = 3, members = 3, accepted = 4 },
      { rows = 3, members = 3, accepted = 2, failed = 1 }, { rows = 3, members = 3, accepted = 2, unknown = 1 },
      { rows = 3, members = 3, accepted = 2, rejected_by_service = 1 },
      { rows = 3, skipped = 3, members = 1, accepted = 1 },
      { rows = 1, rejected = { no_identifier = 2 }, members = 1, accepted = 1 },
      { rows = 3, members = 3, would_send = 2 },
    } do
      assert.equal(1, code_of(counts))
    end
  end)

  it("is documented by --help", function()
    local _, out = world.command { "--help" }
    out = out:gsub("%s+", " ")
    for _, want in ipairs {
      "130 stopped", "2 usage", "1 something failed", "3 nothing was accepted or removed", "0 all else",
    } do
      assert.truthy(out:find(want, 1, true), out)
    end
  end)
end)
