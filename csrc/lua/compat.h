/* Every difference between Lua 5.1 to 5.5 and LuaJIT that the bindings meet, and nothing else. */
#ifndef SC3L_COMPAT_H
#define SC3L_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#if !defined(LUA_VERSION_NUM) || LUA_VERSION_NUM < 501
#error "scope3 needs Lua 5.1 or newer, or LuaJIT"
#endif

#if LUA_VERSION_NUM < 502

#define lua_rawlen(L, i) lua_objlen(L, i)

static inline int sc3l_absindex(lua_State *L, int i) {
  return (i < 0 && i > LUA_REGISTRYINDEX) ? lua_gettop(L) + i + 1 : i;
}

static inline void sc3l_setfuncs(lua_State *L, const luaL_Reg *l) {
  for (; l->name != NULL; l++) {
    lua_pushcfunction(L, l->func);
    lua_setfield(L, -2, l->name);
  }
}

#else

#define sc3l_absindex(L, i) lua_absindex(L, i)
#define sc3l_setfuncs(L, l) luaL_setfuncs(L, l, 0)

#endif

/* One Lua value besides a userdata: the user value, or the environment table on 5.1. So it must be
 * a table. */
#if LUA_VERSION_NUM >= 504
#define sc3l_newuserdata(L, size) lua_newuserdatauv(L, size, 1)
#define sc3l_setuservalue(L, i) ((void)lua_setiuservalue(L, i, 1))
#define sc3l_getuservalue(L, i) ((void)lua_getiuservalue(L, i, 1))
#elif LUA_VERSION_NUM >= 502
#define sc3l_newuserdata(L, size) lua_newuserdata(L, size)
#define sc3l_setuservalue(L, i) lua_setuservalue(L, i)
#define sc3l_getuservalue(L, i) lua_getuservalue(L, i)
#else
#define sc3l_newuserdata(L, size) lua_newuserdata(L, size)
#define sc3l_setuservalue(L, i) ((void)lua_setfenv(L, i))
#define sc3l_getuservalue(L, i) lua_getfenv(L, i)
#endif

/* Room on the stack. It lacks where memory does, which Lua itself calls a stack overflow. */
static inline void sc3l_checkstack(lua_State *L, int n) {
  if (!lua_checkstack(L, n))
    luaL_error(L, "not enough memory");
}

/* A count, as an integer where Lua has them. */
#if LUA_VERSION_NUM >= 503
#define sc3l_push_count(L, n) lua_pushinteger(L, (lua_Integer)(n))
#else
#define sc3l_push_count(L, n) lua_pushnumber(L, (lua_Number)(n))
#endif

#endif
