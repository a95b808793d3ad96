/* "scope3.id_set": the external ids that an epoch has sealed. */
#include "id_set.h"

#include "open.h"
#include "payload.h"
#include "type.h"

#define TYPE "scope3.id_set"

typedef struct id_set_ud {
  sc3_id_set *set;
  int uses; /* it is not freed while there are any */
  int closed;
} id_set_ud;

sc3_id_set *sc3l_check_id_set(lua_State *L, int index) {
  id_set_ud *u = luaL_checkudata(L, index, TYPE);
  if (u->set == NULL || u->closed)
    sc3l_raise_closed(L, "id set");
  return u->set;
}

/* id_set() */
static int id_set_new(lua_State *L) {
  id_set_ud *u = sc3l_new_object(L, sizeof *u, TYPE);
  u->set = sc3_id_set_new();
  if (u->set == NULL)
    return luaL_error(L, "not enough memory");
  return 1;
}

static void free_when_unused(id_set_ud *u) {
  if (!u->closed || u->uses > 0)
    return;
  sc3_id_set_free(u->set);
  u->set = NULL;
}

static int id_set_close(lua_State *L) {
  id_set_ud *u = luaL_checkudata(L, 1, TYPE);
  u->closed = 1;
  free_when_unused(u);
  return 0;
}

void *sc3l_use_id_set(lua_State *L, int index) {
  id_set_ud *u = lua_touserdata(L, index);
  u->uses++;
  return u;
}

void sc3l_leave_id_set(void *set) {
  id_set_ud *u = set;
  if (u != NULL) {
    u->uses--;
    free_when_unused(u);
  }
}

/* The members that a call means: all of a payload, or `first` to `last`, counted from 1. */
static void read_range(lua_State *L, const sc3_payload *p, size_t *i, size_t *end) {
  lua_Number n = (lua_Number)sc3_payload_count(p), first = luaL_optnumber(L, 3, 1),
             last = luaL_optnumber(L, 4, n);
  luaL_argcheck(L, first >= 1, 3, "members are counted from 1");
  luaL_argcheck(L, last >= 0, 4, "members are counted from 1");
  *end = last < n ? (size_t)last : sc3_payload_count(p);
  *i = first <= n ? (size_t)first - 1 : *end;
}

/* :seal(payload [, first, last]): adds the ids of its living members, or of those in a range of it
 */
static int id_set_seal(lua_State *L) {
  enum { BATCH = 16 }; /* fetched together, so that they do not wait for memory one by one */
  sc3_id_set *set = sc3l_check_id_set(L, 1);
  const sc3_payload *p = sc3l_read_payload(L, 2);
  uint64_t fingerprints[BATCH];
  size_t i, n, j, some;
  read_range(L, p, &i, &n);
  while (i < n) {
    for (some = 0; some < BATCH && i < n; i++) {
      fingerprints[some] = sc3_payload_fingerprint(p, i);
      if (fingerprints[some] == 0)
        continue;
      sc3_id_set_prefetch(set, fingerprints[some++]);
    }
    for (j = 0; j < some; j++) {
      if (sc3_id_set_insert(set, fingerprints[j]) != SC3_OK)
        return luaL_error(L, "not enough memory");
    }
  }
  return 0;
}

/* :meets(payload [, first, last]) -> whether one of its living members, or of those in a range of
 * it, is in the set */
static int id_set_meets(lua_State *L) {
  const sc3_id_set *set = sc3l_check_id_set(L, 1);
  const sc3_payload *p = sc3l_read_payload(L, 2);
  size_t i, n;
  int found = 0;
  read_range(L, p, &i, &n);
  for (; i < n && !found; i++) {
    const uint64_t fingerprint = sc3_payload_fingerprint(p, i);
    found = fingerprint != 0 && sc3_id_set_contains(set, fingerprint);
  }
  lua_pushboolean(L, found);
  return 1;
}

/* :clear(): takes all ids out */
static int id_set_clear(lua_State *L) {
  sc3_id_set_clear(sc3l_check_id_set(L, 1));
  return 0;
}

/* :size() -> ids, bytes */
static int id_set_size(lua_State *L) {
  const sc3_id_set *set = sc3l_check_id_set(L, 1);
  sc3l_push_count(L, sc3_id_set_count(set));
  sc3l_push_count(L, sc3_id_set_bytes(set));
  return 2;
}

void sc3l_open_id_set(lua_State *L) {
  static const luaL_Reg methods[] = {{"clear", id_set_clear},
                                     {"meets", id_set_meets},
                                     {"seal", id_set_seal},
                                     {"size", id_set_size},
                                     {NULL, NULL}};
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = id_set_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, id_set_new);
  lua_setfield(L, -2, "id_set");
}
