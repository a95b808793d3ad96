#include "row_table.h"

#include "columns.h"
#include "table_lookup.h"

/* The metatable has a key that no other code knows. */
static char mark;

int sc3l_is_row(lua_State *L, int index) {
  int is;
  if (!lua_getmetatable(L, index))
    return 0;
  lua_pushlightuserdata(L, &mark);
  lua_rawget(L, -2);
  is = lua_toboolean(L, -1);
  lua_pop(L, 2);
  return is;
}

/* __index of a row of JSON Lines: a key in another spelling, or inside others; nil where there is
 * none. */
static int jsonl_index(lua_State *L) {
  sc3_slice name;
  if (lua_type(L, 2) != LUA_TSTRING || lua_type(L, 1) != LUA_TTABLE)
    return 0;
  name.p = lua_tolstring(L, 2, &name.n);
  if (sc3l_table_lookup(L, 1, name) == SC3_LOOKED_TWO)
    return luaL_error(L, "'%s' may be one of two keys of the row: name the one you mean", name.p);
  return 1;
}

/* The value of a column by its number; nothing where there is none. */
static int push_numbered(lua_State *L, int names, lua_Number number, size_t n) {
  if (!(number >= 1 && number <= (lua_Number)n))
    return 0;
  lua_rawgeti(L, names, (int)number);
  lua_rawget(L, 1);
  return 1;
}

/* __index of a row of CSV. Upvalues: { name, name, ... }, and { what was asked for -> the column's
 * name }. */
static int csv_index(lua_State *L) {
  const int names = lua_upvalueindex(1), known = lua_upvalueindex(2);
  sc3_slice *slices, name;
  size_t i, n;
  sc3l_column_search search;
  lua_settop(L, 2);
  if (lua_type(L, 1) != LUA_TTABLE ||
      (lua_type(L, 2) != LUA_TSTRING && lua_type(L, 2) != LUA_TNUMBER))
    return 0;
  n = lua_rawlen(L, names);
  if (lua_type(L, 2) == LUA_TNUMBER)
    return push_numbered(L, names, lua_tonumber(L, 2), n);
  lua_pushvalue(L, 2);
  lua_rawget(L, known);
  if (lua_type(L, 3) == LUA_TSTRING) {
    lua_rawget(L, 1);
    return 1;
  }
  name.p = lua_tolstring(L, 2, &name.n);
  slices = lua_newuserdata(L, (n + 1) * sizeof *slices);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, names, (int)i + 1);
    slices[i].p = lua_tolstring(L, -1, &slices[i].n);
    lua_pop(L, 1); /* the table still holds it */
  }
  search = sc3l_search_column(slices, n, name);
  if (search.found == SC3_HEADER_TWICE)
    return luaL_error(L, "the column '%s' stands more than once: use its number", name.p);
  if (search.found == SC3_HEADER_NONE && sc3_header_number(name) > 0) {
    lua_pushinteger(
        L, (lua_Integer)sc3_header_number(name)); /* the key of a column whose name stands twice */
    lua_rawget(L, 1);
    if (!lua_isnil(L, -1) || push_numbered(L, names, (lua_Number)sc3_header_number(name), n) != 0)
      return 1;
  }
  if (search.found != SC3_HEADER_ONE)
    return sc3l_raise_no_column(L, &search);
  lua_rawgeti(L, names, (int)search.at[0] + 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, known);
  lua_rawget(L, 1);
  return 1;
}

void sc3l_push_row_meta(lua_State *L, int is_csv, const sc3_slice *names, size_t n) {
  lua_createtable(L, 0, 2);
  lua_pushlightuserdata(L, &mark);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  if (!is_csv) {
    lua_pushcfunction(L, jsonl_index);
  } else {
    sc3l_push_names(L, names, n);
    lua_createtable(L, 0, 4);
    lua_pushcclosure(L, csv_index, 2);
  }
  lua_setfield(L, -2, "__index");
}
