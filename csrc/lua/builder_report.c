#include "builder_report.h"

#include "builder.h"
#include "row.h"

static void set_count(lua_State *L, const char *key, uint64_t n) {
  sc3l_push_count(L, n);
  lua_setfield(L, -2, key);
}

static void push_reasons(lua_State *L, const uint64_t counts[SC3_R_COUNT]) {
  int i;
  lua_newtable(L); /* most stay empty */
  for (i = SC3_R_NONE + 1; i < SC3_R_COUNT; i++) {
    if (counts[i] > 0)
      set_count(L, sc3_reason_key((sc3_reason)i), counts[i]);
  }
}

/* Roles whose column held raw and hashed values: { email = { raw = 2, hashed = 1 } }. */
static void push_mixed(lua_State *L, const sc3_tally *t) {
  static const char *const names[] = {"email", "phone"};
  int i;
  lua_newtable(L);
  for (i = 0; i < 2; i++) {
    int role = SC3_ROLE_EMAIL + i;
    if (t->raw_in[role] == 0 || t->hashed_in[role] == 0)
      continue;
    lua_createtable(L, 0, 2);
    set_count(L, "raw", t->raw_in[role]);
    set_count(L, "hashed", t->hashed_in[role]);
    lua_setfield(L, -2, names[i]);
  }
}

/* { Atlantis = 30, ["(other)"] = 1 } */
static void push_unknown_regions(lua_State *L, const sc3_region_tally *t) {
  uint64_t others;
  size_t i;
  lua_createtable(L, 0, t != NULL ? (int)t->n : 0);
  if (t == NULL)
    return;
  others = t->others;
  for (i = 0; i < t->n; i++) {
    if (t->names[i].count < SC3_TALLY_TOLD) {
      others += t->names[i].count;
      continue;
    }
    lua_pushlstring(L, t->names[i].text, t->names[i].n);
    sc3l_push_count(L, t->names[i].count);
    lua_rawset(L, -3);
  }
  if (others > 0)
    set_count(L, "(other)", others);
}

/* Rows by what their values look like. */
static void push_contents(lua_State *L, const uint64_t counts[SC3_CONTENT_COUNT]) {
  static const char *const contents[] = {
      /* as sc3_content */
      "absent", "number", "point", "comma", "signs", "words", "other_case", "other_type",
  };
  int i;
  lua_createtable(L, 0, SC3_CONTENT_COUNT);
  for (i = 0; i < SC3_CONTENT_COUNT; i++)
    set_count(L, contents[i], counts[i]);
}

/* What each condition came across, in their order (csrc/core/rows/condition.h). */
static void push_conditions(lua_State *L, const sc3_builder *b) {
  size_t i, n = b->mapping != NULL ? b->mapping->condition_count : 0;
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    const sc3_condition_tally *t = &b->mapping->tallies[i];
    lua_createtable(L, 0, 9);
    set_count(L, "seen", t->seen);
    set_count(L, "skipped", t->skipped);
    set_count(L, "absent", t->absent);
    set_count(L, "not_a_number", t->not_a_number);
    set_count(L, "not_a_date", t->not_a_date);
    set_count(L, "not_yes_or_no", t->not_yes_or_no);
    set_count(L, "other_case", t->other_case);
    push_contents(L, t->content);
    lua_setfield(L, -2, "content");
    push_contents(L, t->unread);
    lua_setfield(L, -2, "unread");
    lua_rawseti(L, -2, (int)i + 1);
  }
}

static int push_counts(lua_State *L) {
  const sc3l_builder *u = lua_touserdata(L, 1);
  const sc3_tally *t = &u->b.tally;
  int i;
  lua_createtable(L, 0, 27);
  set_count(L, "rows", t->rows);
  set_count(L, "skipped", t->skipped);
  set_count(L, "rejected_rows", t->rejected);
  set_count(L, "used_rows", t->used);
  set_count(L, "members", t->built);
  set_count(L, "adds", t->built_op[SC3_ADD]);
  set_count(L, "removes", t->built_op[SC3_REMOVE]);
  set_count(L, "replaced", t->replaced);
  set_count(L, "poorer", t->poorer);
  set_count(L, "untold", t->untold);
  set_count(L, "deferred", t->deferred);
  set_count(L, "hashed_email", t->emails);
  set_count(L, "hashed_phone", t->phones);
  set_count(L, "uids", t->uids);
  set_count(L, "prehashed", t->prehashed);
  set_count(L, "child_rows", t->children);
  set_count(L, "excluded_rows", t->excluded_rows);
  set_count(L, "excluded", t->excluded);
  set_count(L, "zero_ids", t->zero_ids);
  push_reasons(L, t->rejected_for);
  lua_setfield(L, -2, "rejected");
  push_reasons(L, t->dropped_for);
  lua_setfield(L, -2, "dropped");
  lua_newtable(L);
  for (i = 0; i < SC3_REPAIR_COUNT; i++) {
    if (t->repaired_for[i] > 0)
      set_count(L, sc3_repair_key((sc3_repair)i), t->repaired_for[i]);
  }
  lua_setfield(L, -2, "repaired");
  push_conditions(L, &u->b);
  lua_setfield(L, -2, "conditions");
  push_mixed(L, t);
  lua_setfield(L, -2, "mixed");
  push_unknown_regions(L, t->unknown_regions);
  lua_setfield(L, -2, "unknown_regions");
  sc3l_getuservalue(L, 1);
  lua_getfield(L, -1, KEY_REASONS);
  lua_remove(L, -2);
  lua_setfield(L, -2, "reasons");
  return 1;
}

