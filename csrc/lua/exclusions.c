/* "scope3.exclusions": who is never sent. */
#include "exclusions.h"

#include <stdlib.h>

#include "../core/bytes/text.h"
#include "../core/identity/exclusion.h"
#include "../core/identity/phone_plan.h"
#include "../core/members/member.h"
#include "arguments.h"
#include "builder_fill.h"
#include "builder_options.h"
#include "mirror.h"
#include "open.h"
#include "type.h"

#define TYPE "scope3.exclusions"

typedef struct exclusions_ud {
  sc3_exclusions *e; /* NULL = closed */
  int numbered;      /* rows may give several members: an id of one of them means its person */
  sc3_reading reading;
  uint64_t counts[SC3_EXCLUSION_KINDS];
} exclusions_ud;

static exclusions_ud *check(lua_State *L, int index) {
  exclusions_ud *u = luaL_checkudata(L, index, TYPE);
  if (u->e == NULL)
    sc3l_raise_closed(L, "list of exclusions");
  return u;
}

sc3_exclusions *sc3l_check_exclusions(lua_State *L, int index) {
  return check(L, index)->e;
}

/* exclusions{ most =, repair = true, ids = "refuse", region = nil, phone_repairs = {names} or nil,
   numbered = nil }: at most so many ids and so many contacts. With numbered id#2 means id. Values
   are read as builder{} reads them. */
static int exclusions_new(lua_State *L) {
  static const char *const known[] = {"most",          "repair",   "ids", "region",
                                      "phone_repairs", "numbered", NULL};
  exclusions_ud *u;
  size_t most;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "exclusions");
  lua_settop(L, 1);
  lua_getfield(L, 1, "most");
  most = sc3l_check_size(L, 2, "most");
  u = sc3l_new_object(L, sizeof *u, TYPE);
  lua_getfield(L, 1, "numbered");
  u->numbered = lua_toboolean(L, -1);
  lua_pop(L, 1);
  u->reading.region = SC3_NO_REGION;
  sc3l_read_reading(L, &u->reading);
  u->e = sc3_exclusions_new(most);
  if (u->e == NULL)
    return luaL_error(L, "not enough memory");
  lua_settop(L, 3);
  return 1;
}

static int exclusions_end(lua_State *L) {
  exclusions_ud *u = luaL_checkudata(L, 1, TYPE);
  sc3_exclusions_release(u->e);
  u->e = NULL;
  return 0;
}

/* What became of a value. */
typedef enum taken { TAKEN, REFUSED, TOO_MANY, NIGHT_FAILED } taken;

/* A value on its way in, and the night that takes its id; NULL where the list itself keeps ids. */
typedef struct taking {
  exclusions_ud *u;
  sc3_night *night;
  sc3_reason why;           /* of REFUSED */
  sc3_mirror_status status; /* of NIGHT_FAILED */
} taking;

static sc3_status keep_id(taking *t, sc3_slice id) {
  if (t->u->numbered)
    id.n -= sc3_member_suffix_length(id);
  if (t->night == NULL)
    return sc3_exclusions_add_id(t->u->e, id);
  t->status = id.n <= SC3_MIRROR_ID_MAX ? sc3_night_exclude(t->night, id) : SC3_MIRROR_OK;
  return SC3_OK;
}

static taken take(lua_State *L, taking *t, sc3_slice value) {
  sc3_exclusion it;
  sc3_status st = SC3_OK;
  t->why = sc3_exclusion_read(value, &t->u->reading, &it);
  if (t->why != SC3_R_NONE)
    return REFUSED;
  if (it.has_id)
    st = keep_id(t, it.id.value);
  if (t->status != SC3_MIRROR_OK)
    return NIGHT_FAILED;
  if (it.has_contact && st == SC3_OK)
    st = sc3_exclusions_add_contact(t->u->e, it.hex);
  if (st == SC3_ELIMIT)
    return TOO_MANY;
  if (st != SC3_OK)
    luaL_error(L, "not enough memory");
  t->u->counts[it.kind]++;
  return TAKEN;
}

/* Finds the one value of a row; a blank one where it has none. */
static sc3_reason value_of(const sc3_record *r, sc3_slice *value) {
  size_t i;
  if (r->fault != SC3_R_NONE)
    return r->fault;
  *value = r->count > 0 ? sc3_text_trim(r->fields[0].value) : sc3_slice_of("", 0);
  for (i = 1; i < r->count; i++) {
    if (sc3_slice_some(r->fields[i].value) && sc3_text_trim(r->fields[i].value).n > 0)
      return SC3_R_RAGGED_ROW;
  }
  return SC3_R_NONE;
}

/* Pushes what became of the row, and where it stands: "refused", reason key, row, line. */
static int push_taken(lua_State *L, const taking *t, taken became, const sc3_record *r) {
  if (became == NIGHT_FAILED)
    return sc3l_push_mirror_status(L, t->status);
  lua_pushstring(L, became == TOO_MANY ? "too_many" : "refused");
  lua_pushstring(L, sc3_reason_key(t->why));
  sc3l_push_count(L, r->row);
  sc3l_push_count(L, r->line);
  return 4;
}

