-- What became of the entries of a chunk, by its requests and what a night has written down of them; what may be sent,
-- folded and counted. The expected values follow from three facts: a request without an end may be carried out until 72
-- hours after it began; the same operation twice comes to the same as once; and a task that fails may put back what was
-- there before it.
local protocol = require "scope3.mirror.protocol"

local HOUR = 3600

-- Tries such as { "begun", at = 0 }: of the entries 1 to 10, begun at an hour.
local function tries_of(list)
  local tries = {}
  for i, one in ipairs(list) do
    tries[i] = { request = i, first = one.first or 1, last = one.last or 10, without = one.without,
      refused = one.refused, state = one[1], begun = (one.at or 0) * HOUR }
  end
  return tries
end

-- A chunk with these tries, after a night at that hour has written down what has settled.
local function chunk_of(list, hours, settling)
  local chunk = { count = 10, tries = tries_of(list) }
  for _, try in ipairs(protocol.settled(chunk, (hours or 0) * HOUR, settling)) do
    try.state = "unknown"
  end
  return chunk
end

-- Outcomes as a text: "1-4 applied, 5 none refused, 6-10 applied".
local function outcomes_of(list, hours, settling)
  local words = {}
  for i, range in ipairs(protocol.outcomes(chunk_of(list, hours, settling))) do
    local numbers = range.first == range.last and range.first or range.first .. "-" .. range.last
    words[i] = ("%s %s%s"):format(numbers, range.outcome, range.refused and " refused" or "")
  end
  return table.concat(words, ", ")
end

describe("what became of an entry", function()
  -- Its tries, the hour, and the outcome.
  for what, case in pairs {
    ["that was never sent is as before"] = { {}, 1, "none" },
    ["without an answer is open"] = { { { "begun" } }, 0, "open" },
    ["without an answer is open to the end of the settling time"] = { { { "begun" } }, 71.99, "open" },
    ["without an answer is unsure from then on"] = { { { "begun" } }, 72, "unsure" },
    ["that the service accepted is open, whatever the answer said"] = { { { "accepted" } }, 48, "open" },
    ["whose task was not seen to end is unsure after the settling time"] = { { { "accepted" } }, 72, "unsure" },
    ["whose task is missing is open, because it may be carried out"] = { { { "missing" } }, 71.99, "open" },
    ["whose task is missing is unsure after the settling time"] = { { { "missing" } }, 72, "unsure" },
    ["that was written down as unknown is unsure, though the clock was put back"] = { { { "unknown" } }, 1, "unsure" },
    ["whose task completed is applied"] = { { { "completed" } }, 60, "applied" },
    ["whose task was seen to complete late is applied"] = { { { "completed" } }, 200, "applied" },
    ["whose task failed is unsure"] = { { { "failed" } }, 1, "unsure" },
    ["that was refused is as before"] = { { { "refused" } }, 1, "none" },
    ["that was refused twice is as before"] = { { { "refused" }, { "refused", at = 1 } }, 1, "none" },
    ["that failed and was refused then is unsure"] = {
      { { "failed" }, { "refused", at = 2 } }, 2, "unsure" },
    ["that was lost and refused then is open"] = { { { "begun" }, { "refused", at = 2 } }, 2, "open" },
    ["that was lost and refused then is unsure at last"] = { { { "begun" }, { "refused", at = 2 } }, 72, "unsure" },
    ["that was refused and completed then is applied"] = {
      { { "refused" }, { "completed", at = 1 } }, 2, "applied" },
    ["that was lost, and completed then, is open as long as the first may come"] = {
      { { "begun" }, { "completed", at = 1 } }, 71.99, "open" },
    ["that was lost, and completed then, is unsure: the first may have failed and put back"] = {
      { { "begun" }, { "completed", at = 1 } }, 72, "unsure" },
    ["that was lost twice is open for the second"] = { { { "begun" }, { "begun", at = 50 } }, 121.99, "open" },
    ["that was lost twice is unsure after the second"] = { { { "begun" }, { "begun", at = 50 } }, 122, "unsure" },
    ["that failed, and completed when sent once more, is unsure: the first may have put back"] = {
      { { "failed" }, { "completed", at = 5 } }, 6, "unsure" },
    ["that completed, and failed when sent once more, is unsure"] = {
      { { "completed" }, { "failed", at = 5 } }, 6, "unsure" },
    ["that completed twice is applied"] = {
      { { "completed" }, { "completed", at = 5 } }, 9, "applied" },
  } do
    it(what, function()
      assert.equal("1-10 " .. case[3], outcomes_of(case[1], case[2]))
    end)
  end

  it("depends on the settling time that is given", function()
    assert.equal("1-10 open", outcomes_of({ { "begun" } }, 1.9, 2 * HOUR))
    assert.equal("1-10 unsure", outcomes_of({ { "begun" } }, 2, 2 * HOUR))
  end)

  it("is open where a request began later than it is now", function()
    assert.equal("1-10 open", outcomes_of({ { "begun", at = 1000 } }, 1))
  end)

  it("is open until a night has written down that it has settled", function()
    local chunk = { count = 10, tries = tries_of { { "begun" } } }
    local function outcome()
      return protocol.outcomes(chunk)[1].outcome
    end
    local list = protocol.settled(chunk, 1000 * HOUR)
    assert.same({ "open", false }, { outcome(), protocol.is_ended(chunk) })
    assert.equal(chunk.tries[1], list[1])
    list[1].state = "unknown"
    assert.same({ "unsure", true }, { outcome(), protocol.is_ended(chunk) })
  end)
end)

