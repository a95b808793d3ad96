#include "columns.h"

enum { NAMES_SHOWN = 40 };

sc3l_column_search sc3l_search_column(const sc3_slice *names, size_t count, sc3_slice name) {
  sc3l_column_search search = {names, count, name, SC3_HEADER_NONE, {0, 0}};
  search.found = sc3_header_find(names, count, name, search.at);
  return search;
}

/* Bytes of a name up to its first line end: after a quote that is missing come rows. */
static size_t first_line(sc3_slice name) {
  size_t i = 0;
  while (i < name.n && name.p[i] != '\n' && name.p[i] != '\r')
    i++;
  return i;
}

/* Raises that there is no such column. The names are listed where they are a header, and not data
 * of people. */
static int raise_none(lua_State *L, const sc3l_column_search *s) {
  const char *key = s->name.p, *advice = sc3_header_advice(s->names, s->count);
  luaL_Buffer b;
  size_t i;
  if (s->count == 0)
    return luaL_error(L, "rows without a header have columns by number, not by the name '%s'", key);
  if (advice != NULL)
    return luaL_error(L, "the file has no column '%s'; %s", key, advice);
  luaL_buffinit(L, &b);
  for (i = 0; i < s->count && i < NAMES_SHOWN; i++) {
    if (i > 0)
      luaL_addlstring(&b, ", ", 2);
    luaL_addlstring(&b, s->names[i].p, first_line(s->names[i]));
  }
  luaL_pushresult(&b);
  return luaL_error(L, "there is no column '%s'; the columns are: %s", key, lua_tostring(L, -1));
}

int sc3l_raise_no_column(lua_State *L, const sc3l_column_search *s) {
  if (s->found == SC3_HEADER_NONE)
    return raise_none(L, s);
  lua_pushlstring(L, s->names[s->at[0]].p, first_line(s->names[s->at[0]]));
  lua_pushlstring(L, s->names[s->at[1]].p, first_line(s->names[s->at[1]]));
  return luaL_error(L, "'%s' may be the column '%s' or '%s': name the one you mean", s->name.p,
                    lua_tostring(L, -2), lua_tostring(L, -1));
}

void sc3l_push_names(lua_State *L, const sc3_slice *names, size_t count) {
  size_t i;
  lua_createtable(L, (int)count, 0);
  for (i = 0; i < count; i++) {
    lua_pushlstring(L, names[i].p, names[i].n);
    lua_rawseti(L, -2, (int)i + 1);
  }
}
