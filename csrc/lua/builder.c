/* "scope3.builder": rows from a source, or tables from Lua, become members of a payload. */
#include <time.h>

#include "../core/builder.h"
#include "members.h"
#include "payload.h"
#include "row.h"
#include "source.h"

enum { REASONS_OF_SCRIPTS = 100, ROWS_BETWEEN_CLOCKS = 32 };

typedef struct builder_ud {
  sc3_builder b;
  int closed;
  int busy;          /* inside a callback: a script must not come back in */
  int mapped;        /* has targets */
  int has_where, has_member;
  sc3_record record; /* kept here, so that no pointer to a C frame outlives an error */
  sc3_member_table member;
} builder_ud;

/* The user value is a table with these. */
#define KEY_WHERE "where"
#define KEY_MEMBER "member"
#define KEY_MAP "map"         /* anchors the names of targets */
#define KEY_ROW "row"         /* the row view of the source last filled from */
#define KEY_SOURCE "source"   /* that source */
#define KEY_REASONS "reasons" /* a script's own reasons -> rows */

static builder_ud *check_builder(lua_State *L) {
  builder_ud *u = luaL_checkudata(L, 1, SC3_TYPE_BUILDER);
  if (u->closed)
    sc3_closed(L, "builder");
  if (u->busy)
    luaL_error(L, "a builder was used from inside its own callback");
  return u;
}

static int out_of_memory(lua_State *L) {
  return luaL_error(L, "not enough memory");
}

static void check_status(lua_State *L, sc3_status st) {
  if (st == SC3_ENOMEM)
    out_of_memory(L);
  if (st == SC3_ECAP)
    luaL_error(L, "refusals were never taken out of the builder");
}

/* --- making one ------------------------------------------------------------------------------------------------- */

static sc3_role check_role(lua_State *L, int index) {
  static const char *const roles[] = {
#define X(name, text) text,
    SC3_ROLES(X)
#undef X
    NULL,
  };
  return (sc3_role)luaL_checkoption(L, index, NULL, roles);
}

