/* "scope3.mirror_fold": chunks that have ended go into the partitions of a state. */
#include "../core/mirror/fold.h"

#include "arguments.h"
#include "mirror.h"
#include "type.h"

#define TYPE "scope3.mirror_fold"

typedef struct fold_ud {
  sc3l_mirror mirror; /* its object is an sc3_fold */
  unsigned bits;
} fold_ud;

static sc3_fold *check(lua_State *L) {
  return sc3l_check_mirror(L, TYPE, "fold");
}

static void free_fold(void *object) {
  sc3_fold_close(object);
}

/* fold{ parts = 256, audiences = 1, folder = $TMPDIR } -> fold | nil, message, code */
static int fold_new(lua_State *L) {
  static const char *const known[] = {"audiences", "folder", "parts", NULL};
  sc3_unfolded_options options;
  sc3_fold *fold;
  fold_ud *u;
  luaL_checktype(L, 1, LUA_TTABLE);
  sc3l_check_keys(L, 1, known, "fold");
  options.bits = sc3l_check_parts(L);
  options.audiences = sc3l_check_audiences(L);
  options.folder = sc3l_check_folder(L);
  u = sc3l_new_object(L, sizeof *u, TYPE);
  u->bits = options.bits;
  u->mirror.free_object = free_fold;
  if (!sc3l_mirror_is_well(L, sc3_fold_open(&fold, &options)))
    return 3;
  u->mirror.object = fold;
  return 1;
}

/* :chunk(blob, outcomes) -> true | nil, message, code. Each after the older ones, and before the
   first partition. The blob is a text or a view; `outcomes` as of protocol.outcomes(), and none may
   be open. */
static int fold_chunk(lua_State *L) {
  const sc3_slice blob = sc3l_check_blob(L, 2);
  size_t count;
  const sc3_outcome_range *ranges = sc3l_check_outcomes(L, 3, &count);
  return sc3l_push_mirror_status(L, sc3_fold_chunk(check(L), blob, ranges, count));
}

/* :part(number, blob) -> the new blob, its records | false, where it stays as it is | nil, message,
   code. Each partition once, numbered from 0. A partition without records is "" or nil. */
static int fold_part(lua_State *L) {
  fold_ud *u = luaL_checkudata(L, 1, TYPE);
  const size_t part = sc3l_check_part(L, 2, u->bits);
  sc3_slice base = {NULL, 0}, blob;
  uint32_t records;
  if (!lua_isnoneornil(L, 3))
    base = sc3l_check_string(L, 3);
  sc3l_push_copier(L);
  if (!sc3l_mirror_is_well(L, sc3_fold_part(check(L), part, base, &blob, &records)))
    return 3;
  if (blob.p == NULL) {
    lua_pushboolean(L, 0);
    return 1;
  }
  u->mirror.lost = 1;
  sc3l_copy_text(L, &u->mirror, blob);
  u->mirror.lost = 0;
  sc3l_push_count(L, records);
  return 2;
}

static int fold_close(lua_State *L) {
  return sc3l_end_mirror(L, TYPE);
}

void sc3l_open_mirror_fold(lua_State *L) {
  static const luaL_Reg methods[] = {{"chunk", fold_chunk}, {"part", fold_part}, {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = fold_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, fold_new);
  lua_setfield(L, -2, "fold");
}
