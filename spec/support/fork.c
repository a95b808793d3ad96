/* fork for specs: fork(function) runs it in a child, ends that child with the small number it
 * returns (or 99 and the message on stderr when it raises), and returns this number; 100 plus the
 * signal's number where one ended the child. */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int luaopen_fork(lua_State *L);

/* Ends the child at once. What runs at the end of a process is the parent's; but a build for
 * coverage (spec/coverage/lines.c) notes what ran. */
static void end_child(lua_State *L, int status) {
  lua_getfield(L, LUA_REGISTRYINDEX, "scope3.coverage.save");
  if (lua_isfunction(L, -1))
    lua_call(L, 0, 0);
  _exit(status);
}

static int run_in_child(lua_State *L) {
  int status;
  pid_t child;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  (void)fflush(NULL);
  child = fork();
  if (child < 0)
    return luaL_error(L, "fork failed");
  if (child == 0) {
    lua_settop(L, 1);
    if (lua_pcall(L, 0, 1, 0) != 0) {
      (void)fprintf(stderr, "%s\n", lua_tostring(L, -1));
      end_child(L, 99);
    }
    end_child(L, (int)lua_tonumber(L, -1));
  }
  if (waitpid(child, &status, 0) != child)
    return luaL_error(L, "waitpid failed");
  lua_pushnumber(L, WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status));
  return 1;
}

int luaopen_fork(lua_State *L) {
  lua_pushcfunction(L, run_in_child);
  return 1;
}
