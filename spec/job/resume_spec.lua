-- The same command with the same journal once more: what an earlier run has done counts, and nothing else does.
local core = require "scope3.core"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local json = world.json
local SCRIPT = { audience = "a", map = { external_id = "id", email = "email" } }
-- In requests of two members the last X is of another epoch than the first.
local TWO_EPOCHS = "id,email\nX,old@example.com\nY,y@example.com\nZ,z@example.com\nX,new@example.com\n"

local function rows(n)
  local lines = { "id,email" }
  for i = 1, n do
    lines[#lines + 1] = ("u%d,u%d@example.com"):format(i, i)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

describe("a job that is started again with its journal", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client
  before_each(function()
    sandbox:configure { clock = "manual", task_seconds = 1 }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
  end)

  local function sent()
    return #sandbox:requests "sync"
  end

  it("brings no older value back that was sent again after a task had failed for a passing reason", function()
    local file, path = world.file(TWO_EPOCHS, ".csv"), world.path(".journal")
    sandbox:configure { task_outcomes = json.array { "failed:transient" } }
    local opts = { journal = path, unique = true, max_members = 2 }
    assert(assert(client:run(SCRIPT, file, opts)):wait())
    local last = core.sha256("new@example.com")
    assert.same({ last, 4 }, { sandbox:members("a").X.hashedEmail, sent() })
    local res = assert(client:run(SCRIPT, file, opts))
    assert(res:wait())
    assert.same({ last, 4, 4, 4 }, { sandbox:members("a").X.hashedEmail, sent(), res.accepted, res.resumed })
    world.assert_sums(res)
  end)

  it("remembers which requests may have been carried out twice, and waits for what may still come of them", function()
    local file, path = world.file(TWO_EPOCHS, ".csv"), world.path(".journal")
    sandbox:fault { on = "sync", act = "lost_reply" }
    local at_barrier, settled = false, nil
    local opts = {
      journal = path, unique = true, max_members = 2,
      in_doubt_timeout = 259200, cancel = function() return at_barrier end,
      on_event = function(event)
        at_barrier = at_barrier or event.event == "barrier"
      end,
    }
    local res, err = client:run(SCRIPT, file, opts)
    assert.same({ nil, "cancelled", 2 }, { res, err.kind, err.result.possibly_twice })
    opts.cancel, opts.on_event = nil, function(event)
      settled = event.event == "in_doubt" and event.seconds or settled
    end
    res = assert(client:run(SCRIPT, file, opts))
    assert.same({ 2, 3, 4 }, { res.possibly_twice, res.resumed, sent() })
    assert.is_true(settled ~= nil and settled > 71 * 3600 and settled <= 72 * 3600, settled)
  end)

  it("says again what failed for good, and a wait for it fails again", function()
    local file, path = world.file(rows(6), ".csv"), world.path(".journal")
    sandbox:configure { task_outcomes = json.array { "completed", "failed:terminal" } }
    local opts = { journal = path, max_members = 2 }
    local first = assert(client:run(SCRIPT, file, opts))
    assert.is_nil((first:wait()))
    for _ = 1, 2 do
      local res = assert(client:run(SCRIPT, file, opts))
      assert.same({ 4, 2, 6, 3 }, { res.accepted, res.failed, res.resumed, sent() })
      assert.same({ "failed", "failed", first.tasks[2].task_id },
        { res.requests[2].state, res.tasks[2].status, res.tasks[2].task_id })
      world.assert_sums(res)
      local waited, err = res:wait()
      assert.same({ nil, "task_failed", first.tasks[2].task_id, { first = 3, last = 4 } },
        { waited, err.kind, err.task_id, err.rows })
    end
  end)

  it("stops when the input is shorter than it was, and deletes nothing then", function()
    local file, path = world.file(rows(15), ".csv"), world.path(".journal")
    local opts = { journal = path, max_members = 5, delete_missing = "all" }
    assert(client:run(SCRIPT, file, { journal = path, max_members = 5 }))
    for left = 10, 0, -5 do
      write(file, rows(left))
      local res, err = client:run(SCRIPT, file, opts)
      assert.same({ nil, "journal", "changed_input" }, { res, err.kind, err.code })
      assert.same({ first = left + 1, last = left + 5 }, err.rows)
      world.assert_sums(err.result)
    end
    assert.equal(3, sent())
  end)

  it("deletes what is missing once, and not what others made since", function()
    local function there(id)
      sandbox:control("PUT", "audience", { account = "25", audienceId = id, status = "READY" })
    end
    local function left()
      local ids = {}
      for row in client:audiences() do
        ids[#ids + 1] = not row.deleted and row.audience_id or nil
      end
      table.sort(ids)
      return table.concat(ids, " ")
    end
    for _, named in ipairs { "all", { "old" } } do
      sandbox:reset()
      sandbox:configure {
        clock = "manual", task_seconds = 1, task_outcomes = json.array { "completed", "failed:transient" },
      }
      there "old"
      local file, path = world.file(rows(4), ".csv"), world.path(".journal")
      local opts = { journal = path, delete_missing = named }
      local _, err = assert(client:run(SCRIPT, file, opts)):wait() -- its deletion fails, and may be tried again
      assert.same({ "task_failed", true, 2 }, { err.kind, err.retryable, sent() })
      local res = assert(client:run(SCRIPT, file, opts))
      assert.same({ "old", 4, 3 }, { res.deleted[1].audience_id, res.resumed, sent() })
      assert(res:wait())
      assert.equal("a", left())
      there "of somebody else"
      res = assert(client:run(SCRIPT, file, opts))
      assert(res:wait())
      assert.same({ "a of somebody else", 3 }, { left(), sent() })
      assert.is_nil(res.deleted)
      assert.same({ true, true, "completed" },
        { res.requests[2].delete_missing, res.requests[2].resumed, res.requests[2].state })
      world.assert_sums(res)
    end
  end)

  it("finds the journal free after a wait that was cancelled before members were sent again", function()
    local file, path = world.file(rows(3), ".csv"), world.path(".journal")
    sandbox:configure { task_outcomes = json.array { "failed:transient" } }
    local resending = false
    local _, err = assert(client:run(SCRIPT, file, { journal = path })):wait {
      cancel = function() return resending end,
      on_event = function(event)
        resending = resending or event.event == "resend"
      end,
    }
    assert.equal("cancelled", err.kind)
    assert(assert(client:run(SCRIPT, file, { journal = path })):wait())
    assert.equal(2, sent())
  end)

  it("keeps the journal to itself as long as it runs, also between two epochs", function()
    local file, path = world.file(TWO_EPOCHS, ".csv"), world.path(".journal")
    sandbox:fault { on = "sync", act = "lost_reply" } -- so that it pauses between them
    local locked
    assert(client:run(SCRIPT, file, {
      journal = path, unique = true, max_members = 2, in_doubt_timeout = 259200,
      on_event = function(event)
        if event.event == "in_doubt" then
          local handle, _, is_locked = core.append_file(path)
          locked = handle == nil and is_locked
        end
      end,
    }))
    assert.equal("locked", locked)
  end)

  it("leaves a file that is no journal as it was", function()
    local file = world.file(rows(1), ".csv")
    for _, text in ipairs {
      "my only copy, without a line end", "a\nb", '{"type":"order"}\n{"type":"ord',
      '{"type":"order","n":1}', '{"type":"jo', "[1]", '{"type":"job","version":0}\n{"a',
    } do
      local path = world.file(text)
      local res, err = client:run(SCRIPT, file, { journal = path })
      assert.same({ nil, "journal", "damaged", text }, { res, err.kind, err.code, world.read(path) })
    end
    assert.equal(0, sent())
    for _, text in ipairs { "", '{"jo', '{"job":{"account":"25","aud' } do -- what a crash leaves of the first line
      assert(client:run(SCRIPT, file, { journal = world.file(text) }))
    end
    assert.equal(3, sent())
  end)
end)
