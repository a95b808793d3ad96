// Which lines of a tree run: a hook that each new thread of Lua inherits, so that coroutines made
// by C count too. Loaded through LUA_INIT. The notes are a file that all processes map, so a
// process that is killed, as a sandbox is, has told all. spec/mutants/notes.lua makes and reads it:
// records sorted by name, a name and a byte for each line.
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 96
#define LINES 416 // of a file: house rules allow 400

struct record {
  char name[NAME_SIZE];
  unsigned char ran[LINES];
};

static struct record *records;
static size_t count;
static struct record *recent; // of the line before
static const char *prefix;    // of the files that count, as Lua names their source
static size_t prefix_length;

static int map_file(const char *path) {
  struct stat status;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0)
    return 0;
  if (fstat(fd, &status) == 0 && status.st_size > 0) {
    void *start = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (start != MAP_FAILED) {
      records = start;
      count = (size_t)status.st_size / sizeof(struct record);
    }
  }
  close(fd);
  return records != NULL;
}

static struct record *find(const char *name) {
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

static void on_line(lua_State *L, lua_Debug *event) {
  if (!lua_getinfo(L, "Sl", event) || strncmp(event->source, prefix, prefix_length) != 0)
    return;
  const char *name = event->source + prefix_length;
  if (recent == NULL || strcmp(recent->name, name) != 0)
    recent = find(name);
  if (recent != NULL && event->currentline > 0 && event->currentline < LINES)
    recent->ran[event->currentline] = 1;
}

// debug.sethook, which is the first upvalue. The command takes away the hooks of scripts, and would
// ours. A host may give a new coroutine what debug.gethook() says, which is no function for a hook
// in C: coroutines have ours from the start.
static int set_hook(lua_State *L) {
  if (lua_type(L, lua_isthread(L, 1) ? 2 : 1) == LUA_TSTRING)
    return 0;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 0);
  if (lua_gethook(L) == NULL)
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
  return 0;
}

__attribute__((visibility("default"))) int luaopen_lines(lua_State *L);

int luaopen_lines(lua_State *L) {
  const char *path = getenv("SCOPE3_LINES");
  prefix = getenv("SCOPE3_LINES_OF");
  if (!path || !prefix)
    return luaL_error(L, "SCOPE3_LINES and SCOPE3_LINES_OF are not set");
  prefix_length = strlen(prefix);
  if (records == NULL && !map_file(path)) {
    if (errno == EROFS || errno == EACCES) // a spec lets nothing be written
      return 0;
    return luaL_error(L, "the notes of lines cannot be mapped");
  }
  lua_sethook(L, on_line, LUA_MASKLINE, 0);
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "sethook");
  lua_pushcclosure(L, set_hook, 1);
  lua_setfield(L, -2, "sethook");
  return 0;
}
