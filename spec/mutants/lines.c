// Which lines of a tree run: a hook that each new thread of Lua inherits, so that coroutines made
// by C count too. When the process ends, $SCOPE3_LINES/<pid>.tsv gets a line "file<TAB>line" for
// each. Loaded through LUA_INIT.
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES 1024
#define LINES 1024 // of a file: house rules allow 400

struct file {
  char *name;
  unsigned char seen[LINES];
};

static struct file files[FILES];
static int files_count;
static const char *folder; // where the table goes
static const char *prefix; // of the files that count, as Lua names their source
static size_t prefix_length;

static struct file *file_of(const char *source) {
  for (int i = 0; i < files_count; i++) {
    if (strcmp(files[i].name, source) == 0) {
      if (i > 0) { // what runs now will soon run again
        struct file moved = files[i];
        files[i] = files[i - 1];
        files[i - 1] = moved;
        return &files[i - 1];
      }
      return &files[i];
    }
  }
  if (files_count == FILES)
    return NULL;
  char *name = strdup(source);
  if (!name)
    return NULL;
  files[files_count].name = name;
  return &files[files_count++];
}

static void on_line(lua_State *L, lua_Debug *event) {
  if (!lua_getinfo(L, "Sl", event) || strncmp(event->source, prefix, prefix_length) != 0)
    return;
  if (event->currentline <= 0 || event->currentline >= LINES)
    return;
  struct file *file = file_of(event->source + prefix_length);
  if (file)
    file->seen[event->currentline] = 1;
}

// A forked child has what its parent saw before, and tells it once more.
__attribute__((destructor)) static void write_table(void) {
  char path[4096];
  if (!folder || files_count == 0 ||
      snprintf(path, sizeof path, "%s/%ld.tsv", folder, (long)getpid()) >= (int)sizeof path)
    return;
  FILE *out = fopen(path, "a");
  if (!out)
    return;
  for (int i = 0; i < files_count; i++) {
    for (int line = 1; line < LINES; line++) {
      if (files[i].seen[line])
        fprintf(out, "%s\t%d\n", files[i].name, line);
    }
  }
  fclose(out);
}

// debug.sethook, which is the first upvalue. The command takes away the hooks of scripts, and would
// ours.
static int set_hook(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 0);
  if (lua_gethook(L) == NULL)
    lua_sethook(L, on_line, LUA_MASKLINE, 0);
  return 0;
}

__attribute__((visibility("default"))) int luaopen_lines(lua_State *L);

int luaopen_lines(lua_State *L) {
  folder = getenv("SCOPE3_LINES");
  prefix = getenv("SCOPE3_LINES_OF");
  if (!folder || !prefix)
    return luaL_error(L, "SCOPE3_LINES and SCOPE3_LINES_OF are not set");
  prefix_length = strlen(prefix);
  lua_sethook(L, on_line, LUA_MASKLINE, 0);
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "sethook");
  lua_pushcclosure(L, set_hook, 1);
  lua_setfield(L, -2, "sethook");
  return 0;
}
