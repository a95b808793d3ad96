/* Fails calls of the system, for a process that has this preloaded and loads it as a Lua module
 * too:
 * failing_calls.fail("core.so", k, count, how) -- of what that library asks of the system from now
 *   on, the k-th call and count - 1 more go wrong. How: "EIO" or the like, an error; "EINTR", only
 *   of calls that a signal may interrupt; "short", reads and writes of half.
 * failing_calls.asked() -> how many calls could have gone wrong, and the name of the last that did
 */
#undef _FORTIFY_SOURCE /* it would define some of these in the headers */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <lua.h>
#include <poll.h>
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

enum kind { PLAIN, SLOW, MOVES }; /* SLOW: may be interrupted. MOVES: so are these, by half, too */
enum how { ERROR, INTERRUPTED, SHORT };

static const char *library; /* NULL while nothing is counted */
static char name[64];
static long asked, first, last;
static enum how how;
static int code;
static const char *failed;

static int comes_from_library(void *caller) {
  Dl_info info;
  const char *from = library;
  int found;
  if (from == NULL)
    return 0;
  library = NULL; /* what dladdr() calls must not come back here */
  found =
      dladdr(caller, &info) != 0 && info.dli_fname != NULL && strstr(info.dli_fname, from) != NULL;
  library = from;
  return found;
}

static int fails(void *caller, const char *call, enum kind kind) {
  if (!comes_from_library(caller) || (how == INTERRUPTED && kind == PLAIN) ||
      (how == SHORT && kind != MOVES))
    return 0;
  asked++;
  if (asked < first || asked > last)
    return 0;
  failed = call;
  errno = code;
  return 1;
}

/* What the C library has under that name. */
#define REAL(call) (__extension__(__typeof__(&call)) dlsym(RTLD_NEXT, #call))
#define FAILS(call, kind) fails(__builtin_return_address(0), #call, kind)

/* A call that gives -1. */
#define CALL(type, call, kind, parameters, arguments)                                              \
  type call parameters {                                                                           \
    return FAILS(call, kind) ? -1 : REAL(call) arguments;                                          \
  }

/* One that reads or writes `n` bytes. */
#define MOVE(call, parameters, arguments)                                                          \
  ssize_t call parameters {                                                                        \
    if (FAILS(call, MOVES)) {                                                                      \
      if (how != SHORT)                                                                            \
        return -1;                                                                                 \
      n = n > 1 ? n / 2 : n;                                                                       \
    }                                                                                              \
    return REAL(call) arguments;                                                                   \
  }

MOVE(read, (int fd, void *to, size_t n), (fd, to, n))
MOVE(write, (int fd, const void *from, size_t n), (fd, from, n))
MOVE(pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
MOVE(pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
CALL(ssize_t, getrandom, SLOW, (void *to, size_t n, unsigned flags), (to, n, flags))
CALL(int, fsync, SLOW, (int fd), (fd))
CALL(int, flock, SLOW, (int fd, int operation), (fd, operation))
CALL(int, poll, SLOW, (struct pollfd * list, nfds_t n, int ms), (list, n, ms))
CALL(int, epoll_wait, SLOW, (int fd, struct epoll_event *list, int n, int ms), (fd, list, n, ms))
CALL(int, fstat64, PLAIN, (int fd, struct stat64 *info), (fd, info))
CALL(int, stat64, PLAIN, (const char *path, struct stat64 *info), (path, info))
CALL(int, lstat64, PLAIN, (const char *path, struct stat64 *info), (path, info))
CALL(int, ftruncate64, PLAIN, (int fd, off64_t size), (fd, size))
CALL(int, fchmod, PLAIN, (int fd, mode_t mode), (fd, mode))
CALL(int, unlink, PLAIN, (const char *path), (path))
CALL(int, madvise, PLAIN, (void *at, size_t n, int advice), (at, n, advice))
CALL(int, socket, PLAIN, (int domain, int type, int protocol), (domain, type, protocol))
CALL(int, epoll_create1, PLAIN, (int flags), (flags))
CALL(int, epoll_ctl, PLAIN, (int fd, int operation, int of, struct epoll_event *event),
     (fd, operation, of, event))
CALL(int, timerfd_create, PLAIN, (int clock, int flags), (clock, flags))
CALL(int, timerfd_settime, PLAIN,
     (int fd, int flags, const struct itimerspec *when, struct itimerspec *before),
     (fd, flags, when, before))

int open64(const char *path, int flags, ...) {
  return FAILS(open64, SLOW) ? -1 : REAL(open64)(path, flags, 0600);
}

char *getcwd(char *to, size_t n) {
  return FAILS(getcwd, PLAIN) ? NULL : REAL(getcwd)(to, n);
}

int posix_fallocate64(int fd, off64_t from, off64_t n) {
  return FAILS(posix_fallocate64, SLOW) ? code : REAL(posix_fallocate64)(fd, from, n);
}

void *mmap64(void *at, size_t n, int protection, int flags, int fd, off64_t from) {
  return FAILS(mmap64, PLAIN) ? MAP_FAILED : REAL(mmap64)(at, n, protection, flags, fd, from);
}

void *mremap(void *at, size_t n, size_t wanted, int flags, ...) {
  return FAILS(mremap, PLAIN) ? MAP_FAILED : REAL(mremap)(at, n, wanted, flags);
}

static int failing_calls_fail(lua_State *L) {
  static const char *const names[] = {"EIO",   "ENOSPC", "EMFILE", "EOPNOTSUPP",
                                      "EINTR", "short",  NULL};
  static const int codes[] = {EIO, ENOSPC, EMFILE, EOPNOTSUPP, EINTR, 0};
  int option = luaL_checkoption(L, 4, NULL, names);
  strncpy(name, luaL_checkstring(L, 1), sizeof name - 1);
  asked = 0;
  first = (long)luaL_checknumber(L, 2);
  last = first + (long)luaL_checknumber(L, 3) - 1;
  code = codes[option];
  how = code == 0 ? SHORT : code == EINTR ? INTERRUPTED : ERROR;
  failed = NULL;
  library = name;
  return 0;
}

static int failing_calls_asked(lua_State *L) {
  library = NULL;
  lua_pushnumber(L, (lua_Number)asked);
  lua_pushstring(L, failed);
  return 2;
}

int luaopen_failing_calls(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, failing_calls_fail);
  lua_setfield(L, -2, "fail");
  lua_pushcfunction(L, failing_calls_asked);
  lua_setfield(L, -2, "asked");
  return 1;
}
