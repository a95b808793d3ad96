-- The archive: what it exports, and the two programs of examples/c-host that link it.
local trees = require "spec.support.trees"
local world = require "spec.support.world"

local LUA, BIN = os.getenv "SCOPE3_LUA", os.getenv "SCOPE3_LUA_BIN"
local CLEAN, quote, must = trees.CLEAN, trees.quote, trees.must
local PKG = LUA == "jit" and "luajit" or "lua5.4"
local USER = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514" -- user@example.com

-- Hashes by the core, sends by the engine, and loads the other modules in C.
local SCRIPT = [[
  local scope3 = require "scope3"
  require "scope3.gzip"
  require "scope3.crypto"
  require "scope3.state"
  local client = scope3.client { api_key = "scope3_0123456789", account_id = "25", base_url = ..., loop = "blocking" }
  local answer, err = client:health()
  print(scope3.email.hash " USER@example.com ", answer, err.kind)
]]

describe("a host in C", function()
  if LUA ~= "5.4" and LUA ~= "jit" or os.getenv "LD_PRELOAD" ~= nil then
    return -- each Lua does the same, and a host would have to be linked with the sanitizers
  end
  local prefix, with

  setup(function()
    prefix = trees.folder()
    must(("%s make --no-print-directory -s LUA=%s LUA_BIN=%s install PREFIX=%s"):format(CLEAN, LUA, BIN, quote(prefix)))
    with = ("PKG_CONFIG_PATH=%s/lib/pkgconfig"):format(prefix)
  end)
  teardown(trees.clean)

  -- Compiles an example, against what is installed.
  local function compiled(source)
    local host = trees.folder() .. "/host"
    must(("%s %s sh -c 'cc -std=c11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags %s) -o %s %s "
      .. "$(pkg-config --static --libs scope3) $(pkg-config --libs %s)'"):format(CLEAN, with, PKG, host, source, PKG))
    return host
  end

  -- Runs a host where it has nothing of this tree.
  local function run(host, arguments, script)
    return trees.shell(("cd / && env -i %s %s %s http://127.0.0.1:1"):format(host, arguments, world.file(script)))
  end

  it("finds in the archive no name that it could have itself", function()
    local names = must(("nm -g --defined-only %s/lib/lua/*/libscope3.a | awk 'NF == 3 { print $3 }' "
      .. "| grep -v '^sc3l*_\\|^__x86' | sort"):format(prefix))
    assert.equal("luaopen_scope3\nluaopen_scope3_core\nluaopen_scope3_crypto\nluaopen_scope3_engine\n"
      .. "luaopen_scope3_gzip\nluaopen_scope3_state\n", names)
  end)

  it("links the modules, and loads the Lua files by their path", function()
    local host = compiled "examples/c-host/host.c"
    local files = must(("%s %s pkg-config --variable=luadir scope3"):format(CLEAN, with)):match "%S+"
    local ok, out = run(host, files, SCRIPT)
    assert.is_true(ok, out)
    assert.equal(USER .. "\tnil\tnetwork\n", out)
    -- What it does not ask for is not in it.
    assert.equal("0\n", must(("nm %s | grep -c sc3l_embedded_modules || true"):format(host)))
  end)

  it("holds the Lua files too where it asks for all", function()
    local host = compiled "examples/c-host/embed.c"
    must(("mv %s/share/lua %s/share/away"):format(prefix, prefix))
    local ok, out = run(host, "", SCRIPT)
    assert.is_true(ok, out)
    assert.equal(USER .. "\tnil\tnetwork\n", out)
    -- Each module is there under its name, and no other is.
    local names = {}
    for path in must "cd lua && find scope3 -name '*.lua' ! -path '*nginx*' | sort":gmatch "[^\n]+" do
      names[#names + 1] = ("%q"):format(path:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
    end
    assert.is_true(#names > 100)
    ok, out = run(host, "", ([[
      require "scope3"
      package.path, package.cpath = "", ""
      local lacks = {}
      for _, name in ipairs { %s } do
        lacks[#lacks + 1] = not package.loaded[name] and not package.preload[name] and name or nil
      end
      print(#lacks, (pcall(require, "scope3.none")), require "scope3.util.entries" ~= nil, require "scope3.cli" ~= nil)
    ]]):format(table.concat(names, ", ")))
    assert.is_true(ok, out)
    assert.equal("0\tfalse\ttrue\ttrue\n", out)
  end)

  it("names the file of the library in an error, and leaves alone what the host has put there", function()
    local host = compiled "examples/c-host/embed.c"
    local ok, out = run(host, "", [[
      package.preload["scope3.metrics"] = function() return "mine" end
      package.preload["scope3.util.entries"] = function() error(debug.traceback "") end
      print(pcall(require, "scope3"))
      print((require "scope3.metrics"))
      error "the script has failed"
    ]])
    assert.is_false(ok)
    assert.truthy(out:find("\n\tscope3/[%w_/]+%.lua:%d+: in main chunk"), out)
    assert.truthy(out:find("\nmine\n", 1, true), out)
    assert.truthy(out:find("the script has failed", 1, true), out)
  end)
end)
