/* "scope3.source": CSV and JSON Lines from a file that C reads, or from chunks that Lua feeds. */
#include "source.h"

#include <errno.h>
#include <math.h>

#include "../core/rows/csv.h"
#include "../core/rows/header.h"
#include "../core/rows/jsonl.h"
#include "fatal.h"
#include "input_file.h"
#include "row.h"
#include "table_look.h"
#include "values.h"

enum { EXACT_DIGITS = 15 };

struct sc3_source {
  int closed;
  int ended; /* to be closed when it is unlocked */
  sc3_source_state locked;
  int is_csv;
  int twice; /* some names of the header stand twice; known once a row was given as a table */
  sc3_input_file file; /* without a descriptor where Lua feeds it */
  sc3_csv csv;
  sc3_jsonl jsonl;
  sc3_fatal read_error;
};

/* The user value is { decode = function or nil, meta = the metatable of the rows that are given as
 * tables }. */
#define KEY_DECODE "decode"
#define KEY_META "meta"

static sc3_source *check_source(lua_State *L, int index) {
  sc3_source *s = luaL_checkudata(L, index, SC3_TYPE_SOURCE);
  if (s->closed || s->ended)
    sc3_closed(L, "source");
  return s;
}

sc3_source *sc3_checksource(lua_State *L, int index) {
  sc3_source *s = check_source(L, index);
  if (s->locked != SC3_SOURCE_FREE)
    luaL_error(L, "a source was used from inside a script that looks at its row");
  return s;
}

static void free_when_unlocked(sc3_source *s) {
  if (s->closed || !s->ended || s->locked != SC3_SOURCE_FREE)
    return;
  s->closed = 1;
  sc3_csv_free(&s->csv);
  sc3_jsonl_free(&s->jsonl);
  sc3_input_file_close(&s->file);
}

void sc3_source_lock(sc3_source *s, sc3_source_state state) {
  s->locked = state;
  free_when_unlocked(s);
}

/* Calls the method's body with its arguments while the source stands still. The body may make
   values, which may run finalizers, or fail: no error leaves the lock behind. */
static int call_locked(lua_State *L, lua_CFunction body) {
  sc3_source *s;
  int failed;
  (void)sc3_checksource(L, 1);
  lua_pushcfunction(L, body);
  lua_insert(L, 1);
  s = sc3_checksource(L, 2); /* once more: that may have run finalizers */
  sc3_source_lock(s, SC3_SOURCE_LOCKED);
  failed = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  sc3_source_lock(s, SC3_SOURCE_FREE);
  return failed ? lua_error(L) : lua_gettop(L);
}

static sc3_input *input_of(sc3_source *s) {
  return s->is_csv ? &s->csv.input : &s->jsonl.input;
}

/* --- making one --- */

/* Opens the path; pushes nil, message and returns 2 when it cannot be read, else 0. */
static int open_path(lua_State *L, sc3_source *s, const char *path) {
  const char *why = sc3_input_file_open(&s->file, path);
  if (why == NULL)
    return 0;
  lua_pushnil(L);
  lua_pushfstring(L, "cannot read %s: %s", path, why);
  return 2;
}

/* A string at `field` of the options that is one byte, 0 where it is nil or `none` (which no byte
 * is). */
static char one_byte(lua_State *L, const char *field, char otherwise) {
  sc3_slice s = sc3_fieldslice(L, 1, field);
  if (s.p == NULL)
    return otherwise;
  if (s.n == 0)
    return '\0';
  if (s.n != 1 || *s.p == '\r' || *s.p == '\n' || *s.p == '\0')
    luaL_error(L, "%s must be one byte, not a line end", field);
  return *s.p;
}

