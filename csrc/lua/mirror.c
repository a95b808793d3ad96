/* core.mirror: the kernel of mirrors (csrc/core/mirror), over blobs in memory. */
#include "mirror.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "open.h"
#include "type.h"
#include "view.h"

enum { HASH = 8 };

/* --- objects --- */

void *sc3l_use_mirror(lua_State *L, int index, const char *type, const char *what,
                      sc3l_mirror **mirror) {
  sc3l_mirror *u = luaL_checkudata(L, index, type);
  if (u->object == NULL || u->ended || u->lost)
    sc3l_raise_closed(L, what);
  *mirror = u;
  return u->object;
}

void *sc3l_check_mirror(lua_State *L, const char *type, const char *what) {
  sc3l_mirror *u;
  return sc3l_use_mirror(L, 1, type, what, &u);
}

static void free_when_unread(sc3l_mirror *u) {
  if (!u->ended || u->reads > 0)
    return;
  if (u->object != NULL)
    u->free_object(u->object);
  u->object = NULL;
}

void sc3l_hold_mirror(sc3l_mirror *u) {
  u->reads++;
  u->lost = 1;
}

void sc3l_leave_mirror(sc3l_mirror *u, int well) {
  u->reads--;
  u->lost = !well;
  free_when_unread(u);
}

int sc3l_end_mirror(lua_State *L, const char *type) {
  sc3l_mirror *u = luaL_checkudata(L, 1, type);
  u->ended = 1;
  free_when_unread(u);
  return 0;
}

/* (slice) -> its text */
static int copy(lua_State *L) {
  const sc3_slice *s = lua_touserdata(L, 1);
  lua_pushlstring(L, s->n > 0 ? s->p : "", s->n);
  return 1;
}

void sc3l_push_copier(lua_State *L) {
  sc3l_checkstack(L, 8);
  lua_pushcfunction(L, copy);
}

void sc3l_copy_text(lua_State *L, sc3l_mirror *of, sc3_slice text) {
  int failed;
  lua_pushlightuserdata(L, &text);
  of->reads++;
  failed = lua_pcall(L, 1, 1, 0);
  of->reads--;
  free_when_unread(of);
  if (failed)
    lua_error(L);
}

/* --- what went wrong --- */

static const char *code_of(sc3_mirror_status status, int error) {
  switch (status) {
    case SC3_MIRROR_DAMAGED: return "damaged";
    case SC3_MIRROR_FORKED: return "forked";
    case SC3_MIRROR_FULL: return "too_large";
    default: return error == ENOSPC || error == EDQUOT || error == EFBIG ? "full" : "io";
  }
}

int sc3l_mirror_is_well(lua_State *L, sc3_mirror_status status) {
  const int error = errno;
  if (status == SC3_MIRROR_OK)
    return 1;
  if (status == SC3_MIRROR_MEMORY || status == SC3_MIRROR_ORDER || status == SC3_MIRROR_OPEN)
    luaL_error(L, "%s", sc3_mirror_describe(status, error));
  lua_pushnil(L);
  lua_pushstring(L, sc3_mirror_describe(status, error));
  if (status ==
      SC3_MIRROR_SYSTEM) { /* the core has no other files; who reads this thinks of the state */
    lua_pushfstring(L, "temporary files, in the folder of TMPDIR: %s", lua_tostring(L, -1));
    lua_remove(L, -2);
  }
  lua_pushstring(L, code_of(status, error));
  return 0;
}

int sc3l_push_mirror_status(lua_State *L, sc3_mirror_status status) {
  if (!sc3l_mirror_is_well(L, status))
    return 3;
  lua_pushboolean(L, 1);
  return 1;
}

/* --- arguments --- */

uint64_t sc3l_check_whole(lua_State *L, int index, double least, double most) {
  const double n = (double)luaL_checknumber(L, index);
  luaL_argcheck(L, n >= least && n <= most && (double)(uint64_t)n == n, index,
                "must be a whole number in its range");
  return (uint64_t)n;
}

uint64_t sc3l_opt_whole(lua_State *L, int index, const char *field, double least, double most,
                        double absent) {
  double n = absent;
  lua_getfield(L, index, field);
  if (!lua_isnil(L, -1)) {
    n = lua_type(L, -1) == LUA_TNUMBER ? (double)lua_tonumber(L, -1) : -1;
    if (!(n >= least && n <= most && (double)(uint64_t)n == n))
      luaL_error(L, "%s must be a whole number from %d on", field, (int)least);
  }
  lua_pop(L, 1);
  return (uint64_t)n;
}

unsigned sc3l_check_parts(lua_State *L) {
  const uint64_t parts =
      sc3l_opt_whole(L, 1, "parts", 1, (double)(1 << SC3_MIRROR_PARTS_BITS), 256);
  unsigned bits = 0;
  while (UINT64_C(1) << bits < parts)
    bits++;
  if (UINT64_C(1) << bits != parts)
    luaL_error(L, "parts must be a power of 2");
  return bits;
}

