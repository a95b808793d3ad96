#include "source_read.h"

#include <string.h>

#include "../core/identity/reason.h"
#include "../core/rows/header.h"
#include "arguments.h"
#include "columns.h"
#include "fatal.h"
#include "field.h"
#include "row_table.h"
#include "source.h"
#include "view.h"

/* :feed(bytes): the next bytes of a source without a path, after it answered "need": a text or a
 * view. At most 256 KiB at once. */
static int source_feed(lua_State *L) {
  sc3l_source *s;
  sc3_slice chunk;
  char *space;
  if (lua_isuserdata(L, 2))
    chunk = sc3l_check_view(L, 2);
  else
    chunk.p = luaL_checklstring(L, 2, &chunk.n); /* a number becomes a text: finalizers may run */
  s = sc3l_check_source(L, 1);
  if (s->file.fd >= 0)
    return luaL_error(L, "a source with a path reads by itself");
  if (sc3l_source_input(s)->finished)
    return luaL_error(L, "a source was fed behind its end");
  if (chunk.n > SC3_CHUNK)
    return luaL_error(L, "a chunk is over %d bytes", (int)SC3_CHUNK);
  if (chunk.n == 0) /* a source without bytes may have no buffer to point into */
    return 0;
  space = sc3_input_space(sc3l_source_input(s), chunk.n);
  if (space == NULL)
    return luaL_error(L, "not enough memory, or fed before the source asked for more");
  memcpy(space, chunk.p, chunk.n);
  sc3_input_commit(sc3l_source_input(s), chunk.n);
  return 0;
}

/* :finish(): no more bytes will be fed. */
static int source_finish(lua_State *L) {
  if (sc3_input_finish(sc3l_source_input(sc3l_check_source(L, 1))) != SC3_OK)
    return luaL_error(L, "not enough memory");
  return 0;
}

/* Pushes nil and what a parser answers when it has no row: "need" of a source that Lua feeds,
 * "again" of a file when no bytes came for a moment, "end", or "fatal" and why. */
static int push_state(lua_State *L, const sc3l_source *s, sc3_next next) {
  if (next == SC3_NEXT_NOMEM)
    return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  if (next == SC3_NEXT_FATAL) {
    lua_pushliteral(L, "fatal");
    sc3l_source_push_fatal(L, s);
    return 3;
  }
  lua_pushstring(L, next == SC3_NEXT_END ? "end" : s->file.fd < 0 ? "need" : "again");
  return 2;
}

/* :columns() -> names of the header (an empty table where there is none), their number or that of
   the first row's fields (nil for JSON Lines and where there is no row) | nil, "need" | nil,
   "again" | nil, "fatal", table */
static int read_columns(lua_State *L) {
  sc3l_source *s = lua_touserdata(L, 1);
  const sc3_slice *names;
  size_t n;
  sc3_next next = s->is_csv ? sc3l_source_begin(s) : SC3_NEXT_RECORD;
  if (next != SC3_NEXT_RECORD)
    return push_state(L, s, next);
  n = sc3l_source_names(s, &names);
  sc3l_push_names(L, names, n);
  if (!s->is_csv || s->csv.columns == 0)
    return 1;
  sc3l_push_count(L, s->csv.columns);
  return 2;
}

static int source_columns(lua_State *L) {
  return sc3l_source_call_locked(L, read_columns);
}

/* :advice() -> what to do about a header that looks like data, nil where it looks like names. Of a
 * header that was read. */
static int source_advice(lua_State *L) {
  const sc3_slice *names;
  size_t n = sc3l_source_names(sc3l_check_source(L, 1), &names);
  lua_pushstring(L, sc3_header_advice(names, n)); /* nil for NULL */
  return 1;
}

/* :find(name) -> column | nil, "none" | nil, "twice" or "alike", column, column. Of a header that
 * was read: see header.h. */
