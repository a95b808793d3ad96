-- Line ends, quotes and delimiters of CSV, where one byte more or less would make other rows.
local each = require "spec.support.each"
local scope3 = require "scope3"
local world = require "spec.support.world"

-- What the rows have in a column, the same however the text comes in.
local function column(text, name, opts)
  local first
  for _, size in ipairs { 1, 3, 64, 100000 } do
    local at, values = 1, {}
    local source = assert(scope3.csv(function()
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece ~= "" and piece or nil
    end, opts))
    for row, err in each(source) do
      values[#values + 1] = row and (row[name] or "-") or err.code
    end
    first = first or values
    assert.same(first, values, "in pieces of " .. size)
  end
  return first
end

describe("CSV", function()
  teardown(world.clean)

  it("has blank lines of CR and LF before its header and between its rows, with an escape and without", function()
    for _, escape in ipairs { "none", "\\" } do
      local text = "\r\n\r\nid,mail\r\n\r\n1,a@x.org\r\n\r\n\r\n2,b@x.org\r\n"
      assert.same({ "a@x.org", "b@x.org" },
        column(text, "mail", { delimiter = ",", escape = escape ~= "none" and escape or nil }))
    end
  end)

  it("has a CR as a part of a value, also as its first byte, where there is an escape and it ends no line", function()
    local text = "id,mail\n\r1,a@x.org\n2\r,b@x.org\n"
    assert.same({ "\r1", "2\r" }, column(text, "id", { delimiter = ",", escape = "\\" }))
  end)

  it("has its delimiter found where a quoted name of the header goes over two lines", function()
    for _, delimiter in ipairs { ";", "|", "\t" } do
      local text = ('"id\n(a number)";mail;tel\n1;a@x.org;2\n'):gsub(";", delimiter)
      assert.same({ "a@x.org" }, column(text, "mail"))
    end
  end)

  it("is refused where its header has not ended after a megabyte, however much would follow", function()
    for begins, why in pairs { ['"id'] = "does not close", id = "1 MiB" } do
      local pulled = 0
      local source = assert(scope3.csv(function()
        pulled = pulled + 1
        assert(pulled < 100)
        return (pulled == 1 and begins or "") .. ("a"):rep(100000)
      end))
      local row, err = each(source)()
      assert.is_false(row)
      assert.truthy(tostring(err):find(why, 1, true), tostring(err))
      assert.truthy(pulled < 25, pulled)
    end
  end)

  it("has lines counted that a quote swallowed, where each row ends in a delimiter too many", function()
    for _, last in ipairs { "", "," } do
      local lines = { "id,name,mail" }
      for i = 1, 100 do
        local name = i == 10 and '"Joe' or i == 60 and 'Joe"' or "Ann"
        lines[#lines + 1] = ("%d,%s,u%d@x.org%s"):format(i, name, i, last)
      end
      local res = assert(scope3.client {}:run({ audience = "a", map = { external_id = "id", email = "mail" } },
        world.file(table.concat(lines, "\n") .. "\n", ".csv"), { dry_run = true }))
      assert.same({ 50, 50 }, { res.rows, res.swallowed_lines }, last)
    end
  end)

  it("has a date of a day taken as after that of its month, and a month as before its days", function()
    local function taken(condition)
      local res = assert(scope3.client {}:run({
        audience = "a", map = { external_id = "id", email = "mail" }, where = { since = condition },
      }, world.file("id,mail,since\n1,a@x.org,2024-05-31\n2,b@x.org,2024-06\n3,c@x.org,2024-06-15\n", ".csv"),
        { dry_run = true }))
      return res.members
    end
    assert.same({ 2, 1, 1, 2 },
      { taken { le = "2024-06" }, taken { lt = "2024-06" }, taken { gt = "2024-06" }, taken { ge = "2024-06" } })
  end)
end)