/* The array at `index` of { role, column (number or name), uid_type }. */
static void read_map(lua_State *L, builder_ud *u, int index) {
  size_t i, n = lua_rawlen(L, index);
  if (n > SC3_TARGETS_MAX)
    luaL_error(L, "a map has at most %d entries", (int)SC3_TARGETS_MAX);
  for (i = 0; i < n; i++) {
    sc3_target *t = &u->b.targets[i];
    lua_rawgeti(L, index, (int)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_rawgeti(L, -1, 1);
    t->role = check_role(L, -1);
    lua_rawgeti(L, -2, 2);
    if (lua_type(L, -1) == LUA_TNUMBER)
      t->column = (size_t)lua_tonumber(L, -1);
    else
      t->name.p = luaL_checklstring(L, -1, &t->name.n);
    lua_rawgeti(L, -3, 3);
    if (t->role == SC3_ROLE_UID)
      t->uid_type.p = luaL_checklstring(L, -1, &t->uid_type.n);
    lua_pop(L, 4);
  }
  u->b.target_count = n;
}

static int keep_function(lua_State *L, int values, const char *key) {
  lua_getfield(L, 1, key);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  luaL_checktype(L, -1, LUA_TFUNCTION);
  lua_setfield(L, values, key);
  return 1;
}

/* builder{ remove = false, max_member = bytes, refusals = false, map = {{role, column or name, uid type}, ...}, where = f, member = f } */
static int builder_new(lua_State *L) {
  static const char *const known[] = {"remove", "max_member", "refusals", "map", "where", "member", NULL};
  builder_ud *u;
  int values;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3_knownkeys(L, 1, known, "builder");
  lua_settop(L, 1);
  u = sc3_newuserdata(L, sizeof *u);
  memset(u, 0, sizeof *u);
  u->closed = 1;
  luaL_getmetatable(L, SC3_TYPE_BUILDER);
  lua_setmetatable(L, 2);
  lua_createtable(L, 0, 8);
  values = 3;
  lua_createtable(L, 0, 0);
  lua_setfield(L, values, KEY_REASONS);
  u->has_where = keep_function(L, values, KEY_WHERE);
  u->has_member = keep_function(L, values, KEY_MEMBER);
  lua_getfield(L, 1, "remove");
  lua_getfield(L, 1, "max_member");
  lua_getfield(L, 1, "refusals");
  sc3_builder_init(&u->b, lua_toboolean(L, 4) ? SC3_REMOVE : SC3_ADD, (size_t)luaL_checknumber(L, 5), lua_toboolean(L, 6));
  u->closed = 0;
  lua_getfield(L, 1, KEY_MAP);
  if (!lua_isnil(L, 7)) {
    luaL_checktype(L, 7, LUA_TTABLE);
    read_map(L, u, 7);
    u->mapped = 1;
    lua_pushvalue(L, 7);
    lua_setfield(L, values, KEY_MAP);
  }
  lua_pushvalue(L, values);
  sc3_setuservalue(L, 2);
  lua_settop(L, 2);
  return 1;
}

static int builder_close(lua_State *L) {
  builder_ud *u = luaL_checkudata(L, 1, SC3_TYPE_BUILDER);
  if (!u->closed)
    sc3_builder_free(&u->b);
  u->closed = 1;
  return 0;
}

/* --- tables from Lua -------------------------------------------------------------------------------------------- */

/* Flushes what is staged: pushes true, or false when the payload is full. */
static int push_flushed(lua_State *L, builder_ud *u, sc3_payload *p) {
  sc3_added a = sc3_builder_flush(&u->b, p);
  if (a == SC3_ADD_NOMEM)
    return out_of_memory(L);
  if (a == SC3_NEVER_FITS)
    return luaL_error(L, "a payload is smaller than the builder's max_member");
  lua_pushboolean(L, a != SC3_FULL);
  return 1;
}

static int builder_flush(lua_State *L) {
  builder_ud *u = check_builder(L);
  return push_flushed(L, u, sc3_checkpayload(L, 2));
}

/* :add(payload, member, remove) -> true | false when the payload is full (flush the next one) | nil, reason key, role
   Each call is a row of its own. */
static int builder_add(lua_State *L) {
  builder_ud *u = check_builder(L);
  sc3_payload *p = sc3_checkpayload(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  if (sc3_builder_waiting(&u->b))
    return luaL_error(L, "the member before waits for room: flush it first");
  luaL_checkstack(L, 10, "too deep");
  sc3_clearmember(&u->member, lua_toboolean(L, 4) ? SC3_REMOVE : u->b.op);
  if (sc3_readmember(L, 3, &u->member) != NULL)
    return luaL_argerror(L, 3, lua_tostring(L, -1));
  sc3_builder_begin(&u->b, u->b.tally.rows + 1);
  check_status(L, sc3_stagemember(&u->b, &u->member));
  check_status(L, sc3_builder_end(&u->b, 0));
  if (!sc3_builder_waiting(&u->b)) {
    lua_pushnil(L);
    lua_pushstring(L, sc3_reason_key(u->b.row_rejected));
    return 2;
  }
  return push_flushed(L, u, p);
}

/* --- scripts ---------------------------------------------------------------------------------------------------- */

static int contains(const char *text, size_t n, sc3_slice part) {
  size_t i;
  if (part.n < 3 || part.p == NULL)
    return 0; /* too short to tell from chance */
  for (i = 0; i + part.n <= n; i++) {
    if (memcmp(text + i, part.p, part.n) == 0)
      return 1;
  }
  return 0;
}

/* True when a text of the script holds a value of the row that it was given: a record (row < 0) or the table at `row`. */
static int quotes_row(lua_State *L, const builder_ud *u, int row, const char *text, size_t n) {
  size_t i;
  int found = 0;
  if (row < 0) {
    for (i = 0; i < u->record.count && !found; i++)
      found = contains(text, n, u->record.fields[i].value);
    return found;
  }
  lua_pushnil(L);
  while (lua_next(L, row) != 0) {
    if (!found && lua_type(L, -1) == LUA_TSTRING) {
      sc3_slice s;
      s.p = lua_tolstring(L, -1, &s.n);
      found = contains(text, n, s);
    }
    lua_pop(L, 1);
  }
  return found;
}

/* Replaces the message on top by one that holds no value: its position stays ("script.lua:12:"). */
static void clean_message(lua_State *L, const builder_ud *u, int row) {
  size_t n, keep = 0;
  const char *text;
  if (lua_type(L, -1) != LUA_TSTRING) {
    lua_pushfstring(L, "the error is a %s", luaL_typename(L, -1));
    lua_replace(L, -2);
    return;
  }
  text = lua_tolstring(L, -1, &n);
  if (!quotes_row(L, u, row, text, n))
    return;
  while (keep < n && text[keep] != ' ')
    keep++;
  if (keep > 0 && text[keep - 1] == ':' && keep < 200)
    lua_pushlstring(L, text, keep);
  else
    lua_pushliteral(L, "");
  lua_pushliteral(L, " the message quotes the row and is withheld");
  lua_concat(L, 2);
  lua_replace(L, -2);
}

/* Counts a reason of the script's own. The reasons table and the text on top stay as they are. */
static void count_reason(lua_State *L, int values) {
  int reasons, known = 0;
  lua_getfield(L, values, KEY_REASONS);
  reasons = lua_gettop(L);
  lua_pushvalue(L, -2);
  lua_rawget(L, reasons);
  if (lua_isnil(L, -1)) {
    lua_pushnil(L);
    while (lua_next(L, reasons) != 0) {
      known++;
      lua_pop(L, 1);
    }
    if (known >= REASONS_OF_SCRIPTS) {
      lua_pop(L, 2);
      return;
    }
  }
  sc3_pushcount(L, lua_tonumber(L, -1) + 1);
  lua_pushvalue(L, reasons - 1);
  lua_insert(L, -2);
  lua_rawset(L, reasons);
  lua_settop(L, reasons - 1);
}

/* Calls where or member with the row: the value at `row`, or the row view for the record. Pushes `results` values and
   returns NULL; on an error pushes a clean message and returns it. */
static const char *call_script(lua_State *L, builder_ud *u, int values, const char *key, int row, int results) {
  sc3_row *view = NULL;
  sc3_source *source = NULL;
  int failed;
  lua_getfield(L, values, key);
  if (row > 0) {
    lua_pushvalue(L, row);
  } else {
    lua_getfield(L, values, KEY_SOURCE);
    source = lua_touserdata(L, -1); /* alive: the user value holds it */
    lua_pop(L, 1);
    lua_getfield(L, values, KEY_ROW);
    view = lua_touserdata(L, -1);
    sc3_row_open(view, &u->record);
    sc3_source_lock(source, 1);
  }
  u->busy = 1;
  failed = lua_pcall(L, 1, results, 0);
  u->busy = 0;
  if (view != NULL) {
    sc3_row_close(view);
    sc3_source_lock(source, 0);
  }
  if (!failed)
    return NULL;
  clean_message(L, u, row);
  return lua_tostring(L, -1);
}

static const char *stage_table(lua_State *L, builder_ud *u, int index) {
  const char *message;
  sc3_clearmember(&u->member, u->b.op);
  message = sc3_readmember(L, index, &u->member);
  if (message == NULL)
    check_status(L, sc3_stagemember(&u->b, &u->member));
  return message;
}

/* What member(row) answered: a member, a list of members, nil, or nil and a reason; the two values are on top.
   NULL, or a message that is left on top. */
static const char *stage_answer(lua_State *L, builder_ud *u, int values, int row, int *skipped) {
  int answer = lua_gettop(L) - 1;
  if (lua_type(L, answer) == LUA_TTABLE) {
    size_t i, n = lua_rawlen(L, answer);
    if (n == 0)
      return stage_table(L, u, answer);
    for (i = 1; i <= n; i++) {
      const char *message;
      lua_rawgeti(L, answer, (int)i);
      if (lua_type(L, -1) != LUA_TTABLE)
        return lua_pushfstring(L, "member() must give a list of members, but entry %d is a %s", (int)i, luaL_typename(L, -1));
      message = stage_table(L, u, -1);
      if (message != NULL)
        return message;
      lua_pop(L, 1);
    }
    return NULL;
  }
  if (lua_toboolean(L, answer))
    return lua_pushfstring(L, "member() must give a table or nil, not a %s", luaL_typename(L, answer));
  if (lua_isnil(L, answer + 1)) {
    *skipped = 1;
    return NULL;
  }
  if (lua_type(L, answer + 1) != LUA_TSTRING)
    return lua_pushfstring(L, "the reason that member() gives must be a string, not a %s", luaL_typename(L, answer + 1));
  {
    size_t n;
    const char *reason = lua_tolstring(L, answer + 1, &n);
    if (n > 200 || quotes_row(L, u, row, reason, n)) {
      lua_pop(L, 1);
      lua_pushliteral(L, "a reason that quotes the row, or is over 200 bytes");
    }
  }
  count_reason(L, values);
  check_status(L, sc3_builder_reject(&u->b, SC3_R_REJECTED_BY_SCRIPT, SC3_ROLE_NONE, 0));
  return NULL;
}

/* The map over a table of the caller's own. */
static void stage_mapped_table(lua_State *L, builder_ud *u, int row) {
  size_t i;
  sc3_member_table *m = &u->member;
  sc3_clearmember(m, u->b.op);
  for (i = 0; i < u->b.target_count; i++) {
    const sc3_target *t = &u->b.targets[i];
    if (t->column > 0)
      lua_rawgeti(L, row, (int)t->column);
    else {
      lua_pushlstring(L, t->name.p, t->name.n);
      lua_gettable(L, row);
    }
    if (t->role != SC3_ROLE_UID) {
      sc3_takevalue(L, m, t->role);
    } else if (lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) > 0) {
      sc3_uid *uid = &m->values.uids[m->values.uid_count++];
      uid->type = t->uid_type;
      uid->value.p = lua_tolstring(L, -1, &uid->value.n);
    }
    lua_pop(L, 1); /* the row still holds it */
  }
  check_status(L, sc3_stagemember(&u->b, m));
}

/* One row through where, then member or map. NULL, or a message left on top of the stack. */
static const char *stage_row(lua_State *L, builder_ud *u, int values, int row) {
  int top = lua_gettop(L), skipped = 0;
  const char *message;
  if (row < 0 && u->record.fault != SC3_FAULT_NONE) {
    check_status(L, sc3_builder_map(&u->b, &u->record));
    check_status(L, sc3_builder_end(&u->b, 0));
    return NULL;
  }
  if (u->has_where) {
    message = call_script(L, u, values, KEY_WHERE, row, 1);
    if (message != NULL)
      return message;
    skipped = !lua_toboolean(L, -1);
    lua_settop(L, top);
  }
  if (!skipped && u->has_member) {
    message = call_script(L, u, values, KEY_MEMBER, row, 2);
    if (message == NULL)
      message = stage_answer(L, u, values, row, &skipped);
    if (message != NULL)
      return message;
    lua_settop(L, top);
  } else if (!skipped && row < 0) {
    check_status(L, sc3_builder_map(&u->b, &u->record));
  } else if (!skipped) {
    stage_mapped_table(L, u, row);
  }
  check_status(L, sc3_builder_end(&u->b, skipped));
  return NULL;
}

static int push_outcome(lua_State *L, const char *what) {
  lua_pushstring(L, what);
  return 1;
}

/* A script failed: the row is counted, and gives nothing. */
static int push_script_error(lua_State *L, builder_ud *u) {
  sc3_builder_discard(&u->b);
  u->b.row_rejected = SC3_R_NONE;
  check_status(L, sc3_builder_reject(&u->b, SC3_R_SCRIPT_ERROR, SC3_ROLE_NONE, 0));
  check_status(L, sc3_builder_end(&u->b, 0));
  lua_pushliteral(L, "script");
  lua_insert(L, -2);
  sc3_pushcount(L, u->b.row);
  return 3;
}

/* :take(payload, row) -> "more" | "full" | "script", message, row number. A row that is a table of the caller's own. */
static int builder_take(lua_State *L) {
  builder_ud *u = check_builder(L);
  sc3_payload *p = sc3_checkpayload(L, 2);
  luaL_checktype(L, 3, LUA_TTABLE);
  if (sc3_builder_waiting(&u->b))
    return luaL_error(L, "the row before waits for room: flush it first");
  luaL_checkstack(L, 20, "too deep");
  lua_settop(L, 3);
  sc3_getuservalue(L, 1);
  sc3_builder_begin(&u->b, u->b.tally.rows + 1);
  if (stage_row(L, u, 4, 3) != NULL)
    return push_script_error(L, u);
  (void)push_flushed(L, u, p);
  return push_outcome(L, lua_toboolean(L, -1) ? "more" : "full");
}

static double monotonic(void) {
  struct timespec t = {0, 0};
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Makes sure that the row view in the user value looks at this source. */
static void adopt_source(lua_State *L, int values, int source) {
  lua_getfield(L, values, KEY_SOURCE);
  if (!lua_rawequal(L, -1, source)) {
    sc3_row_new(L, source);
    lua_setfield(L, values, KEY_ROW);
    lua_pushvalue(L, source);
    lua_setfield(L, values, KEY_SOURCE);
  }
  lua_pop(L, 1);
}

/* :fill(payload, source, bytes, seconds) -> "more" (the budget is used up) | "full" | "need" (feed the source) | "end"
   | "fatal", table | "script", message, row number */
static int builder_fill(lua_State *L) {
  builder_ud *u = check_builder(L);
  sc3_payload *p = sc3_checkpayload(L, 2);
  sc3_source *s = sc3_checksource(L, 3);
  double bytes = (double)luaL_checknumber(L, 4), until = monotonic() + (double)luaL_checknumber(L, 5);
  uint64_t start = sc3_source_bytes(s);
  unsigned rows = 0;
  luaL_checkstack(L, 20, "too deep");
  lua_settop(L, 3);
  sc3_getuservalue(L, 1);
  adopt_source(L, 4, 3);
  for (;;) {
    (void)push_flushed(L, u, p);
    if (!lua_toboolean(L, -1))
      return push_outcome(L, "full");
    lua_settop(L, 4);
    if (rows++ % ROWS_BETWEEN_CLOCKS == ROWS_BETWEEN_CLOCKS - 1 && monotonic() >= until)
      return push_outcome(L, "more");
    if ((double)(sc3_source_bytes(s) - start) >= bytes)
      return push_outcome(L, "more");
    switch (sc3_source_next(s, &u->record)) {
      case SC3_NEXT_RECORD:
        break;
      case SC3_NEXT_NEED:
        return push_outcome(L, "need");
      case SC3_NEXT_END:
        return push_outcome(L, "end");
      case SC3_NEXT_FATAL:
        lua_pushliteral(L, "fatal");
        sc3_source_pushfatal(L, s);
        return 2;
      default:
        return out_of_memory(L);
    }
    sc3_builder_begin(&u->b, u->record.row);
    if (!u->has_where && !u->has_member) {
      check_status(L, sc3_builder_map(&u->b, &u->record));
      check_status(L, sc3_builder_end(&u->b, 0));
    } else if (stage_row(L, u, 4, -1) != NULL) {
      return push_script_error(L, u);
    }
  }
}

/* --- what it counted -------------------------------------------------------------------------------------------- */

static void set_count(lua_State *L, const char *key, uint64_t n) {
  sc3_pushcount(L, n);
  lua_setfield(L, -2, key);
}

static void push_reasons(lua_State *L, const uint64_t counts[SC3_R_COUNT]) {
  int i;
  lua_createtable(L, 0, 4);
  for (i = SC3_R_NONE + 1; i < SC3_R_COUNT; i++) {
    if (counts[i] > 0)
      set_count(L, sc3_reason_key((sc3_reason)i), counts[i]);
  }
}

/* :counts() -> a table of counts; `rejected` and `dropped` by reason, `reasons` are the script's own */
static int builder_counts(lua_State *L) {
  builder_ud *u = check_builder(L);
  const sc3_tally *t = &u->b.tally;
  lua_createtable(L, 0, 16);
  set_count(L, "rows", t->rows);
  set_count(L, "skipped", t->skipped);
  set_count(L, "rejected_rows", t->rejected);
  set_count(L, "used_rows", t->used);
  set_count(L, "members", t->built);
  set_count(L, "adds", t->built_op[SC3_ADD]);
  set_count(L, "removes", t->built_op[SC3_REMOVE]);
  set_count(L, "superseded", t->superseded);
  set_count(L, "hashed_email", t->emails);
  set_count(L, "hashed_phone", t->phones);
  set_count(L, "uids", t->uids);
  set_count(L, "prehashed", t->prehashed);
  push_reasons(L, t->rejected_for);
  lua_setfield(L, -2, "rejected");
  push_reasons(L, t->dropped_for);
  lua_setfield(L, -2, "dropped");
  sc3_getuservalue(L, 1);
  lua_getfield(L, -1, KEY_REASONS);
  lua_remove(L, -2);
  lua_setfield(L, -2, "reasons");
  return 1;
}

/* :refusals() -> an array of { row=, column=, field=, reason=, dropped= }, taken out; nil when there are none */
static int builder_refusals(lua_State *L) {
  static const char *const roles[] = {
#define X(name, text) text,
    SC3_ROLES(X)
#undef X
  };
  builder_ud *u = check_builder(L);
  size_t i, n = u->b.refusals.n / sizeof(sc3_refusal);
  if (n == 0)
    return 0;
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    sc3_refusal r;
    memcpy(&r, u->b.refusals.p + i * sizeof r, sizeof r);
    lua_createtable(L, 0, 5);
    set_count(L, "row", r.row);
    if (r.column > 0)
      set_count(L, "column", r.column);
    if (r.role < SC3_ROLE_COUNT) {
      lua_pushstring(L, roles[r.role]);
      lua_setfield(L, -2, "field");
    }
    lua_pushstring(L, sc3_reason_key((sc3_reason)r.reason));
    lua_setfield(L, -2, "reason");
    lua_pushboolean(L, r.dropped);
    lua_setfield(L, -2, "dropped");
    lua_rawseti(L, -2, (int)i + 1);
  }
  u->b.refusals.n = 0;
  return 1;
}

void sc3_open_builder(lua_State *L) {
  static const luaL_Reg methods[] = {
    {"add", builder_add}, {"close", builder_close}, {"counts", builder_counts}, {"fill", builder_fill},
    {"flush", builder_flush}, {"refusals", builder_refusals}, {"take", builder_take}, {NULL, NULL},
  };
  sc3_newtype(L, SC3_TYPE_BUILDER, methods, NULL, builder_close);
  lua_pushcfunction(L, builder_new);
  lua_setfield(L, -2, "builder");
}
