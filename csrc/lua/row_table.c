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
  if (sc3l_table_lookup(L, 1, name) == SC3_LOOKUP_AMBIGUOUS)
    return luaL_error(L, "'%s' may be one of two keys of the row: name the one you mean", name.p);
  return 1;
}

/* Upvalues of csv_index(). */
#define NAMES lua_upvalueindex(1) /* { name, name, ... } */
#define KNOWN lua_upvalueindex(2) /* { what was asked for -> the column's name } */

/* Pushes the value of a column by its number; nothing where there is none. */
static int push_numbered(lua_State *L, lua_Number number, size_t n) {
  if (!(number >= 1 && number <= (lua_Number)n) || number != (lua_Number)(int)number)
    return 0;
  lua_rawgeti(L, NAMES, (int)number);
  lua_rawget(L, 1);
  return 1;
}

/* Looks the name up in the header. A userdata with the slices stays on the stack. */
static sc3l_column_search search_names(lua_State *L, sc3_slice name, size_t n) {
  sc3_slice *slices = lua_newuserdata(L, (n + 1) * sizeof *slices);
  size_t i;
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, NAMES, (int)i + 1);
    slices[i].p = lua_tolstring(L, -1, &slices[i].n);
    lua_pop(L, 1); /* the table still holds it */
  }
  return sc3l_search_column(slices, n, name);
}

/* Pushes the value for a text that is a number: the key of a column whose name stands twice, or the
 * number of a column. Nothing where it is neither. */
static int push_number_text(lua_State *L, size_t number, size_t n) {
  if (number == 0)
    return 0;
  lua_pushinteger(L, (lua_Integer)number);
  lua_rawget(L, 1);
  return !lua_isnil(L, -1) || push_numbered(L, (lua_Number)number, n) != 0;
}

/* Pushes the value of the column that the name at index 2 means, and notes the column for the next
 * row. Raises when there is none. */
static int push_named(lua_State *L, size_t n) {
  sc3_slice name;
  sc3l_column_search search;
  name.p = lua_tolstring(L, 2, &name.n);
  search = search_names(L, name, n);
  if (search.found == SC3_HEADER_TWICE)
    return luaL_error(L, "the column '%s' stands more than once: use its number", name.p);
  if (search.found == SC3_HEADER_NONE && push_number_text(L, sc3_header_number(name), n))
    return 1;
  if (search.found != SC3_HEADER_ONE)
    return sc3l_raise_no_column(L, &search);
  lua_rawgeti(L, NAMES, (int)search.at[0] + 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, KNOWN);
  lua_rawget(L, 1);
  return 1;
}

/* __index of a row of CSV: a column by a name that is not spelled as in the header, or by its
 * number. */
static int csv_index(lua_State *L) {
  const int type = lua_type(L, 2);
  size_t n;
  lua_settop(L, 2);
  if (lua_type(L, 1) != LUA_TTABLE || (type != LUA_TSTRING && type != LUA_TNUMBER))
    return 0;
  n = (size_t)lua_rawlen(L, NAMES);
  if (type == LUA_TNUMBER)
    return push_numbered(L, lua_tonumber(L, 2), n);
  lua_pushvalue(L, 2);
  lua_rawget(L, KNOWN);
  if (lua_type(L, 3) == LUA_TSTRING) {
    lua_rawget(L, 1);
    return 1;
  }
  return push_named(L, n);
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
