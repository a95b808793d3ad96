#include "builder_night.h"

#include <stdlib.h>

#include "../core/mirror/cells.h"
#include "builder_fill.h"
#include "builder_options.h"
#include "mirror.h"
#include "payload.h"
#include "script.h"

enum { HELD = SC3_MIRROR_AUDIENCES + 2, SLOTS = 3 * SC3_MIRROR_AUDIENCES + 20 };

/* What a body needs besides what lies on its stack. */
typedef struct work {
  sc3l_builder *u;
  sc3l_source *source;
  sc3_night *night;
  sc3_building_to to;      /* of :build() alone */
  sc3l_mirror *held[HELD]; /* the night, and what `to` has of mirrors; NULL = none */
  unsigned audiences;
  int asks;     /* single audiences take some rows alone */
  int all_kept; /* of :build(): without a source, for rows that the night keeps */
  uint16_t file;
  sc3l_budget budget;
} work;

static void check_both(lua_State *L, work *w, int night) {
  w->u = sc3l_check_builder(L);
  if (w->u->has_member)
    luaL_error(L, "a night does not take what member() gives");
  if (w->u->in_epoch)
    luaL_error(L, "a night has no epochs");
  w->night = sc3l_use_night(L, night, &w->held[0], &w->audiences);
  w->source = w->all_kept && lua_isnil(L, 3) ? NULL : sc3l_check_source(L, 3);
}

/* `file` at `index`, then the budget. */
static void check_numbers(lua_State *L, work *w, int index) {
  w->file = (uint16_t)sc3l_check_whole(L, index, 0, UINT16_MAX);
  sc3l_begin_budget(&w->budget, (double)luaL_checknumber(L, index + 1),
                    (double)luaL_checknumber(L, index + 2));
  lua_settop(L, index + 2);
}

/* Pushes `body` and its arguments: the user value, the source, and the work. May run finalizers. */
static void push_call(lua_State *L, work *w, lua_CFunction body) {
  lua_pushcfunction(L, body);
  sc3l_getuservalue(L, 1);
  sc3l_builder_need_lookup(L, w->u, lua_gettop(L));
  lua_pushvalue(L, 3);
  lua_pushlightuserdata(L, w);
}

static void leave_payloads(void **filled, unsigned audiences) {
  unsigned audience;
  for (audience = 0; audience < audiences; audience++)
    sc3l_leave_payload(filled[audience]);
}

/* Makes the call that was pushed; `filled` are the payloads that it fills, or NULL. After an error
   a row may be missing, whose person would leave: the night is closed for good then, as are the
   chunks. */
static int make_call(lua_State *L, work *w, sc3l_uses *uses, void **filled) {
  const int top = lua_gettop(L) - 4;
  int failed, i;
  for (i = 0; i < HELD && w->held[i] != NULL; i++)
    sc3l_hold_mirror(w->held[i]);
  failed = lua_pcall(L, 3, LUA_MULTRET, 0);
  if (failed)
    sc3l_fail_row(L, w->u, failed);
  sc3l_builder_end_use(w->u, uses);
  if (filled != NULL)
    leave_payloads(filled, w->audiences);
  for (i = 0; i < HELD && w->held[i] != NULL; i++)
    sc3l_leave_mirror(w->held[i], !failed);
  return failed ? lua_error(L) : lua_gettop(L) - top;
}

/* --- rows into a night --- */

static void count_wanted(sc3l_builder *u, uint32_t mask) {
  unsigned audience;
  for (audience = 0; mask >> audience != 0; audience++)
    u->wanted[audience] += mask >> audience & 1;
}

/* Gives the night the further members of a row, and the first one that was surveyed. One without
   any value is none: it takes the place of what an earlier row of the id gave, and no audience
   wants it. `place` is that of the row. */
