-- Under --json a command whose object cannot be written ends with an object all the same, which has the error alone. A
-- success becomes a fault of the command; another exit code stays.
local cjson = require("cjson.safe").new()
local world = require "spec.support.world"

describe("an object that cannot be written as JSON", function()
  teardown(world.clean)

  -- The exit code and the object of a job whose result holds a function.
  local function run(rows, ...)
    local script = world.file([[
      local result = require "scope3.result"
      getmetatable(result.new({}, { { id = "x" } })).__index.plain = function() return { rows = print } end
      return { audience = "a", map = { external_id = "id", email = "mail" } }]], ".lua")
    local code, out, err = world.command { "run", script, world.file(rows, ".csv"), "--dry-run", "--json", ... }
    return code, assert(cjson.decode(out), out .. err)
  end

  it("makes a success an internal fault", function()
    local code, object = run "id,mail\n1,a@x.example\n"
    assert.equal(70, code)
    assert.equal("internal", object.error.kind)
    assert.truthy(object.error.message:find("^internal fault: "), object.error.message)
    object.error = nil
    assert.same({}, object)
  end)

  it("leaves the code and the error of what failed before", function()
    local code, object = run "id,mail\n"
    assert.equal(3, code)
    assert.equal("nothing", object.error.kind)
    object.error = nil
    assert.same({}, object)
  end)
end)