unsigned sc3l_check_audiences(lua_State *L) {
  return (unsigned)sc3l_opt_whole(L, 1, "audiences", 1, SC3_MIRROR_AUDIENCES, 1);
}

const char *sc3l_check_folder(lua_State *L) {
  const char *named = sc3l_opt_clean(L, 1, "folder"), *usual = getenv("TMPDIR");
  if (named != NULL)
    return named;
  return usual != NULL && *usual != '\0' ? usual : "/tmp";
}

size_t sc3l_check_part(lua_State *L, int index, unsigned bits) {
  return (size_t)sc3l_check_whole(L, index, 0, (double)((1 << bits) - 1));
}

sc3_sip_key sc3l_check_key(lua_State *L, int index) {
  size_t n = 0;
  const char *p = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &n) : NULL;
  if (n != SC3_SIP_KEY)
    luaL_error(L, "a key is a string of %d bytes", (int)SC3_SIP_KEY);
  return sc3_sip_read_key((const unsigned char *)p);
}

void sc3l_push_hash(lua_State *L, uint64_t hash) {
  unsigned char bytes[HASH];
  sc3_store64(bytes, hash);
  lua_pushlstring(L, (const char *)bytes, HASH);
}

uint64_t sc3l_check_hash(lua_State *L, int index) {
  const sc3_slice s = sc3l_check_string(L, index);
  luaL_argcheck(L, s.n == HASH, index, "a hash has 8 bytes");
  return sc3_load64((const unsigned char *)s.p);
}

sc3_slice sc3l_check_blob(lua_State *L, int index) {
  return lua_isuserdata(L, index) ? sc3l_check_view(L, index) : sc3l_check_string(L, index);
}

sc3_slice sc3l_check_id(lua_State *L, int index) {
  const sc3_slice s = sc3l_check_string(L, index);
  luaL_argcheck(L, s.n > 0 && s.n <= SC3_MIRROR_ID_MAX, index, "an id has 1 to 65535 bytes");
  return s;
}

/* --- outcomes --- */

static sc3_entry_outcome check_outcome(lua_State *L, int index) {
  static const char *const names[] = {"none", "applied", "unsure", "open", NULL};
  const char *name;
  int i;
  lua_getfield(L, index, "outcome");
  name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  for (i = 0; names[i] != NULL && strcmp(names[i], name) != 0; i++) {
  }
  if (names[i] == NULL)
    luaL_error(L, "there is no such outcome");
  lua_pop(L, 1);
  return (sc3_entry_outcome)i;
}

static void read_range(lua_State *L, int index, sc3_outcome_range *range, uint32_t behind) {
  int again;
  if (lua_type(L, index) != LUA_TTABLE)
    luaL_error(L, "outcomes must be a list of tables");
  range->first = (uint32_t)sc3l_opt_whole(L, index, "first", 1, UINT32_MAX, 0);
  range->last = (uint32_t)sc3l_opt_whole(L, index, "last", 1, UINT32_MAX, 0);
  if (range->first <= behind || range->last < range->first)
    luaL_error(L, "outcomes must ascend");
  range->became.outcome = check_outcome(L, index);
  lua_getfield(L, index, "refused");
  lua_getfield(L, index, "again");
  range->became.refused = lua_toboolean(L, -2);
  again = lua_toboolean(L, -1);
  lua_pop(L, 2);
  if (range->became.refused && range->became.outcome == SC3_OUTCOME_OPEN)
    luaL_error(L, "what is open is not refused");
  if (again && range->became.outcome != SC3_OUTCOME_OPEN)
    luaL_error(L, "only what is open goes again");
  if (again)
    range->became.outcome = SC3_OUTCOME_AGAIN;
}

const sc3_outcome_range *sc3l_check_outcomes(lua_State *L, int index, size_t *count) {
  sc3_outcome_range *ranges;
  uint32_t behind = 0;
  size_t i, n;
  luaL_checktype(L, index, LUA_TTABLE);
  n = lua_rawlen(L, index);
  ranges = lua_newuserdata(L, (n + 1) * sizeof *ranges);
  for (i = 0; i < n; i++) {
    lua_rawgeti(L, index, (int)i + 1);
    read_range(L, lua_gettop(L), &ranges[i], behind);
    behind = ranges[i].last;
    lua_pop(L, 1);
  }
  *count = n;
  return ranges;
}

/* --- hashes --- */

/* key_hash(key, text) -> 8 bytes, which stand for an id */
static int key_hash(lua_State *L) {
  const sc3_sip_key key = sc3l_check_key(L, 1);
  sc3l_push_hash(L, sc3_key_hash(key, sc3l_check_string(L, 2)));
  return 1;
}

void sc3l_open_mirror(lua_State *L) {
  lua_createtable(L, 0, 7);
  lua_pushcfunction(L, key_hash);
  lua_setfield(L, -2, "key_hash");
  sc3l_open_mirror_chunk(L);
  sc3l_open_mirror_fold(L);
  sc3l_open_mirror_list(L);
  sc3l_open_mirror_night(L);
  sc3l_open_mirror_view(L);
  sc3l_open_mirror_without(L);
  lua_setfield(L, -2, "mirror");
}
