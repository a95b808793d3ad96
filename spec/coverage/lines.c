/* Notes which lines of lua/scope3 ran, in a build with COVERAGE=1. It stands in front of the core
 * module: whatever loads scope3.core is watched from then on, the command, the sandbox and workers
 * of nginx too. The notes are a file that all of these map. So nothing is written at the end of a
 * process, and kill -9 loses nothing.
 *
 * The file is a row of records, sorted by name; spec/coverage/room.lua makes it empty and reads
 * it. Without the file nothing is noted. */
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef LUA_JITLIBNAME
#include <luajit.h>
#endif

#define NAME_SIZE 64
#define LINES 448 /* no file has more than 400 */

typedef struct {
  char name[NAME_SIZE];
  unsigned char ran[LINES];
} record;

static const char FOLDER[] = "@" COVERAGE_ROOT "/lua/scope3/";

static record *records; /* NULL until a file is mapped */
static size_t count;
static record *recent; /* of the line before */

__attribute__((visibility("default"))) int luaopen_scope3_core(lua_State *L);
int uncovered_luaopen_scope3_core(lua_State *L);
void __gcov_dump(void); /* of gcc */

static void map_file(void) {
  struct stat status;
  int fd = open(COVERAGE_ROOT "/build/coverage/lines", O_RDWR | O_CLOEXEC);
  void *start;
  if (fd < 0)
    return;
  if (fstat(fd, &status) == 0 && status.st_size > 0) {
    start = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (start != MAP_FAILED) {
      records = start;
      count = (size_t)status.st_size / sizeof(record);
    }
  }
  close(fd);
}

static record *find(const char *name) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, records[middle].name);
    if (order == 0)
      return &records[middle];
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}

static void note(lua_State *L, lua_Debug *at) {
  const char *name;
  if (!lua_getinfo(L, "S", at) || strncmp(at->source, FOLDER, sizeof FOLDER - 1) != 0)
    return;
  name = at->source + sizeof FOLDER - 1;
  if (recent == NULL || strcmp(recent->name, name) != 0)
    recent = find(name);
  if (recent != NULL && at->currentline > 0 && at->currentline < LINES)
    recent->ran[at->currentline] = 1;
}

/* debug.sethook, which is the first upvalue. The command takes away the hooks of scripts, and would
 * ours. A host may give a new coroutine what debug.gethook() says, which is no function for a hook
 * in C: coroutines have ours from the start. */
static int set_hook(lua_State *L) {
  if (lua_type(L, lua_isthread(L, 1) ? 2 : 1) == LUA_TSTRING)
    return 0;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 0);
  if (lua_gethook(L) == NULL)
    lua_sethook(L, note, LUA_MASKLINE, 0);
  return 0;
}

/* For processes that end without an end (spec/support/fork.c). */
static int save(lua_State *L) {
  (void)L;
  __gcov_dump();
  return 0;
}

static void watch(lua_State *L) {
#ifdef LUA_JITLIBNAME
  luaJIT_setmode(L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF); /* compiled code calls no hook */
#endif
  lua_sethook(L, note, LUA_MASKLINE, 0);
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "sethook");
  lua_pushcclosure(L, set_hook, 1);
  lua_setfield(L, -2, "sethook");
  lua_pop(L, 1);
  lua_pushcfunction(L, save);
  lua_setfield(L, LUA_REGISTRYINDEX, "scope3.coverage.save");
}

int luaopen_scope3_core(lua_State *L) {
  if (records == NULL)
    map_file();
  if (records != NULL)
    watch(L);
  return uncovered_luaopen_scope3_core(L);
}
