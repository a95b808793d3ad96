-- C that specs need beside the module, compiled when it is needed: what Lua has no function for.
local world = require "spec.support.world"

local compile = {}

-- Without what the sanitizers preload: the compiler leaks.
local function cc(arguments)
  local output = world.path(".cc")
  local code = os.execute(("env -u LD_PRELOAD ${CC:-cc} -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror %s "
    .. ">%s 2>&1"):format(arguments, output))
  assert(code == 0 or code == true, world.read(output))
end

--- A program: its path. world.clean() removes it.
---@param sources string paths with spaces between
---@return string
function compile.program(sources)
  local path = world.path(".bin")
  cc(("-o %s %s"):format(path, sources))
  return path
end

--- What the compiler makes of a C file: its text for an assembler.
---@param source string path
---@return string
function compile.assembly(source)
  local path = world.path(".s")
  cc(("-S -o %s %s"):format(path, source))
  return world.read(path)
end

-- A C module for the Lua that runs this: its file. It is of spec/support unless a folder is given.
local function library(name, flags, folder)
  local path = world.path(".so")
  local command = "env -u LD_PRELOAD make --no-print-directory -s LUA=%s print-cflags"
  local pipe = assert(io.popen(command:format(os.getenv "SCOPE3_LUA")))
  local includes = {}
  for flag in pipe:read("*a"):gmatch("%-I%S+") do
    includes[#includes + 1] = flag
  end
  pipe:close()
  cc(("-fPIC -shared %s -o %s %s/%s.c %s"):format(table.concat(includes, " "), path, folder or "spec/support", name,
    flags or ""))
  return path
end

-- What the module gives.
local function load_module(name)
  return assert(package.loadlib(library(name), "luaopen_" .. name))()
end

--- fork(function) -> the number it returned in the child (spec/support/fork.c).
---@return fun(run: fun(): integer): integer
function compile.fork()
  return load_module "fork"
end

--- A library that is preloaded to make the C library's allocations fail (spec/support/no_memory.c): its path.
---@return string
function compile.no_memory()
  return library("no_memory", "-ldl")
end

--- libcurl with allocators that fail when told to (spec/torture/curl_memory.c): the module's path.
---@return string
function compile.curl_memory()
  return library("curl_memory", "-lcurl", "spec/torture")
end

--- The module of compile.failing(), for another process: its path.
---@return string
function compile.failing_file()
  return library("failing", "-Wl,-z,nodelete") -- a state that ends still gives memory back, by its allocator
end

--- A library that is preloaded to make calls of the system fail (spec/support/failing_calls.c): its path.
---@return string
function compile.failing_calls()
  return library("failing_calls", "-ldl")
end

--- Lua states whose allocator fails when told to (spec/support/failing.c).
---@return table
function compile.failing()
  return load_module "failing"
end

--- A library that is preloaded to make the monotonic clock go a
--- hundred times as fast (spec/support/fast_clock.c): its path.
---@return string
function compile.fast_clock()
  return library("fast_clock", "-ldl")
end

--- A library that is preloaded for a night of a mirror (spec/mirror/seasons/night.c): its path.
---@return string
function compile.night()
  return library("night", "-ldl", "spec/mirror/seasons")
end

--- Marks for callgrind (spec/support/counted.c): the module's path.
---@return string
function compile.counted()
  return library "counted"
end

--- Keeps the file of a C module loaded for good (spec/support/pin.c).
---@param module string
function compile.pin(module)
  local path, file = world.path(".so"), nil
  for template in package.cpath:gmatch "[^;]+" do
    local name = template:gsub("%?", (module:gsub("%.", "/")))
    file = file or world.exists(name) and name or nil
  end
  cc(("-fPIC -shared -DPIN='\"%s\"' -o %s spec/support/pin.c"):format(assert(file, module), path))
  assert(package.loadlib(path, "*"))
end

return compile
