-- Rows, scripts and members that are asked for what they have not, or given what few give.
local cjson = require "cjson"
local scope3 = require "scope3"
local world = require "spec.support.world"

local function row_of(format, text)
  local given
  return scope3[format](function()
    if not given then
      given = true
      return text
    end
  end):next()
end

describe("a row", function()
  it("has nothing under a number or a key of another type than its columns", function()
    local row = row_of("csv", "id,mail\n1,a\n")
    assert.same({ "1", "a" }, { row[1], row[2] })
    for _, key in ipairs { 0, -1, 3, true, {} } do
      assert.is_nil(row[key])
    end
    local object = row_of("jsonl", '{"a":1}\n')
    for _, key in ipairs { 1, true, {}, "b", "a.", ("a."):rep(100) .. "a" } do
      assert.is_nil(object[key])
    end
    assert.is_nil(row_of("jsonl", "{}\n").a)
  end)

  it("has a number whose digits a double does not hold as its text", function()
    local row = row_of("jsonl", '{"a":1e300,"b":123456789012345678,"c":12}\n')
    assert.same({ "1e300", "123456789012345678", 12 }, { row.a, row.b, row.c })
  end)

  it("without a column says which there are, as far as a message goes, and of each name the first line", function()
    local names = {}
    for i = 1, 60 do
      names[i] = "c" .. i
    end
    names[2], names[3] = '"d\re"', '"f\ng"'
    local row = row_of("csv", table.concat(names, ",") .. "\n" .. ("1,"):rep(59) .. "1\n")
    local fine, why = pcall(function()
      return row.nowhere
    end)
    assert.is_false(fine)
    assert.truthy(why:find("there is no column 'nowhere'; the columns are: c1, d, f, c4,", 1, true), why)
    assert.truthy(why:find("c40", 1, true) and not why:find("c41", 1, true), why)
  end)
end)

describe("a member", function()
  local vips = assert(scope3.audience "vips")

  it("may have universal ids of one type after another's name, and none that are null", function()
    assert.is_true(vips:add { external_id = "1", uids = { ab = "yy", a = "xx", abc = "zz" } })
    assert.is_true(vips:add { external_id = "2", email = "a@x.example", uids = { foo = cjson.null } })
    assert.is_true(vips:add { external_id = "3", email = "a@x.example", uids = cjson.null })
  end)

  it("has no universal id without a type or a value, and raises for what is none", function()
    for _, uid in ipairs { { type = 1, value = "x" }, { type = "foo" }, { value = "x" } } do
      local ok, err = vips:add { external_id = "4", uids = { uid } }
      assert.same({ nil, "no_identifier" }, { ok, err.code })
    end
    for _, uids in ipairs { { foo = 5 }, 5, { 5 } } do
      assert.has_error(function()
        vips:add { external_id = "5", uids = uids }
      end)
    end
  end)
end)

describe("a script", function()
  teardown(world.clean)
  local client = assert(scope3.client {})

  local function run(member, rows)
    local lines = {}
    for i = 1, rows do
      lines[i] = ('{"id":"%d","deep":{"name":"Ada Lovelace","n":[%d]}}'):format(i, 1000 + i)
    end
    return client:run({ member = member, audience = "a" }, world.file(table.concat(lines, "\n") .. "\n", ".jsonl"),
      { dry_run = true })
  end

  it("may give more reasons than are told apart: the others are counted together", function()
    local n, reasons, total = 0, 0, 0
    local res = assert(run(function()
      n = n + 1
      return nil, "reason " .. ("x"):rep(n)
    end, 150))
    for _, count in pairs(res.rejected) do
      reasons, total = reasons + 1, total + count
    end
    assert.equal(150, total)
    assert.is_true(reasons > 50 and reasons < 110, tostring(reasons))
  end)

  it("has a reason of over 200 bytes withheld, and one that quotes no nested value told", function()
    local res = assert(run(function()
      return nil, ("x"):rep(201)
    end, 1))
    assert.same({ ["a reason that quotes the row, or is over 200 bytes"] = 1 }, res.rejected)
    res = assert(run(function()
      return nil, "no consent"
    end, 1))
    assert.same({ ["no consent"] = 1 }, res.rejected)
  end)

  it("is given rows without a key, too", function()
    local seen = {}
    local res = assert(client:run({ audience = "a", member = function(row)
      seen[#seen + 1] = row.id or "none"
      return row.id and { external_id = row.id, email = "a@x.example" } or nil
    end }, world.file('{}\n{"id":"1"}\n', ".jsonl"), { dry_run = true }))
    assert.same({ { "none", "1" }, 1, 1 }, { seen, res.members, res.skipped })
  end)

  it("that gives a list with an entry that is no member fails there", function()
    for _, entry in ipairs { { external_id = "1", uids = 5 }, 5 } do
      local res, err = run(function()
        return { { external_id = "1", email = "a@x.example" }, entry }
      end, 1)
      assert.is_nil(res)
      assert.equal("script", err.kind)
    end
  end)

  it("whose rows make their columns up fails with what these raise", function()
    for message, why in pairs { boom = "boom", ["not enough memory"] = "not enough memory" } do
      local rows = { setmetatable({}, { __index = function()
        error(message, 0)
      end }) }
      local i = 0
      local fine, told = pcall(client.run, client, { map = { external_id = "id", email = "mail" }, audience = "a" },
        function()
          i = i + 1
          return rows[i]
        end, { dry_run = true })
      assert.is_false(fine)
      assert.truthy(tostring(told):find(why, 1, true), tostring(told))
    end
  end)
end)
