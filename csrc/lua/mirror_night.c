/* "scope3.mirror_night": what of a night's rows has to be built, and who leaves. */
#include "../core/members/member.h"
#include "../core/mirror/night.h"

#include "arguments.h"
#include "cipher_access.h"
#include "mirror.h"
#include "type.h"

#define TYPE "scope3.mirror_night"

static const double WHOLE_48 = 281474976710655.0;

typedef struct night_ud {
  sc3l_mirror mirror; /* its object is an sc3_night */
  unsigned bits, audiences;
} night_ud;

static sc3_night *check(lua_State *L) {
  return sc3l_check_mirror(L, TYPE, "night");
}

sc3_night *sc3l_use_night(lua_State *L, int index, sc3l_mirror **mirror, unsigned *audiences) {
  sc3_night *night = sc3l_use_mirror(L, index, TYPE, "night", mirror);
  *audiences = ((night_ud *)(void *)*mirror)->audiences;
  return night;
}

static void free_night(void *object) {
  sc3_night_close(object);
}

static sc3_night_mode opt_mode(lua_State *L) {
  static const char *const modes[] = {"mirror", "upsert", "remove"};
  const sc3_slice mode = sc3l_opt_string(L, 1, "mode");
  int i;
  if (mode.p == NULL)
    return SC3_NIGHT_MIRROR;
  for (i = 0; i < 3; i++) {
    if (sc3_slice_eq(mode, sc3_slice_of(modes[i], strlen(modes[i]))))
      return (sc3_night_mode)i;
  }
  (void)luaL_error(L, "mode must be \"mirror\", \"upsert\" or \"remove\"");
  return SC3_NIGHT_MIRROR;
}

/* Takes the cipher of the options, which is on top of the stack; zeros where there is none. */
static sc3_cipher take_cipher(lua_State *L) {
  const sc3_cipher none = {NULL, NULL, NULL};
  const sc3l_cipher_access *access;
  if (lua_isnil(L, -1))
    return none;
  lua_getfield(L, LUA_REGISTRYINDEX, SC3L_CIPHER_ACCESS);
  access = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (access == NULL || access->version != SC3L_CIPHER_ACCESS_VERSION)
    luaL_error(L, "scope3.crypto is missing, or of another version");
  return access->take(L, lua_gettop(L));
}

/* night{ key, version = "", parts = 256, audiences = 1, members = 1, refresh = 0, mode = "mirror",
   folder = $TMPDIR, cipher = nil } -> night | nil, message, code. `key` is 16 bytes; `version` goes
   into the hash of all cells; what was accepted in a run before `refresh` is sent anew. In the mode
   "upsert" nobody leaves; in the mode "remove" those leave who have a row, and there are no
   candidates. A `cipher` of scope3.crypto, which it takes over, lets it keep rows. */
static int night_new(lua_State *L) {
  static const char *const known[] = {"audiences", "cipher", "folder",  "key",     "members",
                                      "mode",      "parts",  "refresh", "version", NULL};
  sc3_night_options options;
  sc3_night *night;
  night_ud *u;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "night");
  options.bits = sc3l_check_parts(L);
  options.audiences = sc3l_check_audiences(L);
  options.members = (unsigned)sc3l_opt_whole(L, 1, "members", 1, SC3_EACH_MAX, 1);
  options.refresh = (uint32_t)sc3l_opt_whole(L, 1, "refresh", 0, UINT32_MAX, 0);
  options.mode = opt_mode(L);
  options.folder = sc3l_check_folder(L);
  lua_getfield(L, 1, "key");
  options.key = sc3l_check_key(L, -1);
  options.version = sc3l_opt_string(L, 1, "version");
  u = sc3l_new_object(L, sizeof *u, TYPE);
  u->bits = options.bits;
  u->audiences = options.audiences;
  u->mirror.free_object = free_night;
  lua_getfield(L, 1, "cipher");
  options.cipher = take_cipher(L); /* last of what may raise */
  lua_pop(L, 1);
  if (!sc3l_mirror_is_well(L, sc3_night_open(&night, &options)))
    return 3;
  u->mirror.object = night;
  return 1;
}

