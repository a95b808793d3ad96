#include "table_look.h"

#include <string.h>

#include "../core/rows/header.h"
#include "row.h"

enum { DEPTH_MAX = 64 };

static sc3_lookup_result look(lua_State *L, int table, sc3_slice name, int depth);

/* Goes on in the value on top, which it replaces by what is found there. */
static sc3_lookup_result look_on(lua_State *L, sc3_slice rest, int depth) {
  sc3_lookup_result looked;
  if (lua_type(L, -1) == LUA_TTABLE && depth < DEPTH_MAX && rest.n > 0) {
    looked = look(L, lua_gettop(L), rest, depth + 1);
    lua_remove(L, -2);
    return looked;
  }
  lua_pop(L, 1);
  lua_pushnil(L);
  return SC3_LOOKUP_NONE;
}

/* Pushes the value of a key, or of an element where the key is a number and nothing is called so.
 */
static void push_value(lua_State *L, int table, sc3_slice key) {
  size_t i, number = 0;
  lua_pushlstring(L, key.p, key.n);
  lua_rawget(L, table);
  if (!lua_isnil(L, -1) || key.n == 0 || key.n > 7)
    return;
  for (i = 0; i < key.n; i++) {
    if (key.p[i] < '0' || key.p[i] > '9')
      return;
    number = number * 10 + (size_t)(key.p[i] - '0');
  }
  lua_pop(L, 1);
  lua_rawgeti(L, table, (int)number);
}

/* Keys that are the same as the name but for what does not count. Both lie on the stack too, the
 * head on top. */
typedef struct others {
  sc3_slice alike, head;
  int two_alike, two_heads;
} others;

static others find_others(lua_State *L, int table, sc3_slice name) {
  others o;
  int at;
  memset(&o, 0, sizeof o);
  lua_pushnil(L);
  lua_pushnil(L);
  at = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table) != 0) {
    sc3_slice key;
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      continue;
    key.p = lua_tolstring(L, -1, &key.n);
    switch (sc3_likeness_of(key, name)) {
      case SC3_ALIKE:
        o.two_alike = o.alike.p != NULL;
        o.alike = key;
        lua_pushvalue(L, -1);
        lua_replace(L, at - 1);
        break;
      case SC3_ALIKE_HEAD:
        o.two_heads = o.head.p != NULL;
        o.head = key;
        lua_pushvalue(L, -1);
        lua_replace(L, at);
        break;
      default: break;
    }
  }
  return o;
}

/* The value of `key`, on top, and what lies in it under `rest`: SC3_LOOKUP_NONE leaves nothing. */
static sc3_lookup_result look_behind(lua_State *L, int table, sc3_slice key, sc3_slice rest,
                                     int depth) {
  sc3_lookup_result looked;
  push_value(L, table, key);
  looked = look_on(L, rest, depth);
  if (looked == SC3_LOOKUP_NONE)
    lua_pop(L, 1);
  return looked;
}

static sc3_lookup_result look(lua_State *L, int table, sc3_slice name, int depth) {
  sc3_lookup_result looked;
  size_t i;
  others o;
  int first;
  sc3_checkstack(L, 12);
  push_value(L, table, name);
  if (!lua_isnil(L, -1))
    return SC3_LOOKUP_ONE;
  lua_pop(L, 1);
  for (i = name.n; i-- > 1;) { /* the longest key first: keys may hold dots */
    if (name.p[i] != '.')
      continue;
    looked = look_behind(L, table, sc3_slice_of(name.p, i),
                         sc3_slice_of(name.p + i + 1, name.n - i - 1), depth);
    if (looked != SC3_LOOKUP_NONE)
      return looked;
  }
  o = find_others(L, table, name);
  first = lua_gettop(L) - 1; /* the result replaces the keys from there on */
  looked = SC3_LOOKUP_NONE;
  if (o.alike.p != NULL && !o.two_alike) {
    push_value(L, table, o.alike);
    looked = SC3_LOOKUP_ONE;
  } else if (o.head.p != NULL && !o.two_heads && o.alike.p == NULL) {
    size_t head = (size_t)((const char *)memchr(name.p, '.', name.n) - name.p);
    looked =
        look_behind(L, table, o.head, sc3_slice_of(name.p + head + 1, name.n - head - 1), depth);
  }
  if (looked == SC3_LOOKUP_NONE) {
    lua_pushnil(L);
    looked = o.two_alike || o.two_heads ? SC3_LOOKUP_AMBIGUOUS : SC3_LOOKUP_NONE;
  }
  lua_replace(L, first);
  lua_settop(L, first);
  return looked;
}

sc3_lookup_result sc3_tablelook(lua_State *L, int index, sc3_slice name) {
  return look(L, sc3_absindex(L, index), name, 0);
}

/* --- rows of sources --- */

/* The metatable has a key that nobody else knows. */
static char mark;

int sc3_isrow(lua_State *L, int index) {
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
  if (sc3_tablelook(L, 1, name) == SC3_LOOKUP_AMBIGUOUS)
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
  size_t i, n, at[2] = {0, 0};
  sc3_header_found found;
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
  found = sc3_header_find(slices, n, name, at);
  if (found == SC3_HEADER_TWICE)
    return luaL_error(L, "the column '%s' stands more than once: use its number", name.p);
  if (found == SC3_HEADER_NONE && sc3_header_number(name) > 0) {
    lua_pushinteger(
        L, (lua_Integer)sc3_header_number(name)); /* the key of a column whose name stands twice */
    lua_rawget(L, 1);
    if (!lua_isnil(L, -1) || push_numbered(L, names, (lua_Number)sc3_header_number(name), n) != 0)
      return 1;
  }
  if (found != SC3_HEADER_ONE)
    return sc3_nocolumn(L, slices, n, name, found, at);
  lua_rawgeti(L, names, (int)at[0] + 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, known);
  lua_rawget(L, 1);
  return 1;
}

void sc3_pushrowmeta(lua_State *L, int is_csv, const sc3_slice *names, size_t n) {
  size_t i;
  lua_createtable(L, 0, 2);
  lua_pushlightuserdata(L, &mark);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  if (!is_csv) {
    lua_pushcfunction(L, jsonl_index);
  } else {
    lua_createtable(L, (int)n, 0);
    for (i = 0; i < n; i++) {
      lua_pushlstring(L, names[i].p, names[i].n);
      lua_rawseti(L, -2, (int)i + 1);
    }
    lua_createtable(L, 0, 4);
    lua_pushcclosure(L, csv_index, 2);
  }
  lua_setfield(L, -2, "__index");
}
