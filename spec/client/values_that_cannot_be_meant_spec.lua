-- Options and conditions whose values cannot be meant are refused before anything is read or sent, by their names.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a value that cannot be meant", function()
  teardown(world.clean)

  local client = assert(scope3.client {})
  local MAP = { external_id = "id", email = "mail" }

  local function run(script, opts)
    local file = world.file "id,mail\n1,a@example.com\n"
    script.audience, script.map, opts.dry_run = "a", MAP, not opts.journal or nil
    return client:run(script, file, opts)
  end

  it("of an option is named with its reason", function()
    for name, case in pairs {
      region = { good = { "US", "usa", "Germany" }, bad = { "Atlantis", "" }, "is not a country that is known" },
      max_members = { good = { 1, 500, 100000 }, bad = { 100001, 1e9 }, "is at most 100000" },
      concurrency = { good = { 1, 16 }, bad = { 17, 1000 }, "is at most 16" },
      max_bytes = { good = { 4096, 256 * 2 ^ 20 }, bad = { 1, 4095, 256 * 2 ^ 20 + 1 },
        "must be between 4096 and 268435456" },
      journal = { good = {}, bad = { "" }, "must be the path of a file" },
    } do
      for _, value in ipairs(case.good) do
        assert(run({}, { [name] = value }))
      end
      for _, value in ipairs(case.bad) do
        local res, err = run({}, { [name] = value })
        assert.same({ nil, "invalid", name }, { res, err and err.kind, err and err.issues[1].path }, tostring(value))
        assert.truthy(err.issues[1].message:find(case[1], 1, true), err.issues[1].message)
      end
    end
  end)

  it("is true or false in a condition on CSV, which has texts alone", function()
    for _, value in ipairs { true, false } do
      local res, err = run({ where = { mail = value } }, {})
      assert.same({ nil, "invalid" }, { res, err and err.kind }, tostring(value))
      assert.truthy(err.message:find("compares with true or false, and CSV has texts alone", 1, true), err.message)
    end
    assert(run({ where = { mail = "a@example.com" } }, {}))
  end)
end)
