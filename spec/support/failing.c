/* A Lua state of its own whose allocator can be told to fail, for specs. Small, so that the
 * collector runs often in there.
 *
 *   local failing = the module
 *   local state = failing.state(code, path, cpath)   -- code returns a table of functions
 *   local status, message, asked, refused = state:run(name, first, count)
 *                                       -- of the allocations from now on the `first` one and
 * `count` - 1 more fail state:warning()   the last warning (Lua 5.4 on)    state:close()
 *   failing.here(first, count)           -- the same of the state that runs this, for good
 *   failing.stop()                       -> asked, refused, since then
 *   failing.memory()  bytes that the C library has given out    failing.descriptors()  open
 * descriptors */
#include <dirent.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <malloc.h>
#include <string.h>

int luaopen_failing(lua_State *L);

typedef struct failing {
  lua_State *child;
  lua_Alloc alloc;
  void *alloc_with;
  long asked, first, last, refused;
  char warning[256];
} failing;

static void *allocate(void *with, void *p, size_t old, size_t size) {
  failing *f = with;
  if (size > 0 && (p == NULL || size > old)) {
    f->asked++;
    if (f->first > 0 && f->asked >= f->first && f->asked <= f->last) {
      f->refused++;
      return NULL;
    }
  }
  return f->alloc(f->alloc_with, p, old, size);
}

#if LUA_VERSION_NUM >= 504
static void warn(void *with, const char *message, int more) {
  failing *f = with;
  (void)more;
  if (*message != '@')
    strncat(f->warning, message, sizeof f->warning - strlen(f->warning) - 1);
}
#endif

static failing *check(lua_State *L) {
  failing *f = luaL_checkudata(L, 1, "spec.failing");
  if (f->child == NULL)
    luaL_error(L, "the state is closed");
  return f;
}

static int close_state(lua_State *L) {
  failing *f = luaL_checkudata(L, 1, "spec.failing");
  if (f->child != NULL) {
    lua_setallocf(f->child, f->alloc,
                  f->alloc_with); /* LuaJIT frees all at once where it knows its own */
    lua_close(f->child);
  }
  f->child = NULL;
  return 0;
}

/* Calls its upvalue. */
static int call_upvalue(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* Has fields of the table on top called from C. */
static void call_from_c(lua_State *L, const char *const *names) {
  for (; *names != NULL; names++) {
    lua_getfield(L, -1, *names);
    lua_pushcclosure(L, call_upvalue, 1);
    lua_setfield(L, -2, *names);
  }
  lua_pop(L, 1);
}

/* What LuaJIT's interpreter does itself of its library, and asks for memory in. Where it gets none
 * it writes the error's message where the top of its stack was when C last ran: over the frame that
 * it is in (a fault of LuaJIT: its issue 906 tells the same of frames of Lua). A call from C sets
 * the top, so all of its allocations may be refused. */
static void spare_luajit(lua_State *L) {
  static const char *const of_strings[] = {"char", "lower", "rep", "reverse", "sub", "upper", NULL};
  static const char *const globals[] = {"tostring", NULL};
  lua_getglobal(L, "string");
  call_from_c(L, of_strings);
  lua_getglobal(L, "_G");
  call_from_c(L, globals);
}

static int new_state(lua_State *L) {
  const char *code = luaL_checkstring(L, 1);
  failing *f = lua_newuserdata(L, sizeof *f);
  memset(f, 0, sizeof *f);
  luaL_getmetatable(L, "spec.failing");
  lua_setmetatable(L, -2);
  f->child = luaL_newstate();
  if (f->child == NULL)
    return luaL_error(L, "no state");
  f->alloc = lua_getallocf(f->child, &f->alloc_with);
  luaL_openlibs(f->child);
  lua_getglobal(f->child, "package");
  lua_pushstring(f->child, luaL_checkstring(L, 2));
  lua_setfield(f->child, -2, "path");
  lua_pushstring(f->child, luaL_checkstring(L, 3));
  lua_setfield(f->child, -2, "cpath");
  lua_getglobal(f->child, "jit");
  if (lua_toboolean(f->child, -1))
    spare_luajit(f->child);
  lua_settop(f->child, 0);
  if (luaL_loadstring(f->child, code) != 0 || lua_pcall(f->child, 0, 1, 0) != 0) {
    lua_pushstring(L, lua_tostring(f->child, -1));
    return lua_error(L);
  }
  lua_setglobal(f->child, "scenario");
#if LUA_VERSION_NUM >= 504
  lua_setwarnf(f->child, warn, f);
#endif
  lua_setallocf(f->child, allocate, f);
  return 1;
}

static int run(lua_State *L) {
  failing *f = check(L);
  const char *name = luaL_checkstring(L, 2);
  const char *message;
  long first = (long)luaL_optnumber(L, 3, 0), count = (long)luaL_optnumber(L, 4, 1);
  int status;
  lua_getglobal(f->child, "scenario");
  lua_getfield(f->child, -1, name);
  luaL_checkstack(f->child, 20, NULL);
  f->asked = f->refused = 0;
  f->last = first + count - 1;
  f->first = first;
  status = lua_pcall(f->child, 0, 1, 0);
  f->first = 0;
  lua_pushnumber(L, status);
  message = lua_tostring(f->child, -1);
  lua_pushstring(L, message != NULL ? message : status != 0 ? luaL_typename(f->child, -1) : NULL);
  lua_pushnumber(L, (lua_Number)f->asked);
  lua_pushnumber(L, (lua_Number)f->refused);
  lua_settop(f->child, 0);
  return 4;
}

static int warning(lua_State *L) {
  failing *f = check(L);
  lua_pushstring(L, f->warning);
  f->warning[0] = '\0';
  return 1;
}

static failing of_here;

static int here(lua_State *L) {
  if (of_here.alloc == NULL) {
    of_here.alloc = lua_getallocf(L, &of_here.alloc_with);
    lua_setallocf(L, allocate, &of_here);
  }
  of_here.asked = of_here.refused = 0;
  of_here.last = (long)luaL_checknumber(L, 1) + (long)luaL_checknumber(L, 2) - 1;
  of_here.first = (long)luaL_checknumber(L, 1);
  return 0;
}

static int stop(lua_State *L) {
  of_here.first = 0;
  lua_pushnumber(L, (lua_Number)of_here.asked);
  lua_pushnumber(L, (lua_Number)of_here.refused);
  return 2;
}

static int memory(lua_State *L) {
  struct mallinfo2 info = mallinfo2();
  lua_pushnumber(L, (lua_Number)(info.uordblks + info.hblkhd));
  return 1;
}

static int descriptors(lua_State *L) {
  DIR *folder = opendir("/proc/self/fd");
  int n = 0;
  while (folder != NULL && readdir(folder) != NULL)
    n++;
  if (folder != NULL)
    (void)closedir(folder);
  lua_pushnumber(L, n);
  return 1;
}

static void set(lua_State *L, const char *name, lua_CFunction f) {
  lua_pushcfunction(L, f);
  lua_setfield(L, -2, name);
}

int luaopen_failing(lua_State *L) {
  luaL_newmetatable(L, "spec.failing");
  lua_newtable(L);
  set(L, "run", run);
  set(L, "warning", warning);
  set(L, "close", close_state);
  lua_setfield(L, -2, "__index");
  set(L, "__gc", close_state);
  lua_newtable(L);
  set(L, "state", new_state);
  set(L, "here", here);
  set(L, "stop", stop);
  set(L, "memory", memory);
  set(L, "descriptors", descriptors);
  return 1;
}
