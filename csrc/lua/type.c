#include "type.h"

#include <string.h>

static void set_function(lua_State *L, const char *name, lua_CFunction f) {
  lua_pushcfunction(L, f);
  lua_setfield(L, -2, name);
}

static void push_methods(lua_State *L, const sc3l_type *type) {
  int i;
  lua_createtable(L, 0, 8);
  for (i = 0; i < 4 && type->methods[i] != NULL; i++)
    sc3l_setfuncs(L, type->methods[i]);
  if (type->end != NULL)
    set_function(L, "close", type->close != NULL ? type->close : type->end);
}

void sc3l_new_type(lua_State *L, const sc3l_type *type) {
  luaL_newmetatable(L, type->name);
  push_methods(L, type);
  lua_setfield(L, -2, "__index");
  if (type->meta != NULL)
    sc3l_setfuncs(L, type->meta);
  lua_pushstring(L, type->name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  if (type->end != NULL) {
    set_function(L, "__gc", type->end);
#if LUA_VERSION_NUM >= 504
    set_function(L, "__close", type->end);
#endif
  }
  lua_pop(L, 1);
}

void *sc3l_new_object(lua_State *L, size_t size, const char *name) {
  void *object = sc3l_newuserdata(L, size);
  memset(object, 0, size);
  luaL_getmetatable(L, name);
  lua_setmetatable(L, -2);
  return object;
}

int sc3l_raise_closed(lua_State *L, const char *what) {
  return luaL_error(L, "attempt to use a closed %s", what);
}

void sc3l_check_version(lua_State *L) {
#if LUA_VERSION_NUM >= 502
  luaL_checkversion(L);
#else
  (void)L;
#endif
}
