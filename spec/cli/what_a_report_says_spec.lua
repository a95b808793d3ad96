-- The report of a job and its exit code, from the counts of a result alone: each number with its words.
local exit_code = require "scope3.cli.exit_code"
local outcome = require "scope3.cli.outcome"
local match_summary = require "scope3.cli.match_summary"
local report = require "scope3.cli.report"
local result = require "scope3.result"
local text = require "scope3.cli.text"

local function with(fields)
  local res = result.new(nil, { { id = "a", name = "A" } })
  for key, value in pairs(fields) do
    res[key] = value
  end
  return res
end

local function request(more)
  local made = { state = "accepted", members = 2, adds = 2, removes = 0, rows = { first = 2, last = 3 } }
  for key, value in pairs(more or {}) do
    made[key] = value
  end
  return made
end

describe("numbers for people", function()
  for said, n in pairs {
    ["0 bytes"] = 0, ["999 bytes"] = 999, ["1.0 kB"] = 1000, ["1000.0 kB"] = 999999, ["1.0 MB"] = 1e6,
    ["1.5 GB"] = 1.5e9,
  } do
    it("are bytes: " .. said, function()
      assert.equal(said, text.bytes(n))
    end)
  end

  for said, n in pairs {
    ["0 ms"] = 0, ["999 ms"] = 0.999, ["1.0 s"] = 1, ["119.9 s"] = 119.9, ["2 min"] = 120, ["119 min"] = 7140,
    ["2.0 h"] = 7200,
  } do
    it("are seconds: " .. said, function()
      assert.equal(said, text.seconds(n))
    end)
  end

  it("are counts with their nouns, and columns", function()
    assert.same({ "0 rows", "1 row", "1,000 rows", "2 retries" }, { text.plural(0, "row"), text.plural(1, "row"),
      text.plural(1000, "row"), text.plural(2, "retry", "retries") })
    local rows = { { "x", "é", "1" }, { "", "yy", "10" } }
    assert.equal("  x  é    1\n     yy  10\n", text.columns(rows, { [3] = true }, "  "))
    assert.equal("  a\n  b\n", text.columns { { "", "a" }, { "", "b" } })
    assert.equal("all", text.names "all")
    assert.same({ "plus", "words" }, text.names "plus, words")
    assert.is_nil(text.names(nil))
  end)
end)

describe("how much of an audience was matched", function()
  for said, entry in pairs {
    ["t 61 %"] = { rate = 0.61 }, ["t 100 %"] = { rate = 1 }, ["t 61 % "] = { rate = 61 }, ["t -"] = { rate = 101 },
    ["t 300 of 500"] = { matched = 300, uploaded = 500 }, ["t 300"] = { matched = 300 }, ["t - "] = { uploaded = 5 },
    ["t 300 of 500 (60 %)"] = { matched = 300, uploaded = 500, rate = 0.6 },
  } do
    it("is said by type: " .. said, function()
      entry.id_type = "t"
      assert.equal((said:gsub(" $", "")), match_summary.by_type { match_breakdown = { entry } })
    end)
  end
end)

describe("what the service reports of an audience", function()
  for i, case in ipairs {
    { {}, {} },
    { { uploaded_count = 1000 }, { "1,000 uploaded" } },
    { { uploaded_count = 10, matched_count = 7 }, { "10 uploaded", "7 matched (70 % of those uploaded)" } },
    { { uploaded_count = 10, total_uploaded_count = 20, matched_count = 7 },
      { "10 in the last upload", "20 uploaded in all", "7 matched (35 % of all uploaded)" } },
    { { uploaded_count = 5, matched_count = 7 }, { "5 uploaded", "7 matched" } },
    { { effective_match_rate = 0.61 }, { "match rate 61 % by the service" } }, { { effective_match_rate = 101 }, {} },
    { { match_breakdown = { { id_type = "id5", matched = 3 } }, minimum_size = 1000, last_synced_at = "today" },
      { "by type: id5 3", "at least 1,000 needed", "synced today" } },
  } do
    it(("has a text for each number, in case %d"):format(i), function()
      assert.same(case[2], match_summary.parts(case[1]))
    end)
  end
end)

