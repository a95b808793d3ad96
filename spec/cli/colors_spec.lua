-- Colours are for people: a terminal has them, and a pipe, a file and JSON have not, unless somebody asks for them.
local world = require "spec.support.world"

local ESCAPE = "\27%["
local MAP = "--audience a --map external_id=id --map email=mail"

describe("colours", function()
  local rows

  setup(function()
    rows = world.file("id,mail\n1,a@example.org\n", ".csv")
  end)

  teardown(world.clean)

  -- What stands on a terminal after the command.
  local function on_terminal(words, environment)
    local typescript = world.path ".typescript"
    os.execute(("NO_COLOR= TERM=xterm %s script -qec 'stty cols 80; %s bin/scope3.in %s' %s </dev/null >/dev/null 2>&1")
      :format(environment or "", os.getenv "SCOPE3_LUA_BIN", words, typescript))
    return (world.read(typescript):gsub("\r", ""))
  end

  local function in_pipe(words)
    local given = {}
    for word in words:gmatch "%S+" do
      given[#given + 1] = word
    end
    local _, out, err = world.command(given)
    return out, err
  end

  it("make the headings and the names of the help bold on a terminal", function()
    local text = on_terminal "sync --help"
    for _, want in ipairs { "\27[1mUsage:\27[0m scope3 sync ", "\n\27[1mMembers:\27[0m\n",
      "\n   \27[1m--audience\27[0m ID ", "\n   \27[1m-q\27[0m, \27[1m--quiet\27[0m ", "\n   \27[1mfile\27[0m " } do
      assert.truthy(text:find(want, 1, true), text)
    end
    assert.truthy(on_terminal("--help"):find("\n   \27[1msync\27[0m ", 1, true))
    local plain = in_pipe "sync --help"
    assert.truthy(text:gsub("\27%[%d*m", ""):find(plain, 1, true), text)
  end)

  it("mark an error red and a warning yellow", function()
    local text = on_terminal("sync " .. rows)
    assert.truthy(text:find("\27[1;31mscope3:\27[0m --map external_id=COLUMN is missing", 1, true), text)
    text = on_terminal(("sync %s %s --dry-run"):format(world.file("id,mail\n1,none\n", ".csv"), MAP))
    assert.truthy(text:find("\27[1;31mscope3:\27[0m no row gave a member", 1, true), text)
    text = on_terminal(("sync %s %s --sandbox --wait"):format(rows, MAP)) -- an audience that is too small
    assert.truthy(text:find("\n\27[1;33mWarning:\27[0m The audience a", 1, true), text)
    text = on_terminal(("sync %s %s --sandbox --wait --rejects - 2>/dev/null"):format(rows, MAP))
    assert.is_nil(text:find(ESCAPE), text)
  end)

  for what, case in pairs {
    ["by NO_COLOR"] = { "sync --help", "NO_COLOR=1" },
    ["by a dumb terminal"] = { "sync --help", "TERM=dumb" },
    ["by --color never"] = { "sync --help --color never" },
    ["by --color=never"] = { "help sync --color=never" },
    ["by --json"] = { "help sync --json --color always" },
    ["of errors by NO_COLOR"] = { "sync nosuch", "NO_COLOR=1" },
    ["of errors by --json"] = { "sync nosuch --json --color always" },
  } do
    it("are switched off on a terminal " .. what, function()
      local text = on_terminal(case[1], case[2])
      assert.truthy(text:find "%w")
      assert.is_nil(text:find(ESCAPE), text)
    end)
  end

  it("are not in a pipe, unless --color always asks for them", function()
    local out = in_pipe "sync --help"
    assert.is_nil(out:find(ESCAPE))
    local _, err = in_pipe "sync nosuch"
    assert.is_nil(err:find(ESCAPE))
    for _, words in ipairs { "sync --help --color always", "--help --color=always", "help sync --color always" } do
      assert.truthy(in_pipe(words):find("\27[1mUsage:\27[0m", 1, true), words)
    end
    _, err = in_pipe "sync nosuch --color always"
    assert.truthy(err:find("^\27%[1;31mscope3:\27%[0m "), err)
  end)

  it("are no colours behind two dashes, and not what is none", function()
    local out = in_pipe "hash id -- --color always"
    assert.is_nil(out:find(ESCAPE), out)
    local _, err = in_pipe "sync nosuch --color red"
    assert.truthy(err:find("'--color' must be one of 'auto', 'always', 'never'", 1, true), err)
  end)
end)
