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

static void check_payloads(lua_State *L, const sc3l_night_parts *parts, unsigned audiences) {
  int i;
  for (i = 0; i < (int)audiences; i++) {
    if (sc3_payload_living(sc3l_check_payload(L, parts->payloads + i), SC3_ADD) > 0)
      luaL_error(L, "removals go into a payload of their own");
  }
}

static int leave(lua_State *L, int again) {
  sc3l_builder *u = check(L);
  sc3l_mirror *night_itself, *held[SC3_MIRROR_AUDIENCES];
  sc3l_night_parts parts;
  sc3_building_to to;
  sc3_night *night;
  int full;
  memset(&to, 0, sizeof to);
  to.again = again;
  lua_settop(L, 4);
  sc3l_checkstack(L, 8);
  lua_pushliteral(L, "end"); /* before anything is taken: it may fail, and run finalizers */
  lua_pushliteral(L, "full");
  (void)sc3l_use_night(L, 3, &night_itself, &to.audiences);
  sc3l_push_night_parts(L, 2, 4, to.audiences, &parts);
  night = sc3l_use_night(L, 3, &night_itself, &to.audiences);
  check_payloads(L, &parts, to.audiences);
  sc3l_check_night_parts(L, &parts, &to, held);
  u = check(L);
  sc3_building_count(&to);
  if (!sc3l_mirror_is_well(L, sc3_building_leave(u->building, night, &u->b.tally, &to, &full)))
    return 3;
  lua_pushvalue(L, full ? 6 : 5);
  return 1;
}

/* :leave(payloads, night, chunks) -> "full" (go on with others) | "end" | nil, message, code. Takes
   leavers, after the last candidate: as removals into the payloads of the audiences that they
   leave, and as entries into their chunks, in the same order. Both are as of :build(). */
int sc3l_builder_leave(lua_State *L) {
  return leave(L, 0);
}

/* :leave_again(payloads, night, lists) -> as :leave(). Takes those whose removal goes again: into
   the payload, and the numbers of their entries into the list, in the same order. */
int sc3l_builder_leave_again(lua_State *L) {
  return leave(L, 1);
}