static int source_find(lua_State *L) {
  static const char *const why[] = {"one", "none", "twice", "alike"}; /* as sc3_header_found */
  const sc3_slice *names;
  sc3_slice name;
  size_t n;
  sc3l_column_search search;
  name.p = luaL_checklstring(L, 2, &name.n); /* first, as in feed() */
  n = sc3l_source_names(sc3l_check_source(L, 1), &names);
  search = sc3l_search_column(names, n, name);
  if (search.found == SC3_HEADER_ONE) {
    sc3l_push_count(L, search.at[0] + 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, why[search.found]);
  if (search.found == SC3_HEADER_NONE)
    return 2;
  sc3l_push_count(L, search.at[0] + 1);
  sc3l_push_count(L, search.at[1] + 1);
  return 4;
}

static int push_faulty(lua_State *L, const sc3l_source *s, const sc3_record *r) {
  const sc3_slice *names;
  size_t n = sc3l_source_names(s, &names);
  lua_pushboolean(L, 0);
  lua_createtable(L, 0, 5);
  lua_pushstring(L, sc3_reason_key(r->fault));
  lua_setfield(L, -2, "reason");
  sc3l_set_position(L, r->row, r->line, r->fault_column);
  if (r->lines > 0) {
    sc3l_push_count(L, r->lines);
    lua_setfield(L, -2, "lines");
  }
  if (r->fault_column > 0 && r->fault_column <= n) {
    lua_pushlstring(L, names[r->fault_column - 1].p, names[r->fault_column - 1].n);
    lua_setfield(L, -2, "column_name");
  }
  return 2;
}

static int stands_twice(const sc3_slice *names, size_t n, size_t i) {
  size_t at[2];
  return sc3_header_find(names, n, names[i], at) == SC3_HEADER_TWICE;
}

/* Pushes the metatable of the rows, which is made once. The user value is at index 2. */
static void push_meta(lua_State *L, sc3l_source *s, const sc3_slice *names, size_t n) {
  size_t i;
  lua_getfield(L, 2, SC3L_SOURCE_META);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  sc3l_push_row_meta(L, s->is_csv, names, n);
  lua_pushvalue(L, -1);
  lua_setfield(L, 2, SC3L_SOURCE_META);
  for (i = 0; i < n && !s->twice; i++)
    s->twice = stands_twice(names, n, i);
}

/* :read() -> row table, row number | false, { reason=, row=, line=, lines=, column=, column_name= }
   | nil, "need" | nil, "again" | nil, "end" | nil, "fatal", table A column whose name stands twice
   has its number as key. */
static int read_row(lua_State *L) {
  sc3l_source *s = lua_touserdata(L, 1);
  sc3_record r;
  const sc3_slice *names;
  size_t i, n;
  sc3_next next = sc3l_source_next(s, NULL, &r);
  if (next != SC3_NEXT_RECORD)
    return push_state(L, s, next);
  if (r.missing > 0) { /* an iteration reports it here or nowhere */
    r.fault = SC3_R_RAGGED_ROW;
    r.fault_column = r.count - r.missing + 1;
  }
  if (r.fault != SC3_R_NONE)
    return push_faulty(L, s, &r);
  n = sc3l_source_names(s, &names);
  lua_settop(L, 1);
  sc3l_getuservalue(L, 1);
  lua_getfield(L, 2, SC3L_SOURCE_DECODE);
  push_meta(L, s, names, n);
  lua_createtable(L, 0, (int)r.count);
  for (i = 0; i < r.count; i++) {
    const sc3_field *f = &r.fields[i];
    if (f->name.p != NULL)
      lua_pushlstring(L, f->name.p, f->name.n);
    else if (i < n && !(s->twice && stands_twice(names, n, i)))
      lua_pushlstring(L, names[i].p, names[i].n);
    else
      lua_pushinteger(L, (lua_Integer)i + 1);
    if (sc3l_push_field(L, f, lua_isnil(L, 3) ? 0 : 3) != 0)
      return lua_error(L);
    lua_rawset(L, 5);
  }
  lua_pushvalue(L, 4);
  lua_setmetatable(L, 5);
  sc3l_push_count(L, r.row);
  return 2;
}

static int source_read(lua_State *L) {
  return sc3l_source_call_locked(L, read_row);
}

/* :raw() -> the bytes that wait for the parser, then those of the file, as they are | nil (no more)
   | nil, "again" | nil, "fatal", message. For bytes that are no text of this source's format. */
static int read_raw(lua_State *L) {
  sc3l_source *s = lua_touserdata(L, 1);
  sc3_input *in = sc3l_source_input(s);
  while (sc3_input_left(in) == 0) {
    if (s->file.fd < 0 || in->finished)
      return 0;
    switch (sc3l_input_file_fill(&s->file, in)) {
      case SC3L_FILL_DONE: break;
      case SC3L_FILL_NOMEM: return luaL_error(L, "not enough memory");
      case SC3L_FILL_LATER:
        lua_pushnil(L);
        lua_pushliteral(L, "again");
        return 2;
      case SC3L_FILL_FAILED:
        lua_pushnil(L);
        lua_pushliteral(L, "fatal");
        lua_pushstring(L, strerror(s->file.error));
        return 3;
    }
  }
  lua_pushlstring(L, sc3_input_head(in), sc3_input_left(in));
  sc3_input_take(in, sc3_input_left(in));
  return 1;
}

static int source_raw(lua_State *L) {
  return sc3l_source_call_locked(L, read_raw);
}

const luaL_Reg sc3l_source_read_methods[] = {
    {"advice", source_advice}, {"columns", source_columns},
    {"feed", source_feed},     {"find", source_find},
    {"finish", source_finish}, {"raw", source_raw},
    {"read", source_read},     {NULL, NULL},
};
