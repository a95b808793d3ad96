// How many instructions something takes, exactly and the same at each run: marks for callgrind,
// under which the interpreter runs.
#include <lua.h>
#include <lauxlib.h>
#include <valgrind/callgrind.h>

// Begins to count at nothing.
static int zero(lua_State *L) {
  CALLGRIND_ZERO_STATS;
  return (void)L, 0;
}

// Writes the count since then into the next file of callgrind's, under a name.
static int dump(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  CALLGRIND_DUMP_STATS_AT(name);
  return 0;
}

int luaopen_counted(lua_State *L);
int luaopen_counted(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, zero);
  lua_setfield(L, -2, "zero");
  lua_pushcfunction(L, dump);
  lua_setfield(L, -2, "dump");
  return 1;
}