/* Takes the list of cells at `index` into the hash; what is not a string there is absent. */
static void take_cells(lua_State *L, int index, sc3_row_hasher *row) {
  const size_t n = lua_rawlen(L, index);
  size_t i;
  for (i = 0; i < n; i++) {
    sc3_slice cell = {NULL, 0};
    lua_rawgeti(L, index, (int)i + 1);
    if (lua_type(L, -1) == LUA_TSTRING)
      cell.p = lua_tolstring(L, -1, &cell.n);
    sc3_row_cell(row, 0, cell);
    lua_pop(L, 1);
  }
}

static uint64_t check_48(lua_State *L, int index) {
  return sc3l_check_whole(L, index, 0, WHOLE_48);
}

static uint16_t check_mask(lua_State *L, int index) {
  const night_ud *u = luaL_checkudata(L, 1, TYPE);
  return (uint16_t)sc3l_check_whole(L, index, 0, (double)((UINT32_C(1) << u->audiences) - 1));
}

/* :row(id, cells, mask, row, offset, file, line) -> true | nil, message, code. `cells` is a list of
   strings, and of false where a row has none; `mask` has a bit for each audience that wants the
   row; `line`, where there is one, is that where it begins. Rows come in order of file and row. */
static int night_row(lua_State *L) {
  sc3_night *n = check(L);
  const sc3_slice id = sc3l_check_id(L, 2);
  sc3_row_hasher cells = sc3_row_begin(sc3_night_key(n), id, 0, 0);
  sc3_row_hash hash;
  sc3_row_place place;
  luaL_checktype(L, 3, LUA_TTABLE);
  place.mask = check_mask(L, 4);
  place.further = 0;
  place.row = check_48(L, 5);
  place.offset = check_48(L, 6);
  place.file = (uint16_t)sc3l_check_whole(L, 7, 0, UINT16_MAX);
  place.beyond = sc3_line_beyond(place.row, lua_isnoneornil(L, 8) ? 0 : check_48(L, 8));
  take_cells(L, 3, &cells);
  hash = sc3_row_end(&cells);
  return sc3l_push_mirror_status(L, sc3_night_row(n, &hash, &place));
}

/* :exclude(id) -> true | nil, message, code. Nobody with this id is in any audience. */
static int night_exclude(lua_State *L) {
  sc3_night *n = check(L);
  return sc3l_push_mirror_status(L, sc3_night_exclude(n, sc3l_check_id(L, 2)));
}

/* :look_at_all() -> true | nil, message, code. Also whoever stays as before is a candidate: the
   builder knows who is excluded. */
static int night_look_at_all(lua_State *L) {
  return sc3l_push_mirror_status(L, sc3_night_look_at_all(check(L)));
}

/* Raises where entries are to go again of a chunk without a number. */
static void need_number(lua_State *L, uint32_t number, const sc3_outcome_range *ranges,
                        size_t count) {
  size_t i;
  for (i = 0; i < count; i++)
    if (number == 0 && ranges[i].became.outcome == SC3_OUTCOME_AGAIN)
      luaL_error(L, "entries go again of a chunk without a number");
}

/* :chunk(blob, outcomes, number) -> true | nil, message, code. One that is not folded yet, after
   the older ones; `outcomes` as of protocol.outcomes(). A range of what is open may have `again`:
   its entries may be sent once more exactly as they were. Where one has, `number` is that of the
   chunk, from 1. The blob is a text or a view. */
static int night_chunk(lua_State *L) {
  const sc3_slice blob = sc3l_check_blob(L, 2);
  const uint32_t number =
      lua_isnoneornil(L, 4) ? 0 : (uint32_t)sc3l_check_whole(L, 4, 1, UINT32_MAX);
  size_t count;
  const sc3_outcome_range *ranges = sc3l_check_outcomes(L, 3, &count);
  need_number(L, number, ranges, count);
  return sc3l_push_mirror_status(L, sc3_night_chunk(check(L), number, blob, ranges, count));
}

/* :keep(boolean) -> whether rows that builder:survey() gives from now on are kept: then
   builder:build() takes them from the night. False where it has no cipher. */
static int night_keep(lua_State *L) {
  sc3_night *n = check(L);
  luaL_checktype(L, 2, LUA_TBOOLEAN);
  if (!sc3l_mirror_is_well(L, sc3_night_keep(n, lua_toboolean(L, 2))))
    return 3;
  lua_pushboolean(L, sc3_night_keeps(n));
  return 1;
}

