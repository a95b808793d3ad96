#include "source.h"

#include "fatal.h"
#include "type.h"

sc3l_source *sc3l_check_open_source(lua_State *L, int index) {
  sc3l_source *s = luaL_checkudata(L, index, SC3L_SOURCE);
  if (s->closed || s->ended)
    sc3l_raise_closed(L, "source");
  return s;
}

sc3l_source *sc3l_check_source(lua_State *L, int index) {
  sc3l_source *s = sc3l_check_open_source(L, index);
  if (s->locked != SC3L_SOURCE_FREE)
    luaL_error(L, "a source was used from inside a script that looks at its row");
  return s;
}

static void free_when_unlocked(sc3l_source *s) {
  if (s->closed || !s->ended || s->locked != SC3L_SOURCE_FREE)
    return;
  s->closed = 1;
  sc3_csv_free(&s->csv);
  sc3_jsonl_free(&s->jsonl);
  sc3l_input_file_close(&s->file);
}

void sc3l_source_lock(sc3l_source *s, sc3l_source_state state) {
  s->locked = state;
  free_when_unlocked(s);
}

void sc3l_source_end(sc3l_source *s) {
  s->ended = 1;
  free_when_unlocked(s);
}

int sc3l_source_call_locked(lua_State *L, lua_CFunction body) {
  sc3l_source *s;
  int failed;
  (void)sc3l_check_source(L, 1);
  lua_pushcfunction(L, body);
  lua_insert(L, 1);
  s = sc3l_check_source(L, 2); /* once more: that may have run finalizers */
  sc3l_source_lock(s, SC3L_SOURCE_LOCKED);
  failed = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  sc3l_source_lock(s, SC3L_SOURCE_FREE);
  return failed ? lua_error(L) : lua_gettop(L);
}

sc3_input *sc3l_source_input(sc3l_source *s) {
  return s->is_csv ? &s->csv.input : &s->jsonl.input;
}

/* Reads a chunk of the file. True when the parser may look again; else `*next` is the answer. */
static int fill(sc3l_source *s, sc3_next *next) {
  switch (sc3l_input_file_fill(&s->file, sc3l_source_input(s))) {
    case SC3L_FILL_DONE: return 1;
    case SC3L_FILL_LATER: *next = SC3_NEXT_NEED; return 0;
    case SC3L_FILL_NOMEM: *next = SC3_NEXT_NOMEM; return 0;
    case SC3L_FILL_FAILED: break;
  }
  *next = SC3_NEXT_FATAL;
  return 0;
}

sc3_next sc3l_source_next(sc3l_source *s, const sc3_keys *wanted, sc3_record *record) {
  for (;;) {
    sc3_next next;
    if (s->file.error != 0)
      return SC3_NEXT_FATAL;
    next = s->is_csv ? sc3_csv_next(&s->csv, record) : sc3_jsonl_next(&s->jsonl, wanted, record);
    if (next != SC3_NEXT_NEED || s->file.fd < 0 || !fill(s, &next))
      return next;
  }
}

sc3_next sc3l_source_begin(sc3l_source *s) {
  for (;;) {
    sc3_next next = sc3_csv_begin(&s->csv);
    if (next != SC3_NEXT_NEED || s->file.fd < 0 || !fill(s, &next))
      return next;
  }
}

static sc3_next learn(sc3l_source *s) {
  for (;;) {
    sc3_next next = s->is_csv ? sc3_csv_learn(&s->csv) : sc3_jsonl_learn(&s->jsonl);
    if (next != SC3_NEXT_NEED || s->file.fd < 0 || !fill(s, &next))
      return next;
  }
}

/* Whether a byte that has not come yet is worth a seek. */
static int is_far(const sc3l_source *s, const sc3_input *in, uint64_t at) {
  enum { NEAR = 4 << 10, FAR = 32 << 10 };
  const uint64_t between = at - in->taken; /* all that came is taken */
  return s->file.size >= 0 && !in->decoding && between > (s->file.step > 0 ? NEAR : FAR);
}

sc3_next sc3l_source_go(sc3l_source *s, const sc3l_spot *spot) {
  sc3_input *in = sc3l_source_input(s);
  sc3_next next = s->file.error != 0 ? SC3_NEXT_FATAL : learn(s);
  if (next != SC3_NEXT_RECORD)
    return next;
  while (!sc3_input_pass(in, spot->offset)) {
    if (in->finished)
      return SC3_NEXT_END;
    if (is_far(s, in, spot->offset)) {
      if (!sc3l_input_file_seek(&s->file, spot->offset))
        return SC3_NEXT_FATAL;
      sc3_input_jump(in, spot->offset);
    } else if (s->file.fd < 0) {
      return SC3_NEXT_NEED;
    } else if (!fill(s, &next)) {
      return next;
    }
  }
  if (s->is_csv)
    sc3_csv_resume(&s->csv, spot->row, spot->line);
  else
    sc3_jsonl_resume(&s->jsonl, spot->row, spot->line);
  return SC3_NEXT_RECORD;
}

void sc3l_source_other_keys(sc3l_source *s) {
  sc3_jsonl_other_keys(&s->jsonl);
}

void sc3l_source_push_fatal(lua_State *L, const sc3l_source *s) {
  if (s->file.error != 0)
    sc3l_push_read_error(L, s->file.error);
  else
    sc3l_push_fatal(L, s->is_csv ? &s->csv.fatal : &s->jsonl.fatal);
}

uint64_t sc3l_source_bytes(const sc3l_source *s) {
  return s->is_csv ? s->csv.input.taken : s->jsonl.input.taken;
}

size_t sc3l_source_names(const sc3l_source *s, const sc3_slice **names) {
  *names = s->csv.names;
  return s->csv.names != NULL ? s->csv.columns : 0;
}

void sc3l_source_push_decode(lua_State *L, int index) {
  sc3l_getuservalue(L, index);
  lua_getfield(L, -1, SC3L_SOURCE_DECODE);
  lua_remove(L, -2);
}
