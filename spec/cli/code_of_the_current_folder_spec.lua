-- The command loads no Lua code and no C module from the current folder.
-- Someone who may write there must not get its key.
local compile = require "spec.support.compile"
local world = require "spec.support.world"

local LUA, BIN = os.getenv "SCOPE3_LUA", os.getenv "SCOPE3_LUA_BIN"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function shell(command)
  local out = world.path(".out")
  local code = os.execute("(" .. command .. ") >" .. out .. " 2>&1 </dev/null")
  return code == true or code == 0, world.read(out)
end

local function must(command)
  local ok, out = shell(command)
  assert(ok, command .. "\n" .. out)
  return out
end

-- What the command loads, at once or when it is needed, and what may be looked for and is not there.
local NAMES = {
  "argparse", "cjson", "cjson.safe", "cqueues", "_cqueues", "openssl", "_openssl", "luv", "ffi", "bit",
  "bit32", "jit.opt", "compat53", "luarocks.loader", "luarocks.core.hardcoded", "luarocks.core.cfg",
  "luarocks.site_config", "ngx.semaphore", "scope3", "scope3.core", "scope3.gzip", "scope3.crypto", "scope3.local",
}
for _, name in ipairs { "socket", "errno", "signal", "thread", "condition", "promise", "notify", "dns", "auxlib" } do
  NAMES[#NAMES + 1] = "cqueues." .. name
  NAMES[#NAMES + 1] = "_cqueues." .. name
end
for _, name in ipairs { "ssl", "ssl.context", "x509", "pkey", "digest", "hmac", "rand", "auxlib", "bignum" } do
  NAMES[#NAMES + 1] = "openssl." .. name
  NAMES[#NAMES + 1] = "_openssl." .. name
end

describe("the current folder", function()
  local folders, hostile = {}, nil
  local root = must "pwd":gsub("%s+$", "")

  local function folder()
    local path = world.path("")
    must("mkdir -p " .. quote(path))
    folders[#folders + 1] = path
    return path
  end

  setup(function()
    hostile = folder()
    -- Code that leaves a mark: as Lua, and as a library that does so when it is loaded.
    local library = compile.program("-fPIC -shared "
      .. world.file('#include <stdio.h>\n__attribute__((constructor)) static void mark(void) { '
      .. 'FILE *f = fopen("RAN", "a"); if (f) { fputs("a library\\n", f); fclose(f); } }\n', ".c"))
    for file in must("cd lua && find scope3 -name '*.lua'"):gmatch("[^\n]+") do
      NAMES[#NAMES + 1] = file:gsub("%.lua$", ""):gsub("/", ".")
    end
    local lines = {}
    for _, name in ipairs(NAMES) do
      local path = name:gsub("%.", "/")
      lines[#lines + 1] = ("mkdir -p %s && cp lua %s.lua && cp lua %s/init.lua && cp so %s.so"):format(path,
        path, path, path)
    end
    local file = assert(io.open(hostile .. "/lua", "w"))
    file:write('local f = io.open("RAN", "a") f:write((...) or "a file", "\\n") f:close()\n')
    file:close()
    must(("cd %s && cp %s so && %s && cp lua init.lua"):format(quote(hostile), quote(library),
      table.concat(lines, " && ")))
    must(("cd %s && printf 'id,mail\\n1,a@example.com\\n' > rows.csv && gzip -k rows.csv "
      .. "&& printf '{\"id\":\"1\",\"mail\":\"a@example.com\"}\\n' > rows.jsonl")
      :format(quote(hostile)))
  end)
  teardown(function()
    for _, path in ipairs(folders) do
      shell("rm -rf " .. quote(path))
    end
    world.clean()
  end)

  local MAP = " --account 25 --audience a --map external_id=id --map email=mail "
  local LINES = {
    "hash email a@example.com --explain", "doctor --sandbox --account 25",
    "sync rows.csv.gz --dry-run" .. MAP, "sync rows.jsonl --dry-run" .. MAP,
    "sync rows.csv --sandbox --wait --json" .. MAP,
  }

  -- Runs every line there, with more or less of a hostile environment; nothing of the folder may have run.
  local function check(command, environments, lines)
    for _, environment in ipairs(environments) do
      for _, line in ipairs(lines or LINES) do
        local ok, out = shell(("cd %s && %s %s %s"):format(quote(hostile), environment, command, line))
        local ran = world.exists(hostile .. "/RAN") and world.read(hostile .. "/RAN") or ""
        os.remove(hostile .. "/RAN")
        assert.equal("", ran, line .. "\n" .. environment .. "\n" .. out)
        assert.is_true(ok, line .. "\n" .. out)
      end
    end
  end

  -- The environment of somebody who has not got this tree.
  local CLEAN = "env -u LUA_PATH -u LUA_CPATH -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u LD_PRELOAD "
  local INIT = ("LUA_INIT=@init.lua LUA_INIT_%s=@init.lua "):format(LUA == "jit" and "5_1" or (LUA:gsub("%.", "_")))
  local INSTALLED = {
    CLEAN, CLEAN .. "LUA_PATH='./?.lua;?.lua;;' LUA_CPATH='./?.so;?.so;;' LUA_PATH_5_4='?.lua;;' " .. INIT,
  }

  it("gives no code to the command that make has installed", function()
    local prefix = folder() .. "/with space"
    must(("%s make --no-print-directory -s LUA=%s LUA_BIN=%s install PREFIX=%s"):format(CLEAN, LUA, BIN, quote(prefix)))
    check(quote(prefix .. "/bin/scope3"), INSTALLED)
    -- an interpreter that is told to leave LUA_INIT alone still hands it to the sandbox that it starts
    if LUA ~= "5.1" then
      check(quote(BIN) .. " -E " .. quote(prefix .. "/bin/scope3"), { INSTALLED[2] }, { LINES[#LINES] })
    end
  end)

  it("gives no code to the command that LuaRocks has installed", function()
    if not world.thorough then
      return -- what LuaRocks wraps round the command is the same for every Lua
    end
    local tree = folder()
    local config = world.file('rocks_provided = { ["lua-cjson"] = "2.1.0-1", ["argparse"] = "0.7.1-1" }\n')
    must(("%s LUAROCKS_CONFIG=%s luarocks --lua-version=%s "
      .. "--tree=%s make rockspec/scope3-0.2.0-1.rockspec"):format(CLEAN, config, LUA, tree))
    check(quote(tree .. "/bin/scope3"), { INSTALLED[2] })
  end)

  it("gives no code to the command that runs in its tree, whatever LUA_PATH says after it", function()
    local variant = package.cpath:match("[^;]*/build/[^;]*")
    check(quote(BIN) .. " " .. quote(root .. "/bin/scope3.in"), {
      ("LUA_PATH='./?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;?.lua' LUA_CPATH='./?.so;%s;;?.so'"):format(root, root,
        variant),
    })
  end)
end)
