#include "builder_night.h"
#include "payload.h"

/* Pushes what the argument at `index` has for each audience. */
static void push_objects(lua_State *L, int index, unsigned audiences) {
  unsigned i;
  if (lua_type(L, index) != LUA_TTABLE) {
    if (audiences != 1)
      luaL_error(L, "a night of several audiences takes a list with one for each");
    lua_pushvalue(L, index);
    return;
  }
  if (lua_rawlen(L, index) != audiences)
    luaL_error(L, "a list has another length than the night has audiences");
  for (i = 0; i < audiences; i++)
    lua_rawgeti(L, index, (int)i + 1);
}

void sc3l_push_night_parts(lua_State *L, int payloads, int others, unsigned audiences,
                           sc3l_night_parts *parts) {
  sc3l_checkstack(L, 2 * SC3_MIRROR_AUDIENCES + 20);
  parts->payloads = lua_gettop(L) + 1;
  push_objects(L, payloads, audiences);
  parts->others = lua_gettop(L) + 1;
  push_objects(L, others, audiences);
}

/* Member i of a payload is entry i of its chunk, or of its list. */
static void check_pair(lua_State *L, const sc3_building_part *part) {
  const int again = part->list != NULL;
  const size_t entries = again ? sc3_again_count(part->list) : part->chunk->count;
  if (sc3_payload_count(part->payload) != entries)
    luaL_error(L, "a payload has other members than its %s", again ? "list" : "chunk");
}

static int is_repeated(const sc3_building_to *to, unsigned audience) {
  const sc3_building_part *part = &to->parts[audience];
  unsigned i;
  for (i = 0; i < audience; i++) {
    const sc3_building_part *other = &to->parts[i];
    if (other->payload == part->payload || (!to->again && other->chunk == part->chunk) ||
        (to->again && other->list == part->list))
      return 1;
  }
  return 0;
}

void sc3l_check_night_parts(lua_State *L, const sc3l_night_parts *parts, sc3_building_to *to,
                            sc3l_mirror **held) {
  unsigned i;
  for (i = 0; i < to->audiences; i++) {
    sc3_building_part *part = &to->parts[i];
    const int other = parts->others + (int)i;
    if (to->again)
      part->list = sc3l_use_list(L, other, &held[i]);
    else
      part->chunk = sc3l_use_chunk(L, other, &held[i]);
    part->payload = sc3l_check_payload(L, parts->payloads + (int)i);
    check_pair(L, part);
    if (is_repeated(to, i))
      luaL_error(L, "each audience has a payload and a chunk of its own");
  }
}
