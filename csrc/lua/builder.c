/* "scope3.builder": rows from a source, or tables from Lua, become members of a payload. */
#include <time.h>

#include "../core/rows/header.h"
#include "../core/rows/look.h"
#include "../core/identity/region.h"
#include "../core/bytes/text.h"
#include "builder.h"
#include "id_set.h"
#include "identity.h"
#include "payload.h"
#include "values.h"

enum { ROWS_BETWEEN_CLOCKS = 32 };

sc3_builder_ud *sc3_checkbuilder(lua_State *L) {
  sc3_builder_ud *u = luaL_checkudata(L, 1, SC3_TYPE_BUILDER);
  if (u->closed)
    sc3_closed(L, "builder");
  if (u->busy)
    luaL_error(L, "a builder was used from inside its own callback");
  return u;
}

static void free_when_unused(sc3_builder_ud *u) {
  if (!u->closed || u->busy)
    return;
  sc3_builder_free(&u->b);
  sc3_builder_init(&u->b, SC3_ADD, 0, 0); /* so that it may be freed again */
}

int sc3_callbusy(lua_State *L, lua_CFunction body) {
  sc3_builder_ud *u;
  int failed;
  (void)sc3_checkbuilder(L);
  lua_pushcfunction(L, body);
  u = sc3_checkbuilder(L); /* once more: that may have run finalizers */
  lua_insert(L, 1);
  u->busy = 1;
  failed = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  u->busy = 0;
  free_when_unused(u);
  if (failed == LUA_ERRRUN) { /* of ours: the body did not know whom to blame */
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return failed ? lua_error(L) : lua_gettop(L);
}

/* What a call that may run a script uses besides its builder. It must neither be freed nor be
 * changed by anybody else. */
typedef struct sc3_uses {
  void *payload, *next, *sealed; /* userdata */
  sc3_source *source;
} sc3_uses;

void sc3_script_begins(sc3_builder_ud *u) {
  u->in_script = 1;
  sc3_scriptpayload(u->uses->payload, 1);
  sc3_scriptpayload(u->uses->next, 1);
  if (u->uses->source != NULL)
    sc3_source_lock(u->uses->source, SC3_SOURCE_IN_SCRIPT);
}

void sc3_script_ended(sc3_builder_ud *u) {
  u->in_script = 0;
  sc3_scriptpayload(u->uses->payload, 0);
  sc3_scriptpayload(u->uses->next, 0);
  if (u->uses->source != NULL)
    sc3_source_lock(u->uses->source, SC3_SOURCE_LOCKED);
}

/* --- making one --- */

static sc3_role check_role(lua_State *L, int index) {
  static const char *const roles[] = {
#define X(name, text) text,
      SC3_ROLES(X)
#undef X
          NULL,
  };
  return (sc3_role)luaL_checkoption(L, index, NULL, roles);
}

/* A text on top of the stack, which the array at `texts` holds from now on. */
static sc3_slice keep_text(lua_State *L, int texts) {
  sc3_slice s;
  s.p = luaL_checklstring(L, -1, &s.n);
  lua_pushvalue(L, -1);
  lua_rawseti(L, texts, (int)lua_rawlen(L, texts) + 1);
  return s;
}

/* A column on top of the stack: its number, or its name. */
static void read_column(lua_State *L, int texts, size_t *column, sc3_slice *name) {
  if (lua_type(L, -1) == LUA_TNUMBER)
    *column = (size_t)lua_tonumber(L, -1);
  else
    *name = keep_text(L, texts);
}

/* The array at `index` of { role, column (number or name), uid_type, the column's name where one is
 * known }. Several of one role (and type) are fallbacks, in order. */
static void read_map(lua_State *L, sc3_columns *columns, int texts, int index) {
  sc3_target *targets = columns->targets;
  size_t i, j, n = lua_rawlen(L, index);
  if (n > SC3_TARGETS_MAX)
    luaL_error(L, "a map has at most %d entries", (int)SC3_TARGETS_MAX);
  for (i = 0; i < n; i++) {
    sc3_target *t = &targets[i];
    lua_rawgeti(L, index, (int)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_rawgeti(L, -1, 1);
    t->role = check_role(L, -1);
    lua_rawgeti(L, -2, 3);
    if (t->role == SC3_ROLE_UID)
      t->uid_type = keep_text(L, texts);
    lua_rawgeti(L, -3, 2);
    read_column(L, texts, &t->column, &t->name);
    lua_rawgeti(L, -4, 4);
    t->meant = SC3_CONTACT_NONE;
    if (lua_type(L, -1) == LUA_TSTRING) {
      sc3_slice name;
      name.p = lua_tolstring(L, -1, &name.n);
      t->meant = sc3_header_contact(name);
    }
    lua_pop(L, 1);
    for (j = 0; j < i; j++)
      t->fallback |= targets[j].role == t->role && sc3_slice_eq(targets[j].uid_type, t->uid_type);
    lua_pop(L, 4);
  }
  columns->target_count = n;
}

/* What a condition compares with, on top of the stack. */
static void read_operand(lua_State *L, sc3_lookup *lookup, int texts) {
  sc3_operand *o = &lookup->operands[lookup->operand_count];
  if (lookup->operand_count == SC3_OPERANDS_MAX)
    luaL_error(L, "conditions have at most %d values", (int)SC3_OPERANDS_MAX);
  switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN: o->kind = lua_toboolean(L, -1) ? SC3_KIND_TRUE : SC3_KIND_FALSE; break;
    case LUA_TNUMBER:
      o->kind = SC3_KIND_NUMBER;
      o->number = sc3_tonumber(L);
      break;
    default:
      o->kind = SC3_KIND_TEXT;
      o->text = sc3_text_trim(keep_text(L, texts)); /* as values are */
      break;
  }
  lookup->operand_count++;
}

/* How a condition, on top of the stack, has texts read. */
static void read_notation(lua_State *L, sc3_condition *c) {
  static const char *const words[] = {"no", "yes", NULL};
  lua_getfield(L, -1, "decimal");
  c->decimal = lua_isnil(L, -1) ? '\0' : *luaL_checkstring(L, -1);
  lua_getfield(L, -2, "ignore_case");
  c->ignore_case = lua_toboolean(L, -1);
  lua_getfield(L, -3, "blank");
  c->blank = lua_isnil(L, -1) ? -1 : luaL_checkoption(L, -1, NULL, words);
  lua_pop(L, 3);
}

/* The array at `index` of { operator, column (number or name), array of values, decimal =,
   ignore_case =, blank = }. Values of a condition with ignore_case are in lowercase. */
static void read_conditions(lua_State *L, sc3_lookup *lookup, int texts, int index) {
  /* as sc3_operator */
  static const char *const operators[] = {"eq",      "ne",     "lt",  "le", "gt", "ge",
                                          "present", "absent", "yes", "no", NULL};
  size_t i, j, n = lua_rawlen(L, index);
  if (n > SC3_CONDITIONS_MAX)
    luaL_error(L, "there are at most %d conditions", (int)SC3_CONDITIONS_MAX);
  for (i = 0; i < n; i++) {
    sc3_condition *c = &lookup->columns.conditions[i];
    lua_rawgeti(L, index, (int)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_rawgeti(L, -1, 1);
    c->op = (sc3_operator)luaL_checkoption(L, -1, NULL, operators);
    lua_pop(L, 1);
    read_notation(L, c);
    lua_rawgeti(L, -1, 2);
    read_column(L, texts, &c->column, &c->name);
    lua_rawgeti(L, -2, 3);
    luaL_checktype(L, -1, LUA_TTABLE);
    c->operands = lookup->operands + lookup->operand_count;
    c->operand_count = lua_rawlen(L, -1);
    for (j = 0; j < c->operand_count; j++) {
      lua_rawgeti(L, -1, (int)j + 1);
      read_operand(L, lookup, texts);
      lua_pop(L, 1);
    }
    lua_pop(L, 3);
  }
  lookup->columns.condition_count = n;
}

/* Gives a builder what looking into records takes, where it has not got it. */
static void need_lookup(lua_State *L, sc3_builder_ud *u, int values) {
  sc3_lookup *lookup;
  if (u->lookup != NULL)
    return;
  lookup = lua_newuserdata(L, sizeof *lookup);
  memset(lookup, 0, sizeof *lookup);
  lua_setfield(L, values, KEY_LOOKUP);
  u->lookup = lookup;
  u->b.columns = &lookup->columns;
}

/* The map and the conditions at two indices, or nil for either. */
static void read_columns(lua_State *L, sc3_builder_ud *u, int values, int map, int conditions) {
  sc3_columns *columns = &u->lookup->columns;
  int texts;
  memset(columns->targets, 0, sizeof columns->targets); /* the tallies go on */
  memset(columns->conditions, 0, sizeof columns->conditions);
  columns->target_count = columns->condition_count = columns->name_count = 0;
  u->lookup->operand_count = 0;
  lua_createtable(L, 0, 0);
  texts = lua_gettop(L);
  lua_pushvalue(L, texts);
  lua_setfield(L, values, KEY_TEXTS);
  u->mapped = !lua_isnil(L, map);
  if (u->mapped) {
    luaL_checktype(L, map, LUA_TTABLE);
    read_map(L, columns, texts, map);
  }
  if (!lua_isnil(L, conditions)) {
    luaL_checktype(L, conditions, LUA_TTABLE);
    read_conditions(L, u->lookup, texts, conditions);
  }
  lua_pop(L, 1);
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

/* builder{ remove = false, max_member = bytes, rejections = false, repair = true, ids = "refuse",
   region = nil, phone_repairs = {names} or nil, conditions = {{operator, column or name, {values},
   decimal =, ignore_case =, blank =}, ...}, columns = {key of a row that is a table, ...}, map =
   {{role, column or name, uid type}, ...}, where = f, member = f } */
static int builder_new(lua_State *L) {
  static const char *const known[] = {
      "remove", "max_member", "rejections",    "map",        "where",   "member", "repair",
      "ids",    "region",     "phone_repairs", "conditions", "columns", NULL};
  sc3_builder_ud *u;
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
  lua_getfield(L, 1, "rejections");
  sc3_builder_init(&u->b, lua_toboolean(L, 4) ? SC3_REMOVE : SC3_ADD,
                   (size_t)luaL_checknumber(L, 5), lua_toboolean(L, 6));
  u->closed = 0;
  lua_getfield(L, 1, "repair");
  u->b.reading.repair = lua_isnil(L, -1) || lua_toboolean(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, 1, "ids");
  u->b.reading.ids = sc3_checkids(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, 1, "region");
  if (!lua_isnil(L, -1)) {
    sc3_slice name;
    name.p = luaL_checklstring(L, -1, &name.n);
    u->b.reading.region = sc3_region_find(name);
  }
  lua_pop(L, 1);
  lua_getfield(L, 1, "phone_repairs");
  u->b.reading.phone_repairs = sc3_checkphonerepairs(L, -1);
  lua_pop(L, 1);
  lua_getfield(L, 1, KEY_MAP);
  lua_getfield(L, 1, KEY_CONDITIONS);
  lua_getfield(L, 1, KEY_COLUMNS);
  if (!lua_isnil(L, 7) || !lua_isnil(L, 8) || !lua_isnil(L, 9)) {
    need_lookup(L, u, values);
    read_columns(L, u, values, 7, 8);
  }
  if (!lua_isnil(L, 9)) {
    luaL_checktype(L, 9, LUA_TTABLE);
    u->lookup->keys = lua_rawlen(L, 9);
    if (u->lookup->keys > sizeof u->lookup->fields / sizeof u->lookup->fields[0])
      return luaL_error(L, "there are too many columns");
    lua_setfield(L, values, KEY_COLUMNS);
  }
  lua_pushvalue(L, values);
  sc3_setuservalue(L, 2);
  lua_settop(L, 2);
  return 1;
}

/* Of the collector, and of a variable that is left: never raises. */
static int builder_end(lua_State *L) {
  sc3_builder_ud *u = luaL_checkudata(L, 1, SC3_TYPE_BUILDER);
  u->closed = 1;
  free_when_unused(u);
  return 0;
}

static int builder_close(lua_State *L) {
  const sc3_builder_ud *u = luaL_checkudata(L, 1, SC3_TYPE_BUILDER);
  if (u->in_script)
    return luaL_error(L, "a builder was closed from inside its own callback");
  return builder_end(L);
}

/* --- tables from Lua --- */

/* Takes the ids and the payload of the epoch out of the user value, once a call from Lua: a payload
 * may have been closed since. */
static void look_at_epoch(lua_State *L, sc3_builder_ud *u) {
  u->b.sealed = NULL;
  u->b.next = NULL;
  if (!u->in_epoch)
    return;
  sc3_getuservalue(L, 1);
  lua_getfield(L, -1, KEY_SEALED);
  lua_getfield(L, -2, KEY_NEXT);
  u->b.next = sc3_checkpayload(L, lua_gettop(L));
  u->b.sealed = sc3_checkidset(L, lua_gettop(L) - 1);
  lua_pop(L, 3);
}

/* Raises a misuse of a member. To blame is the function so many levels up, as error() counts: who
   calls add() of an audience is not who calls a builder. */
static int misused(lua_State *L, int level, const char *what, const char *message) {
  luaL_where(L, level);
  lua_pushfstring(L, "%s%s%s", what == NULL ? "" : what, what == NULL ? "" : ": ", message);
  lua_concat(L, 2);
  return lua_error(L);
}

/* Flushes what is staged. NULL when all is in; else what is full: "full" the payload, "turn" the
   one of the next epoch. To blame for a misuse is the function so many levels up. */
static const char *flush(lua_State *L, sc3_builder_ud *u, sc3_payload *p, int level) {
  switch (sc3_builder_flush(&u->b, p)) {
    case SC3_FULL: return "full";
    case SC3_FULL_NEXT: return "turn";
    case SC3_ADD_NOMEM: luaL_error(L, "not enough memory"); return NULL;
    case SC3_NEVER_FITS:
      (void)misused(L, level, NULL, "a payload is smaller than the builder's max_member");
      return NULL;
    default: return NULL;
  }
}

/* true, or false and what is full */
static int push_flushed(lua_State *L, sc3_builder_ud *u, sc3_payload *p) {
  const char *full = flush(L, u, p, 1);
  lua_pushboolean(L, full == NULL);
  if (full == NULL)
    return 1;
  lua_pushstring(L, full);
  return 2;
}

/* :epoch(id set, payload of the next epoch), or :epoch() for none: from now on members of sealed
 * ids go to that payload. */
static int builder_epoch(lua_State *L) {
  sc3_builder_ud *u = sc3_checkbuilder(L);
  lua_settop(L, 3);
  u->in_epoch = !lua_isnil(L, 2);
  if (u->in_epoch) {
    (void)sc3_checkidset(L, 2);
    (void)sc3_checkpayload(L, 3);
  }
  sc3_getuservalue(L, 1);
  lua_pushvalue(L, 2);
  lua_setfield(L, 4, KEY_SEALED);
  lua_pushvalue(L, 3);
  lua_setfield(L, 4, KEY_NEXT);
  return 0;
}

/* :flush(payload) -> true | false, "full" (the payload: flush to the next one) | false, "turn"
 * (that of the next epoch) */
static int builder_flush(lua_State *L) {
  sc3_builder_ud *u = sc3_checkbuilder(L);
  sc3_payload *p = sc3_checkpayload(L, 2);
  look_at_epoch(L, u);
  return push_flushed(L, u, p);
}

/* :add(payload, member, remove, level, name of the function to blame for) -> as :flush(), which is
   to follow when it is false | nil, reason key Each call is a row of its own. */
static int builder_add(lua_State *L) {
  sc3_builder_ud *u = sc3_checkbuilder(L);
  sc3_payload *p = sc3_checkpayload(L, 2);
  const int level = (int)luaL_optinteger(L, 5, 1);
  const char *what = luaL_optstring(L, 6, NULL);
  sc3_status st;
  int results;
  if (!lua_istable(L, 3))
    return misused(
        L, level, what,
        lua_pushfstring(L, "a member must be a table, not a %s", lua_typename(L, lua_type(L, 3))));
  if (sc3_builder_waiting(&u->b))
    return luaL_error(L, "the member before waits for room: flush it first");
  sc3_checkstack(L, 10);
  look_at_epoch(L, u);
  sc3_clearmember(&u->member, lua_toboolean(L, 4) ? SC3_REMOVE : u->b.op);
  if (sc3_readmember(L, 3, &u->member) != NULL)
    return misused(L, level, what, lua_tostring(L, -1));
  sc3_builder_begin(&u->b, u->b.tally.rows + 1);
  st = sc3_stagemember(&u->b, &u->member);
  if (st == SC3_OK)
    st = sc3_builder_end(&u->b, 0);
  else
    sc3_builder_fail(&u->b, SC3_R_NO_MEMORY);
  sc3_checkstatus(L, st);
  if (!sc3_builder_waiting(&u->b)) {
    lua_pushnil(L);
    lua_pushstring(L, sc3_reason_key(u->b.row_rejected));
    return 2;
  }
  results = push_flushed(L, u, p);
  sc3_countpayload(L, 2); /* when all is done: finalizers may run */
  return results;
}

/* :because() -> where the last member was rejected as no identifier was left: the reason key of the
 * first that was dropped; else nil */
static int builder_because(lua_State *L) {
  const sc3_builder_ud *u = sc3_checkbuilder(L);
  if (u->b.row_rejected != SC3_R_NO_IDENTIFIER || u->b.identifier_dropped == SC3_R_NONE)
    return 0;
  lua_pushstring(L, sc3_reason_key(u->b.identifier_dropped));
  return 1;
}

/* --- rows --- */

static int push_outcome(lua_State *L, const char *what) {
  lua_pushstring(L, what);
  return 1;
}

/* A script failed: the row is counted, and gives nothing. */
static int push_script_error(lua_State *L, sc3_builder_ud *u) {
  sc3_builder_discard(&u->b);
  u->b.row_rejected = SC3_R_NONE;
  sc3_checkstatus(L, sc3_builder_reject(&u->b, SC3_R_SCRIPT_ERROR, SC3_ROLE_NONE, 0));
  sc3_checkstatus(L, sc3_builder_end(&u->b, 0));
  lua_pushliteral(L, "script");
  lua_insert(L, -2);
  sc3_pushcount(L, u->b.row);
  return 3;
}

/* What a body of :take() or :fill() needs beside what lies on its stack. */
typedef struct filling {
  sc3_builder_ud *u;
  sc3_payload *p;
  sc3_source *s;
  double bytes, until;
} filling;

/* Takes what a call under way uses out of the stack: the payload, and what the epoch has. */
static void begin_use(lua_State *L, sc3_builder_ud *u, sc3_uses *uses, sc3_source *source) {
  memset(uses, 0, sizeof *uses);
  uses->payload = sc3_fillpayload(L, 2);
  if (u->in_epoch) {
    sc3_getuservalue(L, 1);
    lua_getfield(L, -1, KEY_SEALED);
    uses->sealed = sc3_useidset(L, lua_gettop(L));
    lua_getfield(L, -2, KEY_NEXT);
    uses->next = sc3_fillpayload(L, lua_gettop(L));
    lua_pop(L, 3);
  }
  uses->source = source;
  if (source != NULL)
    sc3_source_lock(source, SC3_SOURCE_LOCKED);
  u->uses = uses;
  u->busy = 1;
}

static void end_use(sc3_builder_ud *u, sc3_uses *uses) {
  sc3_script_ended(u); /* which an error may have left */
  u->b.sealed = NULL;
  u->b.next = NULL;
  u->uses = NULL;
  u->busy = 0;
  if (uses->source != NULL)
    sc3_source_lock(uses->source, SC3_SOURCE_FREE);
  sc3_leavepayload(uses->payload);
  sc3_leavepayload(uses->next);
  sc3_leaveidset(uses->sealed);
  free_when_unused(u);
}

/* Calls `body` with the user value, the value at index 3, and the filling; everything that it uses
   is held meanwhile. Both lie on the stack below, so that nothing is collected. */
static int call_filling(lua_State *L, filling *f, lua_CFunction body) {
  sc3_uses uses;
  int failed;
  lua_settop(L, 3);
  lua_pushcfunction(L, body); /* may run finalizers, as need_lookup() below */
  sc3_getuservalue(L, 1);
  need_lookup(L, f->u, 5);
  lua_pushvalue(L, 3);
  lua_pushlightuserdata(L, f);
  f->u = sc3_checkbuilder(L);
  f->p = sc3_checkpayload(L, 2);
  if (f->s != NULL)
    f->s = sc3_checksource(L, 3);
  look_at_epoch(L, f->u);
  begin_use(L, f->u, &uses, f->s);
  failed = lua_pcall(L, 3, LUA_MULTRET, 0);
  if (failed) { /* an error of ours is about memory; another one is of a row that makes its columns
                   up */
    const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    int of_memory =
        failed != LUA_ERRRUN || (message != NULL && strstr(message, "not enough memory") != NULL);
    sc3_builder_fail(&f->u->b, of_memory ? SC3_R_NO_MEMORY : SC3_R_SCRIPT_ERROR);
  }
  end_use(f->u, &uses);
  return failed ? lua_error(L) : lua_gettop(L) - 3;
}

static int take_row(lua_State *L) {
  const filling *f = lua_touserdata(L, 3);
  const char *full;
  sc3_checkstack(L, 20);
  sc3_builder_begin(&f->u->b, f->u->b.tally.rows + 1);
  if (sc3_stagerow(L, f->u, 1, 2, f->p) != NULL)
    return push_script_error(L, f->u);
  full = flush(L, f->u, f->p, 2);
  return push_outcome(L, full != NULL ? full : "more");
}

/* :take(payload, row) -> "more" | "full" | "turn" | "script", message, row number. A row that is a
 * table of the caller's own. */
static int builder_take(lua_State *L) {
  filling f;
  memset(&f, 0, sizeof f);
  f.u = sc3_checkbuilder(L);
  (void)sc3_checkpayload(L, 2);
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

/* Whether a map or a condition looks at the key that makes a row one of another: then whoever wrote
   it knows of such rows. */
static int asks_for_parent(const sc3_keys *keys) {
  const sc3_slice parent = sc3_slice_of("__parentId", sizeof "__parentId" - 1);
  size_t i = 0;
  while (i < keys->count && sc3_likeness_of(parent, keys->names[i]) == SC3_UNLIKE)
    i++;
  return i < keys->count;
}

static int fill_rows(lua_State *L) {
  const filling *f = lua_touserdata(L, 3);
  sc3_builder_ud *u = f->u;
  sc3_payload *p = f->p;
  sc3_source *s = f->s;
  const double bytes = f->bytes, until = f->until;
  uint64_t start = sc3_source_bytes(s);
  unsigned rows = 0;
  const int scripted = u->has_where || u->has_member; /* then all of a row may be looked at */
  sc3_keys keys;
  sc3_checkstack(L, 20);
  keys = sc3_builder_keys(&u->b);
  keys.all = scripted;
  sc3_source_other_keys(s);
  for (;;) {
    const char *full = flush(L, u, p, 2);
    if (full != NULL)
      return push_outcome(L, full);
    if (rows++ % ROWS_BETWEEN_CLOCKS == ROWS_BETWEEN_CLOCKS - 1 &&
        (monotonic() >= until || (double)(sc3_source_bytes(s) - start) >= bytes))
      return push_outcome(L, "more");
    switch (sc3_source_next(s, &keys, &u->record)) {
      case SC3_NEXT_RECORD: break;
      case SC3_NEXT_AGAIN: return push_outcome(L, "more");
      case SC3_NEXT_NEED: return push_outcome(L, "need");
      case SC3_NEXT_END: return push_outcome(L, "end");
      case SC3_NEXT_FATAL:
        lua_pushliteral(L, "fatal");
        sc3_source_pushfatal(L, s);
        return 2;
      default: return luaL_error(L, "not enough memory");
    }
    sc3_builder_begin(&u->b, u->record.row);
    sc3_builder_check(&u->b, &u->record);
    u->lookup->columns.looked += u->record.fault == SC3_FAULT_NONE;
    if (u->record.child && u->record.fault == SC3_FAULT_NONE && !u->has_member &&
        !asks_for_parent(&keys)) {
      u->b.tally.children++;
      sc3_checkstatus(L, sc3_builder_end(&u->b, 1));
    } else if (!scripted) {
      int wanted = sc3_builder_wants(&u->b, &u->record);
      if (wanted)
        sc3_checkstatus(L, sc3_builder_map(&u->b, &u->record, p));
      sc3_checkstatus(L, sc3_builder_end(&u->b, !wanted));
    } else {
      adopt_source(L, 1, 2); /* not before a row is there: then the header is known */
      if (sc3_stagerow(L, u, 1, -1, p) != NULL)
        return push_script_error(L, u);
      lua_settop(L, 3);
    }
  }
}

/* :fill(payload, source, bytes, seconds) -> "more" (the budget is used up) | "full" | "turn" |
   "need" (feed the source) | "end" | "fatal", table | "script", message, row number */
static int builder_fill(lua_State *L) {
  filling f;
  memset(&f, 0, sizeof f);
  f.u = sc3_checkbuilder(L);
  (void)sc3_checkpayload(L, 2);
  f.s = sc3_checksource(L, 3);
  f.bytes = (double)luaL_checknumber(L, 4);
  f.until = monotonic() + (double)luaL_checknumber(L, 5);
  return call_filling(L, &f, fill_rows);
}

/* Pushes an array of the names in maps and conditions for which rows had exactly `seen`. The keys
 * of tables, or nil, are at index 3. */
static void push_seen(lua_State *L, const sc3_builder_ud *u, unsigned seen, unsigned of) {
  const sc3_columns *c = &u->lookup->columns;
  size_t i, n = 0;
  lua_createtable(L, 0, 0);
  for (i = 0; i < (u->lookup->keys > 0 ? u->lookup->keys : c->name_count); i++) {
    if ((c->seen[i] & of) != seen)
      continue;
    if (u->lookup->keys > 0)
      lua_rawgeti(L, 3, (int)i + 1);
    else
      lua_pushlstring(L, c->names[i].p, c->names[i].n);
    lua_rawseti(L, -2, (int)++n);
  }
}

/* :missing() -> an array of the names in maps and conditions that no row had since :columns(), and
   of those that the script asked for in vain; and one of the names for which a row had two keys
   that may be meant. Of JSON Lines and of rows that are tables. */
static int missing(lua_State *L) {
  const sc3_builder_ud *u = lua_touserdata(L, 1);
  lua_settop(L, 1);
  lua_createtable(L, 0, 0); /* for a builder that has looked at nothing */
  if (u->lookup == NULL) {
    lua_pushvalue(L, 2);
    return 2;
  }
  lua_settop(L, 1);
  sc3_getuservalue(L, 1);
  lua_getfield(L, 2, KEY_COLUMNS);
  if (u->lookup->columns.looked == 0)
    lua_createtable(L, 0, 0);
  else
    push_seen(L, u, 0, SC3_SEEN | SC3_SEEN_TWICE);
  lua_getfield(L, 2, KEY_ROW);
  if (u->lookup->columns.looked > 0 && lua_isuserdata(L, 5)) {
    lua_insert(L, 4);
    sc3_row_missing(L, 4);
  } else {
    lua_pop(L, 1);
  }
  push_seen(L, u, SC3_SEEN_TWICE, SC3_SEEN_TWICE);
  return 2;
}

static int builder_missing(lua_State *L) {
  return sc3_callbusy(L, missing);
}

/* :columns(map, conditions): what builder{} took as such, for a source with other columns than the
 * one before. */
static int set_columns(lua_State *L) {
  sc3_builder_ud *u = lua_touserdata(L, 1);
  sc3_checkstack(L, 20);
  if (sc3_builder_waiting(&u->b))
    return luaL_error(L, "the row before waits for room: flush it first");
  lua_settop(L, 3);
  sc3_getuservalue(L, 1);
  need_lookup(L, u, 4);
  read_columns(L, u, 4, 2, 3);
  return 0;
}

static int builder_columns(lua_State *L) {
  return sc3_callbusy(L, set_columns);
}

void sc3_open_builder(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"add", builder_add},
      {"because", builder_because},
      {"close", builder_close},
      {"columns", builder_columns},
      {"counts", sc3_builder_counts},
      {"epoch", builder_epoch},
      {"fill", builder_fill},
      {"flush", builder_flush},
      {"missing", builder_missing},
      {"rejections", sc3_builder_rejections},
      {"sums", sc3_builder_sums},
      {"take", builder_take},
      {NULL, NULL},
  };
  sc3_newtype(L, SC3_TYPE_BUILDER, methods, NULL, builder_end);
  lua_pushcfunction(L, builder_new);
  lua_setfield(L, -2, "builder");
}