describe("the entries of a chunk", function()
  for what, case in pairs {
    ["have outcomes of their own in each half of a request that was too large"] = {
      { { "refused" }, { "completed", last = 5 }, { "begun", first = 6, at = 1 } }, 2,
      "1-5 applied, 6-10 open" },
    ["that no request had are as before"] = { { { "completed", first = 3, last = 4 } }, 2,
      "1-2 none, 3-4 applied, 5-10 none" },
    ["that the service refuses are as before, and known as such"] = {
      { { "refused", refused = { 4 } }, { "completed", without = { 4 }, at = 1 } }, 2,
      "1-3 applied, 4 none refused, 5-10 applied" },
    ["that the service refuses are known when the night ends before the others are sent"] = {
      { { "refused", refused = { 1, 10 } } }, 2, "1 none refused, 2-9 none, 10 none refused" },
    ["that a request leaves out are not known as refused"] = { { { "completed", without = { 4 } } }, 2,
      "1-3 applied, 4 none, 5-10 applied" },
    ["that a later request leaves out are what the one before left them"] = {
      { { "unknown" }, { "completed", without = { 4 }, at = 1 } }, 2, "1-10 unsure" },
    ["end with the chunk, whatever a request says"] = { { { "completed", last = 11 } }, 2, "1-10 applied" },
    ["that are refused next to each other are one range"] = {
      { { "refused", refused = { 4, 5 } } }, 2, "1-3 none, 4-5 none refused, 6-10 none" },
    ["that are refused after their request was lost are open"] = {
      { { "begun" }, { "refused", refused = { 4 }, at = 1 }, { "completed", without = { 4 }, at = 1 } }, 2,
      "1-10 open" },
    ["that are refused after their request was lost are unsure at last, and known as refused"] = {
      { { "begun" }, { "refused", refused = { 4 }, at = 1 } }, 72, "1-3 unsure, 4 unsure refused, 5-10 unsure" },
    ["that are refused after their task failed are unsure, and known as refused"] = {
      { { "failed" }, { "refused", refused = { 4 }, at = 1 } }, 2,
      "1-3 unsure, 4 unsure refused, 5-10 unsure" },
    ["that are refused after they were applied are not known as refused"] = {
      { { "completed" }, { "refused", refused = { 4 }, at = 1 } }, 2, "1-10 applied" },
    ["that the service takes after it refused them are not known as refused"] = {
      { { "refused", refused = { 4 } }, { "completed", at = 1 } }, 2, "1-10 applied" },
  } do
    it(what, function()
      assert.equal(case[3], outcomes_of(case[1], case[2]))
    end)
  end

  it("are one range where there is one entry, and none where there is none", function()
    local range = { first = 1, last = 1, outcome = "none", refused = false }
    assert.same({ range }, protocol.outcomes { count = 1, tries = {} })
    assert.same({}, protocol.outcomes { count = 0, tries = {} })
  end)
end)

describe("a chunk", function()
  for what, case in pairs {
    ["without requests has ended"] = { {}, 0, true },
    ["has not ended while a request has no answer"] = { { { "completed" }, { "begun", at = 1 } }, 2, false },
    ["has not ended while a task goes on"] = { { { "accepted" } }, 71.99, false },
    ["has not ended while a task is missing"] = { { { "missing" } }, 71.99, false },
    ["has ended when all have settled"] = { { { "accepted" }, { "begun" }, { "missing" } }, 72, true },
    ["has ended with its last task"] = { { { "completed" }, { "failed" }, { "refused" },
      { "unknown" } }, 1, true },
  } do
    it(what, function()
      assert.equal(case[3], protocol.is_ended(chunk_of(case[1], case[2])))
    end)
  end

  it("is folded after all that are older", function()
    local done, open = { { "completed" } }, { { "begun" } }
    local function foldable(list)
      local chunks = {}
      for i, tries in ipairs(list) do
        chunks[i] = chunk_of(tries)
      end
      return protocol.foldable(chunks)
    end
    assert.equal(0, foldable {})
    assert.equal(3, foldable { done, {}, done })
    assert.equal(0, foldable { open, done, done })
    assert.equal(1, foldable { done, open, done })
  end)

  it("writes down what has settled, and nothing else", function()
    local chunk = chunk_of { { "begun" }, { "accepted" }, { "missing" }, { "completed" },
      { "failed" }, { "refused" }, { "unknown" }, { "begun", at = 1 } }
    local function settled(hours)
      local list = {}
      for i, try in ipairs(protocol.settled(chunk, hours * HOUR)) do
        list[i] = try.request
      end
      return list
    end
    assert.same({}, settled(71.99))
    assert.same({ 1, 2, 3 }, settled(72))
    assert.same({ 1, 2, 3, 8 }, settled(73))
  end)

  it("has its requests begun anew that began later than it is now", function()
    local chunk = chunk_of { { "begun", at = 3 }, { "accepted", at = 2 }, { "missing", at = 3 },
      { "completed", at = 3 }, { "begun", at = 1 } }
    local list = protocol.begun_later(chunk, 2 * HOUR)
    assert.same({ 1, 3 }, { list[1].request, list[2].request })
    assert.is_nil(list[3])
  end)
end)

