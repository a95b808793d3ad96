#include "arguments.h"

#include <string.h>

sc3_slice sc3l_check_string(lua_State *L, int index) {
  sc3_slice s;
  luaL_checktype(L, index, LUA_TSTRING);
  s.p = lua_tolstring(L, index, &s.n);
  return s;
}

double sc3l_opt_seconds(lua_State *L, int index, const char *field, double def) {
  double value = def;
  lua_getfield(L, index, field);
  if (!lua_isnil(L, -1)) {
    if (lua_type(L, -1) != LUA_TNUMBER)
      luaL_error(L, "%s must be a number of seconds, not a %s", field, luaL_typename(L, -1));
    value = (double)lua_tonumber(L, -1);
    if (!(value >= 0))
      luaL_error(L, "%s must be a number of seconds, 0 or more", field);
  }
  lua_pop(L, 1);
  return value;
}

sc3_slice sc3l_opt_string(lua_State *L, int index, const char *field) {
  sc3_slice s = {NULL, 0};
  lua_getfield(L, index, field);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return s;
  }
  if (lua_type(L, -1) != LUA_TSTRING)
    luaL_error(L, "%s must be a string, not a %s", field, luaL_typename(L, -1));
  s.p = lua_tolstring(L, -1, &s.n);
  return s;
}

void sc3l_check_keys(lua_State *L, int index, const char *const *known, const char *what) {
  index = sc3l_absindex(L, index);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    const char *const *k = known;
    const char *key;
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "%s: keys must be strings, not a %s", what, luaL_typename(L, -2));
    key = lua_tostring(L, -2);
    while (*k != NULL && strcmp(*k, key) != 0)
      k++;
    if (*k == NULL)
      luaL_error(L, "%s: unknown option '%s'", what, key);
    lua_pop(L, 1);
  }
}

const char *sc3l_opt_clean(lua_State *L, int index, const char *field) {
  sc3_slice s = sc3l_opt_string(L, index, field);
  size_t i;
  for (i = 0; i < s.n; i++) {
    if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
      luaL_error(L, "%s holds a control character", field);
  }
  return s.p;
}

size_t sc3l_check_size(lua_State *L, int index, const char *what) {
  lua_Number n = luaL_checknumber(L, index);
  if (!(n >= 1 && n <= 4294967295.0))
    luaL_error(L, "%s must be between 1 and 4294967295", what);
  return (size_t)n;
}
