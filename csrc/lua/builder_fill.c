#include "builder_fill.h"

#include <time.h>

#include "../core/members/prepared.h"
#include "../core/rows/lookup.h"
#include "builder.h"
#include "builder_options.h"
#include "payload.h"
#include "row.h"
#include "script.h"

int sc3l_push_outcome(lua_State *L, const char *what) {
  lua_pushstring(L, what);
  return 1;
}

int sc3l_push_script_error(lua_State *L, sc3l_builder *u) {
  sc3_builder_discard(&u->b);
  u->b.row_rejected = SC3_R_NONE;
  sc3l_check_status(L, sc3_builder_reject(&u->b, SC3_R_SCRIPT_ERROR, SC3_ROLE_NONE, 0));
  sc3l_check_status(L, sc3_builder_end(&u->b, 0));
  lua_pushliteral(L, "script");
  lua_insert(L, -2);
  sc3l_push_count(L, u->b.row);
  if (u->b.row_line == 0)
    return 3;
  sc3l_push_count(L, u->b.row_line);
  return 4;
}

/* What a body of :take() or :fill() needs besides what lies on its stack. */
typedef struct filling {
  sc3l_builder *u;
  sc3_payload *payload;
  sc3l_source *source;
  sc3l_budget budget; /* of :fill() */
} filling;

/* An error of ours is about memory; another one is that of a row that makes its columns up. */
void sc3l_fail_row(lua_State *L, sc3l_builder *u, int failed) {
  const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  const int of_memory =
      failed != LUA_ERRRUN || (message != NULL && strstr(message, "not enough memory") != NULL);
  sc3_builder_fail(&u->b, of_memory ? SC3_R_NO_MEMORY : SC3_R_SCRIPT_ERROR);
}

/* Calls `body` with the user value, the value at index 3, and the filling. What it uses is held
   meanwhile, and lies on the stack below, so that nothing is collected. */
static int call_filling(lua_State *L, filling *f, lua_CFunction body) {
  sc3l_uses uses;
  int failed;
  lua_settop(L, 3);
  lua_pushcfunction(L, body); /* may run finalizers, as making a lookup may */
  sc3l_getuservalue(L, 1);
  sc3l_builder_need_lookup(L, f->u, 5);
  if (f->u->wheres != 0 || f->u->lookup->columns.own_count < f->u->lookup->columns.condition_count)
    return luaL_error(L, "conditions of single audiences are for a night");
  lua_pushvalue(L, 3);
  lua_pushlightuserdata(L, f);
  f->u = sc3l_check_builder(L);
  f->payload = sc3l_check_payload(L, 2);
  if (f->source != NULL)
    f->source = sc3l_check_source(L, 3);
  sc3l_builder_look_at_epoch(L, f->u);
  sc3l_builder_begin_use(L, f->u, &uses, f->source);
  failed = lua_pcall(L, 3, LUA_MULTRET, 0);
  if (failed)
    sc3l_fail_row(L, f->u, failed);
  sc3l_builder_end_use(f->u, &uses);
  return failed ? lua_error(L) : lua_gettop(L) - 3;
}

static int take_row(lua_State *L) {
  const filling *f = lua_touserdata(L, 3);
  const sc3l_staging staging = {.u = f->u, .payload = f->payload, .values = 1, .row = 2};
  const char *full;
  sc3l_checkstack(L, 20);
  sc3_builder_begin(&f->u->b, f->u->b.tally.rows + 1, 0);
  if (sc3l_stage_row(L, &staging) != NULL)
    return sc3l_push_script_error(L, f->u);
  full = sc3l_builder_flush(L, f->u, f->payload, 2);
  return sc3l_push_outcome(L, full != NULL ? full : "more");
}

/* :take(payload, row) -> "more" | "full" | "turn" | "script", message, row number. A row that is a
 * table of the caller's own. */
