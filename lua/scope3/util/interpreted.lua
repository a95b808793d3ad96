--- Has LuaJIT's interpreter run a function, or with `true, true` all those of the file that calls this. Elsewhere it
--- does nothing.
---
--- Files want it in which nothing runs for each member: their closures and objects are new ones each time. LuaJIT would
--- make traces again and again that nothing uses twice, which costs more than traces save.
local jit = rawget(_G, "jit") -- a host may forbid to read a global that does not exist

---@type fun(what: function|true, all?: boolean)
return type(jit) == "table" and jit.off or function() end -- a sandbox may have a part of it
