#include "table_lookup.h"

#include <string.h>

#include "../core/bytes/ascii.h"

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
    if (!sc3_ascii_is_digit(key.p[i]))
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

/* Looks for `rest` in the value of `key`, and pushes what is found there. SC3_LOOKUP_NONE pushes
 * nothing. */
static sc3_lookup_result look_inside(lua_State *L, int table, sc3_slice key, sc3_slice rest,
                                     int depth) {
  sc3_lookup_result looked;
  push_value(L, table, key);
  looked = look_on(L, rest, depth);
  if (looked == SC3_LOOKUP_NONE)
    lua_pop(L, 1);
  return looked;
}

/* Looks for the name as it is spelled: as a key, or as keys inside others, with dots between them.
 * SC3_LOOKUP_NONE pushes nothing. */
static sc3_lookup_result look_exactly(lua_State *L, int table, sc3_slice name, int depth) {
  size_t i;
  push_value(L, table, name);
  if (!lua_isnil(L, -1))
    return SC3_LOOKUP_ONE;
  lua_pop(L, 1);
  for (i = name.n; i-- > 1;) { /* the longest key first: keys may hold dots */
    sc3_lookup_result looked;
    if (name.p[i] != '.')
      continue;
    looked = look_inside(L, table, sc3_slice_of(name.p, i),
                         sc3_slice_of(name.p + i + 1, name.n - i - 1), depth);
    if (looked != SC3_LOOKUP_NONE)
      return looked;
  }
  return SC3_LOOKUP_NONE;
}

/* Looks for a key in another spelling, or for one that is the name up to its first dot. Pushes the
 * value, or nil. */
static sc3_lookup_result look_alike(lua_State *L, int table, sc3_slice name, int depth) {
  const others o = find_others(L, table, name);
  const int first = lua_gettop(L) - 1; /* the result replaces the keys from there on */
  sc3_lookup_result looked = SC3_LOOKUP_NONE;
  if (o.alike.p != NULL && !o.two_alike) {
    push_value(L, table, o.alike);
    looked = SC3_LOOKUP_ONE;
  } else if (o.head.p != NULL && !o.two_heads && o.alike.p == NULL) {
    const size_t head = (size_t)((const char *)memchr(name.p, '.', name.n) - name.p);
    looked =
        look_inside(L, table, o.head, sc3_slice_of(name.p + head + 1, name.n - head - 1), depth);
  }
  if (looked == SC3_LOOKUP_NONE) {
    lua_pushnil(L);
    looked = o.two_alike || o.two_heads ? SC3_LOOKUP_AMBIGUOUS : SC3_LOOKUP_NONE;
  }
  lua_replace(L, first);
  lua_settop(L, first);
  return looked;
}

static sc3_lookup_result look(lua_State *L, int table, sc3_slice name, int depth) {
  sc3_lookup_result looked;
  sc3l_checkstack(L, 12);
  looked = look_exactly(L, table, name, depth);
  return looked != SC3_LOOKUP_NONE ? looked : look_alike(L, table, name, depth);
}

sc3_lookup_result sc3l_table_lookup(lua_State *L, int index, sc3_slice name) {
  return look(L, sc3l_absindex(L, index), name, 0);
}