static int builder_take(lua_State *L) {
  filling f;
  memset(&f, 0, sizeof f);
  f.u = sc3l_check_builder(L);
  (void)sc3l_check_payload(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  if (sc3_builder_waiting(&f.u->b))
    return luaL_error(L, "the row before waits for room: flush it first");
  return call_filling(L, &f, take_row);
}

static double monotonic(void) {
  struct timespec t = {0, 0};
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void sc3l_begin_budget(sc3l_budget *b, double bytes, double seconds) {
  b->bytes = bytes;
  b->until = monotonic() + seconds;
  b->rows = 0;
}

int sc3l_is_over(const sc3l_budget *b, uint64_t bytes) {
  return monotonic() >= b->until || (double)bytes >= b->bytes;
}

void sc3l_adopt_source(lua_State *L, int values, int source) {
  lua_getfield(L, values, KEY_SOURCE);
  if (!lua_rawequal(L, -1, source)) {
    sc3l_new_row(L, source);
    lua_setfield(L, values, KEY_ROW);
    lua_pushvalue(L, source);
    lua_setfield(L, values, KEY_SOURCE);
  }
  lua_pop(L, 1);
}

/* Whether a map or a condition looks at the key by which a row belongs to another. Its author then
 * knows of such rows. */
static int asks_for_parent(const sc3_keys *keys) {
  const sc3_slice parent = sc3_slice_of("__parentId", sizeof "__parentId" - 1);
  size_t i = 0;
  while (i < keys->count && sc3_likeness_of(parent, keys->names[i]) == SC3_UNLIKE)
    i++;
  return i < keys->count;
}

static int has_script(const sc3l_builder *u) {
  return u->has_where || u->has_member;
}

/* Whether the record belongs to another row, and no map, condition or script asks for such rows. */
static int is_unasked_child(const sc3l_builder *u, const sc3_keys *keys) {
  return u->record.child && u->record.fault == SC3_R_NONE && !u->has_member &&
         !asks_for_parent(keys);
}

int sc3l_begin_record(lua_State *L, sc3l_builder *u, const sc3_keys *keys) {
  sc3_builder_begin(&u->b, u->record.row, u->record.line);
  sc3_mapping_check(u->b.mapping, &u->record);
  if (u->b.prepared && u->record.fault == SC3_R_NONE)
    sc3_prepared_check(&u->record);
  u->lookup->columns.looked += u->record.fault == SC3_R_NONE;
  if (!is_unasked_child(u, keys))
    return 1;
  u->b.tally.children++;
  sc3l_check_status(L, sc3_builder_end(&u->b, 1));
  return 0;
}

/* Stages what the record gives, and ends the row. 0 when a script failed: its message is on top. */
static int take_record(lua_State *L, const filling *f, const sc3_keys *keys) {
  sc3l_builder *u = f->u;
  const sc3l_staging staging = {.u = u, .payload = f->payload, .values = 1};
  int wanted;
  if (!sc3l_begin_record(L, u, keys))
    return 1;
  if (!has_script(u)) {
    wanted = sc3_mapping_wants(u->b.mapping, &u->record);
    if (wanted)
      sc3l_check_status(L, sc3_builder_map(&u->b, &u->record, f->payload));
    sc3l_check_status(L, sc3_builder_end(&u->b, !wanted));
    return 1;
  }
  sc3l_adopt_source(L, 1, 2); /* not before a row is there: then the header is known */
  if (sc3l_stage_row(L, &staging) != NULL)
    return 0;
  lua_settop(L, 3);
  return 1;
}

int sc3l_push_no_record(lua_State *L, const sc3l_source *s, sc3_next next) {
  switch (next) {
    case SC3_NEXT_NEED: return sc3l_push_outcome(L, s->file.fd < 0 ? "need" : "more");
    case SC3_NEXT_END: return sc3l_push_outcome(L, "end");
    case SC3_NEXT_FATAL:
      lua_pushliteral(L, "fatal");
      sc3l_source_push_fatal(L, s);
      return 2;
    default: return luaL_error(L, "not enough memory");
  }
}

static int fill_rows(lua_State *L) {
  filling *f = lua_touserdata(L, 3);
  sc3l_builder *u = f->u;
  const uint64_t start = sc3l_source_bytes(f->source);
  sc3_keys keys;
  sc3l_checkstack(L, 20);
  keys = sc3_mapping_keys(u->b.mapping);
  keys.exact = u->b.prepared;
  keys.all = has_script(u) || keys.exact; /* these look at any of them */
  sc3l_source_other_keys(f->source);
  sc3_builder_gather(&u->b); /* until sc3l_builder_end_use() */
  for (;;) {
    sc3_next next;
    const char *full = sc3l_builder_flush(L, u, f->payload, 2);
    if (full != NULL)
      return sc3l_push_outcome(L, full);
    if (sc3l_is_spent(&f->budget, sc3l_source_bytes(f->source) - start))
      return sc3l_push_outcome(L, "more");
    next = sc3l_source_next(f->source, &keys, &u->record);
    if (next != SC3_NEXT_RECORD)
      return sc3l_push_no_record(L, f->source, next);
    if (!take_record(L, f, &keys))
      return sc3l_push_script_error(L, u);
    if (u->record.missing > 0 && sc3_builder_has_refused(&u->b))
      sc3_csv_width_forget_short(&f->source->csv.lines);
  }
}

/* :fill(payload, source, bytes, seconds) -> "more" (the budget is used up) | "full" | "turn" |
   "need" (feed the source) | "end" | "fatal", table | "script", message, row number, its
   line */
static int builder_fill(lua_State *L) {
  filling f;
  memset(&f, 0, sizeof f);
  f.u = sc3l_check_builder(L);
  (void)sc3l_check_payload(L, 2);
  f.source = sc3l_check_source(L, 3);
  sc3l_begin_budget(&f.budget, (double)luaL_checknumber(L, 4), (double)luaL_checknumber(L, 5));
  return call_filling(L, &f, fill_rows);
}

const luaL_Reg sc3l_builder_fill_methods[] = {
    {"fill", builder_fill},
    {"take", builder_take},
    {NULL, NULL},
};
