/* Fails calls of the system, for a process that has this preloaded and loads it as a Lua module
 * too. glibc's stdio writes without a call that can be replaced, so its own functions are replaced.
 *
 *   failing_calls.of_library("core.so", k, count, how)
 *   failing_calls.of_files("work.journal", k, count, how)
 *       of what that library asks of the system, or of the calls on files with that in their path,
 *       the k-th and count - 1 more go wrong from now on
 *   failing_calls.stop()
 *       -> how many calls could have gone wrong, how many did, and the name of the last that did
 *
 * `how` is an error, such as "ENOSPC"; "short", where half of the bytes is moved; or "torn", where
 * half of the bytes is written at the k-th call, and each further call gives ENOSPC. Only reads and
 * writes can be short, only writes are torn, and only what a signal may interrupt gives EINTR.
 * "killed" ends the process before a call that does not read, and "halved" in the middle of a
 * write. */
#undef _FORTIFY_SOURCE /* it would define some of these in the headers */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

int luaopen_failing_calls(lua_State *L);
int __open64_2(const char *path, int flags);

enum { POPULATE_WRITE = 23 }; /* of madvise(), since Linux 5.14 */

enum kind { PLAIN, SLOW, READS, WRITES }; /* all but the first may be interrupted */
enum how { ERROR, INTERRUPTED, SHORT, TORN, KILLED, HALVED };
enum verdict { GO, FAIL, HALF };
enum choice { NOTHING, LIBRARY, FILES };

static enum choice chosen_by;
static char chosen[256]; /* part of the library's path, or of the files' */
static long asked, failed, first, last;
static enum how how;
static int code;
static const char *failed_call;

/* --- which calls --- */

static int named(const char *path) {
  return chosen_by == FILES && path != NULL && strstr(path, chosen) != NULL;
}

