-- Ours and what else one would write, each a program from a CSV to request bodies that are thrown away.
--
-- `command` gets the path of the file. `needs` succeeds where the peer is installed. `share` is the part of the rows
-- that a slow peer gets; its time is multiplied. `phones` says what becomes of a phone: it is "validated" by
-- libphonenumber's rules, or its "digits" are hashed whatever they are, or its bytes are hashed "as they are".

local MAP = "--account 25 --audience crm --dry-run --quiet --map external_id='Customer Id' --map email=Email"
local FULL = MAP .. " --map phone='Phone 1' --map region=Country"

--- The list, ours first.
---@param root string  the tree
---@param folder string  where programs are built, and Node's packages are
return function(root, folder)
  -- The same under LuaJIT, where its module was built: the command as it stands in the tree takes those paths of the
  -- environment that are absolute.
  local luajit = ("LUA_PATH='ROOT/lua/?.lua;ROOT/lua/?/init.lua;;' LUA_CPATH='ROOT/build/jit/?.so;;' luajit ")
    :gsub("ROOT", (root:gsub("%%", "%%%%")))

  local function in_folder(node)
    return ("cd %s && node %s"):format(folder, node)
  end

  -- What bench/peers/build has made of its source.
  local function built(name)
    return ("%s/peer-%s %%s"):format(folder, name), ("test -x %s/peer-%s"):format(folder, name)
  end
  local rust, has_rust = built "rust"
  local go, has_go = built "go"
  local cpp, has_cpp = built "cpp"

  return {
    { name = "scope3, map (full validation)", phones = "validated", command = "bin/scope3 sync %s " .. FULL },
    { name = "scope3, member(row)", phones = "validated",
      command = "bin/scope3 run bench/member.lua %s --account 25 --dry-run --quiet" },
    {
      name = "scope3, member(row), LuaJIT", phones = "validated",
      command = "env " .. luajit .. "bin/scope3.in run bench/member.lua %s --account 25 --dry-run --quiet",
      needs = luajit .. "-e 'require \"scope3.core\"'", missing = "make LUA=jit",
    },
    { name = "the floor (bench/floor.c)", phones = "as they are", command = folder .. "/floor %s" },
    { name = "Rust, csv, sha2, serde_json", phones = "digits", command = rust, needs = has_rust },
    { name = "Go, encoding/csv, crypto/sha256", phones = "digits", command = go, needs = has_go },
    { name = "C++, libcsv, libphonenumber, OpenSSL", phones = "validated", command = cpp, needs = has_cpp,
      share = 0.2 },
    { name = "DuckDB, one thread, SQL", phones = "digits", command = in_folder "../../bench/peers/duckdb.mjs %s",
      needs = in_folder "-e 'require(\"@duckdb/node-api\")'" },
    { name = "Python, csv.DictReader, hashlib", phones = "digits", command = "python3 bench/peers/python.py %s",
      needs = "python3 -c 'import csv, hashlib'", share = 0.2 },
    {
      name = "Node, csv-parse, libphonenumber-js", phones = "validated",
      command = in_folder "../../bench/peers/node.mjs %s", share = 0.1,
      needs = in_folder "-e 'require(\"csv-parse\"); require(\"libphonenumber-js\")'",
    },
    { name = "Lua 5.4, luaossl, lua-cjson", phones = "digits", command = "lua5.4 bench/peers/lua.lua %s",
      needs = "lua5.4 -e 'require \"openssl.digest\"; require \"cjson\"'", share = 0.1 },
  }
end