/* Reads what says how CSV is written. It must be done before anything is owned. */
SC3_COLD
static void read_dialect(lua_State *L, sc3_csv *csv) {
  char delimiter = one_byte(L, "delimiter", '\0'), quote = one_byte(L, "quote", '"'),
       escape = one_byte(L, "escape", '\0');
  sc3_slice null = sc3_fieldslice(L, 1, "null");
  const char *marks;
  double skip_lines;
  int header;
  if ((delimiter != '\0' && (delimiter == quote || delimiter == escape)) ||
      (quote != '\0' && quote == escape))
    luaL_error(L, "delimiter, quote and escape must be different");
  if (null.n > SC3_NULL_MAX)
    luaL_error(L, "null is at most %d bytes", (int)SC3_NULL_MAX);
  lua_getfield(L, 1, "header");
  header = lua_isnil(L, -1) || lua_toboolean(L, -1);
  lua_getfield(L, 1, "skip_lines");
  skip_lines = lua_isnil(L, -1) ? 0 : (double)luaL_checknumber(L, -1);
  lua_getfield(L, 1, "marks");
  marks = luaL_optstring(L, -1, NULL);
  if (sc3_csv_marks_choose(marks, escape != '\0') == NULL)
    luaL_error(L, "this processor has no such marks");
  sc3_csv_init(csv, delimiter, header);
  sc3_csv_set_dialect(csv, quote, escape, null);
  csv->skip_lines = skip_lines > 0 && skip_lines <= 9007199254740992.0 ? (uint64_t)skip_lines : 0;
  csv->dialect.marks = sc3_csv_marks_choose(marks, escape != '\0');
}

/* The encoding that the options name; SC3_ENCODING_UNTOLD where they name none. */
SC3_COLD
static sc3_encoding read_encoding(lua_State *L) {
  sc3_slice name = sc3_fieldslice(L, 1, "encoding");
  sc3_encoding encoding = name.p != NULL ? sc3_encoding_of(name) : SC3_ENCODING_UNTOLD;
  if (name.p != NULL && encoding == SC3_ENCODING_UNTOLD)
    luaL_error(L, "encoding is not one that is known");
  return encoding;
}

/* source{ format = "csv"|"jsonl", path = nil, delimiter = nil, quote = '"', escape = nil, null =
   nil, skip_lines = 0, header = true, decode = nil, encoding = nil, marks = nil } -> source | nil,
   message `quote` "" is none. `marks` is for specs: a way to scan CSV, one of core.csv_marks. */
SC3_COLD
static int source_new(lua_State *L) {
  static const char *const known[] = {
      "format",     "path",   "delimiter", "quote",    "escape", "null",
      "skip_lines", "header", "decode",    "encoding", "marks",  NULL,
  };
  static const char *const formats[] = {"csv", "jsonl", NULL};
  const char *path;
  int is_csv;
  sc3_encoding encoding;
  sc3_source *s;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3_knownkeys(L, 1, known, "source");
  lua_settop(L, 1);
  lua_getfield(L, 1, "format");
  is_csv = luaL_checkoption(L, 2, NULL, formats) == 0;
  lua_getfield(L, 1, "path");
  path = luaL_optstring(L, 3, NULL);
  encoding = read_encoding(L);
  lua_settop(L, 3);
  s = sc3_newuserdata(L, sizeof *s);
  memset(s, 0, sizeof *s);
  s->closed = 1;
  s->file.fd = -1;
  s->file.size = -1;
  s->is_csv = is_csv;
  luaL_getmetatable(L, SC3_TYPE_SOURCE);
  lua_setmetatable(L, -2);
  lua_createtable(L, 0, 1);
  lua_getfield(L, 1, "decode");
  lua_setfield(L, -2, KEY_DECODE);
  sc3_setuservalue(L, -2);
  read_dialect(L, &s->csv);
  sc3_jsonl_init(&s->jsonl);
  s->csv.input.encoding = s->jsonl.input.encoding = encoding;
  s->closed = 0;
  lua_settop(L, 4);
  if (path != NULL) {
    int failed = open_path(L, s, path);
    if (failed)
      return failed; /* the collector closes it */
  }
  return 1;
}

/* Of the collector, and of a variable that is left: never raises. */
static int source_end(lua_State *L) {
  sc3_source *s = luaL_checkudata(L, 1, SC3_TYPE_SOURCE);
  s->ended = 1;
  free_when_unlocked(s);
  return 0;
}

static int source_close(lua_State *L) {
  const sc3_source *s = luaL_checkudata(L, 1, SC3_TYPE_SOURCE);
  if (s->locked == SC3_SOURCE_IN_SCRIPT)
    return luaL_error(L, "a source was closed from inside a script that looks at its row");
  return source_end(L);
}

/* --- reading --- */

