-- A folder full of code that leaves a mark when it runs, under each name that the command loads: somebody who may write
-- into the current folder must not get its key.
local assert = require "luassert"
local compile = require "spec.support.compile"
local trees = require "spec.support.trees"
local world = require "spec.support.world"

local hostile = {}

local LUA = os.getenv "SCOPE3_LUA"
local quote, must = trees.quote, trees.must

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

local MAP = " --account 25 --audience a --map external_id=id --map email=mail "
hostile.LINES = {
  "hash email a@example.com --explain", "doctor --sandbox --account 25",
  "sync rows.csv.gz --dry-run" .. MAP, "sync rows.jsonl --dry-run" .. MAP,
  "sync rows.csv --sandbox --wait --json" .. MAP,
}

-- An environment that looks for code in the current folder, for a command that was installed.
hostile.ENVIRONMENT = trees.CLEAN .. ("LUA_PATH='./?.lua;?.lua;;' LUA_CPATH='./?.so;?.so;;' LUA_PATH_5_4='?.lua;;' "
  .. "LUA_INIT=@init.lua LUA_INIT_%s=@init.lua "):format(LUA == "jit" and "5_1" or (LUA:gsub("%.", "_")))

--- Makes the folder, which trees.clean() removes: a function that runs every line there, with more or less of a hostile
--- environment; nothing of the folder may have run.
---@return fun(command: string, environments: string[], lines: string[]?)
function hostile.folder()
  local folder = trees.folder()
  -- As Lua, and as a library that leaves its mark when it is loaded.
  local library = compile.program("-fPIC -shared "
    .. world.file('#include <stdio.h>\n__attribute__((constructor)) static void mark(void) { '
    .. 'FILE *f = fopen("RAN", "a"); if (f) { fputs("a library\\n", f); fclose(f); } }\n', ".c"))
  local names = {}
  for i, name in ipairs(NAMES) do
    names[i] = name
  end
  for file in must("cd lua && find scope3 -name '*.lua'"):gmatch("[^\n]+") do
    names[#names + 1] = file:gsub("%.lua$", ""):gsub("/", ".")
  end
  local lines = {}
  for _, name in ipairs(names) do
    local path = name:gsub("%.", "/")
    lines[#lines + 1] = ("mkdir -p %s && cp lua %s.lua && cp lua %s/init.lua && cp so %s.so"):format(path,
      path, path, path)
  end
  world.write(folder .. "/lua", 'local f = io.open("RAN", "a") f:write((...) or "a file", "\\n") f:close()\n')
  must(("cd %s && cp %s so && %s && cp lua init.lua"):format(quote(folder), quote(library),
    table.concat(lines, " && ")))
  must(("cd %s && printf 'id,mail\\n1,a@example.com\\n' > rows.csv && gzip -k rows.csv "
    .. "&& printf '{\"id\":\"1\",\"mail\":\"a@example.com\"}\\n' > rows.jsonl"):format(quote(folder)))
  return function(command, environments, words)
    for _, environment in ipairs(environments) do
      for _, line in ipairs(words or hostile.LINES) do
        -- Not by trees.shell(): the command of this tree needs what the sanitizers preload.
        local out = world.path ".out"
        local code = os.execute(("(cd %s && %s %s %s) >%s 2>&1 </dev/null"):format(quote(folder), environment, command,
          line, out))
        out = world.read(out)
        local ran = world.exists(folder .. "/RAN") and world.read(folder .. "/RAN") or ""
        os.remove(folder .. "/RAN")
        assert.equal("", ran, line .. "\n" .. environment .. "\n" .. out)
        assert.is_true(code == true or code == 0, line .. "\n" .. out)
      end
    end
  end
end

return hostile