describe("the report", function()
  -- The first part: values by their labels.
  local function rows_of(fields, about)
    local rows = {}
    for label, value in report.of(with(fields), about or { title = "t" }):gmatch "\n  (%l[%l ]-)%s%s+([^\n]*)" do
      rows[label] = value
    end
    return rows
  end

  for label, cases in pairs {
    rows = {
      { { rows = 0, seconds = 0 }, "0 in 0 ms" }, { { rows = 5, seconds = 0 }, "5 in 0 ms" },
      { { rows = 5000, seconds = 2 }, "5,000 in 2.0 s · 2,500 rows a second" }, { { seconds = 2 }, "0 in 2.0 s" },
    },
    skipped = {
      { { skipped = 0 }, nil }, { { skipped = 1 }, "1 by the script" },
      { { skipped = 3, child_rows = 1 }, "2 by the script · 1 that belong to other rows" },
    },
    rejected = { { {}, nil }, { { rejected = { no_id = 1 } }, "1" } },
    lines = {
      { {}, nil }, { { swallowed_lines = 1, lines = { total = 9 } },
        "9 · 1 of them inside rows that a quote holds together" },
    },
    members = {
      { { members = 2 }, "2" }, { { members = 2, replaced = 1 }, "2 · 1 replaced by a later row of the same id" },
    },
    identifiers = {
      { {}, "0 emails · 0 phones" },
      { { identifiers = { hashed_email = 1, hashed_phone = 2, uids = 1 }, prehashed = 1 },
        "1 email · 2 phones · 1 universal id · 1 of them hashed already" },
    },
    requests = {
      { {}, "0" }, { { requests = { request() }, bytes_sent = 1, retries = 1 }, "1 (1 accepted) · 1 byte · 1 retry" },
      { { requests = { request(), request { state = "failed" }, request() } }, "3 (2 accepted, 1 failed)" },
    },
    accepted = {
      { { accepted = 2 }, "2 members" }, { { accepted = 2, removed = 1 }, "1 member · 1 removed" },
      { { accepted = 2, resumed = 1, failed = 1, unknown = 1 },
        "2 members · 1 of them by an earlier run · 1 failed · 1 sent, but never answered" },
    },
    removed = {
      { { accepted = 2, removed = 2 }, "2 members" },
      { { requests = { request { adds = 0, removes = 2 } } }, "0 members" },
      { { requests = { request { adds = 1, removes = 2 } } }, nil },
      { { requests = { request { adds = 0, removes = 0 } } }, nil },
    },
    ["would send"] = { { { would_send = 3, would_remove = 1 }, "2 members · 1 to remove" } },
    deferred = {
      { {}, nil }, { { deferred = 1, epochs = 2 }, "1 member until the tasks of their ids' earlier members had ended · "
        .. "2 epochs" },
    },
    repeats = {
      { { repeats = "request", requests = { request() } }, nil },
      { { repeats = "request", requests = { request(), request() } },
        "looked for in each request only; --unique looks through all of them" },
    },
    deleted = {
      { { deleted = {} }, "0 audiences" }, { { deleted = { { audience_id = "x" } } }, "1 audience: x" },
    },
    ["would delete"] = { { { would_delete = { { audience_id = "x" } } }, "1 audience: x" } },
    tasks = {
      { {}, nil },
      { { tasks = { { status = "completed", task_id = "t" }, { status = "failed", task_id = "t" },
        { status = "completed", task_id = "t" } } }, "2 completed, 1 failed" },
    },
    audience = { { {}, "a (A)" } },
  } do
    for i, case in ipairs(cases) do
      it(("has of %s, %d: %s"):format(label, i, tostring(case[2])), function()
        assert.equal(case[2], rows_of(case[1])[label])
      end)
    end
  end

  local function has(fields, part)
    local said = report.of(with(fields), { title = "t" })
    return said:find(part, 1, true) ~= nil, said
  end

  it("has its warnings in a paragraph of their own", function()
    local _, said = has({ warnings = { { message = "one" }, { message = "two\27" } } }, "")
    assert.truthy(said:find("a (A)\n\nWarning: one\nWarning: two\\x1b\n", 1, true), said)
  end)

  it("names twenty deleted audiences", function()
    local deleted = {}
    for i = 1, 21 do
      deleted[i] = { audience_id = "x" .. i }
    end
    assert.truthy(rows_of({ deleted = deleted }).deleted:find(", x20, …$"))
    deleted[21] = nil
    assert.truthy(rows_of({ deleted = deleted }).deleted:find(", x20$"))
  end)

  it("lists reasons by their numbers, and those of one number by name", function()
    assert.is_true((has({ rejected = { zz = 1, yy = 10, xx = 1 } },
      "Rows rejected, by reason:\n  10  yy\n   1  xx\n   1  zz\n")))
  end)

  it("lists what did not get through, and no more than twenty", function()
    local lost = { request { state = "unknown", error = "silence" }, request { state = "not sent" }, request(),
      request { state = "partly failed", failed = 1 }, request { state = "failed", failed = 2, sent_again = true } }
    local TITLE = "Not in the audience, or not for certain:\n"
    assert.is_true((has({ requests = lost }, TITLE .. "  rows 2 to 3  unknown        2 members: silence\n"
      .. "  rows 2 to 3  not sent       2 members\n  rows 2 to 3  partly failed  1 member\n")))
    assert.is_false((has({ requests = { request { state = "not sent" } }, would_send = 2 }, TITLE)))
    assert.is_false((has({ requests = { request { state = "unknown", rows = false } } }, TITLE)))
    local quarantine, many = {}, {}
    for i = 1, 25 do
      quarantine[i], many[i] = { row = i, message = "m" }, request { state = "unknown" }
    end
    local _, said = has({ quarantine = quarantine, requests = many }, TITLE)
    assert.equal(20, select(2, said:gsub("rejected by the service", "")))
    assert.equal(0, select(2, said:gsub("  unknown ", "")))
    _, said = has({ requests = many }, TITLE)
    assert.equal(20, select(2, said:gsub("  unknown ", "")))
  end)

  it("lists conditions that skipped rows or met odd values", function()
    local function condition(more)
      local made = { column = "v", operator = "eq", skipped = 0, absent = 0, not_a_number = 0, not_a_date = 0,
        not_yes_or_no = 0, other_case = 0 }
      for key, value in pairs(more) do
        made[key] = value
      end
      return { conditions = { made } }
    end
    assert.is_false((has(condition {}, "Rows skipped, by")))
    assert.is_true((has(condition { skipped = 1 }, "not meet:\n  1  v eq\n")))
    assert.is_true((has(condition { other_case = 1 }, "not meet:\n  0  v eq (1 in another case)\n")))
  end)

  it("has a timeline of several requests, of the first eight", function()
    local function timeline(n)
      local requests = {}
      for i = 1, n do
        requests[i] = request { build_start = 0, build_end = 1, send_start = i, send_end = i + 0.5 }
      end
      return (select(2, has({ requests = requests }, "")):match "Timeline:\n(.*)$")
    end
    assert.is_nil(timeline(1))
    assert.truthy(timeline(2):find "\n  2 +2 +0%.00 %- 1%.00 s  2%.00 %- 2%.50 s\n?")
    assert.is_nil(timeline(8):find("and", 1, true))
    assert.truthy(timeline(9):find("and 1 more", 1, true))
    assert.is_nil(timeline(9):find("9.50", 1, true))
    assert.truthy(timeline(9):find "7%.00 %- 7%.50 s\n[^\n]*8%.00 %- 8%.50 s\n[^\n]*and 1 more")
  end)
end)

