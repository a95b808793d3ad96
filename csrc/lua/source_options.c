#include "source_options.h"

#include "arguments.h"

/* The byte in `field` of the options: `otherwise` when it is nil, 0 when it is empty. */
static char read_byte(lua_State *L, const char *field, char otherwise) {
  sc3_slice s = sc3l_opt_string(L, 1, field);
  if (s.p == NULL)
    return otherwise;
  if (s.n == 0)
    return '\0';
  if (s.n != 1 || *s.p == '\r' || *s.p == '\n' || *s.p == '\0')
    luaL_error(L, "%s must be one byte, not a line end", field);
  return *s.p;
}

static void read_signs(lua_State *L, sc3l_source_options *o) {
  o->delimiter = read_byte(L, "delimiter", '\0');
  o->quote = read_byte(L, "quote", '"');
  o->escape = read_byte(L, "escape", '\0');
  o->null = sc3l_opt_string(L, 1, "null");
  if ((o->delimiter != '\0' && (o->delimiter == o->quote || o->delimiter == o->escape)) ||
      (o->quote != '\0' && o->quote == o->escape))
    luaL_error(L, "delimiter, quote and escape must be different");
  if (o->null.n > SC3_NULL_MAX)
    luaL_error(L, "null is at most %d bytes", (int)SC3_NULL_MAX);
}

static void read_lines(lua_State *L, sc3l_source_options *o) {
  double skip_lines;
  lua_getfield(L, 1, "header");
  o->header = lua_isnil(L, -1) || lua_toboolean(L, -1);
  lua_getfield(L, 1, "skip_lines");
  skip_lines = lua_isnil(L, -1) ? 0 : (double)luaL_checknumber(L, -1);
  o->skip_lines = skip_lines > 0 && skip_lines <= 9007199254740992.0 ? (uint64_t)skip_lines : 0;
  lua_getfield(L, 1, "marks");
  o->marks = luaL_optstring(L, -1, NULL);
  if (sc3_csv_marks_choose(o->marks, o->escape != '\0') == NULL)
    luaL_error(L, "this processor has no such marks");
}

/* The encoding that the options name; SC3_ENCODING_UNTOLD where they name none. */
SC3_COLD
static sc3_encoding read_encoding(lua_State *L) {
  sc3_slice name = sc3l_opt_string(L, 1, "encoding");
  sc3_encoding encoding = name.p != NULL ? sc3_encoding_of(name) : SC3_ENCODING_UNTOLD;
  if (name.p != NULL && encoding == SC3_ENCODING_UNTOLD)
    luaL_error(L, "encoding is not one that is known");
  return encoding;
}

SC3_COLD
void sc3l_read_source_options(lua_State *L, sc3l_source_options *o) {
  static const char *const known[] = {
      "format",     "path",   "delimiter", "quote",    "escape", "null",
      "skip_lines", "header", "decode",    "encoding", "marks",  NULL,
  };
  static const char *const formats[] = {"csv", "jsonl", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "source");
  lua_settop(L, 1);
  lua_getfield(L, 1, "format");
  o->is_csv = luaL_checkoption(L, 2, NULL, formats) == 0;
  lua_getfield(L, 1, "path");
  o->path = luaL_optstring(L, 3, NULL);
  o->encoding = read_encoding(L);
  read_signs(L, o);
  read_lines(L, o);
}

SC3_COLD
void sc3l_init_parsers(sc3l_source *s, const sc3l_source_options *o) {
  s->is_csv = o->is_csv;
  sc3_csv_init(&s->csv, o->delimiter, o->header);
  sc3_csv_set_dialect(&s->csv, o->quote, o->escape, o->null);
  s->csv.skip_lines = o->skip_lines;
  s->csv.dialect.marks = sc3_csv_marks_choose(o->marks, o->escape != '\0');
  sc3_jsonl_init(&s->jsonl);
  s->csv.input.encoding = s->jsonl.input.encoding = o->encoding;
}