/* Reads a chunk of the file. SC3_NEXT_NEED: there is more to look at now. */
static sc3_next read_chunk(sc3_source *s) {
  sc3_input *in = input_of(s);
  char *space = sc3_input_space(in, SC3_CHUNK);
  ssize_t n;
  if (space == NULL)
    return SC3_NEXT_NOMEM;
  n = sc3_input_file_read(&s->file, space, SC3_CHUNK);
  if (n > 0) {
    sc3_input_commit(in, (size_t)n);
  } else if (n == 0) {
    if (sc3_input_finish(in) != SC3_OK)
      return SC3_NEXT_NOMEM;
  } else if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) {
    return SC3_NEXT_AGAIN; /* Lua looks for cancellation */
  } else {
    s->read_error.kind = SC3_FATAL_READ;
    s->read_error.error = errno;
    return SC3_NEXT_FATAL;
  }
  return SC3_NEXT_NEED;
}

sc3_next sc3_source_next(sc3_source *s, const sc3_keys *wanted, sc3_record *record) {
  for (;;) {
    sc3_next next;
    if (s->read_error.kind != SC3_FATAL_NONE)
      return SC3_NEXT_FATAL;
    next = s->is_csv ? sc3_csv_next(&s->csv, record) : sc3_jsonl_next(&s->jsonl, wanted, record);
    if (next != SC3_NEXT_NEED || s->file.fd < 0)
      return next;
    next = read_chunk(s);
    if (next != SC3_NEXT_NEED)
      return next;
  }
}

void sc3_source_other_keys(sc3_source *s) {
  sc3_jsonl_other_keys(&s->jsonl);
}

uint64_t sc3_source_bytes(const sc3_source *s) {
  return s->is_csv ? s->csv.input.taken : s->jsonl.input.taken;
}

size_t sc3_source_names(const sc3_source *s, const sc3_slice **names) {
  *names = s->csv.names;
  return s->csv.names != NULL ? s->csv.columns : 0;
}

void sc3_source_pushfatal(lua_State *L, const sc3_source *s) {
  sc3_pushfatal(L, s->read_error.kind != SC3_FATAL_NONE ? &s->read_error
                   : s->is_csv                          ? &s->csv.fatal
                                                        : &s->jsonl.fatal);
}

/* --- methods --- */

static int source_feed(lua_State *L) {
  size_t n;
  const char *chunk =
      luaL_checklstring(L, 2, &n); /* first: a number becomes a text, which may run finalizers */
  sc3_source *s = sc3_checksource(L, 1);
  char *space;
  if (s->file.fd >= 0)
    return luaL_error(L, "a source with a path reads by itself");
  if (input_of(s)->finished)
    return luaL_error(L, "a source was fed behind its end");
  if (n > SC3_CHUNK)
    return luaL_error(L, "a chunk is over %d bytes", (int)SC3_CHUNK);
  space = sc3_input_space(input_of(s), n);
  if (space == NULL && n > 0)
    return luaL_error(L, "not enough memory, or fed before the source asked for more");
  if (n > 0) {
    memcpy(space, chunk, n);
    sc3_input_commit(input_of(s), n);
  }
  return 0;
}

static int source_finish(lua_State *L) {
  if (sc3_input_finish(input_of(sc3_checksource(L, 1))) != SC3_OK)
    return luaL_error(L, "not enough memory");
  return 0;
}

/* Pushes what a parser answers when it has no row. */
static int push_state(lua_State *L, const sc3_source *s, sc3_next next) {
  if (next == SC3_NEXT_NOMEM)
    return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  if (next == SC3_NEXT_FATAL) {
    lua_pushliteral(L, "fatal");
    sc3_source_pushfatal(L, s);
    return 3;
  }
  lua_pushstring(L, next == SC3_NEXT_NEED ? "need" : next == SC3_NEXT_AGAIN ? "again" : "end");
  return 2;
}

/* :columns() -> names of the header (an empty table where there is none), their number or that of
   the first row's fields (nil for JSON Lines and where there is no row) | nil, "need" | nil,
   "again" | nil, "fatal", table */
static int read_columns(lua_State *L) {
  sc3_source *s = lua_touserdata(L, 1);
  const sc3_slice *names;
  size_t i, n;
  sc3_next next = SC3_NEXT_RECORD;
  while (s->is_csv && (next = sc3_csv_begin(&s->csv)) == SC3_NEXT_NEED && s->file.fd >= 0) {
    next = read_chunk(s);
    if (next != SC3_NEXT_NEED)
      break;
  }
  if (next != SC3_NEXT_RECORD)
    return push_state(L, s, next);
  n = sc3_source_names(s, &names);
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    lua_pushlstring(L, names[i].p, names[i].n);
    lua_rawseti(L, -2, (int)i + 1);
  }
  if (!s->is_csv || s->csv.columns == 0)
    return 1;
  sc3_pushcount(L, s->csv.columns);
  return 2;
}

