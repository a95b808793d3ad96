-- The message of a script's failure holds no value of the row, and keeps its position and its words.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("the message of a script's failure", function()
  teardown(world.clean)
  local client = assert(scope3.client {})

  local function fail(member, source)
    local res, err = client:run({ member = member, audience = "a" }, source, { dry_run = true })
    assert.is_nil(res)
    return err.message
  end

  it("holds no value after what only looks like a position", function()
    local message = fail(function(row)
      error(row.id .. ": no consent", 0)
    end, world.file("id,x\ncust-17,1\n"))
    assert.is_nil(message:find("cust-17", 1, true), message)
    assert.truthy(message:find("_spec%.lua:%d+:"), message)
  end)

  it("holds no value out of nested JSON, nor does a reason", function()
    local path = world.file('{"who":{"name":"Ada Lovelace","n":[{"k":12345}]}}\n', ".jsonl")
    assert.is_nil(fail(function(row) error("no consent of " .. row.who.name) end, path):find("Ada", 1, true))
    assert.is_nil(fail(function(row) error("number " .. row.who.n[1].k) end, path):find("12345", 1, true))
    local res = assert(client:run({
      member = function(row) return nil, "no consent of " .. row.who.name end, audience = "a",
    }, path, { dry_run = true }))
    assert.is_nil(next(res.rejected):find("Ada", 1, true))
  end)

  it("holds no number, however it is written", function()
    local path = world.file('{"a":1e3,"b":12345678.50,"c":4711}\n', ".jsonl")
    for _, key in ipairs { "a", "b", "c" } do
      local shown
      local message = fail(function(row)
        shown = tostring(row[key])
        error("value " .. shown)
      end, path)
      assert.is_nil(message:find(shown, 1, true), message)
    end
  end)

  it("holds no number or nested value of a table that the caller gave", function()
    local function once(row)
      return function()
        local now = row
        row = nil
        return now
      end
    end
    assert.is_nil(fail(function(row) error("x " .. row.id) end, once { id = 4711 }):find("4711", 1, true))
    assert.is_nil(fail(function(row) error("x " .. row.who.name) end, once { who = { name = "Ada" } }):find("Ada", 1,
      true))
  end)

  it("keeps its place and its words where it quotes nothing", function()
    local message = fail(function(row)
      return row.id.x.y
    end, world.file("id\n1\n"))
    assert.truthy(message:find("_spec%.lua:%d+: attempt to index"), message)
    message = fail(function()
      error({})
    end, world.file("id\n1\n"))
    assert.truthy(message:find("the error is a table", 1, true), message)
  end)
end)
