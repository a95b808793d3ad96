-- The bindings of the core are correct without the Lua layer above them.
local scope3 = require "scope3"
local world = require "spec.support.world"

local core = require "scope3.core"

describe("the core, used by itself", function()
  teardown(world.clean)

  it("knows the header in scripts also when nobody asked for the columns before", function()
    local source = core.source { format = "csv", path = world.file("id,b\n1,x\n") }
    local payload = core.payload { max_members = 10, max_bytes = 10000 }
    local seen
    local builder = core.builder { max_member = 10000, member = function(row)
      seen = row.id .. row.b
    end }
    assert.equal("end", (builder:fill(payload, source, 2 ^ 20, 600)))
    assert.equal("1x", seen)
  end)

  it("is not locked for good by a decoder that raises", function()
    local source = core.source { format = "jsonl", path = world.file('{"a":[1]}\n{"a":2}\n'), decode = function()
      error("no")
    end }
    assert.has_error(function()
      source:read()
    end)
    assert.equal(2, source:read().a)
    source:close()
  end)

  it("takes whole column numbers alone", function()
    local client = assert(scope3.client {})
    for _, column in ipairs { 1.5, 0 / 0, 1e300, -1, 0, 2 ^ 31 } do
      local _, err = client:run({ audience = "a", member = function(row)
        return row[column]
      end }, world.file("id\n1\n"), { dry_run = true })
      assert.equal("script", err.kind)
      assert.is_nil(err.message:find("2147483648", 1, true), err.message)
    end
  end)

  it("writes no minus before the id 0, and counts every line end", function()
    local builder, payload = core.builder { max_member = 1000 }, core.payload { max_members = 10, max_bytes = 1000 }
    assert.is_true(builder:add(payload, { external_id = "0", email = "a@example.com" }))
    assert.is_true(builder:add(payload, { external_id = -0.0, email = "a@example.com" }))
    assert.equal(1, builder:counts().replaced)
    local source = core.source { format = "csv" }
    source:feed('id,b\n1,"a\rb\r\nc\nd"\n2\n')
    source:finish()
    source:finish() -- twice is as once
    source:read()
    local _, fault = source:read()
    assert.equal(6, fault.line)
  end)
end)
