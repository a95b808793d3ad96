-- Builds and installs as somebody would who has not got this tree: commands in a clean environment, folders of their
-- own, and copies of the sources.
local quote = require "spec.support.quote"
local world = require "spec.support.world"

local trees = { quote = quote }

--- In front of a command: the environment without this tree. The sanitizer's runtime must not come along either.
trees.CLEAN = "env -u LUA_PATH -u LUA_CPATH -u LUA_PATH_5_2 -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u LD_PRELOAD "

--- Runs a shell command; whether it went well, and what it printed.
function trees.shell(command)
  local out = world.path(".out")
  local code = os.execute("unset LD_PRELOAD; (" .. command .. ") >" .. out .. " 2>&1 </dev/null")
  return code == true or code == 0, world.read(out)
end

function trees.must(command)
  local ok, out = trees.shell(command)
  assert(ok, command .. "\n" .. out)
  return out
end

local folders = {}

function trees.folder()
  local path = world.path("")
  trees.must("mkdir -p " .. trees.quote(path))
  folders[#folders + 1] = path
  return path
end

--- The sources by themselves, for builds with other flags: the specs of another Lua may be using the modules of this
--- tree.
function trees.sources()
  local tree = trees.folder() .. "/tree"
  trees.must(("mkdir %s && tar --exclude=./.git --exclude=./build --exclude=./bin/scope3 -cf - . | tar -C %s -xf -")
    :format(trees.quote(tree), trees.quote(tree)))
  return tree
end

function trees.clean()
  for _, path in ipairs(folders) do
    trees.shell("rm -rf " .. trees.quote(path))
  end
  folders = {}
  world.clean()
end

return trees
