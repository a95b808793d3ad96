-- What has LuaJIT's interpreter run a function, in hosts that have a compiler, none, or a part of its library.
local NAME = "scope3.util.interpreted"

-- The module as it is where `jit` is this.
local function where_jit_is(value)
  local jit, loaded = rawget(_G, "jit"), package.loaded[NAME]
  rawset(_G, "jit", value)
  package.loaded[NAME] = nil
  local ok, made = pcall(require, NAME)
  rawset(_G, "jit", jit)
  package.loaded[NAME] = loaded
  return assert(ok and made, made)
end

describe("a function that is to be interpreted", function()
  it("is told to the compiler", function()
    local told
    where_jit_is { off = function(...)
      told = { ... }
    end }(true, true)
    assert.same({ true, true }, told)
  end)

  it("stays as it is where there is no compiler, or it cannot be told", function()
    for _, value in ipairs { false, {} } do
      where_jit_is(value)(true, true)
    end
    where_jit_is(nil)(print)
  end)
end)
