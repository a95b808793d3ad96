/* Fails allocations of one library, for a process that has this preloaded and loads it as a Lua
 * module too:
 *
 *   no_memory.fail("core.so", k, count)  of the allocations that it asks of the C library from now
 *                                        on, the k-th and count - 1 more fail
 *   no_memory.asked()                    -> how many there were since, how many failed */
#include <dlfcn.h>
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

int luaopen_no_memory(lua_State *L);

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);

static const char *library; /* NULL while nothing is counted */
static char name[64];
static long asked, failed, first, last;

/* Whether the caller's allocation is to fail. */
static int fails(void *caller) {
  Dl_info info;
  const char *from = library;
  int found;
  if (from == NULL)
    return 0;
  library = NULL; /* dladdr() itself must not come back here */
  found =
      dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, from) != NULL;
  library = from;
  if (!found)
    return 0;
  asked++;
  if (asked < first || asked > last)
    return 0;
  failed++;
  errno = ENOMEM; /* as the C library has it */
  return 1;
}

void *malloc(size_t size) {
  return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
  return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size) {
  return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(p, size);
}

static int no_memory_fail(lua_State *L) {
  strncpy(name, luaL_checkstring(L, 1), sizeof name - 1);
  asked = failed = 0;
  first = (long)luaL_checknumber(L, 2);
  last = first + (long)luaL_checknumber(L, 3) - 1;
  library = name;
  return 0;
}

static int no_memory_asked(lua_State *L) {
  library = NULL;
  lua_pushnumber(L, (lua_Number)asked);
  lua_pushnumber(L, (lua_Number)failed);
  return 2;
}

int luaopen_no_memory(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, no_memory_fail);
  lua_setfield(L, -2, "fail");
  lua_pushcfunction(L, no_memory_asked);
  lua_setfield(L, -2, "asked");
  return 1;
}
