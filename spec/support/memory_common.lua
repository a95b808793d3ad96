-- What every scenario in which memory runs out begins with, as text for another Lua state.
return [=[
if jit then
  jit.off() -- an allocation that fails inside a trace ends LuaJIT by itself
end
-- Lua 5.4 makes the metatable of its own large buffers at the first of them. Where memory runs out in that, what is left
-- of it has no __close, and each later one raises.
assert(#("x"):rep(100000) == 100000)
local core = require "scope3.core"
local MAP = { { "external_id", 1 }, { "email", 2 }, { "phone", 3 } }
local NAMED = { { "external_id", "id" }, { "email", "mail" }, { "phone", "tel" } }
local function csv(n)
  local list = { "id,mail,tel" }
  for i = 1, n do
    list[#list + 1] = ("%d,p%d@example.org,%s"):format(i, i, i % 3 == 0 and "bad" or "+493012345" .. 100 + i)
  end
  return table.concat(list, "\n") .. "\n"
end
local function jsonl(n)
  local list = {}
  for i = 1, n do
    list[#list + 1] = ('{"id":"%d","mail":"p%d@ex\\u0061mple.org","tel":null,"deep":{"a":[1,"x"]}}'):format(i, i)
  end
  return table.concat(list, "\n") .. "\n"
end
local function source(format, text)
  local made = core.source { format = format, decode = format == "jsonl" and core.json_decode or nil }
  made:feed(text)
  made:finish()
  return made
end
-- Closing raises nothing, twice.
local function close(...)
  for i = 1, select("#", ...) do
    local object = select(i, ...)
    if object then
      object:close()
      object:close()
    end
  end
end
local function sums(builder)
  local c = builder:counts()
  if c.rows ~= c.skipped + c.rejected_rows + c.used_rows then
    return ("rows %d, skipped %d, rejected %d, used %d"):format(c.rows, c.skipped, c.rejected_rows, c.used_rows)
  end
end
local function collect()
  collectgarbage()
  collectgarbage()
end
]=]