describe("entries may be sent", function()
  -- Their tries, the hour, whether this process cut the chunk, and the range.
  for what, case in pairs {
    ["for the first time, by the process that cut them"] = { true, {}, 0, true },
    ["never for the first time by another process"] = { false, {}, 0, false },
    ["again after they were refused, by the same process"] = { true, { { "refused" } }, 1, true },
    ["not after they were refused, by another process"] = { false, { { "refused" } }, 1, false },
    ["again after they failed, by the same process"] = { true, { { "failed" } }, 1, true },
    ["not after they failed, by another process"] = { false, { { "failed" } }, 1, false },
    ["again without an answer, by the same process"] = { true, { { "begun" } }, 1, true },
    ["again without an answer, by another process"] = { true, { { "begun" } }, 71.99, false },
    ["not by another process when they have settled"] = { false, { { "begun" } }, 72, false },
    ["not by another process when that was written down"] = { false, { { "unknown" } }, 1, false },
    ["again when they have settled, by the same process"] = { true, { { "begun" } }, 99, true },
    ["again when their task is missing"] = { true, { { "missing" } }, 71.99, false },
    ["not while their task goes on"] = { false, { { "accepted" } }, 1, true },
    ["not while their task goes on, by another process"] = { false, { { "accepted" } }, 1, false },
    ["not when one without an answer has a later try with a task"] = {
      false, { { "begun" }, { "accepted", at = 1 } }, 2, false },
    ["not after they were carried out"] = { false, { { "completed" } }, 1, true },
    ["not after one of two tries was carried out"] = { false, { { "begun" }, { "completed" } }, 1, false },
    ["as a part of the range before"] = { true, { { "begun" } }, 1, false, { first = 4, last = 6 } },
    ["where all of them are open"] = { true, { { "begun", last = 5 }, { "begun", first = 6 } }, 1, false },
    ["not where one of them is not open"] = { false, { { "begun", last = 9 } }, 1, false },
    ["where the one that is not open is left out"] = { true, { { "begun", last = 9 } }, 1, false,
      { first = 1, last = 10, without = { 10 } } },
    ["where the one that was carried out is left out"] = { true,
      { { "begun" }, { "completed", first = 3, last = 3 } }, 1, false,
      { first = 1, last = 10, without = { 3 } } },
    ["not where the one that was carried out is in the middle"] = { false,
      { { "begun" }, { "completed", first = 3, last = 3 } }, 1, false },
    ["beside some that are out of the range"] = { true,
      { { "begun" }, { "completed", first = 3, last = 3 } }, 1, false, { first = 4, last = 10 } },
    ["not where one was left out of the request without an answer"] = {
      false, { { "begun", without = { 3 } } }, 1, false },
    ["where one was left out of the request that was carried out"] = { true,
      { { "completed", without = { 3 } } }, 1, true, { first = 3, last = 3 } },
  } do
    it(what, function()
      local range = case[5] or { first = 1, last = 10 }
      assert.equal(case[1], protocol.may_go(chunk_of(case[2], case[3]), range, case[4]))
    end)
  end

  it("within an hour after their request began", function()
    local try = tries_of({ { "begun", at = 5 } })[1]
    assert.is_true(protocol.may_be_sent(try, 5 * HOUR))
    assert.is_true(protocol.may_be_sent(try, 6 * HOUR))
    assert.is_false(protocol.may_be_sent(try, 6 * HOUR + 1))
  end)
end)

describe("an open member", function()
  -- The operation that is open with its cells, the cells that are wanted, and what it is counted as.
  for what, case in pairs {
    ["is under way where the same is added"] = { { op = "add", cells = "1" }, "1", "under_way" },
    ["is deferred where it is to become another"] = { { op = "add", cells = "1" }, "2", "deferred" },
    ["is deferred where it is to be removed"] = { { op = "add", cells = "1" }, nil, "deferred" },
    ["is under way where it is being removed"] = { { op = "remove" }, nil, "under_way" },
    ["is deferred where it returns before it was removed"] = { { op = "remove" }, "1", "deferred" },
  } do
    it(what, function()
      assert.equal(case[3], protocol.while_open(case[1], case[2]))
    end)
  end
end)
