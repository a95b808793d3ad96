-- The ways to install, each into a folder of its own, and the result used from another folder.
local trees = require "spec.support.trees"
local world = require "spec.support.world"

local LUA, BIN = os.getenv("SCOPE3_LUA"), os.getenv("SCOPE3_LUA_BIN")
local VDIR = LUA == "jit" and "5.1" or LUA

local CLEAN, quote, must = trees.CLEAN, trees.quote, trees.must
local new_folder, sources = trees.folder, trees.sources

describe("installing", function()
  teardown(trees.clean)

  it("with make puts the module, the Lua files and the command where they are told, and they work", function()
    local prefix = new_folder() .. "/with space"
    must(("%s make --no-print-directory -s LUA=%s LUA_BIN=%s install PREFIX=%s"):format(CLEAN, LUA, BIN, quote(prefix)))
    local version = must(("cd / && %s %s --version"):format(CLEAN, quote(prefix .. "/bin/scope3")))
    assert.equal("scope3 " .. require "scope3.version" .. "\n", version)
    local out = must(("cd / && %s %s hash email USER@example.com"):format(CLEAN, quote(prefix .. "/bin/scope3")))
    assert.truthy(out:find("b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514", 1, true))
    for _, module in ipairs { "core", "engine", "gzip", "crypto" } do
      local file = io.open(prefix .. "/lib/lua/" .. VDIR .. "/scope3/" .. module .. ".so")
      assert.is_not_nil(file)
      file:close()
    end
    must(("cd %s/share/doc/scope3 && test -f README.md && test -f docs/embedding.md "
      .. "&& test -x examples/nginx/run"):format(quote(prefix)))
    assert.truthy(world.read(prefix .. "/share/man/man1/scope3-sync.1"):find("^%.TH SCOPE3"))
    -- The tables are under licences of their own, which go along.
    for licence, words in pairs {
      ["LICENSE"] = "MIT License", ["LICENSE.Apache-2.0"] = "Apache License",
      ["LICENSE.Unicode-3.0"] = "UNICODE LICENSE V3",
    } do
      assert.truthy(world.read(prefix .. "/share/doc/scope3/" .. licence):find(words, 1, true))
    end
  end)

  -- The files below a folder, by their paths.
  local function files_below(path)
    local set = {}
    for file in must(("cd %s && find . ! -type d"):format(quote(path))):gmatch "%./([^\n]+)" do
      set[file] = true
    end
    return set
  end

  it("with make puts man pages and completions where their programs look, and takes away only what it put", function()
    local prefix, made = new_folder() .. "/with space", new_folder()
    for _, name in ipairs { "scope3.1", "scope3-sync.1", "scope3.bash", "_scope3", "scope3.fish" } do
      world.write(made .. "/" .. name, name .. "\n")
    end
    must(("mkdir -p %s/bin %s/share/lua/%s/scope3"):format(quote(prefix), quote(prefix), VDIR))
    local mine = { ["bin/mine"] = true, ["share/lua/" .. VDIR .. "/scope3/local.lua"] = true }
    for path in pairs(mine) do
      world.write(prefix .. "/" .. path, "mine\n")
    end
    local function make(target)
      must(("%s make --no-print-directory -s LUA=%s LUA_BIN=%s %s PREFIX=%s MAN_PAGES='%s/*.1' COMPLETIONS='%s/*scope3 "
        .. "%s/*.bash %s/*.fish'"):format(CLEAN, LUA, BIN, target, quote(prefix), made, made, made, made))
    end
    make "install"
    for path, text in pairs {
      ["man/man1/scope3.1"] = "scope3.1\n", ["man/man1/scope3-sync.1"] = "scope3-sync.1\n",
      ["bash-completion/completions/scope3"] = "scope3.bash\n", ["zsh/site-functions/_scope3"] = "_scope3\n",
      ["fish/vendor_completions.d/scope3.fish"] = "scope3.fish\n",
    } do
      assert.equal(text, world.read(prefix .. "/share/" .. path))
    end
    make "uninstall"
    assert.same(mine, files_below(prefix))
    assert.is_false(world.exists(prefix .. "/share/doc/scope3"))
  end)

  local stage -- what was installed for /opt/x, somewhere else
  local function staged()
    if not stage then
      stage = new_folder()
      must(("%s make --no-print-directory -s LUA=%s LUA_BIN=%s install PREFIX=/opt/x DESTDIR=%s"):format(CLEAN, LUA,
        BIN, quote(stage)))
    end
  end

  it("writes for pkg-config where the archive and the Lua files are, and what the archive needs", function()
    staged()
    local function asked(words)
      return must(("%s PKG_CONFIG_PATH=%s/opt/x/lib/pkgconfig pkg-config %s scope3"):format(CLEAN, quote(stage), words))
    end
    assert.equal(require "scope3.version" .. "\n", asked "--modversion")
    assert.equal("/opt/x/share/lua/" .. VDIR .. "\n", asked "--variable=luadir")
    local lib = "/opt/x/lib/lua/" .. VDIR
    assert.is_true(world.exists(stage .. lib .. "/libscope3.a"))
    local libs = " " .. asked("--static --libs"):gsub("%s", "  ")
    for _, word in ipairs { "-L" .. lib, "-lscope3", "-lcurl", "-lz", "-lcrypto", "-lsqlite3", "-lm" } do
      assert.truthy(libs:find(" " .. word .. " ", 1, true), libs)
    end
  end)

  it("honours DESTDIR without writing it into the command", function()
    staged()
    local command = world.read(stage .. "/opt/x/bin/scope3")
    assert.is_nil(command:find(stage, 1, true))
    assert.truthy(command:find("/opt/x/share/lua/" .. VDIR, 1, true))
  end)

  it("looks for libraries where it is told, and finds them there at run time", function()
    local function flags(settings)
      return must(("%s make --no-print-directory -n -B LUA=%s LUA_BIN=%s %s modules"):format(CLEAN, LUA, BIN, settings))
    end
    local out = flags("CURL_DIR=/opt/curl ZLIB_DIR=/opt/zlib SQLITE_DIR=/opt/sqlite CRYPTO_INCDIR=/opt/ssl/inc "
      .. "CRYPTO_LIBDIR=/opt/ssl/lib64")
    for _, flag in ipairs {
      "-I/opt/curl/include ", "-I/opt/zlib/include ", "-I/opt/ssl/inc ",
      "-L/opt/curl/lib -Wl,-rpath,/opt/curl/lib -lcurl", "-L/opt/zlib/lib -Wl,-rpath,/opt/zlib/lib -lz",
      "-L/opt/ssl/lib64 -Wl,-rpath,/opt/ssl/lib64 -lcrypto",
      "-I/opt/sqlite/include ", "-L/opt/sqlite/lib -Wl,-rpath,/opt/sqlite/lib -lsqlite3",
    } do
      assert.truthy(out:find(flag, 1, true), flag)
    end
    out = flags "CURL_INCDIR=/opt/i CURL_LIBDIR=/usr/lib/here"
    assert.truthy(out:find("-I/opt/i ", 1, true))
    assert.truthy(out:find("-L/usr/lib/here -lcurl", 1, true), out)
    out = flags "CURL_DIR=/opt/curl CURL_CFLAGS=-I/mine CURL_LIBS=-lmine"
    assert.is_nil(out:find("/opt/curl", 1, true))
    assert.truthy(out:find("-lmine", 1, true))
    assert.is_nil(flags "":find("rpath", 1, true))
  end)

  if LUA == "5.4" and os.getenv "LD_PRELOAD" == nil then
    it("builds again what other flags are for, and nothing twice", function()
      local tree = quote(sources())
      -- What make asks for is counted. That it compiles with other flags is seen where the rock is installed.
      local compiler = world.file [[
#!/bin/sh
case " $* " in *" -c "* | *" -shared "*) ;; *) exec cc "$@" ;; esac
while [ $# -gt 0 ]; do
  [ "$1" != -o ] || : >"$2"
  shift
done
]]
      must("chmod +x " .. compiler)
      local function compiled(flags)
        local _, count = must(("cd %s && %s make --no-print-directory LUA=%s LUA_BIN=%s CC=%s %s modules"):format(tree,
          CLEAN, LUA, BIN, compiler, flags)):gsub(" %-c %-o ", "")
        return count
      end
      local all = compiled "CFLAGS=-O0"
      assert.is_true(all > 50)
      assert.equal(0, compiled "CFLAGS=-O0")
      assert.equal(all, compiled "CFLAGS='-O0 -g0'")
      must(("cd %s && touch csrc/core/bytes/utf8.c"):format(tree))
      assert.equal(1, compiled "CFLAGS='-O0 -g0'")
    end)
  end

  it("hardens what it builds, as far as the compiler and whoever builds let it", function()
    local function flags(settings)
      return must(("%s -u CFLAGS -u CPPFLAGS make --no-print-directory -s LUA=%s LUA_BIN=%s SANITIZE= COVERAGE= %s "
        .. "print-cflags"):format(CLEAN, LUA, BIN, settings))
    end
    local usual = flags ""
    assert.truthy(usual:find(" -fstack-protector-strong ", 1, true))
    local level = must([[printf '#include <string.h>\nint level = __USE_FORTIFY_LEVEL;\n' ]]
      .. "| cc -O2 -D_FORTIFY_SOURCE=3 -E -P -x c - 2>/dev/null"):match "int level = (%d)"
    assert.truthy(usual:find("-D_FORTIFY_SOURCE=" .. level, 1, true), usual)
    -- Without an optimiser there is nothing to fortify, and the C library warns in each file.
    assert.is_nil(flags "CFLAGS=-O0":find("_FORTIFY_SOURCE", 1, true))
    assert.is_nil(flags "CFLAGS=-g":find("_FORTIFY_SOURCE", 1, true))
    -- What somebody asks for stands last, once.
    local own = flags "CPPFLAGS=-D_FORTIFY_SOURCE=1 CFLAGS='-O2 -fno-stack-protector'"
    assert.truthy(own:find("%-fstack%-protector%-strong.* %-D_FORTIFY_SOURCE=1 %-O2 %-fno%-stack%-protector "), own)
    assert.equal(1, select(2, own:gsub("_FORTIFY_SOURCE", "")))
    assert.truthy(flags "HARDEN=":find("-D_FILE_OFFSET_BITS=64", 1, true))
  end)

  it("leaves out what needs zlib, OpenSSL or SQLite where their headers are missing", function()
    local function modules(flags)
      local out = must(("%s make --no-print-directory -n LUA=%s LUA_BIN=%s %s install PREFIX=/nowhere"):format(CLEAN,
        LUA, BIN, flags))
      return out:find("scope3/core.so", 1, true) ~= nil, out:find("scope3/gzip.so", 1, true) ~= nil,
        out:find("scope3/crypto.so", 1, true) ~= nil, out:find("scope3/state.so", 1, true) ~= nil
    end
    assert.same({ true, true, true, true }, { modules "" })
    assert.same({ true, false, true, true }, { modules "ZLIB_CFLAGS=-nostdinc" })
    assert.same({ true, true, false, true }, { modules "CRYPTO_CFLAGS=-nostdinc" })
    assert.same({ true, true, true, false }, { modules "SQLITE_CFLAGS=-nostdinc" })
    assert.is_nil(world.read("rockspec/scope3-" .. require "scope3.version" .. "-1.rockspec"):find("zlib.h", 1, true))
  end)

  it("is one version everywhere", function()
    local version = require "scope3.version"
    local rockspec = world.read("rockspec/scope3-" .. version .. "-1.rockspec")
    assert.truthy(rockspec:find('version = "' .. version .. '-1"', 1, true))
    assert.truthy(rockspec:find('tag = "v' .. version .. '"', 1, true))
    assert.equal(version, require("scope3")._VERSION)
    assert.equal(version, world.read("csrc/lua/version.h"):match '#define SC3L_VERSION "([^"]*)"')
    assert.equal(version, world.read("debian/changelog"):match "^lua%-scope3 %(([^)]+)%)")
    assert.equal(version, world.read("CHANGELOG.md"):match "\n## (%S+)")
  end)

  describe("what building needs", function()
    -- Programs in the place of Debian's: nothing is installed, and what apt is asked for is printed.
    local function asked(lua)
      local folder = new_folder()
      for name, does in pairs { ["dpkg-query"] = "exit 1", ["apt-cache"] = "exit 0", sudo = '"$@"',
        ["apt-get"] = "echo \"$@\" >>'" .. folder .. "/asked'" } do
        world.write(folder .. "/" .. name, "#!/bin/sh\n" .. does .. "\n")
        must("chmod +x " .. folder .. "/" .. name)
      end
      must(("%s PATH=%s:$PATH make --no-print-directory -s deps-build LUA=%s LUA_BIN=%s"):format(CLEAN, folder, lua,
        BIN))
      return " " .. world.read(folder .. "/asked"):gsub("\n", " ") .. " "
    end

    it("is a compiler, headers and the command's libraries, and nothing that only the specs need", function()
      local words = asked "5.4"
      for _, package in ipairs { "gcc", "lua5.4", "liblua5.4-dev", "libcurl4-openssl-dev", "lua-argparse",
        "lua-cqueues" } do
        local _, times = words:gsub(" " .. package:gsub("%p", "%%%0") .. "%f[ ]", "")
        assert.equal(1, times, package)
      end
      for _, package in ipairs { "lua-busted", "prometheus", "clang", "valgrind", "luajit", "lua5.1" } do
        assert.is_nil(words:find(" " .. package, 1, true), package)
      end
    end)

    it("is of the Lua that is named", function()
      assert.truthy(asked("5.1"):find(" lua5.1 liblua5.1-0-dev ", 1, true))
      assert.truthy(asked("5.3"):find(" lua5.3 liblua5.3-dev ", 1, true))
      assert.truthy(asked("jit"):find(" luajit libluajit-5.1-dev ", 1, true))
    end)
  end)

  it("is not needed where `make env` is asked", function()
    local out = must(('%s sh -c \'eval "$(make --no-print-directory -s LUA=%s LUA_BIN=%s env)" && cd / '
      .. '&& %s -e "print(require([[scope3]])._VERSION)"\''):format(
      CLEAN, LUA, BIN, BIN))
    assert.equal(require "scope3.version" .. "\n", out)
  end)

  it("has its command found where `make env` is asked", function()
    local out = must(('%s sh -c \'root=$(pwd) && eval "$(make --no-print-directory -s LUA=%s LUA_BIN=%s env)" '
      .. '&& cd / && printf "%%s" "${PATH#"$root"/bin:}" && [ "${PATH%%%%:*}" = "$root/bin" ]\''):format(
      CLEAN, LUA, BIN))
    assert.equal(must(CLEAN .. [[ sh -c 'printf "%s" "$PATH"']]), out)
  end)
end)
