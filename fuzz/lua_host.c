/* libFuzzer's target for code in Lua. One program, which runs the Lua file of its own name:
 * build/fuzz/replies runs fuzz/replies.lua, from the root of the repository. That file returns a
 * function of one string, which raises where something does not hold that must for any input.
 *
 * A hook counts which line followed which. libFuzzer reads the counters as it reads its own, so it
 * is guided by the code in Lua as well as by that in C.
 *
 *   make fuzz FUZZ_SECONDS=60 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int luaopen_scope3_core(lua_State *L);
int luaopen_scope3_engine(lua_State *L);
int luaopen_scope3_crypto(lua_State *L);

enum { COUNTERS = 1 << 15 };

/* libFuzzer looks for them by the name of the section, and clears them before each input. */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];

static lua_State *state; /* the function to be called lies on its stack */
static uint32_t line_before;

/* --- guidance --- */

/* FNV-1a: the same number for a file in every run. */
static uint32_t number_of(const char *source) {
  uint32_t h = UINT32_C(2166136261);
  for (; *source != '\0'; source++)
    h = (h ^ (uint8_t)*source) * UINT32_C(16777619);
  return h;
}

static void on_line(lua_State *L, lua_Debug *ar) {
  static const char *source_before;
  static uint32_t file;
  uint32_t line;
  uint8_t *counter;
  if (lua_getinfo(L, "S", ar) == 0)
    return;
  if (ar->source != source_before) { /* a file's name stays where it is while its code lives */
    source_before = ar->source;
    file = number_of(ar->source);
  }
  line = (file + (uint32_t)ar->currentline) * UINT32_C(2654435761) >> 8;
  counter = &counters[(line ^ line_before >> 1) % COUNTERS];
  if (*counter < UINT8_MAX)
    ++*counter;
  line_before = line;
}

/* --- the state --- */

static void die(const char *what) {
  fprintf(stderr, "%s: %s\n", what, state != NULL ? lua_tostring(state, -1) : "");
  abort();
}

static void preload(lua_State *L, const char *name, lua_CFunction open) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, name);
  lua_pop(L, 2);
}

static void set_path(lua_State *L) {
  lua_getglobal(L, "package");
  lua_pushliteral(L, "lua/?.lua;lua/?/init.lua;?.lua");
  lua_setfield(L, -2, "path");
  lua_pop(L, 1);
}

/* Leaves debug.traceback and the target's function on the stack. */
static void load_target(lua_State *L, const char *name) {
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_remove(L, -2);
  lua_pushfstring(L, "fuzz/%s.lua", name);
  if (luaL_loadfile(L, lua_tostring(L, -1)) != 0 || lua_pcall(L, 0, 1, 1) != 0)
    die("the target cannot be loaded");
  lua_remove(L, -2);
}

/* Both libFuzzer and replay.c call it once, at the start. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
  const char *slash = strrchr((*argv)[0], '/');
  (void)argc;
  state = luaL_newstate();
  if (state == NULL)
    die("no memory");
  luaL_openlibs(state);
  preload(state, "scope3.core", luaopen_scope3_core);
  preload(state, "scope3.engine", luaopen_scope3_engine);
  preload(state, "scope3.crypto", luaopen_scope3_crypto);
  set_path(state);
  load_target(state, slash != NULL ? slash + 1 : (*argv)[0]);
  (void)lua_sethook(state, on_line, LUA_MASKLINE, 0);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  line_before = 0;
  lua_pushvalue(state, 2);
  lua_pushlstring(state, (const char *)data, size);
  if (lua_pcall(state, 1, 0, 1) != 0)
    die("does not hold");
  return 0;
}
