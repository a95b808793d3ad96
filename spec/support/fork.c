/* fork for specs: fork(function) runs it in a child, ends that child with the small number it
 * returns (or 99 and the message on stderr when it raises), and returns this number; 100 plus the
 * signal's number where one ended the child. */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int luaopen_fork(lua_State *L);

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
      _exit(99);
    }
    _exit((int)lua_tonumber(L, -1));
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
