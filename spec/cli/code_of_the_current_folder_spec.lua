-- The command loads no Lua code and no C module from the current folder.
-- Someone who may write there must not get its key. spec/house/rock_spec.lua says so of the one that LuaRocks installs.
local hostile = require "spec.support.hostile"
local trees = require "spec.support.trees"

local LUA, BIN = os.getenv "SCOPE3_LUA", os.getenv "SCOPE3_LUA_BIN"
local CLEAN, quote, must = trees.CLEAN, trees.quote, trees.must

describe("the current folder", function()
  local check
  local root = must "pwd":gsub("%s+$", "")

  setup(function()
    check = hostile.folder()
  end)
  teardown(trees.clean)

  it("gives no code to the command that make has installed", function()
    local prefix = trees.folder() .. "/with space"
    must(("%s make --no-print-directory -s LUA=%s LUA_BIN=%s install PREFIX=%s"):format(CLEAN, LUA, BIN, quote(prefix)))
    check(quote(prefix .. "/bin/scope3"), { CLEAN, hostile.ENVIRONMENT })
    -- an interpreter that is told to leave LUA_INIT alone still hands it to the sandbox that it starts
    if LUA ~= "5.1" then
      check(quote(BIN) .. " -E " .. quote(prefix .. "/bin/scope3"), { hostile.ENVIRONMENT },
        { hostile.LINES[#hostile.LINES] })
    end
  end)

  it("gives no code to the command that runs in its tree, whatever LUA_PATH says after it", function()
    local variant = package.cpath:match("[^;]*/build/[^;]*")
    check(quote(BIN) .. " " .. quote(root .. "/bin/scope3.in"), {
      ("LUA_PATH='./?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;?.lua' LUA_CPATH='./?.so;%s;;?.so'"):format(root, root,
        variant),
    })
  end)
end)
