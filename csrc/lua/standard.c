/* Binds the standard streams of the command: that they exist, that what is printed arrives, and how
 * wide the terminal is. Only the command asks for these; a library must not touch the streams of
 * its process. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../core/files/stay_loaded.h"
#include "open.h"

static int output = STDOUT_FILENO; /* where the command's own words go */

static void on_write_error(int number) {
  (void)number;
}

/* hold_standard() -> whether standard input, output and error were open. One that was closed is
 * filled with a file that gives an error when it is used: else the next file that is opened would
 * have its number. From now on a write that is not read, or over the limit of a file's size, gives
 * an error. A handler that does nothing ends with exec(), so children are not affected. */
static int standard_hold(lua_State *L) {
  struct sigaction action;
  int i;
  for (i = STDIN_FILENO; i <= STDERR_FILENO; i++) {
    const int open_before = fcntl(i, F_GETFD) >= 0;
    if (!open_before && open("/dev/null", i == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
      (void)open("/", O_RDONLY);
    lua_pushboolean(L, open_before);
  }
  memset(&action, 0, sizeof action);
  action.sa_handler = on_write_error;
  action.sa_flags = SA_RESTART;
  (void)sigemptyset(&action.sa_mask);
  sc3_stay_loaded(); /* the handler runs until the process ends: stdio writes after the Lua state */
  (void)sigaction(SIGPIPE, &action, NULL);
  (void)sigaction(SIGXFSZ, &action, NULL);
  return 3;
}

static int failure(lua_State *L) {
  const int error = errno;
  lua_pushnil(L);
  lua_pushstring(L, strerror(error));
  return 2;
}

/* keep_output() -> true | nil, message. Takes standard output for put_output() only. What other
 * code prints goes to standard error. */
static int standard_keep(lua_State *L) {
  int kept;
  if (output != STDOUT_FILENO) {
    lua_pushboolean(L, 1);
    return 1;
  }
  (void)fflush(stdout);
  kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (kept < 0)
    return failure(L);
  if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    const int error = errno;
    (void)close(kept);
    errno = error;
    return failure(L);
  }
  output = kept;
  lua_pushboolean(L, 1);
  return 1;
}

/* put_output(text) -> true, when the system has taken all of it | nil, message */
static int standard_put(lua_State *L) {
  size_t n;
  const char *p = luaL_checklstring(L, 1, &n);
  if (output == STDOUT_FILENO) { /* what was printed before stands before it */
    if (fflush(stdout) != 0)
      return failure(L);
    if (ferror(stdout)) { /* an earlier write failed, and stdio has dropped those bytes */
      lua_pushnil(L);
      lua_pushliteral(L, "some of what a script printed is lost");
      return 2;
    }
  }
  while (n > 0) {
    const ssize_t wrote = write(output, p, n);
    if (wrote >= 0) {
      p += wrote;
      n -= (size_t)wrote;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      struct pollfd ready = {output, POLLOUT, 0};
      (void)poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return failure(L);
    }
  }
  lua_pushboolean(L, 1);
  return 1;
}

/* terminal_width(descriptor) -> its columns, or nil where it is no terminal or does not know */
static int standard_width(lua_State *L) {
  struct winsize size;
  memset(&size, 0, sizeof size);
  if (ioctl((int)luaL_checkinteger(L, 1), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 0;
  lua_pushinteger(L, size.ws_col);
  return 1;
}

void sc3l_open_standard(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"hold_standard", standard_hold},
      {"keep_output", standard_keep},
      {"put_output", standard_put},
      {"terminal_width", standard_width},
      {NULL, NULL},
  };
  sc3l_setfuncs(L, functions);
}
