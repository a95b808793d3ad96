-- Which records of a journal can be: a field that does not hold stops the job, because a row that the journal wrongly
-- takes for sent would be lost.
local history = require "scope3.job.history"

local DIGEST = ("d"):rep(64)

-- A record with other fields; "none" takes one away.
local function record(type_, fields, more)
  local made = { type = type_ }
  for _, list in ipairs { fields, more or {} } do
    for name, value in pairs(list) do
      made[name] = value ~= "none" and value or nil
    end
  end
  return made
end

local function begin(more)
  return record("begin", { request = 1, batch = 1, epoch = 1, first = 1, last = 4, members = 4, digest = DIGEST }, more)
end

local function accepted(more)
  return record("accepted", { request = 1, task_id = "t1" }, more)
end

local function ended(more)
  return record("ended", { request = 1, status = "completed" }, more)
end

local function assert_takes(records)
  local past, err = history.read(records)
  assert(past, err)
  return past
end

local function assert_refuses(records, about)
  local past, err = history.read(records)
  assert.is_nil(past, about)
  assert.same({ "journal", "damaged" }, { err.kind, err.code })
  assert.truthy(err.message:find(("record %d of the journal"):format(#records), 1, true), err.message)
end

-- Values that a field may have, and values that it may not.
local COUNTS = { good = { 1, 7, 2 ^ 53 - 1 }, bad = { "none", 0, -1, 1.5, "1", true, 2 ^ 53, 0 / 0, 1 / 0 } }
local FLAGS = { good = { "none", true, false }, bad = { "true", 1, 0, {} } }
local TIMES = { good = { "none", 0, 1.5, 1e9 }, bad = { "0", true, {} } }

local function with(name, value)
  return { [name] = value }
end

describe("the beginning of a request in a journal", function()
  it("may have these fields", function()
    for name, values in pairs {
      epoch = COUNTS, uncertain = FLAGS, at = TIMES,
      batch = { good = { 0, 1, 9 }, bad = { "none", -1, 0.5, "1" } },
      request = { good = { 1, 2, 9 }, bad = { "none", 0, -1, 1.5, "1" } },
      members = { good = { 0, 1, 4, 9 }, bad = { "none", -1, 0.5, "4" } },
      first = { good = { 1, 2, 4 }, bad = { "none", 0, -1, 5, 1.5, "1" } },
      last = { good = { 1, 4, 9 }, bad = { "none", 0, 1.5, "4" } },
      digest = { good = { "", DIGEST }, bad = { "none", 1, true, {} } },
      rows = {
        good = { "none", { first = 1, last = 1 }, { first = 9, last = 2 } },
        bad = { 1, "1", true, {}, { first = 1 }, { last = 1 }, { first = 0, last = 1 }, { first = 1, last = 0 },
          { first = 1.5, last = 2 } },
      },
      without = {
        good = { "none", {}, { 1 }, { 1, 4, 2 ^ 32 } },
        bad = { 1, "1", true, { 0 }, { 1.5 }, { "1" }, { a = 1 }, { 2 ^ 32 + 1 }, { 1, nil, 3 }, { 1, 0 } },
      },
      replaced = { good = { "none", {}, { 1 }, { 2 ^ 32 } }, bad = { 1, { 0 }, { 2 ^ 32 + 1 }, { [2] = 1 } } },
    } do
      for _, value in ipairs(values.good) do
        assert_takes { begin(with(name, value)) }
      end
      for _, value in ipairs(values.bad) do
        assert_refuses({ begin(with(name, value)) }, name .. " " .. tostring(value))
      end
    end
  end)

  it("comes after those with lower numbers, and of its batch has the digest and the epoch", function()
    local OTHER = { request = 2, first = 5, last = 6 }
    assert_takes { begin(), begin(OTHER) }
    for name, value in pairs { request = 1, digest = "another", epoch = 2 } do
      local more = { request = 2, first = 5, last = 6 }
      more[name] = value
      assert_refuses({ begin(), begin(more) }, name)
    end
  end)

  it("is of members that no request before has taken", function()
    local function after(...)
      local records = { begin(), ... }
      records[#records + 1] = begin { request = 2, first = 4, last = 4 }
      return records
    end
    assert_refuses(after(accepted()))
    assert_refuses(after(accepted(), ended()))
    assert_refuses(after(accepted(), ended { status = "failed" }))
    assert_takes(after()) -- what became of them is not known
    assert_takes(after(ended { status = "refused" }))
    assert_takes(after(ended { status = "split" }))
    assert_takes(after(ended { status = "failed", transient = true }))
    assert_takes(after(accepted(), ended { status = "failed", transient = true }))
    assert_takes { begin(), accepted(), begin { request = 2, first = 5, last = 5 } }
  end)
end)

describe("the end of a request in a journal", function()
  it("has a task where it was accepted, once", function()
    for name, values in pairs {
      uncertain = FLAGS, at = TIMES, task_id = { good = { "t1", "" }, bad = { "none", 1, true } },
    } do
      for _, value in ipairs(values.good) do
        assert_takes { begin(), accepted(with(name, value)) }
      end
      for _, value in ipairs(values.bad) do
        assert_refuses({ begin(), accepted(with(name, value)) }, name .. " " .. tostring(value))
      end
    end
    assert_refuses { accepted() }
    assert_refuses { begin(), accepted(), accepted() }
  end)

  it("has a status that follows from what was before", function()
    for name, values in pairs {
      transient = FLAGS, status = { good = { "completed", "failed", "refused", "any" }, bad = { "none", 1, true } },
      without = { good = { "none", {}, { 1, 4 } }, bad = { 1, { 0 }, { 5 }, { a = 1 } } },
      size = { good = { "none", 1, 8388608 }, bad = { 0, -1, 1.5, "1", true, 2 ^ 53 } },
    } do
      for _, value in ipairs(values.good) do
        assert_takes { begin(), accepted(), ended(with(name, value)) }
      end
      for _, value in ipairs(values.bad) do
        assert_refuses({ begin(), accepted(), ended(with(name, value)) }, name .. " " .. tostring(value))
      end
    end
    assert_refuses { ended() }
    assert_refuses { begin(), ended() }
    assert_refuses { begin(), ended { status = "failed" } }
    assert_refuses { begin(), ended { status = "completed", transient = true } }
    assert_takes { begin(), ended { status = "refused" } }
    assert_takes { begin(), ended { status = "split" } }
    assert_takes { begin(), ended { status = "failed", transient = true } }
    assert_takes { begin(), accepted(), ended(), ended() }
    assert_refuses { begin(), accepted(), ended(), ended { status = "failed" } }
  end)

  it("is a table of a type that is known", function()
    assert_takes {}
    for _, wrong in ipairs { 1, "begin", true, {}, { type = "another" } } do
      assert_refuses({ wrong }, tostring(wrong))
    end
  end)
end)

describe("a journal that was read", function()
  local function batch(number, count, more)
    local made = { number = number, digest = DIGEST, in_epochs = false, parts = { { payload = { count = function()
      return count
    end } } } }
    for name, value in pairs(more or {}) do
      made[name] = value
    end
    return made
  end

  it("knows what is left of a batch, and what its requests list", function()
    local past = assert_takes {
      begin { last = 2, without = { 1 }, replaced = { 2 } }, accepted(),
      begin { request = 2, first = 5, last = 6, without = { 1, 9 } }, ended { request = 2, status = "refused",
        without = { 5 } },
    }
    local of = assert(past:of(batch(1, 8), 1))
    assert.same({ { 1 }, { { first = 3, last = 8 } }, { 1, 9, 5 }, { 2 } },
      { { of.taken[1].id, of.taken[2] }, of.left, of.without, of.replaced })
    assert.is_nil(past:of(batch(2, 8), 1))
    assert.is_nil(of.uncertain)
    past = assert_takes { begin(), begin { request = 2 } }
    assert.is_true(past:of(batch(1, 8), 1).uncertain)
  end)

  it("does not go with a batch of other members", function()
    local past = assert_takes { begin { rows = { first = 2, last = 5 } }, accepted() }
    assert.truthy(past:of(batch(1, 4), 1))
    for _, case in ipairs { { batch(1, 3), 1 }, { batch(1, 4, { digest = "another" }), 1 }, { batch(1, 4), 2 } } do
      local of, err = past:of(case[1], case[2])
      assert.same({ nil, "changed_input", { first = 2, last = 5 } }, { of, err.code, err.rows })
    end
    assert.is_true(past:beyond(1))
    local ok, err = past:beyond(0)
    assert.same({ nil, "changed_input", { first = 2, last = 5 } }, { ok, err.code, err.rows })
    past = assert_takes { begin(), accepted() } -- of members that came from no rows
    local none = batch(1, 3)
    none.parts[1].first, none.parts[1].last, none.parts[1].payload.rows = 1, 3, function() end
    for _, found in ipairs { { past:of(none, 1) }, { past:beyond(0) } } do
      assert.same({ "changed_input", { first = 0, last = 0 } }, { found[2].code, found[2].rows })
    end
  end)

  it("knows of the deletion whether it was done", function()
    for _, case in ipairs {
      { {}, false }, { { accepted() }, true }, { { accepted(), ended() }, true },
      { { accepted(), ended { status = "failed" } }, false }, { { ended { status = "refused" } }, false },
    } do
      local records = { begin { batch = 0 } }
      for _, one in ipairs(case[1]) do
        records[#records + 1] = one
      end
      assert.equal(case[2], assert_takes(records):deleted())
    end
    assert.is_false(assert_takes({}):deleted())
  end)
end)