static void begin(lua_State *L, taking *t, int night) {
  sc3l_mirror *mirror;
  unsigned audiences;
  memset(t, 0, sizeof *t);
  t->status = SC3_MIRROR_OK;
  if (!lua_isnoneornil(L, night))
    t->night = sc3l_use_night(L, night, &mirror, &audiences);
  t->u = check(L, 1);
}

/* :add(value, night or nil) -> true | "refused", reason key | "too_many" | nil, message, code. One
   value that is not blank; a night takes its id. */
static int exclusions_add(lua_State *L) {
  static const sc3_record none;
  int results;
  const sc3_slice value = sc3l_check_string(L, 2);
  taking t;
  taken became;
  luaL_argcheck(L, sc3_text_trim(value).n > 0, 2, "a value is expected");
  begin(L, &t, 3);
  became = take(L, &t, value);
  if (became == TAKEN) {
    lua_pushboolean(L, 1);
    return 1;
  }
  results = push_taken(L, &t, became, &none);
  if (became == NIGHT_FAILED)
    return results;
  lua_pop(L, 2); /* it stands nowhere */
  return results - 2;
}

/* Pushes the value of the first row that has one, for Lua to look at, and where it stands. */
static int push_first(lua_State *L, sc3_slice value, const sc3_record *r) {
  const uint64_t row = r->row, line = r->line;
  lua_pushliteral(L, "first");
  lua_pushlstring(L, value.p, value.n);
  sc3l_push_count(L, row);
  sc3l_push_count(L, line);
  return 4;
}

/* The next row with a value, which is not blank. 0 without one, and what to answer is pushed. */
static int next_value(lua_State *L, sc3l_source *source, taking *t, sc3_record *r,
                      sc3_slice *value) {
  do {
    const sc3_next next = sc3l_source_next(source, NULL, r);
    if (next != SC3_NEXT_RECORD) {
      (void)sc3l_push_no_record(L, source, next);
      return 0;
    }
    t->why = value_of(r, value);
    if (t->why != SC3_R_NONE) {
      (void)push_taken(L, t, REFUSED, r);
      return 0;
    }
  } while (value->n == 0);
  return 1;
}

/* :read(source, night or nil, bytes, seconds, first) -> "more" (the budget is used up) | "need"
   (feed the source) | "end" | "fatal", table | "refused", reason key, row, line | "too_many", nil,
   row, line | "first", value, row, line | nil, message, code. Every row of the source is a value;
   "ragged_row" is the reason of one with several. With `first` the next value is not taken, but
   given. */
static int exclusions_read(lua_State *L) {
  sc3l_source *source;
  uint64_t start;
  sc3l_budget budget;
  taking t;
  lua_settop(L, 6);
  sc3l_checkstack(L, 8);
  sc3l_begin_budget(&budget, (double)luaL_checknumber(L, 4), (double)luaL_checknumber(L, 5));
  begin(L, &t, 3);
  source = sc3l_check_source(L, 2);
  start = sc3l_source_bytes(source);
  while (!sc3l_is_spent(&budget, sc3l_source_bytes(source) - start)) {
    sc3_record r;
    sc3_slice value;
    taken became;
    if (!next_value(L, source, &t, &r, &value))
      return lua_gettop(L) - 6;
    if (lua_toboolean(L, 6))
      return push_first(L, value, &r);
    became = take(L, &t, value);
    if (became != TAKEN)
      return push_taken(L, &t, became, &r);
  }
  return sc3l_push_outcome(L, "more");
}

/* :counts() -> { ids =, emails =, phones =, hashes = }: values, those that came twice twice. */
static int exclusions_counts(lua_State *L) {
  static const char *const names[SC3_EXCLUSION_KINDS] = {"ids", "emails", "phones", "hashes"};
  const exclusions_ud *u = check(L, 1);
  uint64_t counts[SC3_EXCLUSION_KINDS];
  int i;
  memcpy(counts, u->counts, sizeof counts); /* making a table may run finalizers */
  lua_createtable(L, 0, SC3_EXCLUSION_KINDS);
  for (i = 0; i < SC3_EXCLUSION_KINDS; i++) {
    sc3l_push_count(L, counts[i]);
    lua_setfield(L, -2, names[i]);
  }
  return 1;
}

/* :has_contacts() -> boolean: whether there are emails, phones or hashes */
static int exclusions_has_contacts(lua_State *L) {
  lua_pushboolean(L, sc3_exclusions_has_contacts(check(L, 1)->e));
  return 1;
}

void sc3l_open_exclusions(lua_State *L) {
  static const luaL_Reg methods[] = {{"add", exclusions_add},
                                     {"counts", exclusions_counts},
                                     {"has_contacts", exclusions_has_contacts},
                                     {"read", exclusions_read},
                                     {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = exclusions_end};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, exclusions_new);
  lua_setfield(L, -2, "exclusions");
}
