/* "scope3.mirror_view": the people of a state, as they stand with the chunks that are not folded.
 */
#include "../core/mirror/view.h"

#include "arguments.h"
#include "mirror.h"
#include "type.h"

#define TYPE "scope3.mirror_view"

typedef struct view_ud {
  sc3l_mirror mirror; /* its object is an sc3_view */
  unsigned bits, audiences;
} view_ud;

static sc3_view *check(lua_State *L) {
  return sc3l_check_mirror(L, TYPE, "view");
}

static void free_view(void *object) {
  sc3_view_close(object);
}

/* view{ parts = 256, audiences = 1, only, folder = $TMPDIR } -> view | nil, message, code. Where
   there is `only`, people with other hashes are not seen: it is a text of key_hash() of each. */
static int view_new(lua_State *L) {
  static const char *const known[] = {"audiences", "folder", "only", "parts", NULL};
  sc3_unfolded_options options;
  sc3_slice only;
  sc3_view *view;
  view_ud *u;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "view");
  options.bits = sc3l_check_parts(L);
  options.audiences = sc3l_check_audiences(L);
  options.folder = sc3l_check_folder(L);
  only = sc3l_opt_string(L, 1, "only");
  u = sc3l_new_object(L, sizeof *u, TYPE);
  lua_createtable(L, 1, 0);
  sc3l_setuservalue(L, -2); /* it will hold the blob that is being read */
  u->bits = options.bits;
  u->audiences = options.audiences;
  u->mirror.free_object = free_view;
  if (!sc3l_mirror_is_well(L, sc3_view_open(&view, &options)))
    return 3;
  u->mirror.object = view;
  if (only.p != NULL && !sc3l_mirror_is_well(L, sc3_view_only(view, only)))
    return 3;
  return 1;
}

/* :chunk(blob, outcomes) -> true | nil, message, code. Each after the older ones, and before the
   first partition. The blob is a text or a view; `outcomes` as of protocol.outcomes(). */
static int view_chunk(lua_State *L) {
  const sc3_slice blob = sc3l_check_blob(L, 2);
  size_t count;
  const sc3_outcome_range *ranges = sc3l_check_outcomes(L, 3, &count);
  return sc3l_push_mirror_status(L, sc3_view_chunk(check(L), blob, ranges, count));
}

/* :part(number, blob) -> true | nil, message, code. Begins a partition, each once; without records
   it is "" or nil. */
static int view_part(lua_State *L) {
  const view_ud *u = luaL_checkudata(L, 1, TYPE);
  const size_t part = sc3l_check_part(L, 2, u->bits);
  sc3_slice base = {NULL, 0};
  if (!lua_isnoneornil(L, 3))
    base = sc3l_check_string(L, 3);
  lua_settop(L, 3);
  sc3l_getuservalue(L, 1);
  lua_pushvalue(L, 3);
  lua_rawseti(L, -2, 1);
  return sc3l_push_mirror_status(L, sc3_view_part(check(L), part, base));
}

static void write_standing(char *to, const view_ud *u, const sc3_viewed *seen) {
  static const char letters[] = {'-', 'k', 'u'};
  unsigned audience;
  for (audience = 0; audience < u->audiences; audience++) {
    const int is_open = (seen->open >> audience & 1) != 0;
    to[audience] = is_open ? 'o' : letters[sc3_stands(seen->record->standing, audience)];
  }
}

static const char *mark_of(const sc3_mirror_record *record) {
  return record->rejected ? "rejected" : record->refused != 0 ? "refused" : NULL;
}

/* :next() -> id, standing, run, mark | nil, after the last of the partition | nil, message, code.
   `standing` has a letter for each audience: k for known, u for unsure, o for what an open entry
   may still change, and - for those that the person is not in. `run` is the night of the last
   acceptance, 0 for none. `mark` is "rejected" where the row was, "refused" where the service
   refused its member for any audience, and nil. */
static int view_next(lua_State *L) {
  view_ud *u = luaL_checkudata(L, 1, TYPE);
  char standing[SC3_MIRROR_AUDIENCES];
  const char *mark;
  sc3_viewed seen;
  uint32_t run;
  sc3l_push_copier(L);
  if (!sc3l_mirror_is_well(L, sc3_view_next(check(L), &seen)))
    return 3;
  if (seen.record == NULL)
    return 0;
  write_standing(standing, u, &seen); /* finalizers may close the view */
  run = seen.record->run;
  mark = mark_of(seen.record);
  u->mirror.lost = 1;
  sc3l_copy_text(L, &u->mirror, seen.record->id);
  lua_pushlstring(L, standing, u->audiences);
  sc3l_push_count(L, run);
  lua_pushstring(L, mark);
  u->mirror.lost = 0;
  return 4;
}

typedef struct counts {
  uint64_t people, rejected, refused;
  uint64_t known[SC3_MIRROR_AUDIENCES], unsure[SC3_MIRROR_AUDIENCES], open[SC3_MIRROR_AUDIENCES];
} counts;

static void count(counts *c, const view_ud *u, const sc3_viewed *seen) {
  unsigned audience;
  c->people++;
  c->rejected += seen->record->rejected;
  c->refused += seen->record->refused != 0;
  for (audience = 0; audience < u->audiences; audience++) {
    const sc3_standing standing = sc3_stands(seen->record->standing, audience);
    const int is_open = (seen->open >> audience & 1) != 0;
    c->open[audience] += (uint64_t)is_open;
    c->known[audience] += !is_open && standing == SC3_KNOWN;
    c->unsure[audience] += !is_open && standing == SC3_UNSURE;
  }
}

static void set_count(lua_State *L, const char *name, uint64_t n) {
  sc3l_push_count(L, n);
  lua_setfield(L, -2, name);
}

/* :count() -> { people, rejected, refused, [1] = { known, unsure, open }, ... } of the people of
   the partition that :next() has not given | nil, message, code */
static int view_count(lua_State *L) {
  const view_ud *u = luaL_checkudata(L, 1, TYPE);
  sc3_view *view = check(L);
  counts c = {0};
  sc3_viewed seen;
  sc3_mirror_status status;
  unsigned audience;
  while ((status = sc3_view_next(view, &seen)) == SC3_MIRROR_OK && seen.record != NULL)
    count(&c, u, &seen);
  if (!sc3l_mirror_is_well(L, status))
    return 3;
  lua_createtable(L, (int)u->audiences, 3);
  set_count(L, "people", c.people);
  set_count(L, "rejected", c.rejected);
  set_count(L, "refused", c.refused);
  for (audience = 0; audience < u->audiences; audience++) {
    lua_createtable(L, 0, 3);
    set_count(L, "known", c.known[audience]);
    set_count(L, "unsure", c.unsure[audience]);
    set_count(L, "open", c.open[audience]);
    lua_rawseti(L, -2, (int)audience + 1);
  }
  return 1;
}

static int view_close(lua_State *L) {
  return sc3l_end_mirror(L, TYPE);
}

void sc3l_open_mirror_view(lua_State *L) {
  static const luaL_Reg methods[] = {{"chunk", view_chunk},
                                     {"count", view_count},
                                     {"next", view_next},
                                     {"part", view_part},
                                     {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = view_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, view_new);
  lua_setfield(L, -2, "view");
}