/* :counts() -> a table of counts; `rejected` and `dropped` by reason, `reasons` are the script's
 * own */
static int builder_counts(lua_State *L) {
  return sc3l_call_busy(L, push_counts);
}

/* :sums() -> rows, skipped, rejected, members: what is shown while rows are read */
static int builder_sums(lua_State *L) {
  const sc3_tally *t = &sc3l_check_builder(L)->b.tally;
  sc3l_push_count(L, t->rows);
  sc3l_push_count(L, t->skipped);
  sc3l_push_count(L, t->rejected);
  sc3l_push_count(L, t->built);
  return 4;
}

static const char *const ROLES[] = {
#define X(name, text) text,
    SC3_ROLES(X)
#undef X
};

static int push_rejections(lua_State *L) {
  sc3l_builder *u = lua_touserdata(L, 1);
  size_t i, n = u->b.rejections.n / sizeof(sc3_rejection);
  if (n == 0)
    return 0;
  lua_createtable(L, (int)n, 0);
  for (i = 0; i < n; i++) {
    sc3_rejection r;
    memcpy(&r, u->b.rejections.p + i * sizeof r, sizeof r);
    lua_createtable(L, 0, 6);
    set_count(L, "row", r.row);
    if (r.line > 0)
      set_count(L, "line", r.line);
    if (r.column > 0)
      set_count(L, "column", r.column);
    if (r.role < SC3_ROLE_COUNT) {
      lua_pushstring(L, ROLES[r.role]);
      lua_setfield(L, -2, "field");
    }
    lua_pushstring(L, sc3_reason_key((sc3_reason)r.reason));
    lua_setfield(L, -2, "reason");
    if (r.lines > 0)
      set_count(L, "lines", r.lines);
    lua_pushboolean(L, r.dropped);
    lua_setfield(L, -2, "dropped");
    lua_rawseti(L, -2, (int)i + 1);
  }
  u->b.rejections.n = 0;
  return 1;
}

/* :rejections() -> an array of { row=, line=, column=, field=, reason=, dropped=, lines= }, taken
 * out; nil when there are none */
static int builder_rejections(lua_State *L) {
  return sc3l_call_busy(L, push_rejections);
}

/* :unprepared() -> of rows that are members already, the first that is none: its row, its line, the
 * reason key, and its field where one is to blame; nil when there is none */
static int builder_unprepared(lua_State *L) {
  const sc3_unprepared it = sc3l_check_builder(L)->b.unprepared;
  if (it.reason == SC3_R_NONE)
    return 0;
  sc3l_push_count(L, it.row);
  sc3l_push_count(L, it.line);
  lua_pushstring(L, sc3_reason_key(it.reason));
  if (it.role >= SC3_ROLE_COUNT)
    return 3;
  lua_pushstring(L, ROLES[it.role]);
  return 4;
}

/* :because() -> where the last member was rejected as no identifier was left: the reason key of the
 * first that was dropped; else nil */
static int builder_because(lua_State *L) {
  const sc3l_builder *u = sc3l_check_builder(L);
  if (u->b.row_rejected != SC3_R_NO_IDENTIFIER || u->b.identifier_dropped == SC3_R_NONE)
    return 0;
  lua_pushstring(L, sc3_reason_key(u->b.identifier_dropped));
  return 1;
}

/* Pushes an array of the names in maps and conditions for which rows had exactly `seen`. The keys
 * of tables, or nil, are at index 3. */
static void push_seen(lua_State *L, const sc3l_builder *u, unsigned seen, unsigned of) {
  const sc3_mapping *c = &u->lookup->columns;
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
  const sc3l_builder *u = lua_touserdata(L, 1);
  lua_settop(L, 1);
  lua_createtable(L, 0, 0); /* for a builder that has looked at nothing */
  if (u->lookup == NULL) {
    lua_pushvalue(L, 2);
    return 2;
  }
  lua_settop(L, 1);
  sc3l_getuservalue(L, 1);
  lua_getfield(L, 2, KEY_COLUMNS);
  if (u->lookup->columns.looked == 0)
    lua_createtable(L, 0, 0);
  else
    push_seen(L, u, 0, SC3_SEEN | SC3_SEEN_TWICE);
  lua_getfield(L, 2, KEY_ROW);
  if (u->lookup->columns.looked > 0 && lua_isuserdata(L, 5)) {
    lua_insert(L, 4);
    sc3l_row_missing(L, 4);
  } else {
    lua_pop(L, 1);
  }
  push_seen(L, u, SC3_SEEN_TWICE, SC3_SEEN_TWICE);
  return 2;
}

static int builder_missing(lua_State *L) {
  return sc3l_call_busy(L, missing);
}

const luaL_Reg sc3l_builder_report_methods[] = {
    {"because", builder_because},
    {"counts", builder_counts},
    {"missing", builder_missing},
    {"rejections", builder_rejections},
    {"sums", builder_sums},
    {"unprepared", builder_unprepared},
    {NULL, NULL},
};
