/* libcurl with allocators that can be told to fail: a Lua module that has to be loaded before the
 * first engine is made, since only the first one to start libcurl says where its memory is from.
 *
 *   curl_memory.fail(k, count)  of its allocations from now on, the k-th and count - 1 more fail
 *   curl_memory.asked()         -> how many there were since, how many failed
 *   curl_memory.live()          -> how many were made and not freed
 *
 * What libcurl's own libraries allocate (TLS, HTTP/2, compression) is not counted. */
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* libcurl's resolver threads allocate, too. */
static atomic_long asked, failed, live, first, last;

static int fails(void) {
  const long number = atomic_fetch_add(&asked, 1) + 1;
  if (number < atomic_load(&first) || number > atomic_load(&last))
    return 0;
  atomic_fetch_add(&failed, 1);
  return 1;
}

static void *counted(void *p) {
  if (p != NULL)
    atomic_fetch_add(&live, 1);
  return p;
}

static void *make(size_t size) {
  return fails() ? NULL : counted(malloc(size));
}

static void *make_zeroed(size_t n, size_t size) {
  return fails() ? NULL : counted(calloc(n, size));
}

static char *copy(const char *text) {
  return fails() ? NULL : counted(strdup(text));
}

static void *resize(void *p, size_t size) {
  if (fails())
    return NULL;
  return p == NULL ? counted(malloc(size)) : realloc(p, size);
}

static void give_back(void *p) {
  if (p != NULL)
    atomic_fetch_sub(&live, 1);
  free(p);
}

static int fail(lua_State *L) {
  const long k = (long)luaL_checknumber(L, 1), count = (long)luaL_checknumber(L, 2);
  atomic_store(&asked, 0);
  atomic_store(&failed, 0);
  atomic_store(&last, k > 0 ? k + count - 1 : 0);
  atomic_store(&first, k > 0 ? k : 1);
  return 0;
}

static int tell_asked(lua_State *L) {
  atomic_store(&last, 0);
  lua_pushnumber(L, (lua_Number)atomic_load(&asked));
  lua_pushnumber(L, (lua_Number)atomic_load(&failed));
  return 2;
}

static int tell_live(lua_State *L) {
  lua_pushnumber(L, (lua_Number)atomic_load(&live));
  return 1;
}

int luaopen_curl_memory(lua_State *L);
int luaopen_curl_memory(lua_State *L) {
  if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, make, give_back, resize, copy, make_zeroed) != 0)
    return luaL_error(L, "libcurl cannot be started");
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, fail);
  lua_setfield(L, -2, "fail");
  lua_pushcfunction(L, tell_asked);
  lua_setfield(L, -2, "asked");
  lua_pushcfunction(L, tell_live);
  lua_setfield(L, -2, "live");
  return 1;
}
