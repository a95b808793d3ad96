-- Lines of the cache that the core asks for ahead. A compiler may drop what only does that, and no result tells.
local compile = require "spec.support.compile"
local world = require "spec.support.world"

local INSTRUCTIONS = { "^%s*prefetch", "^%s*prfm%s" } -- of x86 and of ARM

-- How many lines of a text fit one of these patterns.
local function count(text, patterns)
  local n = 0
  for line in text:gmatch "[^\n]+" do
    for _, pattern in ipairs(patterns) do
      n = n + (line:find(pattern) and 1 or 0)
    end
  end
  return n
end

describe("what is fetched ahead", function()
  teardown(world.clean)

  it("is asked for by what the compiler makes", function()
    local tried = compile.assembly(world.file("void f(char *p) {\n  __builtin_prefetch(p);\n}\n"
      .. "extern int none;\n", ".c"))
    if count(tried, INSTRUCTIONS) == 0 then
      return -- a machine that fetches nothing ahead
    end
    local files = assert(io.popen "grep -lw 'SC3_FETCH[A-Z_]*' $(find csrc -name '*.c') | sort")
    local looked = 0
    for path in files:lines() do
      local asked = count(world.read(path), { "%f[%w_]SC3_FETCH[A-Z_]*%(" })
      assert.is_true(count(compile.assembly(path), INSTRUCTIONS) >= asked, path)
      looked = looked + 1
    end
    files:close()
    assert.is_true(looked >= 4, looked)
  end)
end)
