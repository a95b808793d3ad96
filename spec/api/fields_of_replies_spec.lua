-- Each type of a field of a reply: what is of it, and what is left out as if it were null.
local fields = require "scope3.api.field_types"

local HUGE, NAN = math.huge, 0 / 0
local NONE = {} -- stands for nil in a table

local function digits(n)
  return ("a"):rep(n)
end

-- A type; then what is sent, and what is read.
local CASES = {
  { "text", { { "a", "a" }, { "", "" }, { 1, NONE }, { true, NONE }, { {}, NONE } } },
  { "id", {
    { "25", "25" }, { "", NONE }, { 25, "25" }, { 0, "0" }, { -3, "-3" }, { 1.5, NONE }, { HUGE, NONE }, { NAN, NONE },
    { 2 ^ 53 - 1, "9007199254740991" }, { 2 ^ 53, NONE }, { 1 - 2 ^ 53, "-9007199254740991" }, { -2 ^ 53, NONE },
    { "9007199254740993", "9007199254740993" }, { true, NONE }, { {}, NONE },
  } },
  { "flag", {
    { true, true }, { 1, true }, { "true", true }, { "TRUE", true }, { false, false }, { 0, false }, { "False", false },
    { 2, NONE }, { "yes", NONE }, { "", NONE }, { {}, NONE },
  } },
  { "count", {
    { 0, 0 }, { 7, 7 }, { -1, NONE }, { 1.5, NONE }, { "7", NONE }, { 2 ^ 53, 2 ^ 53 }, { 2 ^ 53 * 2, NONE },
    { HUGE, NONE }, { NAN, NONE },
  } },
  { "amount", {
    { 0, 0 }, { 0.25, 0.25 }, { -0.25, NONE }, { 1e300, 1e300 }, { HUGE, NONE }, { NAN, NONE }, { "1", NONE },
  } },
  { "word", {
    { "audience_sync", "audience_sync" }, { "Media buy.v2-x", "Media buy.v2-x" }, { "a1b2", "a1b2" }, { "a12", NONE },
    { "1a", NONE }, { "_a", NONE }, { "", NONE }, { "a@b", NONE }, { "a\nb", NONE }, { digits(64), digits(64) },
    { digits(65), NONE }, { 7, NONE },
  } },
  { "task_status", {
    { "completed", "completed" }, { "COMPLETED", "completed" }, { " Completed ", "completed" },
    { "cancelled", "canceled" }, { "canceled", "canceled" }, { "input-required", "input-required" },
    { "INPUT_REQUIRED", "input-required" }, { "inputRequired", "input-required" },
    { "Input  Required", "input-required" },
    { "auth required", "auth-required" }, { "unknown", "unknown" }, { "paused", "paused" },
    { "id 12345", "unknown" }, { "", NONE }, { 1, NONE },
  } },
  { "audience_status", {
    { "READY", "READY" }, { "ready", "READY" }, { "tooSmall", "TOO_SMALL" }, { "too small", "TOO_SMALL" },
    { "Too-Small", "TOO_SMALL" }, { "suspended", "SUSPENDED" }, { "Error", "ERROR" }, { "processing", "PROCESSING" },
    { "archived", "archived" }, { "12345", "UNKNOWN" }, { "", NONE }, { false, NONE },
  } },
  { "moment", {
    { "2026-11-01", "2026-11-01" }, { "2026-11-01T00:00:00.5+02:00", "2026-11-01T00:00:00.5+02:00" },
    { "01.11.2026", NONE }, { "x 2026-11-01", NONE }, { "2026-11-01 <b>", NONE }, { "", NONE }, { 1700000000, NONE },
    { "2026-11-01" .. digits(54), "2026-11-01" .. digits(54) }, { "2026-11-01" .. digits(55), NONE },
  } },
  { "release", {
    { "1.2.3", "1.2.3" }, { "v1_b+c-d", "v1_b+c-d" }, { ".1", NONE }, { "1 2", NONE }, { "", NONE },
    { digits(64), digits(64) }, { digits(65), NONE }, { 1, NONE },
  } },
  { "commit", {
    { "0123abC", "0123abC" }, { digits(6), NONE }, { digits(64), digits(64) }, { digits(65), NONE },
    { "0123abg", NONE }, { 1234567, NONE },
  } },
  { "title", {
    { "Newsletter", "Newsletter" }, { "", "" }, { 7, NONE }, { "of jane@example.com", "of [redacted]" },
  } },
  { "object", { { "a", NONE }, { 1, NONE } } },
  { "any", { { "a", "a" }, { 0, 0 }, { false, false } } },
}

describe("a field of a reply", function()
  for _, case in ipairs(CASES) do
    local name, values = case[1], case[2]
    it(("that is declared as %s is read, or left out"):format(name), function()
      for _, pair in ipairs(values) do
        local expected = pair[2]
        if expected == NONE then
          expected = nil
        end
        assert.equal(expected, fields[name](pair[1]), ("%s: %s"):format(name, tostring(pair[1])))
      end
      assert.is_nil(fields[name](nil))
    end)
  end

  it("that holds others is read as it is, and nothing else is", function()
    local object = { a = 1 }
    assert.equal(object, fields.object(object))
    assert.equal(object, fields.any(object))
    assert.is_nil(fields.object "a")
  end)

  it("that tells of problems is a list of them, or nothing where it is empty", function()
    assert.is_nil(fields.problems {})
    assert.equal("x", fields.problems({ message = "x" })[1].message)
    local list = fields.problems { { message = "the audience is not there" }, { code = "NOT_FOUND" } }
    assert.same({ 2, "the audience is not there" }, { #list, list[1].message })
  end)

  it("that is the text of an error is told without what may be somebody's", function()
    assert.equal("the audience is not there", fields.error_text "the audience is not there")
    assert.is_nil(fields.error_text("of jane@example.com"):find("jane", 1, true))
    for _, none in ipairs { 7, true, {} } do
      assert.is_nil(fields.error_text(none))
    end
  end)

  it("that tells of matching is read under any of its names, up to fifty entries", function()
    for _, type_name in ipairs { "id_type", "type", "uid_type", "identifier_type" } do
      for _, rate in ipairs { "match_rate", "effective_match_rate", "rate" } do
        for _, matched in ipairs { "matched_count", "matched" } do
          for _, uploaded in ipairs {
            "submitted_count", "submitted", "uploaded_count", "uploaded", "total_count", "total",
          } do
            local entry = { [type_name] = "uid2", [rate] = 0.5, [matched] = 3, [uploaded] = 6 }
            assert.same({ { id_type = "uid2", rate = 0.5, matched = 3, uploaded = 6 } }, fields.breakdown { entry })
          end
        end
      end
    end
    assert.same({ { id_type = "x" } }, fields.breakdown { { type = "x", rate = -1, matched = 1.5, total = "6" } })
    assert.same({ { id_type = "x", uploaded = 1 } },
      fields.breakdown { { id_type = "x", submitted_count = 1, total = 2 } })
    for _, none in ipairs { {}, { 7 }, { { rate = 1 } }, { { word = "x" } }, { { type = 12345 } }, "uid2", 7 } do
      assert.is_nil(fields.breakdown(none))
    end
    for given, read in pairs { [49] = 49, [50] = 50, [51] = 50 } do
      local list = {}
      for i = 1, given do
        list[i] = { type = "x", matched = i }
      end
      assert.equal(read, #fields.breakdown(list))
    end
  end)
end)
