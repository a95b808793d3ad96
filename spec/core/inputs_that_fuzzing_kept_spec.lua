-- The inputs that fuzzing found (fuzz/corpus, fuzz/found) are fed to its targets.
-- Any compiler builds these, without libFuzzer. Fresh inputs are for `make fuzz`.
local world = require "spec.support.world"

-- Like a shell that runs `make` by itself.
local MAKE = "env -u LD_PRELOAD -u MAKEFLAGS -u MAKELEVEL -u LUA_PATH -u LUA_CPATH make --no-print-directory -s "

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo status $?"))
  local said = pipe:read "*a"
  pipe:close()
  return tonumber(said:match "status (%d+)\n$"), said
end

describe("the inputs that fuzzing kept", function()
  if not world.thorough then -- they do not depend on the Lua of this run
    return
  end

  local status, said

  setup(function()
    status, said = run(MAKE .. "fuzz-replay")
  end)

  it("break no promise of any target", function()
    assert.equal(0, status, said)
    assert.is_nil(said:find "CRASHED", said)
  end)

  it("are there for each target", function()
    local pipe, targets = assert(io.popen "ls fuzz/corpus"), 0
    for name in pipe:lines() do
      local fed = said:match("\n?" .. name:match "^(%w+)%.txt$" .. ": (%d+) inputs\n")
      assert.is_true(tonumber(fed or 0) >= 10, name .. "\n" .. said)
      targets = targets + 1
    end
    pipe:close()
    assert.is_true(targets >= 10, said)
  end)

  it("are fed by programs that notice: a planted fault stops the run, and the input is told", function()
    local path = world.file "lua!"
    local code, told = run("env -u LD_PRELOAD -u LUA_PATH -u LUA_CPATH build/fuzz/replay/plant " .. path)
    world.clean()
    assert.is_true(code ~= 0, told)
    assert.is_truthy(told:find("plant.lua:%d+: found"), told)
    assert.is_truthy(told:find(path .. ": crashed", 1, true), told)
  end)
end)
