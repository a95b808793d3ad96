/* Binds "scope3.append_file": a regular file that only one process appends to. What was written is
 * on the disk when the call returns. Before each write the file must still be the one that its name
 * means: one that was moved, removed or replaced since is noticed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../core/files/fork_mark.h"
#include "open.h"
#include "type.h"

#define TYPE "scope3.append_file"

enum { CHUNK = 64 * 1024 };

typedef struct append_file {
  int fd;        /* -1 = closed */
  off_t size;    /* what it must have: no one else writes to it */
  off_t read_at; /* of read() */
  char *path;    /* absolute where the working directory is known, because a host may change that */
  sc3_fork_mark mark; /* set while it is open: a child has the parent's lock, and must not write */
} append_file;

static append_file *check_file(lua_State *L) {
  append_file *f = luaL_checkudata(L, 1, TYPE);
  if (f->fd < 0)
    sc3l_raise_closed(L, "file");
  return f;
}

static int push_error(lua_State *L, const char *message, const char *code) {
  lua_pushnil(L);
  lua_pushstring(L, message);
  if (code == NULL)
    return 2;
  lua_pushstring(L, code);
  return 3;
}

static void shut(append_file *f) {
  if (f->fd >= 0)
    (void)close(f->fd);
  f->fd = -1;
  free(f->path);
  f->path = NULL;
  sc3_fork_mark_clear(&f->mark);
}

static const char FORKED[] =
    "it was opened by the process that this one is a child of: open it after fork";

/* Makes the name of a new file last as well. Where that is not possible the file is no worse than
 * any other. */
static void sync_folder(const char *path) {
  char folder[PATH_MAX] = ".";
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

/* The path as an absolute one, to be freed; NULL when memory is out. */
static char *absolute(const char *path) {
  char folder[PATH_MAX];
  char *whole;
  size_t n;
  if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL)
    return strdup(path);
  n = strlen(folder) + strlen(path) + 2;
  whole = malloc(n);
  if (whole != NULL)
    (void)snprintf(whole, n, "%s/%s", folder, path);
  return whole;
}

/* Why the file is not the one that was locked, as it was left; NULL when it is. */
static const char *strayed(const append_file *f, const char **code) {
  struct stat held, named;
  *code = "forked";
  if (!sc3_fork_mark_mine(&f->mark))
    return FORKED;
  *code = "moved";
  if (fstat(f->fd, &held) != 0)
    return strerror(errno);
  if (stat(f->path, &named) != 0)
    return "it was moved or removed";
  if (held.st_dev != named.st_dev || held.st_ino != named.st_ino)
    return "it was moved, and another file has its name";
  *code = "changed";
  return held.st_size == f->size ? NULL : "somebody else changed it";
}

/* Opens the file, and locks it as the one that its name means. Gives the message of what failed, or
 * NULL. */
static const char *acquire(append_file *f, const char *path, int flags, const char **code) {
  struct stat held, named;
  int tries;
  *code = NULL;
  for (tries = 0; tries < 16; tries++) {
    f->fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, 0600);
    if (f->fd < 0) {
      *code = errno == ENOENT ? "missing" : NULL;
      return strerror(errno);
    }
    if (fstat(f->fd, &held) != 0)
      return strerror(errno);
    if (!S_ISREG(held.st_mode))
      return "it is not a regular file";
    if (flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
      *code = errno == EWOULDBLOCK ? "locked" : NULL;
      return strerror(errno);
    }
    /* Between open() and flock() the name may have gone to another file, which another process then
     * locks. */
    if (stat(path, &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino &&
        fstat(f->fd, &held) == 0) {
      f->size = held.st_size;
      return NULL;
    }
    (void)close(f->fd);
    f->fd = -1;
  }
  *code = "moved";
  return "its name keeps changing";
}

/* append_file(path [, existing]) -> file | nil, message, code: "locked" where another process has
   it, "missing", "moved" or none. Made with mode 0600 when there is none, unless it has to be an
   existing one. */
