-- The other side of lowercase.mjs: answers lines with their lowercase.
local core = require "scope3.core"

for line in io.lines() do
  io.write(core.lowercase(line), "\n")
end
