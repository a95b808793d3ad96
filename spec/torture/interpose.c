/* Fails calls on files, for a process that has this preloaded and loads it as a Lua module too.
 * glibc's stdio writes without a call that can be replaced, so its own functions are replaced too.
 *
 *   interpose.fail(path, k, count, how)
 *       of the calls on files with `path` in their path, the k-th and count - 1 more fail; 0: none
 *   interpose.seen()
 *       -> how many such calls there were since, how many failed
 *
 * `how` is an error (ENOSPC, EIO, EDQUOT, EINTR), "short" (half of the bytes is written), or "torn"
 * (half of the bytes at the k-th, then ENOSPC). Only what writes can be short; only what may block
 * can be interrupted. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_FILES = 1024, POPULATE_WRITE = 23 };

typedef enum { ERROR, SHORT, TORN } failure;

/* What a call can suffer besides an error. */
enum { PLAIN = 0, BLOCKS = 1, WRITES = 2 };

typedef enum { GO, FAIL, HALF } verdict;

static char pattern[256]; /* empty = nothing fails */
static long seen, failed, first, last;
static failure kind;
static int error_number;
static unsigned char matching[MOST_FILES]; /* descriptors of matching files */

static int matches(const char *path) {
  return pattern[0] != '\0' && path != NULL && strstr(path, pattern) != NULL;
}

static int is_matching(int fd) {
  return fd >= 0 && fd < MOST_FILES && matching[fd];
}

static void note(int fd, const char *path) {
  if (fd >= 0 && fd < MOST_FILES)
    matching[fd] = (unsigned char)matches(path);
}

/* Counts a call on a matching file, and says what becomes of it. */
static verdict judge(int traits) {
  const long number = ++seen;
  if (first == 0 || number < first || number > last)
    return GO;
  if ((kind != ERROR && (traits & WRITES) == 0) ||
      (error_number == EINTR && (traits & BLOCKS) == 0))
    return kind == TORN && number > first ? (failed++, errno = error_number, FAIL) : GO;
  failed++;
  errno = error_number;
  return kind == SHORT || (kind == TORN && number == first) ? HALF : FAIL;
}

static verdict judge_file(int fd, int traits) {
  return is_matching(fd) ? judge(traits) : GO;
}

static void find(void *function, const char *symbol) {
  void *address = dlsym(RTLD_NEXT, symbol);
  if (address == NULL)
    abort();
  memcpy(function, &address, sizeof address);
}