static int source_columns(lua_State *L) {
  return call_locked(L, read_columns);
}

/* :advice() -> what to do about a header that looks like data, nil where it looks like names. Of a
 * header that was read. */
static int source_advice(lua_State *L) {
  const sc3_slice *names;
  size_t n = sc3_source_names(sc3_checksource(L, 1), &names);
  lua_pushstring(L, sc3_header_advice(names, n)); /* nil for NULL */
  return 1;
}

/* :find(name) -> column | nil, "none" | nil, "twice" or "alike", column, column. Of a header that
 * was read: see header.h. */
static int source_find(lua_State *L) {
  static const char *const why[] = {"one", "none", "twice", "alike"}; /* as sc3_header_found */
  const sc3_slice *names;
  sc3_slice name;
  size_t at[2], n;
  sc3_header_found found;
  name.p = luaL_checklstring(L, 2, &name.n); /* first, as in feed() */
  n = sc3_source_names(sc3_checksource(L, 1), &names);
  found = sc3_header_find(names, n, name, at);
  if (found == SC3_HEADER_ONE) {
    sc3_pushcount(L, at[0] + 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, why[found]);
  if (found == SC3_HEADER_NONE)
    return 2;
  sc3_pushcount(L, at[0] + 1);
  sc3_pushcount(L, at[1] + 1);
  return 4;
}

int sc3_pushfield(lua_State *L, const sc3_field *f, int decode) {
  switch (f->kind) {
    case SC3_KIND_TRUE:
    case SC3_KIND_FALSE: lua_pushboolean(L, f->kind == SC3_KIND_TRUE); return 0;
    case SC3_KIND_NULL: lua_pushnil(L); return 0;
    case SC3_KIND_NUMBER: {
      sc3_number number;
      /* 15 digits survive a double; beyond, the text is the truth */
      if (f->value.n <= EXACT_DIGITS && sc3_number_read(f->value, &number) &&
          fabs(number.value) < 9007199254740992.0) {
        sc3_pushnumber(L, &number);
        return 0;
      }
      break;
    }
    case SC3_KIND_NESTED:
      if (decode != 0) {
        lua_pushvalue(L, decode);
        lua_pushlstring(L, f->value.p, f->value.n);
        return lua_pcall(L, 1, 1, 0);
      }
      break;
    case SC3_KIND_TEXT: break;
  }
  lua_pushlstring(L, f->value.p, f->value.n);
  return 0;
}

static int push_faulty(lua_State *L, const sc3_source *s, const sc3_record *r) {
  static const char *const reasons[] = {
      "none",          "ragged_row",   "nul_byte",      "stray_quote",  "bad_json",
      "not_an_object", "row_too_long", "ambiguous_key", "invalid_utf8",
  };
  const sc3_slice *names;
  size_t n = sc3_source_names(s, &names);
  lua_pushboolean(L, 0);
  lua_createtable(L, 0, 5);
  lua_pushstring(L, reasons[r->fault]);
  lua_setfield(L, -2, "reason");
  sc3_setposition(L, r->row, r->line, r->fault_column);
  if (r->lines > 0) {
    sc3_pushcount(L, r->lines);
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
static void push_meta(lua_State *L, sc3_source *s, const sc3_slice *names, size_t n) {
  size_t i;
  lua_getfield(L, 2, KEY_META);
  if (!lua_isnil(L, -1))
    return;
  lua_pop(L, 1);
  sc3_pushrowmeta(L, s->is_csv, names, n);
  lua_pushvalue(L, -1);
  lua_setfield(L, 2, KEY_META);
  for (i = 0; i < n && !s->twice; i++)
    s->twice = stands_twice(names, n, i);
}

/* :read() -> row table, row number | false, { reason=, row=, line=, lines=, column=, column_name= }
   | nil, "need" | nil, "again" | nil, "end" | nil, "fatal", table A column whose name stands twice
   has its number as key. */
static int read_row(lua_State *L) {
  sc3_source *s = lua_touserdata(L, 1);
  sc3_record r;
  const sc3_slice *names;
  size_t i, n;
  sc3_next next = sc3_source_next(s, NULL, &r);
  if (next != SC3_NEXT_RECORD)
    return push_state(L, s, next);
  if (r.missing > 0) { /* whoever iterates is told of it here or nowhere */
    r.fault = SC3_R_RAGGED_ROW;
    r.fault_column = r.count - r.missing + 1;
  }
  if (r.fault != SC3_R_NONE)
    return push_faulty(L, s, &r);
  n = sc3_source_names(s, &names);
  lua_settop(L, 1);
  sc3_getuservalue(L, 1);
  lua_getfield(L, 2, KEY_DECODE);
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
    if (sc3_pushfield(L, f, lua_isnil(L, 3) ? 0 : 3) != 0)
      return lua_error(L);
    lua_rawset(L, 5);
  }
  lua_pushvalue(L, 4);
  lua_setmetatable(L, 5);
  sc3_pushcount(L, r.row);
  return 2;
}

static int source_read(lua_State *L) {
  return call_locked(L, read_row);
}

/* :raw() -> the bytes that wait for the parser, then those of the file, as they are | nil (no more)
   | nil, "again" | nil, "fatal", message For bytes that are no text of this source's format. */
static int read_raw(lua_State *L) {
  sc3_source *s = lua_touserdata(L, 1);
  sc3_input *in = input_of(s);
  while (sc3_input_left(in) == 0) {
    sc3_next next;
    if (s->file.fd < 0 || in->finished)
      return 0;
    next = read_chunk(s);
    if (next == SC3_NEXT_NOMEM)
      return luaL_error(L, "not enough memory");
    if (next != SC3_NEXT_NEED) {
      lua_pushnil(L);
      lua_pushstring(L, next == SC3_NEXT_AGAIN ? "again" : "fatal");
      lua_pushstring(L, next == SC3_NEXT_AGAIN ? "" : strerror(s->read_error.error));
      return 3;
    }
  }
  lua_pushlstring(L, sc3_input_head(in), sc3_input_left(in));
  sc3_input_take(in, sc3_input_left(in));
  return 1;
}

static int source_raw(lua_State *L) {
  return call_locked(L, read_raw);
}

static void set_lines(lua_State *L, const char *key, uint64_t n) {
  sc3_pushcount(L, n);
  lua_setfield(L, -2, key);
}

/* :bytes() -> bytes of the input that were read, as they came */
static int source_bytes(lua_State *L) {
  sc3_source *s = check_source(L, 1);
  const sc3_input *in = input_of(s);
  sc3_pushcount(L, in->decoding ? in->raw : sc3_source_bytes(s));
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
  sc3_source *s = check_source(L, 1);
  const sc3_input *in = input_of(s);
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
    set_lines(L, keys[i], values[i]);
  if (in->decoding) {
    lua_pushstring(L, sc3_encoding_name(in->encoding));
    lua_setfield(L, -2, "name");
  }
  return 1;
}

static int source_rows(lua_State *L) {
  const sc3_source *s = check_source(L, 1);
  sc3_pushcount(L, s->is_csv ? s->csv.row : s->jsonl.row);
  return 1;
}

/* :keys() -> an array of keys that the last objects of JSON Lines had, as far as they are known;
 * nil where they look like data of people */
static int source_keys(lua_State *L) {
  const sc3_source *s = check_source(L, 1);
  sc3_slice names[SC3_JSON_PLACES];
  size_t i, n = 0;
  for (i = 0; i < SC3_JSON_PLACES; i++) {
    const sc3_json_place *p = &s->jsonl.object.places[i];
    if (p->n > 0)
      names[n++] = sc3_slice_of(p->name, p->n);
  }
  if (sc3_header_advice(names, n) != NULL)
    return 0;
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    lua_pushlstring(L, names[i].p, names[i].n);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* :wrapped() -> what leads to an array of objects inside the first object of JSON, such as
   "data.customers"; true where that looks like data of people; nil where there is none */
static int source_wrapped(lua_State *L) {
  const sc3_source *s = check_source(L, 1);
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
   marks=, shared=, short_rows=, short_at={rows}, trailing_rows=, longer_rows=, { row=, line=,
   lines=, refused= }, ... }: see lines.h */
static int source_lines(lua_State *L) {
  const sc3_source *s = check_source(L, 1);
  const sc3_line_counts *l = s->is_csv ? &s->csv.lines : &s->jsonl.lines;
  size_t i;
  lua_createtable(L, (int)l->spot_count, 12);
  set_lines(L, "header", l->header);
  set_lines(L, "blank", l->blank);
  set_lines(L, "quoted", l->quoted);
  set_lines(L, "swallowed", l->swallowed);
  set_lines(L, "refused_rows", l->refused_rows);
  set_lines(L, "odd_rows", l->odd_rows);
  set_lines(L, "marks", l->bytes_marks);
  set_lines(L, "shared", l->shared);
  set_lines(L, "short_rows", l->short_rows);
  set_lines(L, "trailing_rows", l->trailing_rows);
  set_lines(L, "longer_rows", l->longer_rows);
  lua_createtable(L, SC3_SHORT_MAX, 0);
  for (i = 0; i < SC3_SHORT_MAX && i < l->short_rows; i++) {
    sc3_pushcount(L, l->short_at[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
  lua_setfield(L, -2, "short_at");
  lua_pushboolean(L, l->odd_header);
  lua_setfield(L, -2, "odd_header");
  for (i = 0; i < l->spot_count; i++) {
    lua_createtable(L, 0, 4);
    set_lines(L, "row", l->spots[i].row);
    set_lines(L, "line", l->spots[i].line);
    set_lines(L, "lines", l->spots[i].lines);
    lua_pushboolean(L, l->spots[i].refused);
    lua_setfield(L, -2, "refused");
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* :size() -> bytes of a regular file, nil otherwise */
static int source_size(lua_State *L) {
  const sc3_source *s = check_source(L, 1);
  if (s->file.size < 0)
    return 0;
  lua_pushnumber(L, s->file.size);
  return 1;
}

/* :once() -> whether its bytes come once: a pipe, a terminal, a socket, standard input that is no
 * regular file */
static int source_once(lua_State *L) {
  lua_pushboolean(L, check_source(L, 1)->file.once);
  return 1;
}

/* :stamp() -> what core.file_stamp() gives, of the file that is open; nil where there is none */
static int source_stamp(lua_State *L) {
  const sc3_source *s = check_source(L, 1);
  struct stat info;
  char text[SC3_INPUT_STAMP];
  if (s->file.fd < 0 || fstat(s->file.fd, &info) != 0)
    return 0;
  sc3_input_stamp(&info, text);
  lua_pushstring(L, text);
  return 1;
}

static int source_delimiter(lua_State *L) {
  const sc3_source *s = check_source(L, 1);
  if (!s->is_csv || s->csv.dialect.delimiter == '\0')
    return 0;
  lua_pushlstring(L, &s->csv.dialect.delimiter, 1);
  return 1;
}

void sc3_open_source(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"advice", source_advice},
      {"bytes", source_bytes},
      {"close", source_close},
      {"columns", source_columns},
      {"delimiter", source_delimiter},
      {"encoding", source_encoding},
      {"feed", source_feed},
      {"find", source_find},
      {"finish", source_finish},
      {"keys", source_keys},
      {"lines", source_lines},
      {"once", source_once},
      {"raw", source_raw},
      {"read", source_read},
      {"rows", source_rows},
      {"size", source_size},
      {"stamp", source_stamp},
      {"wrapped", source_wrapped},
      {NULL, NULL},
  };
  static const char *const marks[] = {"portable", "sse2", "avx2", "neon"};
  const char *name;
  size_t i;
  sc3_newtype(L, SC3_TYPE_SOURCE, methods, NULL, source_end);
  sc3_open_row(L);
  lua_pushcfunction(L, source_new);
  lua_setfield(L, -2, "source");
  lua_createtable(L, 3, 0); /* the ways to scan that this processor has */
  for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
    if (sc3_csv_marks_choose(marks[i], 0) != NULL) {
      lua_pushstring(L, marks[i]);
      lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
    }
  }
  lua_setfield(L, -2, "csv_marks");
  lua_createtable(L, 16, 0);
  for (i = SC3_ENCODING_UTF8; (name = sc3_encoding_name((sc3_encoding)i)) != NULL; i++) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, (int)i);
  }
  lua_setfield(L, -2, "encodings");
}