/* By the descriptor, which may come from whoever started this process. */
static int opened(int fd) {
  char link[64], path[4096];
  const int error = errno;
  ssize_t n;
  if (chosen_by != FILES)
    return 0;
  (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  n = readlink(link, path, sizeof path - 1);
  errno = error;
  path[n > 0 ? n : 0] = '\0';
  return named(path);
}

static int is_chosen(void *caller, int on_file) {
  Dl_info info;
  int found;
  if (chosen_by != LIBRARY)
    return on_file;
  chosen_by = NOTHING; /* what dladdr() calls must not come back here */
  found = dladdr(caller, &info) != 0 && info.dli_fname != NULL &&
          strstr(info.dli_fname, chosen) != NULL;
  chosen_by = LIBRARY;
  return found;
}

static int can_suffer(enum kind kind) {
  switch (how) {
    case ERROR: return 1;
    case INTERRUPTED: return kind != PLAIN;
    case SHORT: return kind == READS || kind == WRITES;
    case TORN: return kind == WRITES || (first > 0 && asked >= first);
    case KILLED: return kind != READS;
    case HALVED: return kind == WRITES;
  }
  return 0;
}

static enum verdict judge(void *caller, const char *call, enum kind kind, int on_file) {
  if (!is_chosen(caller, on_file) || !can_suffer(kind))
    return GO;
  asked++;
  if (asked < first || asked > last)
    return GO;
  failed++;
  failed_call = call;
  errno = code;
  if (how == KILLED)
    (void)raise(SIGKILL);
  if (how == HALVED)
    return HALF;
  return how == SHORT || (how == TORN && asked == first) ? HALF : FAIL;
}

/* What becomes of a call. */
#define VERDICT(call, kind, on_file) judge(__builtin_return_address(0), #call, kind, on_file)
#define FAILS(call, kind, on_file) (VERDICT(call, kind, on_file) == FAIL)

/* What the C library has under that name. */
#define REAL(call) (__extension__(__typeof__(&call)) dlsym(RTLD_NEXT, #call))

/* A call that gives -1. */
#define CALL(type, call, kind, on_file, parameters, arguments)                                     \
  type call parameters {                                                                           \
    return FAILS(call, kind, on_file) ? -1 : REAL(call) arguments;                                 \
  }

/* One that reads or writes `n` bytes. */
#define MOVE(call, kind, parameters, arguments)                                                    \
  ssize_t call parameters {                                                                        \
    ssize_t moved;                                                                                 \
    const enum verdict verdict = VERDICT(call, kind, opened(fd));                                  \
    if (verdict == FAIL)                                                                           \
      return -1;                                                                                   \
    n = verdict == HALF && n > 1 ? n / 2 : n;                                                      \
    moved = REAL(call) arguments;                                                                  \
    if (verdict == HALF && how == HALVED)                                                          \
      (void)raise(SIGKILL);                                                                        \
    return moved;                                                                                  \
  }

/* --- what has no file --- */

CALL(ssize_t, getrandom, SLOW, 0, (void *to, size_t n, unsigned flags), (to, n, flags))
CALL(int, poll, SLOW, 0, (struct pollfd * list, nfds_t n, int ms), (list, n, ms))
CALL(int, socket, PLAIN, 0, (int domain, int type, int protocol), (domain, type, protocol))
CALL(int, epoll_create1, PLAIN, 0, (int flags), (flags))
CALL(int, epoll_ctl, PLAIN, 0, (int fd, int operation, int of, struct epoll_event *event),
     (fd, operation, of, event))
CALL(int, epoll_wait, SLOW, 0, (int fd, struct epoll_event *list, int n, int ms), (fd, list, n, ms))
CALL(int, timerfd_create, PLAIN, 0, (int clock, int flags), (clock, flags))
CALL(int, timerfd_settime, PLAIN, 0,
     (int fd, int flags, const struct itimerspec *when, struct itimerspec *before),
     (fd, flags, when, before))

char *getcwd(char *to, size_t n) {
  return FAILS(getcwd, PLAIN, 0) ? NULL : REAL(getcwd)(to, n);
}

/* --- names --- */

CALL(int, stat64, PLAIN, named(path), (const char *path, struct stat64 *info), (path, info))
CALL(int, lstat64, PLAIN, named(path), (const char *path, struct stat64 *info), (path, info))
CALL(int, unlink, PLAIN, named(path), (const char *path), (path))
CALL(int, remove, PLAIN, named(path), (const char *path), (path))
CALL(int, rename, PLAIN, named(from) || named(to), (const char *from, const char *to), (from, to))

static mode_t mode_of(int flags, va_list list) {
  return (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
  va_list list;
  mode_t mode;
  va_start(list, flags);
  mode = mode_of(flags, list);
  va_end(list);
  return FAILS(open, SLOW, named(path)) ? -1 : REAL(open)(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list list;
  mode_t mode;
  va_start(list, flags);
  mode = mode_of(flags, list);
  va_end(list);
  return FAILS(open64, SLOW, named(path)) ? -1 : REAL(open64)(path, flags, mode);
}

CALL(int, __open64_2, SLOW, named(path), (const char *path, int flags), (path, flags))

/* --- descriptors --- */

MOVE(read, READS, (int fd, void *to, size_t n), (fd, to, n))
MOVE(write, WRITES, (int fd, const void *from, size_t n), (fd, from, n))
MOVE(pread64, READS, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
MOVE(pwrite64, WRITES, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
CALL(int, fstat64, PLAIN, opened(fd), (int fd, struct stat64 *info), (fd, info))
CALL(int, fchmod, PLAIN, opened(fd), (int fd, mode_t mode), (fd, mode))
CALL(int, fsync, SLOW, opened(fd), (int fd), (fd))
CALL(int, fdatasync, SLOW, opened(fd), (int fd), (fd))
CALL(int, ftruncate64, SLOW, opened(fd), (int fd, off64_t size), (fd, size))

int flock(int fd, int operation) {
  /* Giving a lock back cannot fail while the descriptor is open. */
  if (operation != LOCK_UN && FAILS(flock, SLOW, opened(fd)))
    return -1;
  return REAL(flock)(fd, operation);
}

/* Linux gives the descriptor back whatever it answers. */
int close(int fd) {
  const enum verdict verdict = VERDICT(close, SLOW, opened(fd));
  const int error = errno, status = REAL(close)(fd);
  if (verdict != FAIL)
    return status;
  errno = error;
  return -1;
}

int posix_fallocate64(int fd, off64_t from, off64_t n) {
  if (FAILS(posix_fallocate64, SLOW, opened(fd)))
    return code;
  return REAL(posix_fallocate64)(fd, from, n);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t from) {
  if (FAILS(mmap64, PLAIN, opened(fd)))
    return MAP_FAILED;
  return REAL(mmap64)(at, n, protection, flags, fd, from);
}

void *mremap(void *at, size_t n, size_t wanted, int flags, ...) {
  return FAILS(mremap, PLAIN, 0) ? MAP_FAILED : REAL(mremap)(at, n, wanted, flags);
}

/* Fetching pages finds out that a disk is full. It has no descriptor, so each such call counts. */
int madvise(void *at, size_t n, int advice) {
  const int on_file = chosen_by == FILES && advice == POPULATE_WRITE;
  return FAILS(madvise, PLAIN, on_file) ? -1 : REAL(madvise)(at, n, advice);
}

/* --- stdio --- */

FILE *fopen(const char *path, const char *mode) {
  return FAILS(fopen, SLOW, named(path)) ? NULL : REAL(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode) {
  return FAILS(fopen64, SLOW, named(path)) ? NULL : REAL(fopen64)(path, mode);
}

/* A stream remembers that one of its writes failed. */
static void set_error(FILE *file) {
  file->_flags |= _IO_ERR_SEEN;
}

size_t fwrite(const void *bytes, size_t size, size_t n, FILE *file) {
  const enum verdict verdict = VERDICT(fwrite, WRITES, opened(fileno(file)));
  if (verdict != GO)
    set_error(file);
  if (verdict == FAIL)
    return 0;
  return REAL(fwrite)(bytes, size, verdict == HALF && n > 1 ? n / 2 : n, file);
}

/* It goes on after a signal and after a short read by itself. */
size_t fread(void *to, size_t size, size_t n, FILE *file) {
  if (!FAILS(fread, PLAIN, opened(fileno(file))))
    return REAL(fread)(to, size, n, file);
  set_error(file);
  return 0;
}

int fflush(FILE *file) {
  const int on_file = file != NULL && opened(fileno(file));
  if (!FAILS(fflush, SLOW, on_file))
    return REAL(fflush)(file);
  set_error(file);
  return EOF;
}

/* What is still in the buffer is lost, as on a full disk. */
int fclose(FILE *file) {
  const enum verdict verdict = VERDICT(fclose, SLOW, opened(fileno(file)));
  const int error = errno;
  int status;
  if (verdict == FAIL)
    __fpurge(file);
  status = REAL(fclose)(file);
  if (verdict != FAIL)
    return status;
  errno = error;
  return EOF;
}

/* --- control --- */

static const char *const WAYS[] = {"EIO",   "ENOSPC", "EDQUOT", "EMFILE", "EOPNOTSUPP", "EINTR",
                                   "short", "torn",   "killed", "halved", NULL};
static const int CODES[] = {EIO, ENOSPC, EDQUOT, EMFILE, EOPNOTSUPP, EINTR, ENOSPC, ENOSPC, 0, 0};
static const enum how HOWS[] = {ERROR,       ERROR, ERROR, ERROR,  ERROR,
                                INTERRUPTED, SHORT, TORN,  KILLED, HALVED};

static int begin(lua_State *L, enum choice by) {
  size_t n;
  const char *part = luaL_checklstring(L, 1, &n);
  const long k = (long)luaL_checknumber(L, 2), count = (long)luaL_checknumber(L, 3);
  const int way = luaL_checkoption(L, 4, NULL, WAYS);
  luaL_argcheck(L, n > 0 && n < sizeof chosen, 1, "empty or too long");
  memcpy(chosen, part, n + 1);
  asked = failed = 0;
  failed_call = NULL;
  first = k;
  last = k + count - 1;
  how = HOWS[way];
  code = CODES[way];
  chosen_by = by;
  return 0;
}

static int of_library(lua_State *L) {
  return begin(L, LIBRARY);
}

static int of_files(lua_State *L) {
  return begin(L, FILES);
}

static int stop(lua_State *L) {
  chosen_by = NOTHING;
  lua_pushnumber(L, (lua_Number)asked);
  lua_pushnumber(L, (lua_Number)failed);
  lua_pushstring(L, failed_call);
  return 3;
}

int luaopen_failing_calls(lua_State *L) {
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, of_library);
  lua_setfield(L, -2, "of_library");
  lua_pushcfunction(L, of_files);
  lua_setfield(L, -2, "of_files");
  lua_pushcfunction(L, stop);
  lua_setfield(L, -2, "stop");
  return 1;
}