static sc3_mirror_status give_members(const work *w, const sc3_survey *survey,
                                      sc3_row_place *place) {
  const sc3_builder *b = &w->u->b;
  const uint16_t mask = place->mask;
  const int all = b->op == SC3_REMOVE;
  sc3_mirror_status status = SC3_MIRROR_OK;
  int some = 0;
  unsigned member;
  for (member = 2; member <= sc3_builder_members(b) && status == SC3_MIRROR_OK; member++) {
    sc3_mapped mapped;
    sc3_row_hash hash;
    const sc3_slice id = sc3_night_id(w->night, survey->id.value, member);
    const int has =
        sc3_mapping_read_further(b->mapping, &w->u->record, &survey->mapped, member, &mapped);
    if (id.p == NULL)
      return SC3_MIRROR_MEMORY;
    hash = sc3_night_values(w->night, id, &mapped.values);
    some |= has;
    place->further = 1;
    place->mask = has || all ? mask : 0;
    status = sc3_night_row(w->night, &hash, place);
  }
  place->further = 0;
  place->mask = all || !some || sc3_mapped_has_identifiers(&survey->mapped) ? mask : 0;
  return status;
}

/* Gives the night a row that was surveyed, for the audiences of `mask`. 0 where it failed, and what
 * to answer is pushed. */
static int give_row(lua_State *L, const work *w, const sc3_survey *survey, uint32_t mask) {
  const sc3_record *r = &w->u->record;
  const sc3_row_hash hash = sc3_night_values(w->night, survey->id.value, &survey->mapped.values);
  sc3_mirror_status status = SC3_MIRROR_OK;
  sc3_row_place place;
  place.row = r->row;
  place.offset = r->offset;
  place.file = w->file;
  place.mask = (uint16_t)mask;
  place.beyond = sc3_line_beyond(r->row, r->line);
  place.further = 0;
  sc3_builder_leave(&w->u->b);
  if (w->audiences > 1)
    count_wanted(w->u, mask);
  if (sc3_night_keeps(w->night))
    status = sc3_night_keep_row(w->night, r, survey, &place);
  if (status == SC3_MIRROR_OK && sc3_builder_members(&w->u->b) > 1)
    status = give_members(w, survey, &place);
  if (status == SC3_MIRROR_OK)
    status = sc3_night_row(w->night, &hash, &place);
  return sc3l_mirror_is_well(L, status);
}

/* Whether the id of a row is too long, or may be with the number of a member. */
static int is_too_long(const sc3_builder *b, sc3_slice id) {
  const size_t more = sc3_builder_members(b) > 1 ? sizeof(sc3_member_suffix) : 0;
  return id.n + more > SC3_MIRROR_ID_MAX;
}

/* What a row came to. */
typedef enum surveyed { SURVEYED, SCRIPT_FAILED, NIGHT_FAILED } surveyed;

/* Whether where() takes the row, or that of an audience. */
static surveyed ask_where(lua_State *L, sc3l_builder *u, int audience, int *wanted) {
  const sc3l_staging staging = {.u = u, .payload = NULL, .values = 1, .audience = audience};
  int skipped = 0;
  sc3l_adopt_source(L, 1, 2); /* not before a row is there: then the header is known */
  if (sc3l_ask_where(L, &staging, &skipped) != NULL)
    return SCRIPT_FAILED;
  lua_settop(L, 3);
  *wanted = !skipped;
  return SURVEYED;
}

/* Which of the audiences of `*mask` take the row. */
static surveyed ask_audiences(lua_State *L, sc3l_builder *u, uint32_t *mask) {
  unsigned audience;
  *mask = sc3_mapping_audiences(u->b.mapping, &u->record, *mask);
  for (audience = 0; (*mask & u->wheres) >> audience != 0; audience++) {
    const uint32_t bit = UINT32_C(1) << audience;
    int wanted = 1;
    if ((*mask & u->wheres & bit) != 0 && ask_where(L, u, (int)audience + 1, &wanted) != SURVEYED)
      return SCRIPT_FAILED;
    if (!wanted)
      *mask &= ~bit;
  }
  return SURVEYED;
}

