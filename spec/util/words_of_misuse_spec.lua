-- Misuse is told with the name that was probably meant, and with what was given: its type, never its value.
local arguments = require "scope3.util.arguments"
local options = require "scope3.util.options"

describe("a name that is not known", function()
  for _, case in ipairs {
    -- key, known names, the one that was meant
    { "rtae", { "rate" }, "rate" }, -- two letters that were swapped count as one change
    { "abxx", { "bayy" }, nil }, -- and a swap beside two other changes is no likeness
    { "cat", { "bat", "hat" }, "bat" }, -- the first of those that are as near
    { "onEvent", { "on_event" }, "on_event" },
    { "key", { "api_key" }, "api_key" },
    { "ky", { "api_ky_of_all" }, nil },
    { "rat", { "rate" }, "rate" },
    { "rates", { "rate" }, "rate" },
    { "x", { "a" }, nil }, -- of a single letter everything is one change away
    { ("x"):rep(65), { ("x"):rep(64) }, nil },
    { 5, { "5" }, nil },
  } do
    it(("'%s' means %s"):format(tostring(case[1]), tostring(case[3])), function()
      assert.equal(case[3], arguments.meant(case[1], case[2]))
    end)
  end

  for shown, key in pairs {
    ["'rate'"] = "rate", ["a text that is no name"] = "jane@example.org", ["[5]"] = 5, ["[-5]"] = -5,
    ["a number"] = 2000000, ["a boolean"] = true, ["[999999]"] = 999999,
  } do
    it("is shown as " .. shown, function()
      assert.equal(shown, arguments.name(key))
    end)
  end

  it("is shown up to 64 bytes", function()
    assert.equal("'" .. ("x"):rep(64) .. "'", arguments.name(("x"):rep(64)))
    assert.equal("a text that is no name", arguments.name(("x"):rep(65)))
  end)
end)

describe("what was given", function()
  for _, case in ipairs {
    { 5, "a number" }, { 0, "0" }, { -5, "a negative number" }, { 1.5, "a number with a fraction" },
    { -1.5, "a number with a fraction" }, { 0 / 0, "a number that is none (NaN)" }, { 1 / 0, "an infinite number" },
    { -1 / 0, "an infinite number" }, { 2 ^ 53, "a number of 2^53 or more" }, { 2 ^ 53 - 1, "a number" },
    { "jane", "a string" }, { {}, "a table" }, { print, "a function" }, { nil, "a nil" },
    { coroutine.create(function() end), "a coroutine" },
    { setmetatable({}, { __name = "scope3.audience" }), "a scope3.audience" },
    { setmetatable({}, { __name = "jane" }), "a table" },
  } do
    it("is said as " .. case[2], function()
      assert.equal(case[2], arguments.kind(case[1]))
    end)
  end
end)

describe("an id", function()
  for _, case in ipairs {
    { "x", true }, { 0, true }, { 3, true }, { 25, true }, { 2 ^ 53 - 1, true }, { -1, false }, { 1.5, false },
    { 2 ^ 53, false }, { true, false }, { 0 / 0, false }, { 1 / 0, false },
  } do
    it(("is %s: %s"):format(tostring(case[1]), tostring(case[2])), function()
      assert.equal(case[2], options.is_id(case[1]))
    end)
  end
end)

describe("an option", function()
  local SPEC = {
    n = "count", s = "string", any = "any", few = { some_of = { "a", "b" } }, one = { "a", "b" }, ids = "ids",
  }

  for _, case in ipairs {
    { { n = 2 ^ 53 } }, { { n = 2 ^ 53 + 2 }, "n must be a whole number, 1 or more, not a number of 2^53 or more" },
    { { n = 0 }, "n must be a whole number, 1 or more, not 0" }, { { n = 1 } }, { { any = print } }, { { s = "x" } },
    { { s = 5 }, "s must be a string, not a number" }, { { few = "all" } }, { { few = { "b" } } },
    { { few = { "c" } }, 'few must be "all" or a list of a, b' },
    { { few = 5 }, 'few must be "all" or a list of a, b' },
    { { one = "c" }, "one must be one of a, b" }, { { ids = { 1, 2.5 } },
      "ids[2] must be a string or a whole number below 2^53, not a number with a fraction" },
    { 5, "options must be a table, not a number" },
    { { x = 1 }, "unknown option 'x' (known: any, few, ids, n, one, s)" },
  } do
    it(case[2] and "is refused: " .. case[2] or "is taken", function()
      assert.equal(case[2], (options.problem(case[1], SPEC)))
    end)
  end

  it("is refused with those that are known, where there are any", function()
    for known, spec in pairs { none = {}, a = { a = "any" } } do
      assert.equal(("unknown option 'x' (known: %s)"):format(known), (options.problem({ x = 1 }, spec)))
    end
  end)
end)

describe("a list", function()
  for i, case in ipairs {
    { {}, { 0 } }, { { 1, 2 }, { 2 } }, { { 1, nil, 3 }, { nil, 2 } }, { { nil, 2 }, { nil, 1 } },
    { { [1] = 1, [3] = 3, [4] = 4 }, { nil, 2 } }, { { [0] = 1 }, {} }, { { 1, x = 2 }, {} }, { 5, {} },
  } do
    it(("is counted, and tells its first hole, in case %d"):format(i), function()
      assert.same({ case[2][1], case[2][2] }, { arguments.count(case[1]) })
    end)
  end
end)