/* :kept() -> bytes of all rows that are kept, and where the last one ends that was built */
static int night_kept(lua_State *L) {
  uint64_t at;
  const uint64_t size = sc3_night_kept_size(check(L), &at);
  sc3l_push_count(L, size);
  sc3l_push_count(L, at);
  return 2;
}

/* :merge(number, blob) -> true | nil, message, code. Each partition once, after all that is above;
   the blob is a text or a view; without records it is "" or nil. */
static int night_merge(lua_State *L) {
  const night_ud *u = luaL_checkudata(L, 1, TYPE);
  const size_t part = sc3l_check_part(L, 2, u->bits);
  sc3_slice base = {NULL, 0};
  if (!lua_isnoneornil(L, 3))
    base = sc3l_check_blob(L, 3);
  return sc3l_push_mirror_status(L, sc3_night_merge(check(L), part, base));
}

/* The audiences that stand so, as a mask. */
static void push_standing(lua_State *L, const night_ud *u, uint32_t standing, sc3_standing which) {
  unsigned audience, mask = 0;
  for (audience = 0; audience < u->audiences; audience++)
    mask |= (unsigned)(sc3_stands(standing, audience) == which) << audience;
  sc3l_push_count(L, mask);
}

/* :candidate() -> hash, cells, member, mask, known, unsure, row, offset, file, line, asked | nil,
   after the last | nil, message, code. By row. `mask` has the audiences that it is a candidate for.
   The audiences of `known` have the version `member`, which is nil where none has; those of
   `unsure` may have any; of those of `asked` only exclusion is asked; `line` is 0 where it is not
   known. */
static int night_candidate(lua_State *L) {
  night_ud *u = luaL_checkudata(L, 1, TYPE);
  const sc3_candidate *found;
  sc3_candidate c;
  sc3l_checkstack(L, 14);
  if (!sc3l_mirror_is_well(L, sc3_night_candidate(check(L), 0, &found)))
    return 3;
  if (found == NULL)
    return 0;
  c = *found; /* finalizers may close the night */
  u->mirror.lost = 1;
  sc3l_push_hash(L, c.hash);
  sc3l_push_hash(L, c.cells);
  if ((c.standing & UINT32_C(0x55555555)) != 0)
    sc3l_push_hash(L, c.member);
  else
    lua_pushnil(L);
  sc3l_push_count(L, c.mask);
  push_standing(L, u, c.standing, SC3_KNOWN);
  push_standing(L, u, c.standing, SC3_UNSURE);
  sc3l_push_count(L, sc3_candidate_row(&c));
  sc3l_push_count(L, c.offset);
  sc3l_push_count(L, sc3_candidate_file(&c));
  sc3l_push_count(L, sc3_candidate_line(&c));
  push_standing(L, u, c.standing, SC3_ASKED);
  u->mirror.lost = 0;
  return 11;
}

/* :leave(id, mask) -> true | nil, message, code. One more, whose row was rejected when it was
   built. Where nobody leaves, it does nothing. */
static int night_leave(lua_State *L) {
  sc3_night *n = check(L);
  sc3_leaver leaver;
  leaver.id = sc3l_check_id(L, 2);
  leaver.mask = check_mask(L, 3);
  leaver.hash = sc3_night_hash(n, leaver.id);
  leaver.again.chunk = leaver.again.entry = 0;
  return sc3l_push_mirror_status(L, sc3_night_leave(n, &leaver));
}

/* :leaver() -> id, hash, mask | nil, after the last | nil, message, code. In no order. No candidate
   is read after it. */
static int night_leaver(lua_State *L) {
  night_ud *u = luaL_checkudata(L, 1, TYPE);
  sc3_leaver leaver;
  sc3l_push_copier(L);
  if (!sc3l_mirror_is_well(L, sc3_night_leaver(check(L), &leaver)))
    return 3;
  if (leaver.id.p == NULL)
    return 0;
  u->mirror.lost = 1;
  sc3l_copy_text(L, &u->mirror, leaver.id);
  sc3l_push_hash(L, leaver.hash);
  u->mirror.lost = 0;
  sc3l_push_count(L, leaver.mask);
  return 3;
}

static void set_count(lua_State *L, const char *name, uint64_t n) {
  sc3l_push_count(L, n);
  lua_setfield(L, -2, name);
}

/* Those of SC3_NOTHING are none's. */
static const char *const VERDICTS[SC3_VERDICTS] = {
    NULL,        "added",           "changed",  "unchanged", "removed",  "deferred",
    "under_way", "rejected_before", "excluded", "kept",      "not_there"};