/* Which audiences take the row: none where it is skipped, all where it is rejected. */
static surveyed ask(lua_State *L, const work *w, uint32_t *mask) {
  sc3l_builder *u = w->u;
  int wanted = sc3_mapping_wants(u->b.mapping, &u->record);
  *mask = (UINT32_C(1) << w->audiences) - 1;
  if (u->record.fault != SC3_R_NONE)
    return SURVEYED;
  if (wanted && u->has_where && ask_where(L, u, 0, &wanted) != SURVEYED)
    return SCRIPT_FAILED;
  if (!wanted)
    *mask = 0;
  return *mask != 0 && w->asks ? ask_audiences(L, u, mask) : SURVEYED;
}

/* A row that is skipped does not come into the night, as it does not come into a payload: an
   earlier row of its id that is wanted still counts. Whoever has no other row leaves. */
static surveyed survey_record(lua_State *L, const work *w, const sc3_keys *keys) {
  sc3l_builder *u = w->u;
  sc3_survey survey;
  surveyed came;
  uint32_t mask;
  if (!sc3l_begin_record(L, u, keys))
    return SURVEYED;
  came = ask(L, w, &mask);
  if (came != SURVEYED)
    return came;
  if (mask == 0) {
    sc3l_check_status(L, sc3_builder_end(&u->b, 1));
    return SURVEYED;
  }
  sc3l_check_status(L, sc3_builder_survey(&u->b, &u->record, &survey));
  if (u->b.row_rejected == SC3_R_NONE && is_too_long(&u->b, survey.id.value))
    sc3l_check_status(L, sc3_builder_reject(&u->b, SC3_R_MEMBER_TOO_LARGE, SC3_ROLE_NONE, 0));
  if (u->b.row_rejected == SC3_R_NONE)
    return give_row(L, w, &survey, mask) ? SURVEYED : NIGHT_FAILED;
  sc3l_check_status(L, sc3_builder_end(&u->b, 0));
  return SURVEYED;
}

static int survey_rows(lua_State *L) {
  work *w = lua_touserdata(L, 3);
  sc3l_builder *u = w->u;
  const uint64_t start = sc3l_source_bytes(w->source);
  sc3_keys keys;
  sc3l_checkstack(L, 20);
  keys = sc3_mapping_keys(u->b.mapping);
  keys.exact = u->b.prepared;
  keys.all = u->has_where || u->wheres != 0 || keys.exact; /* these look at any of them */
  sc3l_source_other_keys(w->source);
  if (u->building != NULL)
    u->building->members = 0; /* what was staged is gone */
  if (!sc3l_mirror_is_well(L, sc3_night_look_by(w->night, u->b.mapping)))
    return 3;
  for (;;) {
    sc3_next next;
    if (sc3l_is_spent(&w->budget, sc3l_source_bytes(w->source) - start))
      return sc3l_push_outcome(L, "more");
    next = sc3l_source_next(w->source, &keys, &u->record);
    if (next != SC3_NEXT_RECORD)
      return sc3l_push_no_record(L, w->source, next);
    switch (survey_record(L, w, &keys)) {
      case SURVEYED: break;
      case SCRIPT_FAILED: return sc3l_push_script_error(L, u);
      case NIGHT_FAILED: return 3;
    }
    if (u->record.missing > 0 && sc3_builder_has_refused(&u->b))
      sc3_csv_width_forget_short(&w->source->csv.lines);
  }
}

/* Raises where the builder knows of audiences that the night has not. */
static void check_audiences(lua_State *L, work *w) {
  const sc3_mapping *m = w->u->b.mapping;
  uint32_t others = w->u->wheres;
  size_t i;
  for (i = m->own_count; i < m->condition_count; i++)
    others |= UINT32_C(1) << m->audiences[i];
  w->asks = others != 0;
  if (others >> w->audiences != 0)
    luaL_error(L, "the night has fewer audiences than the builder has conditions for");
}

/* :survey(night, source, file, bytes, seconds) -> "more" (the budget is used up) | "need" (feed the
   source) | "end" | "fatal", table | "script", message, row number, its line | nil, message, code.
   Gives the night the rows of a source, which is its file of that number, from 0. One that no
   audience takes is skipped. Every row is
   counted as :fill() would, but only what can be told without building it: those that come into the
   night are counted as used or rejected when :build() builds them. */
