-- Client, loop, clock, network and service in one process, all from one seed: whatever goes wrong, a job is never wrong
-- and never silently incomplete. Where little goes wrong everything arrives.
local world = require "spec.support.world"

local LUA = os.getenv "SCOPE3_LUA_BIN" or "lua"

-- Seeds that once found something. They stand for less where the generator has changed since.
local OLD_SEEDS = { 800194, 1600018, 5000226, 71000036, 72000047, 73000041, 74000300, 1171601900, 501259704,
  3152731724 }

-- The simulation replaces the clock and the engine of its process, so it has one of its own.
local function simulate(...)
  local out = world.path ".out"
  local words = table.concat({ ... }, " ")
  os.execute(("%s spec/simulation/run.lua %s >%s 2>&1; echo \"exit $?\" >>%s"):format(LUA, words, out, out))
  local text = world.read(out)
  return tonumber(text:match "exit (%d+)%s*$"), text
end

describe("a simulation", function()
  teardown(world.clean)

  it("keeps every promise for seeds that once broke one", function()
    for _, seed in ipairs(OLD_SEEDS) do
      local code, text = simulate("trace", seed)
      assert.equal(0, code, text:match "BROKEN.*")
    end
  end)

  it("keeps every promise for some hundred fresh seeds", function()
    local seed = require "spec.support.seed"
    local code, text = simulate("count", world.thorough and 300 or 60, seed)
    print("   " .. text:gsub("\nexit.*", ""):gsub("\n", "\n   "))
    assert.equal(0, code)
  end)

  it("replays a seed byte for byte", function()
    for seed = 1, 12 do
      local _, first = simulate("trace", seed)
      local _, again = simulate("trace", seed)
      assert.is_true(#first > 500)
      assert.equal(first, again)
    end
  end)

  it("prints a seed that breaks a promise, with the command that shows it again", function()
    local code, text = simulate("count", 20, 1, "broken")
    assert.equal(1, code)
    assert.truthy(text:find "seed %d+: ")
    assert.truthy(text:find "run%.lua trace %d+")
  end)
end)

describe("rare branches", function()
  it("are off, and nothing in the product turns them on", function()
    local rare = require "scope3.util.rare"
    assert.same({ 7, false }, { rare.number("slice_rows", 7), rare.happens "halve" })
    local files = io.popen "grep -rlE 'rare\\.[a-z]+ *=[^=]|rawset\\(rare' lua"
    assert.equal("", files:read "*a")
    files:close()
    assert.is_nil(world.read "lua/scope3/util/rare.lua":find("getenv", 1, true))
  end)
end)
