-- Jobs whose journal is kept in a state: they are resumed as from a file.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local errors = require "scope3.error"
local journal = require "scope3.mirror.journal"
local journaled = require "spec.support.journaled"
local states = require "spec.support.states"
local world = require "spec.support.world"

local function rows()
  local lines, model = { "id,hash" }, {}
  for i = 1, 100 do
    local id, hash = "id" .. (i * 37) % 90, i % 7 == 0 and "" or ("%064x"):format(i)
    lines[#lines + 1] = id .. "," .. hash
    model[id] = hash ~= "" and hash or nil
  end
  return table.concat(lines, "\n") .. "\n", model
end

local ROWS, MODEL = rows()

describe("a job whose journal is kept in a state", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function prepare()
    sandbox:reset()
    sandbox:configure { clock = "manual", task_seconds = 2, retry_after = 1 }
  end

  local function membership()
    local found = {}
    for id, member in pairs(sandbox:members "a") do
      found[id] = member.hashedEmail
    end
    return found
  end

  -- A night of the job in a state. `stop_at` is the call of the journal that fails; its record was written then or not.
  local function night(path, file, stop_at)
    local kept = assert(states.open(path))
    local run = assert(kept:begin_run(1000))
    local keeper, calls = journal.of(kept, run, function(batch) return ("operations of %d"):format(batch) end), 0
    for _, method in ipairs { "begin", "accepted", "ended" } do
      local plain = keeper[method]
      keeper[method] = function(self, record)
        calls = calls + 1
        if calls == stop_at and calls % 2 == 0 then
          plain(self, record)
        end
        if stop_at and calls >= stop_at then
          return nil, errors.new("journal", "it stops here")
        end
        return plain(self, record)
      end
    end
    local res, err = journaled.run(sandbox.url, keeper, file)
    local chunks = assert(kept:open_chunks())
    kept:close()
    return res, err, calls, chunks
  end

  it("ends as meant, and sends nothing when it is started again", function()
    prepare()
    local path, file = states.path(), world.file(ROWS, ".csv")
    local res, err, calls, chunks = night(path, file)
    assert.is_truthy(res, tostring(err))
    assert.same(MODEL, membership())
    assert.is_true(#chunks > 7 and calls >= 3 * #chunks)
    for _, chunk in ipairs(chunks) do
      assert.is_true(#chunk.tries > 0 and chunk.batch > 0)
      assert.equal("completed", chunk.tries[#chunk.tries].state)
    end
    local before = #sandbox:requests "sync"
    res = assert(night(path, file))
    assert.equal(before, #sandbox:requests "sync")
    assert.equal(res.accepted, res.resumed)
    world.assert_sums(res)
  end)

  it("is resumed from wherever it stopped", function()
    prepare()
    local file = world.file(ROWS, ".csv")
    local _, _, total = night(states.path(), file)
    for stop_at = 1, total, world.in_full and 1 or world.thorough and 3 or 11 do
      prepare()
      local path = states.path()
      local res = night(path, file, stop_at)
      assert.is_nil(res)
      local err
      res, err = night(path, file)
      assert.is_truthy(res, ("stopped at call %d of %d: %s"):format(stop_at, total, tostring(err)))
      assert.same(MODEL, membership())
      world.assert_sums(res)
    end
  end)
end)