static int builder_survey(lua_State *L) {
  sc3l_uses uses;
  work w;
  memset(&w, 0, sizeof w);
  check_both(L, &w, 2);
  check_numbers(L, &w, 4);
  if (sc3_builder_waiting(&w.u->b))
    return luaL_error(L, "the row before waits for room: flush it first");
  push_call(L, &w, survey_rows);
  check_both(L, &w, 2);
  check_audiences(L, &w);
  sc3l_builder_begin_survey(w.u, &uses, w.source);
  return make_call(L, &w, &uses, NULL);
}

/* --- candidates out of it --- */

/* Pushes "changed": the source is not the one that was surveyed. */
static int push_changed(lua_State *L) {
  return sc3l_push_outcome(L, "changed");
}

/* Whether there is no row any more where one was surveyed. What is packed is unpacked first. */
static int is_gone(const sc3l_source *s, sc3_next next) {
  const sc3_fatal *fatal = s->is_csv ? &s->csv.fatal : &s->jsonl.fatal;
  return next == SC3_NEXT_FATAL && s->file.error == 0 && fatal->kind != SC3_FATAL_GZIP;
}

/* Reads the row of the candidate under way from the source. */
static sc3_next read_source(work *w, const sc3_keys *keys) {
  const sc3_candidate *c = &w->u->building->candidate;
  const sc3l_spot spot = {sc3_candidate_row(c), sc3_candidate_line(c), c->offset};
  sc3_next next = sc3l_source_go(w->source, &spot);
  if (next == SC3_NEXT_RECORD)
    next = sc3l_source_next(w->source, keys, &w->u->record);
  return is_gone(w->source, next) ? SC3_NEXT_END : next;
}

/* Reads the row of the candidate under way. 0 where that did not come about, and what to answer is
   pushed. */
static int read_row(lua_State *L, work *w, const sc3_keys *keys) {
  const sc3_candidate *c = &w->u->building->candidate;
  sc3_next next;
  if (sc3_candidate_is_kept(c))
    return sc3l_mirror_is_well(L, sc3_building_take(w->u->building, w->night, &w->u->record));
  if (w->source == NULL)
    return luaL_error(L, "a row is not kept, and there is no source of it");
  next = read_source(w, keys);
  if (next != SC3_NEXT_RECORD)
    (void)(next == SC3_NEXT_END ? push_changed(L) : sc3l_push_no_record(L, w->source, next));
  return next == SC3_NEXT_RECORD;
}

/* Takes the candidate under way out of the row that was built last. */
static int select_member(lua_State *L, const work *w) {
  int same;
  if (sc3_building_select(w->u->building, w->night, &w->u->b, &same) != SC3_MIRROR_OK)
    return luaL_error(L, "not enough memory");
  if (!same)
    (void)push_changed(L);
  return same;
}

/* Builds the candidate under way. 0 where that did not come about, and what to answer is pushed. */
static int build_row(lua_State *L, work *w, const sc3_keys *keys) {
  sc3l_builder *u = w->u;
  int same;
  if (sc3_building_has_row(u->building))
    return select_member(L, w);
  if (!read_row(L, w, keys))
    return 0;
  sc3_builder_return(&u->b, u->record.row, u->record.line);
  if (sc3_building_build(u->building, w->night, &u->b, w->to.parts[0].payload, &u->record, &same) !=
      SC3_MIRROR_OK)
    return luaL_error(L, "not enough memory");
  if (!same) {
    sc3_builder_leave(&u->b);
    (void)push_changed(L);
  }
  return same;
}

