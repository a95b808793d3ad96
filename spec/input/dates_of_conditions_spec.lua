-- Dates are compared in one form, in which the order of bytes is the order of time.
-- Dates in other forms are counted, and conditions in other forms are refused.
local scope3 = require "scope3"
local world = require "spec.support.world"

local function run(condition, values)
  local rows = { "id,email,since" }
  for i, value in ipairs(values) do
    rows[#rows + 1] = ("%d,u%d@x.example,%s"):format(i, i, value)
  end
  return scope3.client {}:run({
    audience = "a", where = { since = condition }, map = { external_id = "id", email = "email" },
  },
    { world.file(table.concat(rows, "\n") .. "\n", ".csv") }, { dry_run = true })
end

describe("a date in a condition", function()
  world.around(setup, teardown, before_each, { task_seconds = 0 })

  it("of a month, or with slashes or points, is compared with dates of that form, and others are counted", function()
    for wanted, values in pairs {
      ["2024-06"] = { "2024-07-01", "2024-05-31", "31.12.2023", "7/1/2024", "20240701" },
      ["2024/06/01"] = { "2024/07/01", "2024/05/31", "31/12/2023", "2024-07-01", "2024/07" },
      ["2024.06.01"] = { "2024.07.01", "2024.05.31", "31.12.2023", "2024-07-01", "9" },
      ["2024-06-01"] = { "2024-07-01T10:00", "2024-05-31", "31.12.2023", "2024/07/01", "2024-07" } } do
      local res = assert(run({ ge = wanted }, values))
      assert.same({ 1, 4, 3 }, { res.members, res.skipped, res.conditions[1].not_a_date }, wanted)
      assert.equal("not_a_date", res.warnings[1].code)
    end
  end)

  it("that begins with its day or month is refused, for bytes do not put these in order", function()
    for _, wanted in ipairs { "01.06.2024", "6/1/2024", "1-6-24", "31/12/2023 10:00" } do
      for _, operator in ipairs { "lt", "le", "gt", "ge" } do
        local ok, message = pcall(run, { [operator] = wanted }, { "01.07.2024" })
        assert.is_false(ok)
        assert.truthy(tostring(message):find("begins with its day or month", 1, true), wanted)
      end
    end
    assert.equal(1, assert(run("01.06.2024", { "01.06.2024" })).members)
    assert.equal(1, assert(run({ ge = "1.2.3" }, { "1.3.0" })).members)
  end)
end)