static int append_file_new(lua_State *L) {
  const char *path = luaL_checkstring(L, 1), *message, *code = NULL;
  int flags = lua_toboolean(L, 2) ? 0 : O_CREAT;
  append_file *f = sc3l_new_object(L, sizeof *f, TYPE);
  f->fd = -1;
  message = acquire(f, path, flags, &code);
  if (message == NULL && (f->path = absolute(path)) == NULL)
    message = "not enough memory";
  if (message != NULL) {
    shut(f);
    return push_error(L, message, code);
  }
  sc3_fork_mark_set(&f->mark);
  if (f->size == 0)
    sync_folder(path); /* it may be new */
  return 1;
}

/* Cuts the file to a length: 0 or an error. */
static int cut(append_file *f, off_t size) {
  while (ftruncate(f->fd, size) != 0) {
    if (errno != EINTR)
      return errno;
  }
  f->size = size;
  return 0;
}

/* A text was written in part, or may not last: it is taken out again. */
static int push_unwritten(lua_State *L, append_file *f, off_t before) {
  const int pushed = push_error(L, strerror(errno), NULL);
  if (cut(f, before) == 0)
    return pushed;
  lua_pushliteral(L, "torn");
  return pushed + 1;
}

/* :append(text) -> true | nil, message, code: "moved" and "changed" where nothing was written,
   because the file is not what it was, and "forked" in a child of fork. Otherwise it failed, and
   nothing of the text is left; or code "torn": a part of it may be, and nothing must follow it. */
static int append_file_append(lua_State *L) {
  size_t n;
  const char *s = luaL_checklstring(L, 2, &n),
             *code = NULL; /* first: a number becomes a text, which may run finalizers */
  append_file *f = check_file(L);
  const off_t before = f->size;
  const char *message = strayed(f, &code);
  if (message != NULL)
    return push_error(L, message, code);
  while (n > 0) {
    ssize_t written = write(f->fd, s, n);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return push_unwritten(L, f, before);
    s += written;
    n -= (size_t)written;
    f->size += (off_t)written;
  }
  while (fsync(f->fd) != 0) {
    if (errno != EINTR)
      return push_unwritten(L, f, before);
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* :read() -> the next part of what is in it, "" at its end | nil, message */
static int append_file_read(lua_State *L) {
  append_file *f = check_file(L);
  char part[CHUNK];
  off_t behind;
  ssize_t n;
  do
    n = pread(f->fd, part, sizeof part, f->read_at);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return push_error(L, strerror(errno), NULL);
  behind = f->read_at + (off_t)n;
  lua_pushlstring(L, part, (size_t)n);
  f->read_at = behind; /* when nothing can fail any more */
  return 1;
}

/* :state() -> a text that says which file it is and how long: it changes when the file is written
 * to */
static int append_file_state(lua_State *L) {
  append_file *f = check_file(L);
  struct stat held;
  char text[96];
  if (fstat(f->fd, &held) != 0)
    return push_error(L, strerror(errno), NULL);
  (void)snprintf(text, sizeof text, "%llu:%llu:%lld", (unsigned long long)held.st_dev,
                 (unsigned long long)held.st_ino, (long long)held.st_size);
  lua_pushstring(L, text);
  return 1;
}

/* :truncate(bytes) -> true | nil, message */
static int append_file_truncate(lua_State *L) {
  append_file *f = check_file(L);
  lua_Number n = luaL_checknumber(L, 2);
  if (!(n >= 0 && n <= (lua_Number)f->size))
    return luaL_error(L, "a file can be cut to a length between 0 and its own");
  if (!sc3_fork_mark_mine(&f->mark))
    return push_error(L, FORKED, "forked");
  if (cut(f, (off_t)n) != 0)
    return push_error(L, strerror(errno), NULL);
  lua_pushboolean(L, 1);
  return 1;
}

static int append_file_close(lua_State *L) {
  shut(luaL_checkudata(L, 1, TYPE));
  return 0;
}

void sc3l_open_append_file(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"append", append_file_append},
      {"read", append_file_read},
      {"state", append_file_state},
      {"truncate", append_file_truncate},
      {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE, .methods = {methods}, .end = append_file_close};
  sc3l_new_type(L, &type);
  lua_pushcfunction(L, append_file_new);
  lua_setfield(L, -2, "append_file");
}