/* Writes what was built. 0 where that did not come about, and what to answer is pushed. */
static int write_built(lua_State *L, work *w) {
  sc3_added added;
  if (!sc3l_mirror_is_well(L,
                           sc3_building_write(w->u->building, w->night, &w->u->b, &w->to, &added)))
    return 0;
  switch (added) {
    case SC3_ADDED: return 1;
    case SC3_FULL: (void)sc3l_push_outcome(L, "full"); return 0;
    case SC3_NEVER_FITS: return luaL_error(L, "a payload is smaller than the builder's max_member");
    default: return luaL_error(L, "not enough memory");
  }
}

static int build_rows(lua_State *L) {
  work *w = lua_touserdata(L, 3);
  sc3_building *g = w->u->building;
  const int top = lua_gettop(L);
  uint64_t bytes = 0;
  sc3_keys keys;
  sc3l_checkstack(L, 20);
  keys = sc3_mapping_keys(w->u->b.mapping);
  keys.exact = w->u->b.prepared;
  if (w->source != NULL)
    sc3l_source_other_keys(w->source);
  if (!sc3l_mirror_is_well(L, sc3_night_look_by(w->night, w->u->b.mapping)))
    return 3;
  for (;;) {
    const sc3_candidate *c;
    if (sc3l_is_spent(&w->budget, bytes))
      return sc3l_push_outcome(L, "more");
    if (!sc3l_mirror_is_well(L, sc3_building_next(g, w->night, w->to.again, &c)))
      return 3;
    if (c == NULL || sc3_candidate_file(c) > w->file)
      return sc3l_push_outcome(L, "end");
    if (sc3_candidate_file(c) < w->file)
      return luaL_error(L, "candidates of an earlier file wait");
    if (!g->built && !build_row(L, w, &keys))
      return lua_gettop(L) - top;
    bytes += w->u->b.scratch.n;
    if (!write_built(L, w))
      return lua_gettop(L) - top;
  }
}

void sc3l_need_building(lua_State *L, sc3l_builder *u) {
  if (u->building != NULL)
    return;
  u->building = malloc(sizeof *u->building);
  if (u->building == NULL)
    luaL_error(L, "not enough memory");
  sc3_building_init(u->building);
}

static void check_under_way(lua_State *L, const sc3l_builder *u, int again) {
  const sc3_building *g = u->building;
  if (sc3_building_has_other(g, again))
    luaL_error(L, "a candidate waits for room: build it first");
  if (!(g->has && g->built) && sc3_builder_waiting(&u->b))
    luaL_error(L, "the row before waits for room: flush it first");
}

static void check_build(lua_State *L, work *w, const sc3l_night_parts *parts) {
  unsigned audience;
  check_both(L, w, 4);
  w->to.audiences = w->audiences;
  sc3l_check_night_parts(L, parts, &w->to, w->held + 1);
  if (!w->to.again) {
    w->to.notes = sc3l_use_chunk(L, 6, &w->held[w->audiences + 1]);
    for (audience = 0; audience < w->audiences; audience++)
      if (w->to.parts[audience].chunk == w->to.notes)
        luaL_error(L, "notes go into a chunk of their own");
  }
  sc3l_need_building(L, w->u);
  check_under_way(L, w->u, w->to.again);
}

/* Holds the payloads while they are filled. */
static void fill_payloads(lua_State *L, const work *w, const sc3l_night_parts *parts,
                          void **filled) {
  unsigned audience;
  for (audience = 0; audience < w->audiences; audience++)
    filled[audience] = sc3l_fill_payload(L, parts->payloads + (int)audience);
}

static int build_candidates(lua_State *L, int again) {
  void *filled[SC3_MIRROR_AUDIENCES];
  sc3l_night_parts parts;
  sc3l_uses uses;
  work w;
  memset(&w, 0, sizeof w);
  w.to.again = again;
  w.all_kept = 1;
  check_both(L, &w, 4);
  check_numbers(L, &w, again ? 6 : 7);
  sc3l_push_night_parts(L, 2, 5, w.audiences, &parts);
  check_build(L, &w, &parts);
  push_call(L, &w, build_rows);
  check_build(L, &w, &parts);
  sc3_building_count(&w.to);
  sc3l_builder_begin_survey(w.u, &uses, w.source);
  fill_payloads(L, &w, &parts, filled);
  return make_call(L, &w, &uses, filled);
}

