-- Jobs that are resumed:
-- whatever killed the process, the audience ends as it was meant, and nothing accepted is sent again.
local core = require "scope3.core"
local journal = require "scope3.job.journal"
local journaled = require "spec.support.journaled"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

-- Rows with repeats further apart than a request, removals, and members that the service refuses.
-- Gives the file and what is to be left.
local function make_rows(refused)
  local lines, model = { "id,hash" }, {}
  for i = 1, 230 do
    local id = "id" .. (i * 37) % 190
    local hash = i % 7 == 0 and "" or ("%064x"):format(i)
    lines[#lines + 1] = id .. "," .. hash
    if not refused[id] then
      model[id] = hash ~= "" and hash or nil
    end
  end
  return table.concat(lines, "\n") .. "\n", model
end

local REFUSED = { id40 = true, id111 = true }
local ROWS, MODEL = make_rows(REFUSED)

describe("a job with a journal", function()
  local sandbox = world.around(setup, teardown, before_each)

  -- `failing` tasks fail for a passing reason.
  local function prepare(failing)
    sandbox:reset()
    local outcomes = world.json.array {}
    for i = 1, 5 * (failing or 0) do
      outcomes[i] = i % 5 == 3 and "failed:transient" or "completed"
    end
    sandbox:configure {
      task_outcomes = outcomes, clock = "manual", task_seconds = 2,
      retry_after = 1, refuse = world.json.array { "id40", "id111" },
      faults = world.json.array { { on = "sync", act = "status", status = 413, after = 4 } },
    }
  end

  local function membership()
    local found = {}
    for id, member in pairs(sandbox:members("a")) do
      found[id] = member.hashedEmail
    end
    return found
  end

  local function accepted_replies()
    local n = 0
    for _, request in ipairs(sandbox:requests("sync")) do
      n = n + (request.status == 202 and 1 or 0)
    end
    return n
  end

  it("sends, halves, sets aside and waits as any other, and its journal names nobody", function()
    prepare()
    local path = world.path(".journal")
    local res = assert(journaled.run(sandbox.url, path, world.file(ROWS, ".csv")))
    world.assert_sums(res)
    assert.same(MODEL, membership())
    local split, twice = 0, 0
    for _, request in ipairs(res.requests) do
      split = split + (request.state == "split" and 1 or 0)
      twice = twice + (request.epoch == 2 and 1 or 0)
    end
    assert.is_true(split > 0 and twice > 0 and res.rejected_by_service > 0 and #res.requests >= 20)
    local text = world.read(path)
    assert.truthy(text:find('"excluded":%[%d'), "the rows of the members that were refused")
    assert.is_nil(text:find("id%d"))
    assert.is_nil(text:find(("0"):rep(20), 1, true))
    for _, request in ipairs(sandbox:requests("sync")) do
      assert.is_number(request.n)
    end
  end)

  it("that was finished sends nothing when it is started again", function()
    prepare()
    local path, file = world.path(".journal"), world.file(ROWS, ".csv")
    local first = assert(journaled.run(sandbox.url, path, file))
    local before = #sandbox:requests("sync")
    local res = assert(journaled.run(sandbox.url, path, file))
    assert.equal(before, #sandbox:requests("sync"))
    assert.same({ first.accepted, first.accepted, first.rejected_by_service },
      { res.accepted, res.resumed, res.rejected_by_service })
    world.assert_sums(res)
  end)

  it("survives kill -9 at every write and every event of the network", function()
    local file, failing = world.file(ROWS, ".csv"), 3
    prepare(failing)
    local points = 0
    local keeper, on_event = journaled.watch(world.path(".journal"), function()
      points = points + 1
    end)
    local total = #assert(journaled.run(sandbox.url, keeper, file, on_event)).requests
    assert.is_true(points >= 100 and total >= 20, points .. " points")
    local step = world.in_full and 1 or world.thorough and 7 or 29
    local killed, resent = 0, 0
    for at = 1, points, step do
      prepare(failing)
      local path = world.path(".journal")
      os.execute(("%s spec/support/journaled.lua %s %s %s %d %s >/dev/null 2>&1"):format(os.getenv "SCOPE3_LUA_BIN",
        sandbox.url, path, file, at,
        at % 5 == 0 and "torn" or ""))
      local before = accepted_replies()
      local res = assert(journaled.run(sandbox.url, path, file))
      local where = ("killed at point %d of %d"):format(at, points)
      world.assert_sums(res)
      assert.same(MODEL, membership(), where)
      local accepted, unsure = 0, 0
      for _, request in ipairs(res.requests) do
        accepted = accepted + (request.task_id and 1 or 0)
        unsure = unsure + (request.possibly_twice and 1 or 0)
      end
      local again = accepted_replies() - accepted -- those too whose tasks had failed before the kill
      assert.is_true(again <= unsure + failing and again <= 2 + failing,
        ("%s: %d requests were accepted twice, %d are said to be unsure"):format(where, again, unsure))
      killed = killed + (before < total and 1 or 0)
      resent = resent + again
      os.remove(path)
    end
    assert.is_true(killed > 0)
    print(("   killed at %d of %d points; %d requests were accepted again, "
      .. "unseen the first time or after their task had failed"):format(math.ceil(points / step), points,
      resent))
  end)

  it("stops and names the rows where the input, the script or its options have changed", function()
    prepare()
    local path = world.path(".journal")
    local lines = { "id,hash" }
    for i = 1, 40 do
      lines[#lines + 1] = ("x%d,%064x"):format(i, i)
    end
    assert(journaled.run(sandbox.url, path, world.file(table.concat(lines, "\n"))))
    local before = #sandbox:requests("sync")
    lines[20] = ("x19,%064x"):format(4711)
    local res, err = journaled.run(sandbox.url, path, world.file(table.concat(lines, "\n")))
    assert.is_nil(res)
    assert.same({ "journal", "changed_input", { first = 13, last = 24 } }, { err.kind, err.code, err.rows })
    assert.truthy(err.message:find("rows 13 to 24", 1, true))
    world.assert_sums(err.result)
    assert.equal(before, #sandbox:requests("sync"))
    local client = sandbox:client { loop = virtual.loop(sandbox.url) }
    res, err = client:run({ audience = "a", max_members = 13, map = { external_id = "id", hashed_email = "hash" } },
      world.file("id,hash\n"), { journal = path })
    assert.is_nil(res)
    assert.same({ "journal", "another_job" }, { err.kind, err.code })
    assert.truthy(err.message:find("was member and is now map", 1, true)
      or err.message:find("was 12 and is now 13", 1, true)
      or err.message:find("epochs was", 1, true), err.message)
  end)

  it("refuses what cannot be read again, a journal in use, and a file that is none", function()
    local client = sandbox:client()
    local script = { audience = "a", map = { external_id = "id", hashed_email = "hash" } }
    for _, source in ipairs { "-", function() end } do
      local res, err = client:run(script, source, { journal = world.path(".journal") })
      assert.is_nil(res)
      assert.same({ "invalid", "no_file" }, { err.kind, err.code })
    end
    local path, file = world.path(".journal"), world.file("id,hash\n1," .. ("ab"):rep(32) .. "\n")
    local held = assert(core.append_file(path))
    local res, err = client:run(script, file, { journal = path })
    assert.is_nil(res)
    assert.same({ "journal", "locked" }, { err.kind, err.code })
    held:close()
    assert(client:run(script, file, { journal = path }))
    res, err = client:run(script, file, { journal = world.file("id,hash\n") })
    assert.is_nil(res)
    assert.same({ "journal", "damaged" }, { err.kind, err.code })
    res, err = client:run(script, file, { journal = "/no/such/folder/journal" })
    assert.is_nil(res)
    assert.equal("journal", err.kind)
    assert.equal(1, #sandbox:requests("sync"))
    assert.has_error(function()
      client:stream("a", { journal = path })
    end)
  end)

  it("may be kept by anything with the same methods", function()
    local records = {}
    local keeper = { close = function() end }
    function keeper.open(_, header)
      keeper.header = header
      return true
    end
    function keeper.replay()
      return records
    end
    for _, kind in ipairs { "begin", "accepted", "ended" } do
      keeper[kind] = function(_, record)
        record.type = kind
        records[#records + 1] = record
        return true
      end
    end
    prepare()
    local file = world.file(ROWS, ".csv")
    assert(journaled.run(sandbox.url, keeper, file))
    assert.equal("25", keeper.header.account)
    local before = #sandbox:requests("sync")
    local res = assert(journaled.run(sandbox.url, keeper, file))
    assert.equal(before, #sandbox:requests("sync"))
    assert.equal(res.accepted, res.resumed)
  end)

  it("sends nothing when it cannot be written to", function()
    local keeper = journal.file(world.path(".journal"))
    local plain = keeper.begin
    local n = 0
    function keeper:begin(record)
      n = n + 1
      if n == 2 then
        return nil, require("scope3.error").new("journal", "the disk is full")
      end
      return plain(self, record)
    end
    local client = sandbox:client()
    local i = 0
    local lines = { "id,hash" }
    for _ = 1, 30 do
      i = i + 1
      lines[#lines + 1] = ("x%d,%064x"):format(i, i)
    end
    local res, err = client:run({
      audience = "a", max_members = 10, map = { external_id = "id", hashed_email = "hash" },
    },
      world.file(table.concat(lines, "\n")), { journal = keeper })
    assert.is_nil(res)
    assert.equal("the disk is full", err.message)
    assert.same({ 10, 20 }, { err.result.accepted, err.result.failed })
    world.assert_sums(err.result)
    assert.equal(1, #sandbox:requests("sync"))
    assert(scope3.email)
  end)

  it("counts as failed what a request was to become whose end cannot be written to it", function()
    local lines = { "id,hash" }
    for i = 1, 20 do
      lines[#lines + 1] = ("x%d,%064x"):format(i, i)
    end
    local file = world.file(table.concat(lines, "\n"))
    -- In this order: the sandbox closes a connection that brought too much, which not each libcurl sees in time.
    for _, case in ipairs {
      { state = "refused", settings = { refuse = world.json.array { "x3" } }, failed = 19, rejected = 1 },
      { state = "split", settings = { max_body = 1500 }, failed = 20, rejected = 0 },
    } do
      sandbox:reset()
      sandbox:configure(case.settings)
      local keeper = journal.file(world.path(".journal"))
      function keeper:ended() -- luacheck: ignore self
        return nil, require("scope3.error").new("journal", "the disk is full")
      end
      local res, err = sandbox:client():run({ audience = "a", map = { external_id = "id", hashed_email = "hash" } },
        file,
        { journal = keeper })
      assert.is_nil(res)
      assert.equal("the disk is full", err.message)
      assert.equal(case.state, err.result.requests[1].state)
      assert.same({ 0, case.failed, case.rejected },
        { err.result.accepted, err.result.failed, err.result.rejected_by_service })
      world.assert_sums(err.result)
      assert.equal(1, #sandbox:requests("sync"))
    end
  end)
end)
