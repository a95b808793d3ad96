-- The manual pages: one for the command and one for each of its commands, which say what the help says, and which the
-- readers of manual pages take without a warning.
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local COMMANDS = { "sync", "run", "prepare", "drain", "forget", "state", "history", "look", "init", "audiences", "task",
  "wait", "hash", "sandbox", "doctor", "help", "completion" }

-- `alone`: without the libraries that the Lua of the specs may need, which programs of others do not bear.
local function shell(line, alone)
  local out = world.path ".out"
  local ok = os.execute(("(%s%s) >%s 2>&1 </dev/null"):format(alone and "unset LD_PRELOAD; " or "", line, out))
  return ok == true or ok == 0, world.read(out)
end

local function has(program)
  return (shell("command -v " .. program, true))
end

describe("the manual pages", function()
  local folder

  setup(function()
    folder = world.path ""
    local ok, out = shell(("mkdir %s && SOURCE_DATE_EPOCH=1795910400 %s bin/man.lua %s"):format(folder,
      os.getenv "SCOPE3_LUA_BIN", folder))
    assert(ok and out == "", out)
  end)

  teardown(function()
    os.execute("rm -rf " .. folder)
    world.clean()
  end)

  local function page(name)
    return world.read(("%s/%s.1"):format(folder, name))
  end

  it("are one of the command and one of each of its commands", function()
    local _, listed = shell("ls " .. folder)
    local expected = { "scope3.1" }
    for i, name in ipairs(COMMANDS) do
      expected[i + 1] = ("scope3-%s.1"):format(name)
    end
    table.sort(expected)
    local found = {}
    for name in listed:gmatch "%S+" do
      found[#found + 1] = name
    end
    table.sort(found)
    assert.same(expected, found)
    for _, name in ipairs(COMMANDS) do
      assert.truthy(page("scope3"):find("\n\\fB" .. name .. "\\fR\n", 1, true), name)
    end
  end)

  it("have every option of the help, in its groups", function()
    for _, name in ipairs(COMMANDS) do
      local _, help = world.command { name, "--help" }
      local written = page("scope3-" .. name)
      for option in help:gmatch "\n   [-q, ]*%-%-([a-z-]+)" do
        assert.truthy(written:find("\\fB\\-\\-" .. option:gsub("%-", "\\-") .. "\\fR", 1, true), name .. " " .. option)
      end
    end
    assert.truthy(page("scope3-sync"):find("\n.SS Members\n.TP\n\\fB\\-\\-audience\\fR \\fIID\\fR\n", 1, true))
    assert.is_nil(page("scope3-wait"):find("sandbox", 1, true))
  end)

  it("have the exit codes and a day that can be given", function()
    assert.truthy(page("scope3"):find("\n\\fB130\\fR\nStopped.\n", 1, true))
    assert.truthy(page("scope3"):find("^%.TH SCOPE3 1 2026%-11%-29 "))
  end)

  for program, line in pairs {
    mandoc = "mandoc -T lint -W warning %s", groff = "groff -man -ww -z %s",
    man = "MANROFFOPT= LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l %s >/dev/null",
  } do
    it(("are read by %s without a warning"):format(program), function()
      if not has(program) then
        return pending(program .. " is not installed")
      end
      for _, name in ipairs { "", unpack(COMMANDS) } do
        local _, said = shell(line:format(("%s/scope3%s.1"):format(folder, name ~= "" and "-" .. name or "")), true)
        assert.equal("", said)
      end
    end)
  end

  it("are written by make man into build/man", function()
    local ok, out = shell(("make --no-print-directory -n LUA=%s LUA_BIN=%s man"):format(os.getenv "SCOPE3_LUA",
      os.getenv "SCOPE3_LUA_BIN"))
    assert.truthy(ok and out:find("bin/man.lua build/man", 1, true), out)
  end)
end)
