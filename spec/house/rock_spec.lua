-- The rock: packed, served, and installed by somebody who has nothing else of this project.
local answering = require "spec.support.answering"
local hostile = require "spec.support.hostile"
local trees = require "spec.support.trees"
local world = require "spec.support.world"

local LUA, BIN = os.getenv "SCOPE3_LUA", os.getenv "SCOPE3_LUA_BIN"
local CLEAN, quote, must = trees.CLEAN, trees.quote, trees.must
local VERSION = require "scope3.version"
local ROCK = "scope3-" .. VERSION .. "-1"

-- Answers with the files of a folder.
local SERVE = [[
return function(request)
  local file = request.method == "GET" and not request.path:find("..", 1, true) and io.open(%q .. request.path, "rb")
  local body = file and file:read "*a"
  if not body then return 404, "" end
  file:close()
  return 200, body, { { "Content-Type", "application/octet-stream" } }
end
]]

describe("the rock", function()
  if LUA == "jit" or LUA == "5.2" or LUA == "5.3" or os.getenv "LD_PRELOAD" then
    return -- the rocks of LuaJIT are those of 5.1; between that and 5.4 LuaRocks does nothing else
  end
  local server

  teardown(function()
    if server then
      server:close()
    end
    trees.clean()
  end)

  -- A folder with the packed rock and the list of what it holds. The sources come from an archive, because the tag that
  -- the rockspec names is not there before the release.
  local function packed()
    local tree, rocks = trees.sources(), trees.folder()
    local rockspec, replaced = world.read("rockspec/" .. ROCK .. ".rockspec"):gsub('url = "[^"]+",\n  tag = "[^"]+"',
      ('url = "file://%s/scope3.tar.gz", dir = "tree"'):format(rocks))
    assert.equal(1, replaced)
    world.write(("%s/%s.rockspec"):format(rocks, ROCK), rockspec)
    must(("tar -C %s/.. -czf %s/scope3.tar.gz tree"):format(quote(tree), rocks))
    must(("cd %s && %s luarocks pack %s.rockspec && rm %s.rockspec scope3.tar.gz"):format(rocks, CLEAN, ROCK, ROCK))
    must(("%s luarocks-admin make-manifest %s"):format(CLEAN, rocks))
    return rocks
  end

  it("installs from a server into an empty tree, and runs there, without code of the current folder", function()
    server = answering.start()
    server:answer(SERVE:format(packed()))
    local tree, cache = trees.folder(), trees.folder()
    -- What Debian's packages provide, said to LuaRocks, which cannot reach its own server from everywhere.
    local config = world.file(('rocks_provided = { ["argparse"] = "0.7.1-1" }\nlocal_cache = %q\n'):format(cache))
    local out = must(("cd / && %s LUAROCKS_CONFIG=%s luarocks --lua-version=%s --tree=%s --only-server=%s "
      .. "install scope3 CFLAGS=-O0"):format(CLEAN, config, LUA, tree, server.url))
    assert.is_nil(out:find("Missing dependencies", 1, true))

    local paths = ("LUA_PATH='%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua;;' LUA_CPATH='%s/lib/lua/%s/?.so;;'")
      :format(tree, LUA, tree, LUA, tree, LUA)
    local program = world.file [[
      print(require("scope3")._VERSION)
      for _, name in ipairs { "core", "engine", "gzip", "crypto" } do require("scope3." .. name) end
    ]]
    assert.equal(VERSION .. "\n", must(("cd / && %s %s %s %s"):format(CLEAN, paths, BIN, program)))
    assert.equal("scope3 " .. VERSION .. "\n", must(("cd / && %s %s/bin/scope3 --version"):format(CLEAN, tree)))

    -- The pages and the examples come with the rock.
    local rock = ("%s/lib/luarocks/rocks-%s/scope3/%s-1"):format(tree, LUA, VERSION)
    assert.is_true(world.exists(rock .. "/docs/embedding.md"))
    out = must(("cd / && %s %s/bin/scope3 run %s/examples/newsletter.lua %s/examples/customers.csv --account 25 "
      .. "--dry-run"):format(CLEAN, tree, rock, rock))
    assert.truthy(out:find("scope3 dry run · account 25", 1, true), out)
    assert.truthy(out:find("rows +1,000"), out)

    -- LuaRocks wraps the command in a script of its own.
    hostile.folder()(quote(tree .. "/bin/scope3"), { hostile.ENVIRONMENT })
  end)

  it("names nothing that may be missing, and takes every Lua", function()
    local rockspec = world.read("rockspec/" .. ROCK .. ".rockspec")
    assert.is_nil(rockspec:find("zlib%.h"))
    assert.truthy(rockspec:find('"lua >= 5.1",', 1, true))
    assert.truthy(rockspec:find('copy_directories = { "docs", "examples" }', 1, true))
  end)
end)
