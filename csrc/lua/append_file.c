/* "scope3.append_file": a file that one process alone appends to, where what was written is on the disk when the call returns. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binding.h"

typedef struct append_file {
  int fd; /* -1 = closed */
} append_file;

static append_file *check_file(lua_State *L) {
  append_file *f = luaL_checkudata(L, 1, SC3_TYPE_APPEND_FILE);
  if (f->fd < 0)
    sc3_closed(L, "file");
  return f;
}

static int push_error(lua_State *L, int error) {
  lua_pushnil(L);
  lua_pushstring(L, strerror(error));
  return 2;
}

/* Makes the name of a new file last as well. Where that is not possible the file is no worse than any other. */
static void sync_folder(const char *path) {
  char folder[4096] = ".";
  const char *slash = strrchr(path, '/');
  int fd;
  if (slash == path)
    folder[0] = '/';
  else if (slash != NULL && (size_t)(slash - path) < sizeof folder) {
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
  }
  fd = open(folder, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    (void)fsync(fd);
    (void)close(fd);
  }
}

/* append_file(path) -> file | nil, message, "locked" where another process has it. Made with mode 0600 when there is none. */
static int append_file_new(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  append_file *f = sc3_newuserdata(L, sizeof *f);
  f->fd = -1;
  luaL_getmetatable(L, SC3_TYPE_APPEND_FILE);
  lua_setmetatable(L, -2);
  f->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (f->fd < 0)
    return push_error(L, errno);
  if (flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
    int error = errno;
    (void)close(f->fd);
    f->fd = -1;
    (void)push_error(L, error);
    if (error != EWOULDBLOCK)
      return 2;
    lua_pushliteral(L, "locked");
    return 3;
  }
  sync_folder(path);
  return 1;
}

/* :append(text) -> true | nil, message. When it fails, a part may have been written. */
static int append_file_append(lua_State *L) {
  append_file *f = check_file(L);
  size_t n;
  const char *s = luaL_checklstring(L, 2, &n);
  while (n > 0) {
    ssize_t written = write(f->fd, s, n);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return push_error(L, errno);
    s += written;
    n -= (size_t)written;
  }
  while (fsync(f->fd) != 0) {
    if (errno != EINTR)
      return push_error(L, errno);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* :truncate(bytes) -> true | nil, message */
static int append_file_truncate(lua_State *L) {
  append_file *f = check_file(L);
  if (ftruncate(f->fd, (off_t)luaL_checknumber(L, 2)) != 0)
    return push_error(L, errno);
  lua_pushboolean(L, 1);
  return 1;
}

static int append_file_close(lua_State *L) {
  append_file *f = luaL_checkudata(L, 1, SC3_TYPE_APPEND_FILE);
  if (f->fd >= 0)
    (void)close(f->fd);
  f->fd = -1;
  return 0;
}

void sc3_open_append_file(lua_State *L) {
  static const luaL_Reg methods[] = {
    {"append", append_file_append}, {"close", append_file_close}, {"truncate", append_file_truncate}, {NULL, NULL},
  };
  sc3_newtype(L, SC3_TYPE_APPEND_FILE, methods, NULL, append_file_close);
  lua_pushcfunction(L, append_file_new);
  lua_setfield(L, -2, "append_file");
}
