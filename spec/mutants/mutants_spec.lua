-- Mutation testing finds what it should: texts are cut where Lua cuts them, each operator makes what it says, a mutant
-- that a spec notices is killed, and one that changes nothing passes. The lists by hand still fit the code.
local world = require "spec.support.world"

describe("mutation testing", function()
  if os.getenv "SCOPE3_LUA" ~= "5.4" or not package.cpath:find("/build/5.4/", 1, true) then
    return -- its scripts are written for Lua 5.4, and run specs with the usual build
  end
  local coverage = require "spec.mutants.coverage"
  local equivalent = require "spec.mutants.equivalent"
  local notes = require "spec.mutants.notes"
  local operators = require "spec.mutants.operators"
  local results = require "spec.mutants.results"
  local selection = require "spec.mutants.selection"
  local shell = require "spec.mutants.shell"
  local specs = require "spec.mutants.specs"
  local stand = require "spec.mutants.stand"
  local syntax = require "spec.mutants.syntax"
  local tokens = require "spec.mutants.tokens"
  teardown(world.clean)

  local function joined(list)
    local pieces = {}
    for _, token in ipairs(list) do
      pieces[#pieces + 1] = token.before .. token.text
    end
    return table.concat(pieces)
  end

  it("chooses the same mutants after an edit, but for those of the edited lines", function()
    local list = {}
    for i = 1, 1000 do
      list[i] = { file = "a.lua", source = "line " .. math.floor(i / 3), operator = "drop", from = "x" .. i % 2,
        to = "" }
    end
    local function chosen(seed)
      local kept = selection.sample(list, 100, seed)
      local set = {}
      for _, mutant in ipairs(kept) do
        set[mutant] = true
      end
      assert.equal(100, #kept)
      return set
    end
    local function differences(before, after)
      local n = 0
      for mutant in pairs(before) do
        n = n + (after[mutant] and 0 or 1)
      end
      return n
    end
    local before = chosen(1)
    assert.is_true(differences(before, chosen(2)) > 50)
    for _ = 1, 10 do
      table.remove(list, 500)
    end
    table.insert(list, 1, { file = "a.lua", source = "new", operator = "drop", from = "x", to = "" })
    assert.is_true(differences(before, chosen(1)) <= 12)
  end)

  it("reads every file of lua/scope3, and gives its text back", function()
    local files = shell.lines "find lua/scope3 -name '*.lua'"
    assert.truthy(#files > 100)
    for _, file in ipairs(files) do
      local text = assert(shell.read(file))
      local list = tokens.of(text)
      assert.equal(text, joined(list), file)
      assert.has_no_error(function()
        syntax.of(list)
      end, file)
    end
  end)

  it("knows strings, comments and numbers of every form", function()
    local text = '#!x\nlocal a = [==[ ]] ]==] --[[ b\n]] .. "\\"" -- c\nreturn 0x1F, 1e-3, .5, 3..a, 0x.8p1'
    local found = {}
    for _, token in ipairs(tokens.of(text:gsub("^[^\n]*\n", ""))) do
      found[#found + 1] = token.text
    end
    assert.same({ "local", "a", "=", "[==[ ]] ]==]", "..", '"\\""', "return", "0x1F", ",", "1e-3", ",", ".5", ",", "3.",
      ".", "a", ",", "0x.8p1", "" }, found)
  end)

  -- The texts that one operator makes of a line, which stands in a function.
  local function made(operator, line)
    local text, found = "return function(a, b)\n" .. line .. "\nend\n", {}
    for _, mutant in ipairs((operators.mutants("x.lua", text))) do
      if mutant.operator == operator then
        local changed = operators.apply(text, mutant)
        found[#found + 1] = changed:match "^[^\n]*\n(.*)\nend\n$":gsub("%s+$", "")
      end
    end
    return found
  end

  for name, case in pairs {
    ["moves the bounds of comparisons"] = { "comparison", "return a < b", { "return a <= b", "return a >= b" } },
    ["turns equality round"] = { "comparison", "return a ~= b", { "return a == b" } },
    ["changes arithmetic"] = { "arithmetic", "return a - b", { "return a + b" } },
    ["drops steps of one"] = { "step", "return a + 1", { "return a" } },
    ["leaves one that is a factor"] = { "step", "return a + 1 * b", {} },
    ["changes numbers"] = { "constant", "return a * 5", { "return a * 6", "return a * 4", "return a * 0" } },
    ["changes large numbers much"] = {
      "constant", "return a * 20000", { "return a * 40000", "return a * 10000", "return a * 0" },
    },
    ["exchanges and with or"] = { "logic", "return a and b", { "return a or b" } },
    ["drops not"] = { "unary", "return not a", { "return  a" } },
    ["drops the sign of a number"] = { "unary", "return -a", { "return a" } },
    ["exchanges true with false"] = { "boolean", "return a == true", { "return a == false" } },
    ["replaces strings that are compared"] = {
      "string", 'return a == "x" and "y"', { 'return a == "mutant" and "y"' },
    },
    ["turns conditions round"] = {
      "negate", "if a or b then a() else b() end", { "if not (a or b) then a() else b() end" },
    },
    ["drops calls"] = { "drop", "a.b:c(1) b()", { " b()", "a.b:c(1)" } },
    ["drops assignments"] = { "drop", "a, b = b, a", { "" } },
    ["drops what is returned"] = { "drop", "return a, b", { "return nil" } },
    ["turns a bare not round once"] = { "negate", "if not a then b() end", {} },
    ["leaves false that is returned"] = { "drop", "return false", {} },
    ["drops break"] = { "drop", "while a do break end", { "while a do  end" } },
    ["exchanges least with most"] = { "function", "return math.min(a, b)", { "return math.max(a, b)" } },
    ["exchanges up with down"] = { "function", "return math.ceil(a)", { "return math.floor(a)" } },
  } do
    it(name, function()
      assert.same(case[3], made(case[1], case[2]))
    end)
  end

  it("leaves out what compiles to the same, and keeps the numbers of lines", function()
    local text = "local a = 1 -- b\nlocal function f()\n  print(\n    a\n  )\nend\nreturn f\n"
    local list, skipped = operators.mutants("x.lua", text)
    for _, mutant in ipairs(list) do
      local changed = operators.apply(text, mutant)
      assert.not_equal(string.dump(load(text, "=x"), true), string.dump(load(changed, "=x"), true))
      assert.equal(select(2, text:gsub("\n", "")), select(2, changed:gsub("\n", "")), operators.name(mutant))
    end
    assert.equal(0, skipped)
    -- Both changes of the condition keep the branch for ever.
    local _, alike = operators.mutants("x.lua", "return function(a)\n  if true then\n    return a\n  end\nend\n")
    assert.equal(1, alike)
  end)

  it("tells changes apart that are alike on a line", function()
    local names = {}
    for _, mutant in ipairs((operators.mutants("x.lua", "return function(a)\n  return a - a - a\nend\n"))) do
      names[#names + 1] = operators.name(mutant)
    end
    assert.same({ "x.lua:2:3 drop `return a - a - a` -> `return nil`", "x.lua:2:12 arithmetic `-` -> `+`",
      "x.lua:2:16 arithmetic `- (2)` -> `+`" }, names)
  end)

  it("asks the specs of those lines that use a constant", function()
    local text = "local MOST = 5\nlocal function f(a)\n  return a > MOST\nend\nreturn f\n"
    local list = operators.mutants("x.lua", text)
    assert.equal("x.lua:1:14 constant `5` -> `6`", operators.name(list[1]))
    assert.same({ [3] = true }, list[1].lines)
  end)

  it("asks the specs of the line before a break, which has no code of its own", function()
    local list = operators.mutants("x.lua", "local a = ...\nwhile a do\n  if a > 5 then\n    break\n  end\nend\n")
    for _, mutant in ipairs(list) do
      if mutant.from == "break" then
        assert.same({ [3] = true, [4] = true }, mutant.lines)
      end
    end
    assert.truthy(#list > 0)
  end)

  describe("with specs", function()
    local FILE, SPEC = "lua/scope3/http/retry_after.lua", "spec/http/waits_that_are_times_spec.lua"
    local tree

    setup(function()
      tree = stand.new(world.path ".stand", "5.4")
    end)
    teardown(function()
      tree:remove()
    end)

    local function verdict(from, to)
      local text = assert(shell.read(FILE))
      local mutant = selection.by_one_hand({ file = FILE, name = "x", from = from, to = to }, text)
      tree:change(FILE, operators.apply(text, mutant))
      local result, file = specs.run(tree, { SPEC }, 1)
      tree:restore()
      return result, file
    end

    it("kills what a spec notices, and says which did", function()
      local result, file = verdict("LONGEST = 3600", "LONGEST = 3601")
      assert.equal("failed", result, tree:log())
      assert.equal(SPEC, file)
    end)

    it("lets pass what changes nothing", function()
      assert.equal("passed", (verdict("LONGEST = 3600", "LONGEST = 3600 + 0")), tree:log())
    end)

    it("counts the lines that run after hooks are taken away, and those of a process that is killed", function()
      local noted = tree.root .. "/build/lines"
      local hook = coverage.hook(tree.root .. "/build", "5.4")
      for ending, expected in pairs { [""] = "passed", ["os.execute('kill -9 \\$PPID')"] = "timeout" } do
        notes.make(noted)
        local command = [["$SCOPE3_LUA_BIN" -e "debug.sethook() require 'scope3.version' %s"]]
        assert.equal(expected, (tree:run(command:format(ending), 1, coverage.environment(tree, hook, noted))))
        assert.same({ { "lua/scope3/version.lua", 2 } }, notes.read(noted))
      end
    end)

    it("ends what hangs", function()
      assert.equal("timeout", (tree:run("sh -c 'while :; do :; done'", 0)))
    end)
  end)

  describe("the list of what is equivalent", function()
    local function list_of(line)
      return equivalent.read(world.file(line .. "\n"))
    end

    it("knows a mutant by the text of its line", function()
      local text = "return function(a)\n\n  return a > 0\nend\n"
      local list = list_of "x.lua\treturn a > 0\tcomparison\t>\t>=\ta is never 0"
      for _, mutant in ipairs((operators.mutants("x.lua", text))) do
        assert.equal(mutant.to == ">=" and "a is never 0" or false, list:reason(mutant) or false)
      end
      assert.same({}, list:unmet { ["x.lua"] = true })
    end)

    it("says which entries no mutant meets any more", function()
      local list = list_of "x.lua\treturn a > 0\tcomparison\t>\t>=\ta is never 0"
      assert.equal(1, #list:unmet { ["x.lua"] = true })
      assert.equal(0, #list:unmet { ["y.lua"] = true })
    end)

    it("demands a reason", function()
      assert.error_matches(function()
        list_of "x.lua\treturn a > 0\tcomparison\t>\t>=\t"
      end, "no reason")
    end)

    it("fits the code", function()
      local list, files = equivalent.read "spec/mutants/equivalent.tsv", {}
      for _, entry in ipairs(list.entries) do
        files[entry.file] = true
      end
      for file in pairs(files) do
        for _, mutant in ipairs((operators.mutants(file, assert(shell.read(file), file)))) do
          list:reason(mutant)
        end
      end
      for _, entry in ipairs(list:unmet(files)) do
        error(("%s: `%s` -> `%s` in: %s"):format(entry.file, entry.from, entry.to, entry.source))
      end
    end)
  end)

  it("finds the text of each mutant by hand once", function()
    local list = selection.by_hand(function() end)
    assert.truthy(#list >= 100)
  end)

  it("goes on where it stopped, and tries again what lived when its specs have changed", function()
    local path = world.path ".tsv"
    local now = os.time()
    local first = results.read(path)
    first:add("a", "sum", { status = "killed", killer = "spec/x_spec.lua", seconds = 1, cap = 5 })
    first:add("b", "sum", { status = "survived", killer = "", seconds = 1, cap = 5 })
    first:add("c", "sum", { status = "capped", killer = "", seconds = 1, cap = 5 })
    local second = results.read(path)
    assert.equal("killed", second:holding("a", "sum", now + 60, 90).status)
    assert.is_nil(second:holding("a", "another sum", 0, 90))
    assert.equal("survived", second:holding("b", "sum", now - 60, 90).status)
    assert.is_nil(second:holding("b", "sum", now + 60, 90))
    assert.equal("capped", second:holding("c", "sum", now - 60, 5).status)
    assert.is_nil(second:holding("c", "sum", now - 60, 90))
  end)
end)