/* :build(payloads, source, night, chunks, notes, file, bytes, seconds) -> "more" (the budget is
   used up) | "full" (the payloads have no room, or `notes` is large: go on with others) | "need"
   (feed the source) | "end" (of the candidates of this file) | "changed" (it is not the file that
   was surveyed) | "fatal", table | nil, message, code. `payloads` and `chunks` are lists with one
   for each audience, or the one of the only audience. Together the payloads take what one of them
   may hold. Member i of a payload is entry i of its chunk. A member goes into the payload of each
   audience that lacks it; candidates of which nothing is sent are entries of `notes`, another
   chunk. The source is opened anew; where it is a file, only the rows that are wanted are read. It
   is nil for a file whose rows the night keeps.
   Rows that give no member leave the night's audiences, where they may be in them. */
static int builder_build(lua_State *L) {
  return build_candidates(L, 0);
}

/* :build_again(payloads, source, night, lists, file, bytes, seconds) -> as :build(), before it. Of
   the candidates whose entries go again, those who come to the member of the entry go into the
   payload, and the numbers of their entries into the list, in the same order. */
static int builder_build_again(lua_State *L) {
  return build_candidates(L, 1);
}

static void set_count(lua_State *L, const char *name, uint64_t n) {
  sc3l_push_count(L, n);
  lua_setfield(L, -2, name);
}

static void add_counts(sc3_building_counts *to, const sc3_building_counts *from) {
  to->added += from->added;
  to->noted += from->noted;
  to->removed += from->removed;
  to->again[SC3_ADD] += from->again[SC3_ADD];
  to->again[SC3_REMOVE] += from->again[SC3_REMOVE];
  to->deferred += from->deferred;
}

/* :built([number of an audience, from 1]) -> { add =, note =, remove =, add_again =, remove_again
   =, deferred = } and, of all audiences, rejected =: what became of candidates and leavers so far.
   `deferred` are entries that do not go again, because their rows come to other members, or to
   none; `rejected` are rows. */
static int builder_built(lua_State *L) {
  const sc3l_builder *u = sc3l_check_builder(L);
  const sc3_building *g = u->building;
  const int of_all = lua_isnoneornil(L, 2);
  const unsigned first = of_all ? 0 : (unsigned)sc3l_check_whole(L, 2, 1, SC3_MIRROR_AUDIENCES) - 1;
  const unsigned last = of_all ? SC3_MIRROR_AUDIENCES : first + 1;
  const uint64_t rejected = g != NULL ? g->rejected : 0;
  sc3_building_counts sum;
  unsigned i;
  memset(&sum, 0, sizeof sum);
  for (i = first; i < last && g != NULL; i++)
    add_counts(&sum, &g->counts[i]);
  lua_createtable(L, 0, 7); /* when all is read: finalizers may free it */
  set_count(L, "add", sum.added);
  set_count(L, "note", sum.noted);
  if (of_all)
    set_count(L, "rejected", rejected);
  set_count(L, "remove", sum.removed);
  set_count(L, "add_again", sum.again[SC3_ADD]);
  set_count(L, "remove_again", sum.again[SC3_REMOVE]);
  set_count(L, "deferred", sum.deferred);
  return 1;
}

/* :wanted(number of an audience, from 1) -> rows that came into a night of several for it */
static int builder_wanted(lua_State *L) {
  const sc3l_builder *u = sc3l_check_builder(L);
  sc3l_push_count(L, u->wanted[sc3l_check_whole(L, 2, 1, SC3_MIRROR_AUDIENCES) - 1]);
  return 1;
}

const luaL_Reg sc3l_builder_night_methods[] = {
    {"build", builder_build},
    {"build_again", builder_build_again},
    {"built", builder_built},
    {"leave", sc3l_builder_leave},
    {"leave_again", sc3l_builder_leave_again},
    {"survey", builder_survey},
    {"wanted", builder_wanted},
    {NULL, NULL},
};
