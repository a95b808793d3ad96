-- The drawing of the house holds, and the lint that checks it notices what would spoil it.
local world = require "spec.support.world"

-- What .ci/house.lua says of a tree that holds these files beside those of this one.
local function house(files)
  local root = world.path ".house"
  assert(os.execute(("mkdir -p '%s' && cp -r csrc lua '%s'"):format(root, root)))
  for path, text in pairs(files) do
    local folder = root .. "/" .. path:match "^(.*)/"
    assert(os.execute(("mkdir -p '%s'"):format(folder)))
    world.write(root .. "/" .. path, text)
  end
  local pipe = assert(io.popen(("%s .ci/house.lua '%s' 2>&1; echo code $?"):format(os.getenv "SCOPE3_LUA_BIN", root)))
  local text = pipe:read "*a"
  pipe:close()
  os.execute(("rm -rf '%s'"):format(root))
  return text
end

describe("the house", function()
  teardown(world.clean)
  if os.getenv "SCOPE3_LUA" ~= "5.4" or os.getenv "ASAN_OPTIONS" then
    return -- it looks at files only, which are the same for every Lua; programs that copy them have leaks of their own
  end

  it("has no arrow back and no circle", function()
    local text = house {}
    assert.truthy(text:find("no arrow back, no circle\ncode 0\n", 1, true), text)
    assert.truthy(text:find("members +%d+ files +%-> core/rows %d+, core/identity %d+, core/bytes %d+"), text)
    assert.truthy(text:find("job +%d+ files +%-> mirror %d+, input %d+, api %d+"), text)
  end)

  for what, case in pairs {
    ["an arrow back in Lua"] = { "lua/scope3/util/extra.lua", 'return require "scope3.job"\n',
      "lua/scope3/util/extra.lua needs lua/scope3/job/init.lua: the arrow from util to job runs back" },
    ["an arrow that is hidden in a function"] = { "lua/scope3/api/extra.lua",
      'return function()\n  return require("scope3.client")\nend\n',
      "lua/scope3/api/extra.lua needs lua/scope3/client.lua: the arrow from api to client runs back" },
    ["an arrow that nobody allowed"] = { "lua/scope3/input/extra.lua", 'return require "scope3.http.retry"\n',
      "lua/scope3/input/extra.lua needs lua/scope3/http/retry.lua: no arrow leads from input to http" },
    ["a circle in Lua"] = { "lua/scope3/util/extra.lua", 'return require "scope3.util.other"\n',
      "a circle: lua/scope3/util/extra.lua -> lua/scope3/util/other.lua -> lua/scope3/util/extra.lua",
      "lua/scope3/util/other.lua", 'return require "scope3.util.extra"\n' },
    ["an arrow back in C"] = { "csrc/core/bytes/extra.c", '#include "../members/member.h"\n',
      "csrc/core/bytes/extra.c needs csrc/core/members/member.h: the arrow from core/bytes to core/members runs back" },
    ["a circle in C"] = { "csrc/core/bytes/extra.h", '#include "other.h"\n',
      "a circle: csrc/core/bytes/extra.h -> csrc/core/bytes/other.h -> csrc/core/bytes/extra.h",
      "csrc/core/bytes/other.h", '#include "extra.h"\n' },
    ["a folder that is no room"] = {
      "lua/scope3/helpers/extra.lua", "return {}\n", "lua/scope3/helpers/extra.lua is in no room",
    },
    ["a long file"] = { "lua/scope3/util/extra.lua", ("local x = 1\n"):rep(401),
      "lua/scope3/util/extra.lua has 401 lines, and may have 400" },
    ["what stands twice"] = { "lua/scope3/util/extra.lua", ("value = value + %d\n"):rep(12):gsub("%%d", "1"),
      "12 lines of lua/scope3/util/other.lua:1 stand at lua/scope3/util/extra.lua:1 too",
      "lua/scope3/util/other.lua", (("value = value + 1\n"):rep(12)) },
  } do
    it("is spoilt by " .. what, function()
      local files = { [case[1]] = case[2] }
      if case[4] then
        files[case[4]] = case[5]
      end
      local text = house(files)
      assert.truthy(text:find(case[3], 1, true), text)
      assert.truthy(text:find("code 1\n", 1, true), text)
    end)
  end
end)
