-- What the figures of coverage are made of: which lines count, and what may be left.
if os.getenv "SCOPE3_LUA" ~= "5.4" then
  return -- it reads files only, and listings of luac5.4 and of LuaJIT
end

local active_lines = require "spec.coverage.active_lines"
local left = require "spec.coverage.left"
local world = require "spec.support.world"

describe("coverage", function()
  teardown(world.clean)

  it("counts a line where it has code that can be reached", function()
    os.execute "mkdir -p build/coverage"
    local path = world.file([[
-- a comment
local f = function(x)
  if x then -- counted
    return tostring(x) -- counted
  else
    x = 1 -- counted
  end
  return x -- counted
end
local function never_called()
  error "no" -- counted
end
return f, never_called -- counted
]], ".lua")
    local lines = active_lines.of({ path })[path]
    local n = 0
    for text in world.read(path):gmatch "([^\n]*)\n" do
      n = n + 1
      if text:find "%-%- counted$" then
        assert.is_true(lines[n], text)
      elseif text ~= "end" then -- where the function is made, if it is a value
        assert.is_nil(lines[n], text)
      end
    end
  end)

  it("leaves what an entry names by the text of its lines, and refuses one that stands nowhere or twice", function()
    local file = world.file("if (a)\n  return 0;\nif (b)\n  return 0;\ndone();\n", ".c")
    local function read(...)
      return left.read(world.file(table.concat({ ... }, "\n") .. "\n", ".tsv"))
    end
    local none, last = "\tif (b) \\n return 0;\tno b", "\tdone();\tnever"
    local entries, problems = read("# a comment", file .. none, file .. last)
    local of = entries[file]
    assert.same({ nil, nil, "no b", "no b", "never" }, { nil, of[2], of[3].reason, of[4].reason, of[5].reason })
    assert.same({}, problems)
    of[4].used = true
    assert.same({ file .. ": runs, and is listed as left: done();" }, left.idle(entries))
    for entry, says in pairs {
      [file .. "\treturn 0;\ttwo of them"] = "stands 2 times in ", [file .. "\tgone();\tnone"] = "stands 0 times in ",
      [file .. "\tdone();"] = "is no entry: ",
    } do
      entries, problems = read(entry)
      assert.is_nil(next(entries[file] or {}))
      assert.equal(1, #problems)
      assert.truthy(problems[1]:find(says, 1, true), problems[1])
    end
  end)

  it("finds a text by the lines round it, and leaves only what the entry means", function()
    local file = world.file("if (a)\n  return 0;\nif (b)\n  return 0;\ndone();\n", ".c")
    local function read(...)
      return left.read(world.file(table.concat({ ... }, "\n") .. "\n", ".tsv"))
    end
    local entries, problems = read(file .. "\t@ if (b) \\n return 0;\tno b", file .. "\tif (a)\tmay run: by chance")
    local of = entries[file]
    assert.same({ {}, "may run: by chance", "no b" }, { problems, of[1].reason, of[4].reason })
    assert.same({ nil, nil }, { of[2], of[3] })
    assert.same({ file .. ": runs, and is listed as left: @ if (b) \\n return 0;" }, left.idle(entries))
    entries, problems = read(file .. "\tdone();\tnever", file .. "\t@ return 0; \\n done();\tnever again")
    assert.equal(1, #problems)
    assert.truthy(problems[1]:find("another entry names the line, too", 1, true), problems[1])
    assert.is_table(entries)
  end)

  it("has no entry that does not stand in its file", function()
    assert.same({}, select(2, left.read "spec/coverage/left.tsv"))
  end)

  -- Those that look at files, tools and other programs, and run next to nothing of the library in this process.
  local NO_ROOMS = { coverage = true, house = true, mutants = true }

  it("runs every room that has specs", function()
    local rooms = " " .. world.read "spec/coverage/run.sh":match "%${%*:%-([^}]*)}" .. " "
    local folders = io.popen "ls spec/*/*_spec.lua"
    local seen = 0
    for path in folders:lines() do
      local room = path:match "^spec/([^/]+)/"
      seen = seen + 1
      assert.is_true(NO_ROOMS[room] or rooms:find(" " .. room .. " ", 1, true) ~= nil, room)
    end
    folders:close()
    assert.is_true(seen > 100)
  end)
end)
