#include "source_report.h"

#include <sys/stat.h>

#include "columns.h"
#include "source.h"

static void set_count(lua_State *L, const char *key, uint64_t n) {
  sc3l_push_count(L, n);
  lua_setfield(L, -2, key);
}

/* :bytes() -> bytes of the input that were read, as they came */
static int source_bytes(lua_State *L) {
  sc3l_source *s = sc3l_check_open_source(L, 1);
  const sc3_input *in = sc3l_source_input(s);
  sc3l_push_count(L, in->decoding ? in->raw : sc3l_source_bytes(s));
  return 1;
}

/* :encoding() -> { name= of what is converted (nil: nothing is), lost=, controls=, utf8_like=,
   utf8_unlike=, rows=, row=, line=, good=, not_1250=, not_1252= (1 or 0) }: see encoding.h */
SC3_COLD
static int source_encoding(lua_State *L) {
  static const char keys[][12] = {
      "lost", "controls", "utf8_like", "utf8_unlike", "rows",
      "row",  "line",     "good",      "not_1250",    "not_1252",
  };
  sc3l_source *s = sc3l_check_open_source(L, 1);
  const sc3_input *in = sc3l_source_input(s);
  const sc3_utf8_stats *seen = s->is_csv ? &s->csv.lines.bytes : &s->jsonl.lines.bytes;
  const uint64_t values[] = {
      in->decoder.lost,
      in->decoder.controls,
      in->decoder.utf8_like,
      in->decoder.utf8_unlike,
      seen->rows,
      seen->row,
      seen->line,
      seen->good,
      (uint64_t)seen->not_1250,
      (uint64_t)seen->not_1252,
  };
  size_t i;
  lua_createtable(L, 0, 11);
  for (i = 0; i < sizeof values / sizeof values[0]; i++)
    set_count(L, keys[i], values[i]);
  if (in->decoding) {
    lua_pushstring(L, sc3_encoding_name(in->encoding));
    lua_setfield(L, -2, "name");
  }
  return 1;
}

/* :rows() -> rows that were read */
static int source_rows(lua_State *L) {
  const sc3l_source *s = sc3l_check_open_source(L, 1);
  sc3l_push_count(L, s->is_csv ? s->csv.row : s->jsonl.row);
  return 1;
}

/* :keys() -> an array of keys that the last objects of JSON Lines had, as far as they are known;
 * nil where they look like data of people */
static int source_keys(lua_State *L) {
  const sc3l_source *s = sc3l_check_open_source(L, 1);
  sc3_slice names[SC3_JSON_PLACES];
  size_t i, n = 0;
  for (i = 0; i < SC3_JSON_PLACES; i++) {
    const sc3_json_place *p = &s->jsonl.object.places[i];
    if (p->n > 0)
      names[n++] = sc3_slice_of(p->name, p->n);
  }
  if (sc3_header_advice(names, n) != NULL)
    return 0;
  sc3l_push_names(L, names, n);
  return 1;
}

/* :wrapped() -> what leads to an array of objects inside the first object of JSON, such as
   "data.customers"; true where that looks like data of people; nil where there is none */
static int source_wrapped(lua_State *L) {
  const sc3l_source *s = sc3l_check_open_source(L, 1);
  sc3_slice path = sc3_slice_of(s->jsonl.wrapped, s->jsonl.wrapped_length);
  if (s->is_csv || path.n == 0)
    return 0;
  if (sc3_header_advice(&path, 1) != NULL)
    lua_pushboolean(L, 1);
  else
    lua_pushlstring(L, path.p, path.n);
  return 1;
}

/* :lines() -> { header=, blank=, quoted=, swallowed=, refused_rows=, odd_rows=, odd_header=,
   marks=, shared=, short_rows=, short_at={rows}, short_lines={lines}, trailing_rows=,
   longer_rows=, unended=, { row=, line=, lines=, refused= }, ... }: see line_counts.h */
static int source_lines(lua_State *L) {
  const sc3l_source *s = sc3l_check_open_source(L, 1);
  const sc3_line_counts *l = s->is_csv ? &s->csv.lines : &s->jsonl.lines;
  size_t i;
  lua_createtable(L, (int)l->spot_count, 14);
  set_count(L, "header", l->header);
  set_count(L, "blank", l->blank);
  set_count(L, "quoted", l->quoted);
  set_count(L, "swallowed", l->swallowed);
  set_count(L, "refused_rows", l->refused_rows);
  set_count(L, "odd_rows", l->odd_rows);
  set_count(L, "marks", l->bytes_marks);
  set_count(L, "shared", l->shared);
  set_count(L, "short_rows", l->short_rows);
  set_count(L, "trailing_rows", l->trailing_rows);
  set_count(L, "longer_rows", l->longer_rows);
  lua_createtable(L, SC3_SHORT_MAX, 0);
  for (i = 0; i < SC3_SHORT_MAX && i < l->short_rows; i++) {
    sc3l_push_count(L, l->short_at[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "short_at");
  lua_createtable(L, SC3_SHORT_MAX, 0);
  for (i = 0; i < SC3_SHORT_MAX && i < l->short_rows; i++) {
    sc3l_push_count(L, l->short_lines[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "short_lines");
  lua_pushboolean(L, l->odd_header);
  lua_setfield(L, -2, "odd_header");
  /* Of an input that was not read to its end, the last row that was read is not the last one. */
  lua_pushboolean(L, s->is_csv && s->csv.input.unended && sc3_input_left(&s->csv.input) == 0);
  lua_setfield(L, -2, "unended");
  for (i = 0; i < l->spot_count; i++) {
    lua_createtable(L, 0, 4);
    set_count(L, "row", l->spots[i].row);
    set_count(L, "line", l->spots[i].line);
    set_count(L, "lines", l->spots[i].lines);
    lua_pushboolean(L, l->spots[i].refused);
    lua_setfield(L, -2, "refused");
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* :size() -> bytes of a regular file, nil otherwise */
static int source_size(lua_State *L) {
  const sc3l_source *s = sc3l_check_open_source(L, 1);
  if (s->file.size < 0)
    return 0;
  lua_pushnumber(L, s->file.size);
  return 1;
}

/* :once() -> whether its bytes come once: a pipe, a terminal, a socket, standard input that is no
 * regular file */
static int source_once(lua_State *L) {
  lua_pushboolean(L, sc3l_check_open_source(L, 1)->file.once);
  return 1;
}

/* :stamp() -> a text that changes when the open file is written to; nil where there is none */
static int source_stamp(lua_State *L) {
  const sc3l_source *s = sc3l_check_open_source(L, 1);
  struct stat info;
  char text[SC3L_FILE_STAMP];
  if (s->file.fd < 0 || fstat(s->file.fd, &info) != 0)
    return 0;
  sc3l_file_stamp(&info, text);
  lua_pushstring(L, text);
  return 1;
}

/* :delimiter() -> the byte that separates columns of CSV; nil where it is not known yet */
static int source_delimiter(lua_State *L) {
  const sc3l_source *s = sc3l_check_open_source(L, 1);
  if (!s->is_csv || s->csv.dialect.delimiter == '\0')
    return 0;
  lua_pushlstring(L, &s->csv.dialect.delimiter, 1);
  return 1;
}

const luaL_Reg sc3l_source_report_methods[] = {
    {"bytes", source_bytes},
    {"delimiter", source_delimiter},
    {"encoding", source_encoding},
    {"keys", source_keys},
    {"lines", source_lines},
    {"once", source_once},
    {"rows", source_rows},
    {"size", source_size},
    {"stamp", source_stamp},
    {"wrapped", source_wrapped},
    {NULL, NULL},
};
