--- pairs() by a name that LuaJIT's parser does not know, for `for key, value in entries(t) do`.
---
--- LuaJIT has an instruction of its own for loops over what is called pairs or next. After it gave up compiling such a
--- loop, LuaJIT of March 2022 (Debian 12) may end it early or begin it anew. Until August 2026, LuaJIT may skip one
--- entry. A loop over another name is compiled as calls of next(), and has neither fault.
return pairs
