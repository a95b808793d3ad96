--- What LuaJIT needs and other Luas do not.
local luajit = {}

local jit = rawget(_G, "jit") -- a host may forbid reading globals that do not exist

--- Keeps functions, and those defined inside them, from LuaJIT's compiler. It is for loops over pairs(): LuaJIT of
--- March 2022, which Debian 12 ships, skips entries of such a loop after it was compiled and left often.
---@param ... function
function luajit.interpret(...)
  for i = 1, jit and select("#", ...) or 0 do
    jit.off((select(i, ...)), true)
  end
end

return luajit
