/* A program in C that links the modules. At run time it needs only the Lua files.
   docs/c-hosts.md says how to build it. Use: host FOLDER-OF-LUA-FILES SCRIPT [ARGUMENT...] */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

int luaopen_scope3_core(lua_State *L);
int luaopen_scope3_engine(lua_State *L);
int luaopen_scope3_gzip(lua_State *L);
int luaopen_scope3_crypto(lua_State *L);
int luaopen_scope3_state(lua_State *L);

/* `require` finds what is preloaded before it looks for a file. */
static void preload(lua_State *L, const char *name, lua_CFunction open) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 2);
}

/* Runs under lua_pcall, because each call may raise. */
static int run(lua_State *L) {
  char **argv = lua_touserdata(L, 1);
  int i;
  luaL_openlibs(L);
  preload(L, "scope3.core", luaopen_scope3_core);
  preload(L, "scope3.engine", luaopen_scope3_engine);
  preload(L, "scope3.gzip", luaopen_scope3_gzip);
  preload(L, "scope3.crypto", luaopen_scope3_crypto);
  preload(L, "scope3.state", luaopen_scope3_state);
  lua_getglobal(L, "package");
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", argv[1], argv[1]);
  lua_setfield(L, -2, "path");
  if (luaL_loadfile(L, argv[2]) != 0)
    return lua_error(L);
  for (i = 3; argv[i] != NULL; i++) {
    luaL_checkstack(L, 1, "too many arguments");
    lua_pushstring(L, argv[i]);
  }
  lua_call(L, i - 3, 0);
  return 0;
}

int main(int argc, char **argv) {
  lua_State *L;
  int failed;
  if (argc < 3) {
    fprintf(stderr, "use: %s FOLDER-OF-LUA-FILES SCRIPT [ARGUMENT...]\n", argv[0]);
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
  lua_close(L); /* closes what is open, and ends the engine */
  return failed;
}
