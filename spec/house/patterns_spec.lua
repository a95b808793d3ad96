-- Patterns over texts of strangers: none may need more than time in proportion to the text.
local patterns = require "spec.support.patterns"
local world = require "spec.support.world"

local SLOW = {
  "^[ \t]*(.-)[ \t]*$", "^ *(.-) *$", "^(.-)%s*$", "%s*$", " +$", "<title>.-</.-$", "([^@]*)$",
  "[^@ ]+@[^@]+$", "/+$", "[A-Za-z_]+$", "^[0-9]+%.?[0-9]*$", "^%d+%-%d+[%d:.]+[Z:%d]*$",
  "^([^:%s]+):%s*(.-)%s*$", "%.%.+[0-9a-f]", "a*a*b", "^.*,.*,", "^(.-),(.-),(.-)$",
  "[^=]+=", "x-y", "^%s+.-;", "[0-9]+-?[0-9]+,", "%d+%s*%d*$",
}
local LINEAR = {
  "^[ \t]*(.*)$", "^.*[^ \t]", "^ *()", "^[0-9]+%.?()", "[0-9]+", "[ \t]+", ":(%d+):",
  "^(.*)\t([0-9]+)\t([0-9a-f]+)$", "^([^=]*)=?(.*)$", "^(.*/)([^/]*)$", "[^%z]+", "%f[.]%.%.+[0-9a-f]",
  "^([^/?]*)([^?]*)(.*)$", "count$", "^%w+://[^/]*@([^/:]+)", '"[^"]*"', "()", "^$", "%bxx",
  "^http://([%w%.%-]+):(%d+)(.*)$", "%%(%x%x)", "^(%S+) (%S+) (.+)$", "[\128-\255][\128-\191]*",
}

-- Steps of the matcher cannot be counted from Lua, so the verdicts are held against what each pattern is.
describe("the look at patterns", function()
  it("knows those that look at the same characters again and again", function()
    for _, pattern in ipairs(SLOW) do
      assert.is_not_nil(patterns.problem(pattern), pattern)
    end
    for _, pattern in ipairs(LINEAR) do
      assert.is_nil(patterns.problem(pattern), pattern)
    end
  end)

  it("reads the calls of a source: literals, constants, and what must be explained", function()
    local source = table.concat({
      'local BAD, GOOD = 1, 2', 'local SLOW = "%s*$"', 'local QUICK = "^%s*"',
      'x = text:gsub(SLOW, "")', 'x = text:gsub(QUICK, "")', "x = text:match '(.-) *$'",
      'x = text:find("%s*$", 1, true)', 'x = text:find(word)', 'x = text:find(word, 1, true)',
      'x = text:find(word) -- pattern: a word', '-- pattern: never fails', 'x = text:gsub("%s*$", "")',
      '-- text:find(word)', 'x = text:match("^" .. word)', 'x = text:find("^(%s-)%s*$")', 'x = text:gmatch("[^,]+")',
      'x = string.gmatch(text, "a")', 'x = string.format("%s*$")',
    }, "\n")
    local found, count = patterns.look(source)
    local lines = {}
    for i, one in ipairs(found) do
      lines[i] = one.line
    end
    assert.same({ 4, 6, 8, 14, 15, 17 }, lines)
    assert.equal(11, count)
  end)
end)

describe("every pattern of the library", function()
  it("is linear, or a comment says why it cannot be slow", function()
    local pipe = assert(io.popen("find lua bin/scope3.in -name '*.lua' -o -name scope3.in"))
    local all, files, wrong = 0, 0, {}
    for path in pipe:lines() do
      local found, count = patterns.look(world.read(path))
      files, all = files + 1, all + count
      for _, one in ipairs(found) do
        wrong[#wrong + 1] = ("%s:%d: %s: %s"):format(path, one.line, one.problem, one.text)
      end
    end
    pipe:close()
    assert.is_true(files > 100 and all > 250)
    assert.equal("", table.concat(wrong, "\n"))
  end)
end)
