-- Keeps the figures that `make bench` found last, and draws them.
--   lua bench/rows/draw.lua FOUND KEPT PICTURE     (make bench-plot)
-- FOUND goes to KEPT where there is one. Otherwise what is kept is drawn again.
package.path = "./?.lua;" .. package.path
local figures = require "bench.rows.figures"
local picture = require "bench.rows.picture"

local function write(path, text)
  local file = assert(io.open(path .. ".new", "w"))
  assert(file:write(text))
  assert(file:close())
  assert(os.rename(path .. ".new", path))
end

local found, kept, to = arg[1], arg[2], arg[3]
local file = io.open(found) or assert(io.open(kept))
local text = file:read "*a"
file:close()
local list = figures.read(text)
write(kept, text)
write(to, picture.draw(list))
print(("%s: %d programs, %s"):format(to, #list, list.rows))
