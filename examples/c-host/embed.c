/* A program in C that holds the whole library: it needs no file of it at run time.
   docs/c-hosts.md says how to build it. Use: embed SCRIPT [ARGUMENT...] */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

int luaopen_scope3(lua_State *L);

/* Runs under lua_pcall, because each call may raise. */
static int run(lua_State *L) {
  char **argv = lua_touserdata(L, 1);
  int i;
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_scope3);
  lua_setfield(L, -2, "scope3"); /* `require "scope3"` finds it, and then it brings the rest */
  if (luaL_loadfile(L, argv[1]) != 0)
    return lua_error(L);
  for (i = 2; argv[i] != NULL; i++) {
    luaL_checkstack(L, 1, "too many arguments");
    lua_pushstring(L, argv[i]);
  }
  lua_call(L, i - 2, 0);
  return 0;
}

int main(int argc, char **argv) {
  lua_State *L;
  int failed;
  if (argc < 2) {
    fprintf(stderr, "use: %s SCRIPT [ARGUMENT...]\n", argv[0]);
    return 2;
  }
  L = luaL_newstate();
  if (L == NULL) {
    fprintf(stderr, "%s: not enough memory\n", argv[0]);
    return 1;
  }
  lua_pushcfunction(L, run);
  lua_pushlightuserdata(L, argv);
  failed = lua_pcall(L, 1, 0, 0) != 0;
  if (failed)
    fprintf(stderr, "%s: %s\n", argv[0],
            lua_tostring(L, -1) != NULL ? lua_tostring(L, -1) : "an error that is no text");
  lua_close(L);
  return failed;
}
