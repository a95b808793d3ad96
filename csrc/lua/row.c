#include "row.h"

#include <math.h>

#include "../core/rows/lookup.h"
#include "source.h"

enum { NAMES_SHOWN = 40 };

/* The user value is { name -> column, or -1 where it stands twice; [1] = the decoder of nested JSON
   or false, [2] = the source, [3] = of JSON Lines: name that was asked for -> whether a row had it
   }. */
enum { AT_DECODE = 1, AT_SOURCE = 2, AT_ASKED = 3 };

void sc3_row_open(sc3_row *row, const sc3_record *record) {
  row->record = record;
}

void sc3_row_close(sc3_row *row) {
  row->record = NULL;
}

void sc3_row_new(lua_State *L, int index) {
  const sc3_source *s = lua_touserdata(L, index); /* locked by whoever calls */
  const sc3_slice *names;
  size_t i, n = sc3_source_names(s, &names);
  sc3_row *row;
  index = sc3_absindex(L, index);
  row = sc3_newuserdata(L, sizeof *row);
  row->record = NULL;
  row->by_name = n == 0;
  luaL_getmetatable(L, SC3_TYPE_ROW);
  lua_setmetatable(L, -2);
  lua_createtable(L, 3, (int)n);
  for (i = 0; i < n; i++) {
    lua_pushlstring(L, names[i].p, names[i].n);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_isnil(L, -1))
      lua_pushinteger(L, (lua_Integer)i + 1);
    else
      lua_pushinteger(L, -1);
    lua_remove(L, -2);
    lua_rawset(L, -3);
  }
  sc3_getuservalue(L, index);
  lua_getfield(L, -1, "decode");
  lua_rawseti(L, -3, AT_DECODE);
  lua_pop(L, 1);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, AT_SOURCE);
  lua_createtable(L, 0, 4);
  lua_rawseti(L, -2, AT_ASKED);
  sc3_setuservalue(L, -2);
}

static const sc3_record *check_live(lua_State *L) {
  const sc3_row *row = luaL_checkudata(L, 1, SC3_TYPE_ROW);
  if (row->record == NULL)
    luaL_error(L, "a row is valid only during the call that it was given to");
  return row->record;
}

/* Bytes of a name up to its first line end: behind a quote that is missing stand rows. */
static size_t first_line(sc3_slice name) {
  size_t i = 0;
  while (i < name.n && name.p[i] != '\n' && name.p[i] != '\r')
    i++;
  return i;
}

/* Raises: the row has no column of that name. The names are told where they are the file's header,
 * and not data of people. */
static void no_column(lua_State *L, const sc3_slice *names, size_t n, const char *key) {
  size_t i;
  luaL_Buffer b;
  const char *advice = sc3_header_advice(names, n);
  if (n == 0)
    luaL_error(L, "rows without a header have columns by number, not by the name '%s'", key);
  if (advice != NULL)
    luaL_error(L, "the file has no column '%s'; %s", key, advice);
  luaL_buffinit(L, &b);
  for (i = 0; i < n && i < NAMES_SHOWN; i++) {
    if (i > 0)
      luaL_addlstring(&b, ", ", 2);
    luaL_addlstring(&b, names[i].p, first_line(names[i]));
  }
  luaL_pushresult(&b);
  luaL_error(L, "there is no column '%s'; the columns are: %s", key, lua_tostring(L, -1));
}

int sc3_nocolumn(lua_State *L, const sc3_slice *names, size_t n, sc3_slice key,
                 sc3_header_found why, const size_t at[2]) {
  if (why == SC3_HEADER_NONE)
    no_column(L, names, n, key.p);
  lua_pushlstring(L, names[at[0]].p, first_line(names[at[0]]));
  lua_pushlstring(L, names[at[1]].p, first_line(names[at[1]]));
  return luaL_error(L, "'%s' may be the column '%s' or '%s': name the one you mean", key.p,
                    lua_tostring(L, -2), lua_tostring(L, -1));
}

/* The column (counted from 1) of a name that is not in the header as it stands, found as a map
   finds it and noted for the next row. Raises when there is none, or when two may be meant. */
static size_t look_for_column(lua_State *L, int values) {
  const sc3_slice *names;
  sc3_slice name;
  size_t n, at[2] = {0, 0}, number;
  sc3_header_found found;
  name.p = lua_tolstring(L, 2, &name.n);
  lua_rawgeti(L, values, AT_SOURCE);
  n = sc3_source_names(lua_touserdata(L, -1), &names);
  lua_pop(L, 1);
  found = sc3_header_find(names, n, name, at);
  number = found == SC3_HEADER_NONE ? sc3_header_number(name) : at[0] + 1;
  if (number == 0 || (found != SC3_HEADER_ONE && found != SC3_HEADER_NONE))
    (void)sc3_nocolumn(L, names, n, name, found, at);
  lua_pushvalue(L, 2);
  lua_pushinteger(L, (lua_Integer)number);
  lua_rawset(L, values);
  return number;
}

