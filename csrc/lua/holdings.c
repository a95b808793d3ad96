#include "holdings.h"

#include <stdint.h>

struct sc3l_holdings {
  size_t bytes, limit;
};

enum { FIRST_LIMIT = 64 << 20 };

static const char HOLDINGS = 0; /* its address is the key in the registry */

sc3l_holdings *sc3l_find_holdings(lua_State *L) {
  sc3l_holdings *h;
  lua_pushlightuserdata(L, (void *)(uintptr_t)&HOLDINGS);
  lua_rawget(L, LUA_REGISTRYINDEX);
  h = lua_touserdata(L, -1);
  lua_pop(L, 1); /* the registry holds it, longer than any payload */
  return h;
}

void sc3l_make_holdings(lua_State *L) {
  sc3l_holdings *h = sc3l_find_holdings(L);
  if (h != NULL)
    return; /* the module was loaded before, and payloads of then look at these */
  lua_pushlightuserdata(L, (void *)(uintptr_t)&HOLDINGS);
  h = sc3l_newuserdata(L, sizeof *h);
  h->bytes = 0;
  h->limit = FIRST_LIMIT;
  lua_rawset(L, LUA_REGISTRYINDEX);
}

void sc3l_grow_holdings(lua_State *L, sc3l_holdings *h, size_t bytes) {
  h->bytes += bytes;
  if (h->bytes <= h->limit || h->bytes >> 10 <= (size_t)lua_gc(L, LUA_GCCOUNT, 0))
    return;
#ifdef LUA_GCISRUNNING
  if (!lua_gc(L, LUA_GCISRUNNING, 0))
    return; /* it was stopped, and a full turn would start it again */
#endif
  (void)lua_gc(L, LUA_GCCOLLECT, 0);
  h->limit = h->bytes < FIRST_LIMIT / 2 ? FIRST_LIMIT : 2 * h->bytes;
}

void sc3l_shrink_holdings(sc3l_holdings *h, size_t bytes) {
  h->bytes -= bytes;
}
