-- The library and the examples are written in what all Luas have in common. Lua 5.5 took something away: `global` is
-- a word of its own there, unless it was built to be lenient, and no variable of a loop can be set.
local world = require "spec.support.world"

local load_text = rawget(_G, "loadstring") or load

-- Whether a line has the word as a name, outside of a comment and of texts in double quotes.
local function names_global(line)
  local code = line:gsub('"[^"]*"', '""'):gsub("%-%-.*", "")
  return code:find "%f[%w_]global%f[^%w_]" ~= nil
end

local function each_file(look)
  local pipe = assert(io.popen("find lua examples bin/man.lua bin/scope3.in -name '*.lua' -o -name scope3.in"))
  local files = 0
  for path in pipe:lines() do
    files = files + 1
    look(path, (world.read(path):gsub("^#[^\n]*", "")))
  end
  pipe:close()
  assert.is_true(files > 100)
end

describe("the look for names that are words of Lua 5.5", function()
  it("finds them as variables and fields, and not in texts, comments and other names", function()
    for _, line in ipairs { "local global = 1", "f(global)", "x.global = 2", "global.x()" } do
      assert.is_true(names_global(line), line)
    end
    for _, line in ipairs { 'x["global"] = 1', "-- a global", "local globals = 1", "is_global()" } do
      assert.is_false(names_global(line), line)
    end
  end)
end)

describe("every file of the library and of the examples", function()
  it("compiles on this Lua", function()
    each_file(function(path, text)
      assert(load_text(text, "@" .. path))
    end)
  end)

  it("names nothing by a word of Lua 5.5", function()
    each_file(function(path, text)
      local number = 0
      for line in (text .. "\n"):gmatch "(.-)\n" do
        number = number + 1
        assert.is_false(names_global(line), path .. ":" .. number)
      end
    end)
  end)
end)
