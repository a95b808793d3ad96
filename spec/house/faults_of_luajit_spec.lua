-- Nothing in the library is written in a form that LuaJIT is known to compile wrongly.
local world = require "spec.support.world"

-- LuaJIT has instructions of their own for both. Nothing else of a program reads as these patterns do.
local FORMS = {
  { pattern = "%f[%w_]in%s+pairs%s*%(", instead = "loop over entries(), for the reason in scope3.util.entries" },
  { pattern = "%f[%w_]in%s+next%s*,", instead = "loop over entries(), for the reason in scope3.util.entries" },
  { pattern = "=%s*%.%.%.%s*$", instead = "name the arguments, for the reason in scope3.util.time" },
  { pattern = "[%s(,=]%(%.%.%.%)", instead = "use select(1, ...), for the reason in scope3.util.time" },
}

-- What stands in the way, as LINE: TEXT; a line of comment is none of it.
local function look(source)
  local found, number = {}, 0
  for line in (source .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local code = line:gsub("%-%-.*", "")
    for _, form in ipairs(FORMS) do
      if code:find(form.pattern) then
        found[#found + 1] = ("%d: %s: %s"):format(number, form.instead, line)
      end
    end
  end
  return found
end

describe("the look at what LuaJIT compiles wrongly", function()
  it("finds loops over pairs() and next, and a fixed number of variable arguments", function()
    for _, line in ipairs {
      "for key in pairs(t) do", "  for key, value in pairs (t) do", "for key in next, t do", "for _ in next , t do",
      "local month, day = ...", "first = ... -- of all", "return (...)", "error((...), 0)",
    } do
      assert.equal(1, #look(line), line)
    end
  end)

  it("leaves all else alone", function()
    for _, line in ipairs {
      "for i, value in ipairs(list) do", "for key in entries(t) do", "local entries = pairs", "if next(t) == nil then",
      "local function f(...)", "return f(...)", "local list = { ... }", "x = { n = select('#', ...), ... }",
      "-- for key in pairs(t) do", "return value, ...", 'local text = "..." .. x',
    } do
      assert.same({}, look(line), line)
    end
  end)
end)

describe("every loop of the library", function()
  it("is written so that each LuaJIT compiles it rightly", function()
    local pipe = assert(io.popen("find lua bin/scope3.in -name '*.lua' -o -name scope3.in"))
    local files, wrong = 0, {}
    for path in pipe:lines() do
      files = files + 1
      for _, found in ipairs(look(world.read(path))) do
        wrong[#wrong + 1] = path .. ":" .. found
      end
    end
    pipe:close()
    assert.is_true(files > 100)
    assert.equal("", table.concat(wrong, "\n"))
  end)
end)