/* :counts() -> { rows, replaced, [1] = { added, changed, unchanged, removed, deferred, under_way,
   rejected_before, excluded, kept, not_there, before, known, leavers, leavers_rejected,
   leavers_excluded, again, leavers_again }, ... }, one for each audience. `added` and `changed` are
   candidates. `before` are who is or may be in it, and `known` those of them who are.
   `leavers` are `removed` and `leavers_rejected`: some of `rejected_before`, and those whose row
   was rejected when it was built. `leavers_excluded` are some of `removed`. `again` and
   `leavers_again` are those of `under_way` whose entries may go again. */
static int night_counts(lua_State *L) {
  const night_ud *u = luaL_checkudata(L, 1, TYPE);
  sc3_night_counts c;
  unsigned audience;
  int i;
  sc3_night_count(check(L), &c);
  lua_createtable(L, (int)u->audiences, 2);
  set_count(L, "rows", c.rows);
  set_count(L, "replaced", c.replaced);
  for (audience = 0; audience < u->audiences; audience++) {
    lua_createtable(L, 0, SC3_VERDICTS + 6);
    for (i = SC3_NEWCOMER; i < SC3_VERDICTS; i++)
      set_count(L, VERDICTS[i], c.verdicts[audience][i]);
    set_count(L, "before", c.before[audience]);
    set_count(L, "known", c.known[audience]);
    set_count(L, "leavers", c.leavers[audience]);
    set_count(L, "leavers_rejected", c.leavers_rejected[audience]);
    set_count(L, "leavers_excluded", c.leavers_excluded[audience]);
    set_count(L, "again", c.again[audience]);
    set_count(L, "leavers_again", c.leavers_again[audience]);
    lua_rawseti(L, -2, (int)audience + 1);
  }
  return 1;
}

static void push_sample(lua_State *L, const sc3_sample *sample) {
  sc3_candidate at;
  memset(&at, 0, sizeof at);
  at.order = sample->order;
  at.beyond = sample->beyond;
  lua_createtable(L, 0, 3);
  set_count(L, "file", sc3_candidate_file(&at));
  set_count(L, "row", sc3_candidate_row(&at));
  if (sc3_candidate_line(&at) > 0)
    set_count(L, "line", sc3_candidate_line(&at));
}

static void push_samples(lua_State *L, sc3_samples samples) {
  unsigned i;
  lua_createtable(L, (int)samples.count, 0);
  for (i = 0; i < samples.count; i++) {
    push_sample(L, &samples.first[i]);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/* :samples() -> { [1] = { added = {{ file =, row =, line = }, ...}, ... }, ... }: for each
   audience, the three first rows of each verdict but `removed` and `kept`. Files are numbered as
   rows were given; a line that is not known is left out. */
static int night_samples(lua_State *L) {
  const night_ud *u = luaL_checkudata(L, 1, TYPE);
  unsigned audience;
  int i;
  sc3l_checkstack(L, 8);
  lua_createtable(L, (int)u->audiences, 0);
  for (audience = 0; audience < u->audiences; audience++) {
    lua_createtable(L, 0, SC3_VERDICTS);
    for (i = SC3_NEWCOMER; i < SC3_VERDICTS; i++) {
      if (i == SC3_REMOVED || i == SC3_KEPT)
        continue;
      push_samples(L, *sc3_night_samples(check(L), audience, (sc3_verdict)i));
      lua_setfield(L, -2, VERDICTS[i]);
    }
    lua_rawseti(L, -2, (int)audience + 1);
  }
  return 1;
}

static int night_close(lua_State *L) {
  return sc3l_end_mirror(L, TYPE);
}

void sc3l_open_mirror_night(lua_State *L) {
  static const luaL_Reg methods[] = {{"candidate", night_candidate},
                                     {"chunk", night_chunk},
                                     {"counts", night_counts},
                                     {"exclude", night_exclude},
                                     {"keep", night_keep},
                                     {"kept", night_kept},
                                     {"leave", night_leave},
                                     {"leaver", night_leaver},
                                     {"look_at_all", night_look_at_all},
                                     {"merge", night_merge},
                                     {"row", night_row},
                                     {"samples", night_samples},
                                     {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = night_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, night_new);
  lua_setfield(L, -2, "night");
}
