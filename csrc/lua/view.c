#include "view.h"

#include "type.h"

/* Changes with the struct: files of two versions may lie beside each other. */
enum { VERSION = 2 };

#define MARK "__view"

int sc3l_is_view(lua_State *L, int index) {
  int is;
  if (!lua_isuserdata(L, index) || !lua_getmetatable(L, index))
    return 0;
  lua_pushliteral(L, MARK);
  lua_rawget(L, -2);
  is = lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == VERSION;
  lua_pop(L, 2);
  return is;
}

sc3_slice sc3l_check_view(lua_State *L, int index) {
  const sc3l_view *view;
  luaL_argcheck(L, sc3l_is_view(L, index), index, "a view expected");
  view = lua_touserdata(L, index);
  if (view->bytes.p == NULL)
    sc3l_raise_closed(L, "view");
  return view->bytes;
}

static int view_size(lua_State *L) {
  lua_pushnumber(L, (lua_Number)sc3l_check_view(L, 1).n);
  return 1;
}

static int view_end(lua_State *L) {
  luaL_argcheck(L, sc3l_is_view(L, 1), 1, "a view expected");
  ((sc3l_view *)lua_touserdata(L, 1))->bytes.p = NULL;
  return 0;
}

void sc3l_new_view_type(lua_State *L, const char *name) {
  static const luaL_Reg methods[] = {{"size", view_size}, {NULL, NULL}};
  const sc3l_type type = {.name = name, .methods = {methods}, .end = view_end};
  sc3l_new_type(L, &type);
  luaL_getmetatable(L, name);
  lua_pushinteger(L, VERSION);
  lua_setfield(L, -2, MARK);
  lua_pop(L, 1);
}

sc3l_view *sc3l_push_view(lua_State *L, const char *name) {
  return sc3l_new_object(L, sizeof(sc3l_view), name);
}
