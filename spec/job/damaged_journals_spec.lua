-- A damaged journal stops the job, or the job ends as it was meant.
-- No row is lost by what the file wrongly says.
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local ROWS = 36

local function rows()
  local lines = { "id,hash" }
  for i = 1, ROWS do
    lines[#lines + 1] = ("u%d,%064x"):format(i, 4095 + i)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]*\n" do
    lines[#lines + 1] = line
  end
  return lines
end

describe("a damaged journal", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client, file, path, text
  local script = { audience = "a", map = { external_id = "id", hashed_email = "hash" } }

  local function run()
    return client:run(script, file, { journal = path, max_members = 12 })
  end

  -- Five requests: one is halved, one loses a member that the service refuses, one fails for good in
  -- its task and one for a passing reason; then the process is killed, one request before the end.
  before_each(function()
    sandbox:configure {
      clock = "manual", task_seconds = 1, refuse = world.json.array { "u3" },
      task_outcomes = world.json.array { "completed", "completed",
        "failed:terminal" },
      faults = world.json.array { { on = "sync", act = "status", status = 413, after = 3 } },
    }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
    file, path = world.file(rows(), ".csv"), world.path ".journal"
    local res = assert(run())
    res:wait()
    text = world.read(path)
    assert.is_true(#lines_of(text) >= 12, text)
  end)

  -- Goes on with a damaged journal.
  -- The service has lost everything meanwhile, so that what is not sent again is seen to be missing.
  local function outcome(damaged)
    write(path, damaged)
    local res, err = run()
    if not res then
      assert.equal("journal", err.kind)
      return "stopped", err
    end
    world.assert_sums(res)
    return res.failed + res.unknown + res.rejected_by_service > 0 and "failed" or "well", res
  end

  it("stops the job where any bit of it was flipped, but for its last line end, and names the line", function()
    local stopped, cut, before = 0, 0, #sandbox:requests "sync"
    local step = world.thorough and 1 or 13
    for bit = 0, #text * 8 - 1, step do
      local at, mask = math.floor(bit / 8) + 1, 2 ^ (bit % 8)
      local byte = text:byte(at)
      local set = math.floor(byte / mask) % 2 == 1
      local damaged = text:sub(1, at - 1) .. string.char(set and byte - mask or byte + mask) .. text:sub(at + 1)
      local what, err = outcome(damaged)
      assert.equal("stopped", what, ("bit %d of byte %d"):format(bit % 8, at))
      assert.is_true(err.code == "damaged", err.message)
      stopped = stopped + 1
      local line = select(2, text:sub(1, at - 1):gsub("\n", "")) + 1
      cut = cut + (err.message:find(("line %d,"):format(line), 1, true) and 1 or 0)
    end
    assert.equal(before, #sandbox:requests "sync")
    assert.is_true(cut > stopped / 2, ("%d of %d name their line"):format(cut, stopped))
  end)

  it("stops the job where lines were lost, doubled or moved; lost last lines are sent again", function()
    local lines = lines_of(text)
    local function joined(list)
      return table.concat(list)
    end
    for i = 1, #lines do
      local lost, doubled = {}, {}
      for j, line in ipairs(lines) do
        lost[#lost + 1] = j ~= i and line or nil
        doubled[#doubled + 1] = line
        doubled[#doubled + 1] = j == i and line or nil
      end
      assert.equal("stopped", (outcome(joined(doubled))), "doubled line " .. i)
      if i < #lines then
        assert.equal("stopped", (outcome(joined(lost))), "lost line " .. i)
        for j = i + 1, #lines do
          local swapped = {}
          for k, line in ipairs(lines) do
            swapped[k] = k == i and lines[j] or k == j and lines[i] or line
          end
          assert.equal("stopped", (outcome(joined(swapped))), ("swapped lines %d and %d"):format(i, j))
        end
      end
    end
  end)

  it("is as good as its first lines where the end is missing, at any byte", function()
    local expected = {}
    for i = 1, ROWS do
      expected[#expected + 1] = i ~= 3 and "u" .. i or nil
    end
    table.sort(expected)
    local step = world.thorough and 53 or 301
    local members = 0
    for cut = 0, #text - 1, step do
      sandbox:configure { task_outcomes = world.json.array {} }
      local what, res = outcome(text:sub(1, cut))
      assert.is_true(what ~= "stopped", tostring(res))
      -- What the journal still says was sent, and what went now, are all rows.
      assert.equal(res.members, res.accepted + res.failed + res.rejected_by_service)
      assert.equal(ROWS, res.members)
      members = members + res.accepted
    end
    assert.is_true(members > 0)
  end)

  it("warns that a last line was written in part", function()
    local what, res = outcome(text .. '{"type":"beg')
    assert.equal("failed", what)
    assert.equal("journal_cut_short", res.warnings[1].code)
    what, res = outcome(text)
    assert.equal("failed", what)
    assert.equal(0, #res.warnings)
  end)

  it("that another keeper gives with records of wrong types, or in a wrong order, stops the job", function()
    local function begin(fields)
      local record = {
        type = "begin", request = 1, batch = 1, epoch = 1, first = 1, last = 2, members = 2, digest = ("0"):rep(64),
      }
      for key, value in pairs(fields) do
        record[key] = value
      end
      return record
    end
    local accepted = { type = "accepted", request = 1, task_id = "t" }
    local cases = {
      { begin { request = "1" } }, { begin { request = 1.5 } }, { begin { first = 0 } },
      { begin { first = 3 } }, { begin { last = 1e300 } }, { begin { batch = {} } }, { begin { digest = 5 } },
      { begin { without = 7 } }, { begin { without = { "1" } } }, { begin { without = { x = 1 } } },
      { begin { uncertain = "no" } }, { begin { rows = { first = 1 } } }, { begin {}, begin {} },
      { { type = "begin" } }, { { type = "later" } }, { "begin" }, { accepted }, { begin {}, accepted, accepted },
      { begin {}, { type = "accepted", request = 1 } }, { begin {}, { type = "accepted", request = 2, task_id = "t" } },
      { begin {}, { type = "ended", request = 1, status = "completed" } },
      { begin {}, accepted, { type = "ended", request = 1, status = 5 } },
      {
        begin {}, accepted, { type = "ended", request = 1, status = "completed" },
        { type = "ended", request = 1, status = "failed" },
      },
      { begin {}, { type = "ended", request = 1, status = "refused", without = "1" } },
      { begin {}, { type = "ended", request = 1, status = "refused", without = { 3 } } },
      { begin {}, accepted, begin { request = 2 } }, { begin {}, begin { request = 2, digest = ("1"):rep(64) } },
    }
    for i, records in ipairs(cases) do
      local closed = 0
      local function keep() return true end
      local keeper = { open = keep, begin = keep, accepted = keep, ended = keep, replay = function() return records end,
        close = function() closed = closed + 1 end }
      local res, err = client:run(script, file, { journal = keeper, max_members = 2 })
      assert.same({ nil, "journal", "damaged", 1 }, { res, err and err.kind, err and err.code, closed }, "case " .. i)
    end
  end)
end)
