#include "../core/mirror/leaving.h"

#include "builder_night.h"
#include "mirror.h"
#include "payload.h"

static sc3l_builder *check(lua_State *L) {
  sc3l_builder *u = sc3l_check_builder(L);
  sc3l_need_building(L, u);
  if (u->building->has)
    luaL_error(L, "a candidate waits for room: build it first");
  return u;
}

static void check_payload(lua_State *L, sc3_building_to *to) {
  to->payload = sc3l_check_payload(L, 2);
  if (sc3_payload_living(to->payload, SC3_ADD) > 0)
    luaL_error(L, "removals go into a payload of their own");
}

/* The night and the chunk of the arguments, or the list. */
static sc3_night *check_mirrors(lua_State *L, sc3_building_to *to, int again) {
  sc3l_mirror *mirror;
  unsigned audiences;
  sc3_night *night = sc3l_use_night(L, 3, &mirror, &audiences);
  sc3l_need_one_audience(L, audiences);
  if (again)
    to->list = sc3l_use_list(L, 4, &mirror);
  else
    to->chunk = sc3l_use_chunk(L, 4, &mirror);
  return night;
}

static int leave(lua_State *L, int again) {
  sc3l_builder *u = check(L);
  sc3_building_to to = {NULL, NULL, NULL, NULL};
  sc3_night *night;
  int full;
  lua_settop(L, 4);
  sc3l_checkstack(L, 8);
  lua_pushliteral(L, "end"); /* before anything is taken: it may fail, and run finalizers */
  lua_pushliteral(L, "full");
  night = check_mirrors(L, &to, again);
  check_payload(L, &to);
  sc3l_need_pairs(L, &to);
  u = check(L);
  if (!sc3l_mirror_is_well(L, sc3_building_leave(u->building, night, &u->b.tally, &to, &full)))
    return 3;
  lua_pushvalue(L, full ? 6 : 5);
  return 1;
}

/* :leave(payload, night, chunk) -> "full" (go on with two others) | "end" | nil, message, code.
   Takes leavers, after the last candidate: as removals into the payload, and as entries into the
   chunk, in the same order. */
int sc3l_builder_leave(lua_State *L) {
  return leave(L, 0);
}

/* :leave_again(payload, night, list) -> as :leave(). Takes those whose removal goes again: into the
   payload, and the numbers of their entries into the list, in the same order. */
int sc3l_builder_leave_again(lua_State *L) {
  return leave(L, 1);
}