/* Notes whether the key at index 2 was found; once it was, that stays. */
static void note_asked(lua_State *L, int values, int found) {
  lua_rawgeti(L, values, AT_ASKED);
  lua_pushvalue(L, 2);
  lua_rawget(L, -2);
  if (!lua_toboolean(L, -1) && (found || lua_isnil(L, -1))) {
    lua_pushvalue(L, 2);
    lua_pushboolean(L, found);
    lua_rawset(L, -4);
  }
  lua_pop(L, 2);
}

void sc3_row_missing(lua_State *L, int index) {
  const int list = lua_gettop(L);
  index = sc3_absindex(L, index);
  sc3_getuservalue(L, index);
  lua_rawgeti(L, -1, AT_ASKED);
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (!lua_toboolean(L, -1)) {
      lua_pushvalue(L, -2);
      lua_rawseti(L, list, (int)lua_rawlen(L, list) + 1);
    }
    lua_pop(L, 1);
  }
  lua_settop(L, list);
}

/* The value of a field of JSON Lines that is not called as the key at index 2 is, but may be meant
 * by it; nil where there is none. */
static int push_looked(lua_State *L, const sc3_record *r, sc3_slice name) {
  sc3_found found;
  sc3_field f;
  sc3_lookup_result looked = sc3_lookup_find(r->fields, r->count, name, &found);
  if (looked == SC3_LOOKUP_AMBIGUOUS)
    return luaL_error(L, "'%s' may be one of two keys of the row: name the one you mean", name.p);
  note_asked(L, 3, looked == SC3_LOOKUP_ONE);
  if (looked == SC3_LOOKUP_NONE)
    return 0; /* objects need not have the same keys */
  f.name = name;
  f.value = found.escaped ? sc3_found_unescape(&found, lua_newuserdata(L, found.value.n + 2))
                          : found.value;
  f.kind = found.kind;
  lua_rawgeti(L, 3, AT_DECODE);
  if (sc3_pushfield(L, &f, lua_isnil(L, -1) ? 0 : lua_gettop(L)) != 0)
    return lua_error(L);
  return 1;
}

/* row[name] or row[number]. The metatable is an upvalue, because looking it up by its name costs
 * more than all the rest. */
static int row_index(lua_State *L) {
  const sc3_record *r;
  const sc3_row *row = lua_touserdata(L, 1);
  const sc3_field *field = NULL;
  size_t column = 0;
  if (row == NULL || !lua_getmetatable(L, 1) || !lua_rawequal(L, -1, lua_upvalueindex(1)) ||
      row->record == NULL)
    (void)check_live(L);
  r = row->record;
  lua_settop(L, 2);
  sc3_getuservalue(L, 1);
  if (lua_type(L, 2) == LUA_TNUMBER) {
    lua_Number n = lua_tonumber(L, 2);
    if (!(fabs((double)n) < 1e9) || floor((double)n) < (double)n)
      return luaL_error(L, "a column's number is whole: the row has 1 to %d", (int)r->count);
    if (n < 1 || n > (lua_Number)r->count)
      return luaL_error(L, "there is no column %d; the row has %d", (int)n, (int)r->count);
    column = (size_t)n;
  } else if (lua_type(L, 2) != LUA_TSTRING) {
    return luaL_error(L, "a column is named by a string or a number, not a %s",
                      luaL_typename(L, 2));
  } else if (row->by_name && (r->count == 0 || r->fields[0].name.p != NULL)) {
    sc3_slice name;
    name.p = lua_tolstring(L, 2, &name.n);
    field = sc3_record_find(r, name);
    if (field == NULL)
      return push_looked(L, r, name);
    note_asked(L, 3, 1);
  } else {
    lua_pushvalue(L, 2);
    lua_rawget(L, 3);
    if (lua_isnil(L, -1))
      column = look_for_column(L, 3);
    else if (lua_tointeger(L, -1) < 0)
      return luaL_error(L, "the column '%s' stands more than once: use its number",
                        lua_tostring(L, 2));
    else
      column = (size_t)lua_tointeger(L, -1);
  }
  if (field == NULL && column > r->count)
    return luaL_error(L, "there is no column %d; the row has %d", (int)column, (int)r->count);
  if (field == NULL)
    field = &r->fields[column - 1];
  if (field->kind == SC3_KIND_TEXT) {
    lua_pushlstring(L, field->value.p, field->value.n);
    return 1;
  }
  lua_rawgeti(L, 3, AT_DECODE);
  if (sc3_pushfield(L, field, lua_isnil(L, -1) ? 0 : lua_gettop(L)) != 0)
    return lua_error(L);
  return 1;
}

static int row_newindex(lua_State *L) {
  return luaL_error(L, "a row is read-only: make a table of your own");
}

static int row_len(lua_State *L) {
  sc3_pushcount(L, check_live(L)->count);
  return 1;
}

static int row_tostring(lua_State *L) {
  lua_pushliteral(L, "scope3.row"); /* never its values: it may be logged */
  return 1;
}

void sc3_open_row(lua_State *L) {
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__newindex", row_newindex},
      {"__len", row_len},
      {"__tostring", row_tostring},
      {NULL, NULL},
  };
  sc3_newtype(L, SC3_TYPE_ROW, none, meta, NULL);
  luaL_getmetatable(L, SC3_TYPE_ROW);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, row_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
