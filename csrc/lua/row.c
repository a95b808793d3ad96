#include "row.h"

#include <math.h>

#include "../core/rows/lookup.h"
#include "columns.h"
#include "field.h"
#include "open.h"
#include "source.h"
#include "type.h"

#define TYPE "scope3.row"

/* The user value is { name -> column, or -1 where it stands twice; [1] = the decoder of nested JSON
   or false, [2] = the source, [3] = of JSON Lines: name that was asked for -> whether a row had it
   }. */
enum { AT_DECODE = 1, AT_SOURCE = 2, AT_ASKED = 3 };

void sc3l_row_open(sc3l_row *row, const sc3_record *record) {
  row->record = record;
}

void sc3l_row_close(sc3l_row *row) {
  row->record = NULL;
}

void sc3l_new_row(lua_State *L, int index) {
  const sc3l_source *s = lua_touserdata(L, index); /* the caller has locked it */
  const sc3_slice *names;
  size_t i, n = sc3l_source_names(s, &names);
  sc3l_row *row;
  index = sc3l_absindex(L, index);
  row = sc3l_new_object(L, sizeof *row, TYPE);
  row->by_name = n == 0;
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
  sc3l_source_push_decode(L, index);
  lua_rawseti(L, -2, AT_DECODE);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, AT_SOURCE);
  lua_createtable(L, 0, 4);
  lua_rawseti(L, -2, AT_ASKED);
  sc3l_setuservalue(L, -2);
}

static const sc3_record *check_live(lua_State *L) {
  const sc3l_row *row = luaL_checkudata(L, 1, TYPE);
  if (row->record == NULL)
    luaL_error(L, "a row is valid only during the call that it was given to");
  return row->record;
}

/* The column (counted from 1) of a name that is not in the header as it is written. It is found as
 * a map finds it, and noted for the next row. Raises when there is none, or when two may be meant.
 */
static size_t look_for_column(lua_State *L, int values) {
  const sc3_slice *names;
  sc3_slice name;
  size_t n, number;
  sc3l_column_search search;
  name.p = lua_tolstring(L, 2, &name.n);
  lua_rawgeti(L, values, AT_SOURCE);
  n = sc3l_source_names(lua_touserdata(L, -1), &names);
  lua_pop(L, 1);
  search = sc3l_search_column(names, n, name);
  number = search.found == SC3_HEADER_NONE ? sc3_header_number(name) : search.at[0] + 1;
  if (number == 0 || (search.found != SC3_HEADER_ONE && search.found != SC3_HEADER_NONE))
    (void)sc3l_raise_no_column(L, &search);
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

void sc3l_row_missing(lua_State *L, int index) {
  const int list = lua_gettop(L);
  index = sc3l_absindex(L, index);
  sc3l_getuservalue(L, index);
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

/* Pushes the value of a field. The user value is at index 3. */
static int push_value(lua_State *L, const sc3_field *f) {
  if (f->kind == SC3_KIND_TEXT) {
    lua_pushlstring(L, f->value.p, f->value.n);
    return 1;
  }
  lua_rawgeti(L, 3, AT_DECODE);
  if (sc3l_push_field(L, f, lua_isnil(L, -1) ? 0 : lua_gettop(L)) != 0)
    return lua_error(L);
  return 1;
}

static int raise_no_number(lua_State *L, int column, const sc3_record *r) {
  return luaL_error(L, "there is no column %d; the row has %d", column, (int)r->count);
}

/* Pushes the value of the column whose number is at index 2. */
static int push_numbered(lua_State *L, const sc3_record *r) {
  const lua_Number n = lua_tonumber(L, 2);
  if (!(fabs((double)n) < 1e9) || floor((double)n) < (double)n)
    return luaL_error(L, "a column's number is whole: the row has 1 to %d", (int)r->count);
  if (n < 1 || n > (lua_Number)r->count)
    return raise_no_number(L, (int)n, r);
  return push_value(L, &r->fields[(size_t)n - 1]);
}

/* Pushes the value of the column of CSV whose name is at index 2. */
static int push_named(lua_State *L, const sc3_record *r) {
  size_t column;
  lua_pushvalue(L, 2);
  lua_rawget(L, 3);
  if (lua_isnil(L, -1))
    column = look_for_column(L, 3);
  else if (lua_tointeger(L, -1) < 0)
    return luaL_error(L, "the column '%s' stands more than once: use its number",
                      lua_tostring(L, 2));
  else
    column = (size_t)lua_tointeger(L, -1);
  if (column > r->count)
    return raise_no_number(L, (int)column, r);
  return push_value(L, &r->fields[column - 1]);
}

/* Pushes the value of a field of JSON Lines that the key at index 2 may mean, though its own key is
 * spelled otherwise; nil where there is none. */
static int push_looked(lua_State *L, const sc3_record *r, sc3_slice name) {
  sc3_found found;
  sc3_field f;
  const sc3_lookup_result looked = sc3_lookup_find(r->fields, r->count, name, &found);
  if (looked == SC3_LOOKUP_AMBIGUOUS)
    return luaL_error(L, "'%s' may be one of two keys of the row: name the one you mean", name.p);
  note_asked(L, 3, looked == SC3_LOOKUP_ONE);
  if (looked == SC3_LOOKUP_NONE)
    return 0; /* objects need not have the same keys */
  f.name = name;
  f.value = found.escaped ? sc3_found_unescape(&found, lua_newuserdata(L, found.value.n + 2))
                          : found.value;
  f.kind = found.kind;
  return push_value(L, &f);
}

/* Pushes the value of the field of JSON Lines whose key is at index 2. */
static int push_keyed(lua_State *L, const sc3_record *r) {
  const sc3_field *field;
  sc3_slice name;
  name.p = lua_tolstring(L, 2, &name.n);
  field = sc3_record_find(r, name);
  if (field == NULL)
    return push_looked(L, r, name);
  note_asked(L, 3, 1);
  return push_value(L, field);
}

/* row[name] or row[number] -> the value. The metatable is an upvalue, because looking it up by its
 * name costs more than all the rest. */
static int row_index(lua_State *L) {
  const sc3l_row *row = lua_touserdata(L, 1);
  const sc3_record *r;
  if (row == NULL || !lua_getmetatable(L, 1) || !lua_rawequal(L, -1, lua_upvalueindex(1)) ||
      row->record == NULL)
    (void)check_live(L);
  r = row->record;
  lua_settop(L, 2);
  sc3l_getuservalue(L, 1);
  if (lua_type(L, 2) == LUA_TNUMBER)
    return push_numbered(L, r);
  if (lua_type(L, 2) != LUA_TSTRING)
    return luaL_error(L, "a column is named by a string or a number, not a %s",
                      luaL_typename(L, 2));
  if (row->by_name && (r->count == 0 || r->fields[0].name.p != NULL))
    return push_keyed(L, r);
  return push_named(L, r);
}

/* row[key] = value raises. */
static int row_newindex(lua_State *L) {
  return luaL_error(L, "a row is read-only: make a table of your own");
}

/* #row -> the number of its fields */
static int row_len(lua_State *L) {
  sc3l_push_count(L, check_live(L)->count);
  return 1;
}

/* tostring(row) -> "scope3.row" */
static int row_tostring(lua_State *L) {
  lua_pushliteral(L, "scope3.row"); /* never its values: it may be logged */
  return 1;
}

void sc3l_open_row(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__newindex", row_newindex},
      {"__len", row_len},
      {"__tostring", row_tostring},
      {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE, .meta = meta};
  sc3l_new_type(L, &type);
  luaL_getmetatable(L, TYPE);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, row_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