/* Declares `real` as the C library's own function of that name. */
#define FIND(name)                                                                                 \
  static __typeof__(&name) real;                                                                   \
  if (real == NULL)                                                                                \
  find(&real, #name)

/* --- names --- */

typedef int open_function(const char *path, int flags, ...);

static int open_by(const char *symbol, const char *path, int flags, mode_t mode) {
  open_function *real;
  int fd;
  find(&real, symbol);
  if (matches(path) && judge(BLOCKS) == FAIL)
    return -1;
  fd = real(path, flags, mode);
  note(fd, path);
  return fd;
}

static mode_t mode_of(int flags, va_list list) {
  return (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
  va_list list;
  mode_t mode;
  va_start(list, flags);
  mode = mode_of(flags, list);
  va_end(list);
  return open_by("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list list;
  mode_t mode;
  va_start(list, flags);
  mode = mode_of(flags, list);
  va_end(list);
  return open_by("open64", path, flags, mode);
}

int __open64_2(const char *path, int flags);
int __open64_2(const char *path, int flags) {
  return open_by("open64", path, flags, 0);
}

int rename(const char *from, const char *to) {
  FIND(rename);
  if ((matches(from) || matches(to)) && judge(PLAIN) == FAIL)
    return -1;
  return real(from, to);
}

int unlink(const char *path) {
  FIND(unlink);
  if (matches(path) && judge(PLAIN) == FAIL)
    return -1;
  return real(path);
}

/* --- descriptors --- */

static size_t half(size_t n) {
  return n > 1 ? n / 2 : n;
}

ssize_t write(int fd, const void *bytes, size_t n) {
  FIND(write);
  switch (judge_file(fd, BLOCKS | WRITES)) {
    case FAIL: return -1;
    case HALF: n = half(n); break;
    case GO: break;
  }
  return real(fd, bytes, n);
}

typedef ssize_t pwrite_function(int fd, const void *bytes, size_t n, off64_t at);

static ssize_t pwrite_by(const char *symbol, int fd, const void *bytes, size_t n, off64_t at) {
  pwrite_function *real;
  find(&real, symbol);
  switch (judge_file(fd, BLOCKS | WRITES)) {
    case FAIL: return -1;
    case HALF: n = half(n); break;
    case GO: break;
  }
  return real(fd, bytes, n, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
  return pwrite_by("pwrite", fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) {
  return pwrite_by("pwrite64", fd, bytes, n, at);
}

int fsync(int fd) {
  FIND(fsync);
  return judge_file(fd, BLOCKS) == FAIL ? -1 : real(fd);
}

int ftruncate64(int fd, off64_t size) {
  FIND(ftruncate64);
  return judge_file(fd, BLOCKS) == FAIL ? -1 : real(fd, size);
}

int flock(int fd, int operation) {
  FIND(flock);
  /* Giving a lock back cannot fail while the descriptor is open. */
  if (operation != LOCK_UN && judge_file(fd, BLOCKS) == FAIL)
    return -1;
  return real(fd, operation);
}

/* Linux gives the descriptor back whatever it answers. */
int close(int fd) {
  FIND(close);
  const verdict found = judge_file(fd, BLOCKS);
  const int error = errno;
  int status;
  note(fd, NULL);
  status = real(fd);
  if (found != FAIL)
    return status;
  errno = error;
  return -1;
}

int posix_fallocate64(int fd, off64_t from, off64_t n) {
  FIND(posix_fallocate64);
  return judge_file(fd, BLOCKS) == FAIL ? error_number : real(fd, from, n);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t from) {
  FIND(mmap64);
  return judge_file(fd, PLAIN) == FAIL ? MAP_FAILED : real(at, n, protection, flags, fd, from);
}

/* Fetching pages finds out that a disk is full. It has no descriptor, so each such call counts. */
int madvise(void *at, size_t n, int advice) {
  FIND(madvise);
  if (advice == POPULATE_WRITE && pattern[0] != '\0' && judge(PLAIN) == FAIL)
    return -1;
  return real(at, n, advice);
}

/* --- stdio --- */

typedef FILE *fopen_function(const char *path, const char *mode);

static FILE *fopen_by(const char *symbol, const char *path, const char *mode) {
  fopen_function *real;
  FILE *file;
  find(&real, symbol);
  if (matches(path) && judge(BLOCKS) == FAIL)
    return NULL;
  file = real(path, mode);
  if (file != NULL)
    note(fileno(file), path);
  return file;
}

FILE *fopen(const char *path, const char *mode) {
  return fopen_by("fopen", path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
  return fopen_by("fopen64", path, mode);
}

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *file) {
  FIND(fwrite);
  switch (judge_file(fileno(file), WRITES)) {
    case FAIL: return 0;
    case HALF: return real(bytes, size, half(n), file);
    case GO: break;
  }
  return real(bytes, size, n, file);
}

int fflush(FILE *file) {
  FIND(fflush);
  return file != NULL && judge_file(fileno(file), PLAIN) == FAIL ? EOF : real(file);
}

/* What is still in the buffer is lost, as on a full disk. */
int fclose(FILE *file) {
  FIND(fclose);
  const int fd = fileno(file);
  const verdict found = judge_file(fd, PLAIN);
  const int error = errno;
  int status;
  note(fd, NULL);
  if (found == FAIL)
    __fpurge(file);
  status = real(file);
  if (found != FAIL)
    return status;
  errno = error;
  return EOF;
}

/* --- control --- */

static const struct {
  const char *name;
  failure kind;
  int error;
} ways[] = {
    {"ENOSPC", ERROR, ENOSPC}, {"EIO", ERROR, EIO},      {"EDQUOT", ERROR, EDQUOT},
    {"EINTR", ERROR, EINTR},   {"short", SHORT, ENOSPC}, {"torn", TORN, ENOSPC},
};

static int begin(const char *path, long k, long count, const char *name) {
  size_t i = 0, n = sizeof ways / sizeof *ways;
  while (i < n && strcmp(ways[i].name, name) != 0)
    i++;
  if (i == n || strlen(path) >= sizeof pattern)
    return -1;
  seen = failed = 0;
  first = k;
  last = k + count - 1;
  kind = ways[i].kind;
  error_number = ways[i].error;
  memcpy(pattern, path, strlen(path) + 1);
  return 0;
}

static int fail(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  const long k = (long)luaL_checknumber(L, 2), count = (long)luaL_checknumber(L, 3);
  if (begin(path, k, count, luaL_checkstring(L, 4)) != 0)
    return luaL_error(L, "no such way to fail");
  return 0;
}

static int tell_seen(lua_State *L) {
  pattern[0] = '\0';
  first = 0; /* files that are open still match */
  lua_pushnumber(L, (lua_Number)seen);
  lua_pushnumber(L, (lua_Number)failed);
  return 2;
}

int luaopen_interpose(lua_State *L);
int luaopen_interpose(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, fail);
  lua_setfield(L, -2, "fail");
  lua_pushcfunction(L, tell_seen);
  lua_setfield(L, -2, "seen");
  return 1;
}
