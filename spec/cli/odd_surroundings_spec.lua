-- The command runs where jobs run: without a home, a path or a writable folder, with few descriptors, in any locale.
local cjson = require("cjson.safe").new()
local world = require "spec.support.world"

-- Whether a shell line works, on any Lua.
local function does(line)
  local ok = os.execute(line)
  return ok == true or ok == 0
end

describe("the command runs", function()
  local input, lua, root

  setup(function()
    input = world.file("id,mail\n1,a@example.com\n2,b@example.com\n", ".csv")
    lua = os.getenv "SCOPE3_LUA_BIN"
    local pipe = assert(io.popen("pwd", "r"))
    root = pipe:read "*l"
    pipe:close()
  end)

  teardown(world.clean)

  -- Runs a shell line; COMMAND is a sync of the input, whose exit code and object come back.
  local function sync(line, more)
    local out, code_file, err = world.path ".out", world.path ".code", world.path ".err"
    local command = ("%s %s/bin/scope3.in sync %s --audience a --map external_id=id "
      .. "--map email=mail --json %s"):format(lua, root, input,
      more or "--sandbox")
    os.execute(("(%s) >%s 2>%s </dev/null; echo $? >%s"):format(line:gsub("COMMAND", function() return command end),
      out, err, code_file))
    return tonumber(world.read(code_file)), cjson.decode(world.read(out)) or {}, world.read(err)
  end

  local function fine(line, more)
    local code, object, err = sync(line, more)
    assert.equal(0, code, line .. err)
    assert.same({ 2, 2 }, { object.rows, object.accepted + (object.would_send or 0) })
  end

  local PATHS = 'LUA_PATH="$LUA_PATH" LUA_CPATH="$LUA_CPATH" LD_PRELOAD="$LD_PRELOAD" ASAN_OPTIONS="$ASAN_OPTIONS" '

  it("with nothing in its environment", function()
    fine("exec env -i " .. PATHS .. "COMMAND")
    fine("exec env -i PATH= HOME= TMPDIR= " .. PATHS .. "COMMAND")
    if not os.getenv "ASAN_OPTIONS" then -- a shell that has no path reads beyond a text of its own
      fine "unset PATH HOME TERM; COMMAND"
    end
  end)

  it("where no folder can be written into", function()
    fine "export TMPDIR=/nosuch; COMMAND"
    if not does "unshare -rm sh -c 'mount -o remount,ro,bind /' 2>/dev/null" then
      return pending "unshare(1) may not make a root that is read-only here"
    end
    -- The files of this spec's own are opened before.
    fine "unshare -rm sh -c 'mount -o remount,ro,bind / && ! touch /tmp/written 2>/dev/null && COMMAND'"
  end)

  it("in a folder that is gone", function()
    local folder = world.path ""
    fine(("mkdir %s; cd %s; rmdir %s; COMMAND"):format(folder, folder, folder))
    local code, object = sync(("mkdir %s; cd %s; rmdir %s; COMMAND"):format(folder, folder, folder),
      "--dry-run --rejects here.csv")
    assert.same({ 1, "failed" }, { code, object.error.kind })
  end)

  it("with few descriptors, and with standard streams closed", function()
    fine("ulimit -n 16; exec COMMAND", "--dry-run") -- shells that start it take 10 and more
    fine "COMMAND <&-"
    fine "COMMAND 2>&-"
    fine "COMMAND <&- 2>&-"
    assert.equal(4, (sync "COMMAND <&- >&- 2>&-"))
  end)

  it("where files may not grow", function()
    local code, object = sync("COMMAND | cat", "--dry-run")
    assert.same({ 0, cjson.null }, { code, object.error })
    local journal = world.path ".journal"
    local pipe = world.path ".piped"
    os.execute(("(ulimit -f 0; %s %s/bin/scope3.in sync %s --sandbox --audience a --map external_id=id "
      .. "--map email=mail --json --journal %s; echo $?) 2>/dev/null "
      .. "| cat >%s"):format(lua, root, input, journal, pipe))
    local text, last = world.read(pipe):match "^(.*\n)(%d+)\n$"
    object = assert(cjson.decode(text))
    assert.same({ "1", "journal" }, { last, object.error.kind })
  end)

  it("to its end where what a script writes last cannot be written", function()
    local script = world.file([[
      local function say_goodbye() io.stdout:write "bye\n" end -- as the last of Lua, so that C writes it still later
      if newproxy then
        KEPT = newproxy(true)
        getmetatable(KEPT).__gc = say_goodbye
      else
        KEPT = setmetatable({}, { __gc = say_goodbye })
      end
      return { audience = "a", map = { external_id = "id", email = "mail" } }
    ]], ".lua")
    local code_file = world.path ".code"
    os.execute(("(ulimit -f 0; %s %s/bin/scope3.in run %s %s --dry-run --quiet >%s; echo $?) 2>/dev/null | cat >%s")
      :format(lua, root, script, input, world.path ".out", code_file))
    assert.equal("0\n", world.read(code_file))
  end)

  it("in the C locale on names outside ASCII", function()
    local folder = world.path ""
    local named = folder .. "/n\195\164me \195\177.csv"
    assert(does(("mkdir %s && cp %s '%s'"):format(folder, input, named)))
    for _, locale in ipairs { "C", "C.UTF-8", "xx_YY.nosuch" } do
      for _, name in ipairs { named, folder .. "/n\195\164*.csv" } do
        local code, out, err = world.command({
          "sync", name, "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--dry-run", "--json",
        },
          { env = "LC_ALL=" .. locale .. " LANG=" .. locale })
        assert.equal(0, code, err)
        assert.equal(2, cjson.decode(out).rows)
      end
    end
    os.execute(("rm -r %s"):format(folder))
  end)

  it("as a user whom no file of users names", function()
    if not does "setpriv --reuid 54321 --regid 54321 --clear-groups true 2>/dev/null" then
      return pending "setpriv(1) may not change the user here"
    end
    os.execute("chmod a+r " .. input)
    if not does(("setpriv --reuid 54321 --regid 54321 --clear-groups test -r %s/lua/scope3/init.lua"):format(root)) then
      return pending "this tree may not be read by others"
    end
    fine "setpriv --reuid 54321 --regid 54321 --clear-groups COMMAND"
  end)

  it("on no Lua whose numbers have 32 bits, which the build refuses", function()
    local version = os.getenv "SCOPE3_LUA"
    if version == "jit" or version < "5.3" then
      return pending "LUA_32BITS is of Lua 5.3 and later"
    elseif os.getenv "ASAN_OPTIONS" then
      return pending "the compiler has leaks of its own"
    end
    local pipe = assert(io.popen(("${MAKE:-make} --no-print-directory -s LUA=%s print-cflags"):format(version)))
    local flags = pipe:read "*l"
    pipe:close()
    pipe = assert(io.popen(("${CC:-cc} %s -M csrc/lua/core.c"):format(flags)))
    local headers = assert(pipe:read("*a"):match "(%S+)/luaconf%.h")
    pipe:close()
    local folder, said = world.path "", world.path ".said"
    assert(does(("mkdir %s && cp %s/*.h %s/ && sed 's,^/*[* ]*#define LUA_32BITS.*,#define LUA_32BITS 1,' %s/luaconf.h "
      .. ">%s/luaconf.h"):format(
      folder, headers, folder, headers, folder)))
    local with = ("${CC:-cc} -I%s %s -fsyntax-only csrc/lua/core.c 2>%s"):format(folder, flags, said)
    os.execute(with)
    assert.truthy(world.read(said):find("this one was built with LUA_32BITS", 1, true), world.read(said))
    os.execute(("cp %s/luaconf.h %s/ && %s"):format(headers, folder, with))
    assert.equal("", world.read(said))
    os.execute("rm -r " .. folder)
  end)
end)
