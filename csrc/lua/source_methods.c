/* Binds "scope3.source": CSV and JSON Lines from a file that C reads, or from chunks that Lua
 * feeds. */
#include "open.h"
#include "source.h"
#include "source_options.h"
#include "source_read.h"
#include "source_report.h"
#include "type.h"

/* The user value: the decoder is anchored from the beginning. */
static void set_uservalue(lua_State *L) {
  lua_createtable(L, 0, 1);
  lua_getfield(L, 1, "decode");
  lua_setfield(L, -2, SC3L_SOURCE_DECODE);
  sc3l_setuservalue(L, -2);
}

/* source{ format = "csv"|"jsonl", path = nil, delimiter = nil, quote = '"', escape = nil, null =
   nil, skip_lines = 0, header = true, decode = nil, encoding = nil, marks = nil } -> source | nil,
   message. `quote` "" is none. `marks` is for specs: a way to scan CSV, one of core.csv_marks. */
SC3_COLD
static int source_new(lua_State *L) {
  sc3l_source_options options;
  sc3l_source *s;
  const char *why;
  sc3l_read_source_options(L, &options);
  s = sc3l_new_object(L, sizeof *s, SC3L_SOURCE);
  s->closed = 1;
  s->file.fd = -1;
  s->file.size = -1;
  set_uservalue(L);
  sc3l_init_parsers(s, &options);
  s->closed = 0;
  if (options.path == NULL)
    return 1;
  why = sc3l_input_file_open(&s->file, options.path);
  if (why == NULL)
    return 1;
  lua_pushnil(L); /* the collector closes it */
  lua_pushfstring(L, "cannot read %s: %s", options.path, why);
  return 2;
}

/* Of the collector, and of a variable that goes out of scope. */
static int source_end(lua_State *L) {
  sc3l_source_end(luaL_checkudata(L, 1, SC3L_SOURCE));
  return 0;
}

/* :close(). Raises when a script that looks at its row calls it. */
static int source_close(lua_State *L) {
  const sc3l_source *s = luaL_checkudata(L, 1, SC3L_SOURCE);
  if (s->locked == SC3L_SOURCE_IN_SCRIPT)
    return luaL_error(L, "a source was closed from inside a script that looks at its row");
  return source_end(L);
}

/* Pushes an array of the ways to scan CSV that this processor has. */
static void push_marks(lua_State *L) {
  static const char *const marks[] = {"portable", "sse2", "avx2", "neon"};
  size_t i;
  lua_createtable(L, 3, 0);
  for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    if (sc3_csv_marks_choose(marks[i], 0) != NULL) {
      lua_pushstring(L, marks[i]);
      lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
    }
  }
}

/* Pushes an array of the names of encodings. */
static void push_encodings(lua_State *L) {
  const char *name;
  int i;
  lua_createtable(L, 16, 0);
  for (i = SC3_ENCODING_UTF8; (name = sc3_encoding_name((sc3_encoding)i)) != NULL; i++) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, i);
  }
}

void sc3l_open_source(lua_State *L) {
  static const sc3l_type type = {.name = SC3L_SOURCE,
                                 .methods = {sc3l_source_read_methods, sc3l_source_report_methods},
                                 .end = source_end,
                                 .close = source_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, source_new);
  lua_setfield(L, -2, "source");
  push_marks(L);
  lua_setfield(L, -2, "csv_marks");
  push_encodings(L);
  lua_setfield(L, -2, "encodings");
}