describe("the exit code", function()
  it("has the numbers that are documented", function()
    assert.same({ 0, 1, 2, 3, 4, 70, 130 }, { exit_code.OK, exit_code.FAILED, exit_code.USAGE, exit_code.NOTHING,
      exit_code.UNWRITTEN, exit_code.INTERNAL, exit_code.STOPPED })
  end)

  for word, read in pairs {
    ["5"] = { rows = 5 }, ["0"] = { rows = 0 }, ["5%"] = { percent = 5 }, ["0.5%"] = { percent = 0.5 },
    ["100%"] = { percent = 100 }, ["101%"] = false, ["x"] = false, ["-1"] = false, ["5.5"] = false,
  } do
    it("takes --max-rejected " .. word, function()
      assert.same(read or nil, outcome.max_rejected(word))
    end)
  end

  local GAP = "the counts do not add up: %s. Please report this as a fault of scope3"
  local LOST = "the rows that were read do not account for the members"
  local FINE = { rows = 10, members = 9, accepted = 9, rejected = { x = 1 } }
  local function fine(more)
    local made = {}
    for _, fields in ipairs { FINE, more } do
      for key, value in pairs(fields) do
        made[key] = value
      end
    end
    return made
  end

  for i, case in ipairs {
    -- counts, rules, code, reasons
    { FINE, {}, 0 },
    { fine { accepted = 8, failed = 1 }, {}, 1, { "1 member failed" } },
    { fine { accepted = 8, unknown = 1 }, {}, 1, { "1 member was sent and never answered" } },
    { fine { accepted = 7, unknown = 2 }, {}, 1, { "2 members were sent and never answered" } },
    { fine { accepted = 8, rejected_by_service = 1 }, {}, 1,
      { "1 member rejected by the service; the report names their rows" } },
    { FINE, { strict = true }, 1, { "--strict: 1 row was rejected" } },
    { fine { rejected = {} }, { strict = true }, 0 },
    { fine { rejected = {}, swallowed_lines = 1 }, { strict = true }, 1,
      { "--strict: 1 line is in no row, because of stray quotes" } },
    { fine { swallowed_lines = 1 }, {}, 0 },
    { fine { accepted = 8 }, {}, 1, { GAP:format "9 members were built, and 8 are accounted for" } },
    { fine { rows = 1 }, {}, 1, { GAP:format(LOST) } },
    { fine { rows = 2 }, {}, 0 },
    { fine { rows = 0 }, {}, 1, { GAP:format(LOST) } },
    { { rows = 3, skipped = 3, members = 1, accepted = 1 }, {}, 1, { GAP:format(LOST) } },
    { FINE, { max_rejected = { rows = 1 } }, 0 },
    { FINE, { max_rejected = { rows = 0 } }, 3, { "--max-rejected 0: 1 row was rejected" } },
    { FINE, { max_rejected = { percent = 10 } }, 0 },
    { FINE, { max_rejected = { percent = 9.5 } }, 3, { "--max-rejected 9.5%: 1 row was rejected of 10" } },
    { fine { swallowed_lines = 1 }, { max_rejected = { percent = 10 } }, 3,
      { "--max-rejected 10%: 2 rows were rejected of 11" } },
    { fine { swallowed_lines = 1 }, { max_rejected = { rows = 1 } }, 3, { "--max-rejected 1: 2 rows were rejected" } },
    { fine { rows = 20, skipped = 10 }, { max_rejected = { percent = 9 } }, 3,
      { "--max-rejected 9%: 1 row was rejected of 10" } },
    { FINE, { min_accepted = 9 }, 0 },
    { FINE, { min_accepted = 10 }, 3, { "--min-accepted 10: 9 members were accepted or removed" } },
    { { rows = 2, members = 2, would_send = 2 }, { min_accepted = 2 }, 0 },
    { { rows = 2, members = 2, replaced = 2 }, {}, 3, { "nothing was accepted or removed" } },
    { { rows = 2, members = 2, replaced = 2 }, { allow_empty = true }, 3, { "nothing was accepted or removed" } },
    { {}, {}, 3, { "the input has no rows, so nothing was sent (--allow-empty makes that a success)" } },
    { { rows = 1, skipped = 1 }, {}, 3,
      { "every row was skipped, so nothing was sent (--allow-empty makes that a success)" } },
    { { rows = 1, rejected = { x = 1 } }, {}, 3,
      { "no row gave a member, so nothing was sent (--allow-empty makes that a success)" } },
    { {}, { allow_empty = true }, 0 },
    { { rows = 1, members = 1, accepted = 1 }, { require_ready = true }, 3,
      { "--require-ready: the audience a is not known to be READY" } },
  } do
    it(("is %d in case %d: %s"):format(case[3], i, case[4] and case[4][1] or "all is well"), function()
      assert.same({ case[3], case[4] or {} }, { outcome.code(with(case[1]), nil, case[2]) })
    end)
  end
end)
