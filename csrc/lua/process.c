/* Binds what the command line and the blocking loop ask of the process: clocks, sleep, terminals,
 * files by name, and the stop flag. */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../core/bytes/random.h"
#include "../core/files/stay_loaded.h"
#include "open.h"
#include "type.h"
#include "input_file.h"

enum { GLOB_MAX = 1000000 };

static double seconds(clockid_t clock) {
  struct timespec t = {0, 0};
  (void)clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* now() -> seconds of a clock that only goes forward */
static int process_now(lua_State *L) {
  lua_pushnumber(L, seconds(CLOCK_MONOTONIC));
  return 1;
}

/* time() -> seconds since 1970, with fractions */
static int process_time(lua_State *L) {
  lua_pushnumber(L, seconds(CLOCK_REALTIME));
  return 1;
}

static atomic_uint opened; /* times that a Lua state has opened this module */

/* states() -> how many Lua states have opened this module in this process and in those that it was
   forked from. Who looks twice learns whether others came since, as with nginx's `lua_code_cache
   off`, which makes one a request. */
static int process_states(lua_State *L) {
  sc3l_push_count(L, atomic_load(&opened));
  return 1;
}

/* sleep(seconds); a signal ends it early, so that Ctrl-C is never waited for */
static int process_sleep(lua_State *L) {
  double s = (double)luaL_checknumber(L, 1);
  if (s > 0) {
    struct timespec t;
    if (s > 1e6)
      s = 1e6;
    t.tv_sec = (time_t)floor(s);
    t.tv_nsec = (long)((s - floor(s)) * 1e9);
    (void)nanosleep(&t, NULL);
  }
  return 0;
}

/* random() -> a number of at least 0 and under 1, another one in each process */
static int process_random(lua_State *L) {
  lua_pushnumber(L, (lua_Number)sc3_random_fraction());
  return 1;
}

/* isatty(descriptor) -> boolean */
static int process_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

#define TYPE_PATHS                                                                                 \
  "scope3.paths" /* never seen by Lua code: it holds them while they are copied                    \
                  */

static void free_paths(glob_t *found) {
  globfree(found);
  memset(found, 0, sizeof *found);
}

/* Of the collector: making the strings may have failed. */
static int end_paths(lua_State *L) {
  free_paths(luaL_checkudata(L, 1, TYPE_PATHS));
  return 0;
}

/* What the C library says of a folder that it cannot read. A folder that is not there matches
 * nothing. Any other reason ends the search, because files would be missing without a word. glob(3)
 * leaves nothing but this to remember it by. */
static _Thread_local int glob_errno;

static int on_glob_error(const char *path, int error) {
  (void)path;
  if (error == ENOENT || error == ENOTDIR)
    return 0;
  glob_errno = error;
  return 1;
}

/* glob(pattern) -> an array of the paths that it matches, in order | nil (there are none) | nil,
 * why it is not known */
static int process_glob(lua_State *L) {
  const char *pattern = luaL_checkstring(L, 1);
  glob_t *found;
  size_t i;
  int status;
  lua_settop(L, 1);
  lua_createtable(L, 0, 0);
  found = sc3l_new_object(L, sizeof *found, TYPE_PATHS);
  glob_errno = 0;
  status = glob(pattern, 0, on_glob_error, found);
  if (status == GLOB_NOMATCH)
    return 0;
  if (status != 0 || found->gl_pathc > GLOB_MAX) {
    lua_pushnil(L);
    if (status == 0)
      lua_pushfstring(L, "it matches over %d files", (int)GLOB_MAX);
    else
      lua_pushstring(L, status == GLOB_NOSPACE ? "not enough memory"
                        : glob_errno != 0      ? strerror(glob_errno)
                                               : "a folder could not be read");
    return 2;
  }
  for (i = 0; i < found->gl_pathc; i++) {
    lua_pushstring(L, found->gl_pathv[i]);
    lua_rawseti(L, 2, (int)i + 1);
  }
  free_paths(found);
  lua_settop(L, 2);
  return 1;
}

/* file_identity(path) -> a text that is the same for two names of one file ("-" is what standard
 * input reads); nil when there is no such file */
static int process_file_identity(lua_State *L) {
  struct stat info;
  char text[64];
  if (sc3l_file_stat(luaL_checkstring(L, 1), &info) != 0)
    return 0;
  (void)snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)info.st_dev,
                 (unsigned long long)info.st_ino);
  lua_pushstring(L, text);
  return 1;
}

/* file_kind(path) -> "file", "directory", "pipe", "socket" or "device" | nil, message */
static int process_file_kind(lua_State *L) {
  struct stat info;
  int error = sc3l_file_stat(luaL_checkstring(L, 1), &info);
  if (error != 0) {
    lua_pushnil(L);
    lua_pushstring(L, strerror(error));
    return 2;
  }
  lua_pushstring(L, sc3l_file_kind(&info));
  return 1;
}

/* copy_mode(from, to) gives a file the permissions of another -> true | nil, message */
static int process_copy_mode(lua_State *L) {
  const char *from = luaL_checkstring(L, 1), *to = luaL_checkstring(L, 2);
  struct stat info;
  if (stat(from, &info) == 0 && chmod(to, info.st_mode & 07777) == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, strerror(errno));
  return 2;
}

/* link_target(path) -> what a symbolic link says, which may be relative to its folder; nil where
 * the path is none */
static int process_link_target(lua_State *L) {
  char target[PATH_MAX];
  ssize_t n = readlink(luaL_checkstring(L, 1), target, sizeof target);
  if (n <= 0 || (size_t)n == sizeof target)
    return 0;
  lua_pushlstring(L, target, (size_t)n);
  return 1;
}

/* Why a folder is not only this user's to write to; NULL when it is. */
static const char *shared_folder(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0)
    return strerror(errno);
  if (!S_ISDIR(info.st_mode))
    return strerror(ENOTDIR);
  if (info.st_uid != geteuid())
    return "it belongs to another user";
  return (info.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? "others may write to it" : NULL;
}

/* make_folder(path[, own]) makes a folder that only its owner may use -> true | nil, message. One
 * that is there stays as it is; with `own` it must be this user's, and no other may write to it. */
static int process_make_folder(lua_State *L) {
  const char *path = luaL_checkstring(L, 1), *why = NULL;
  if (mkdir(path, 0700) != 0 && errno != EEXIST)
    why = strerror(errno);
  else if (lua_toboolean(L, 2))
    why = shared_folder(path);
  if (why == NULL) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

/* working_folder() -> its path; nil where it has none */
static int process_working_folder(lua_State *L) {
  char path[PATH_MAX];
  if (getcwd(path, sizeof path) == NULL)
    return 0;
  lua_pushstring(L, path);
  return 1;
}

static volatile sig_atomic_t stop_signal;

static void on_signal(int number) {
  if (number == SIGHUP && stop_signal != 0)
    return; /* the end of a terminal comes from the system and from the shell: that is not asking
               twice */
  if (stop_signal != 0) { /* asked twice: the next one ends the process at once */
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    return;
  }
  stop_signal = number;
}

/* catch_stop(): from now on SIGINT, SIGTERM and SIGHUP set a flag. SIGHUP stays ignored where it
 * was, as under nohup. Only the command calls it; a library must not touch signals. */
static int process_catch_stop(lua_State *L) {
  struct sigaction action, before;
  (void)L;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sc3_stay_loaded(); /* the handlers stay until the process ends */
  (void)sigemptyset(&action.sa_mask);
  (void)sigaction(SIGINT, &action, NULL); /* no SA_RESTART: a read of stdin must end too */
  (void)sigaction(SIGTERM, &action, NULL);
  if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
    (void)sigaction(SIGHUP, &action, NULL);
  return 0;
}

/* stopped() -> the signal's number, or nil */
static int process_stopped(lua_State *L) {
  if (stop_signal == 0)
    return 0;
  lua_pushinteger(L, stop_signal);
  return 1;
}

/* end_child(pid) -> whether that child of this process was still running: it is not any more. Only
 * SIGKILL ends one that is stopped, or that was given its signals ignored. Who started it collects
 * it still. */
static int process_end_child(lua_State *L) {
  lua_Number n = luaL_checknumber(L, 1);
  siginfo_t info;
  pid_t pid;
  int ended;
  luaL_argcheck(L, n > 1 && n < 2147483647 && n == floor(n), 1,
                "a process id expected"); /* 0 and -1 are many processes */
  pid = (pid_t)n;
  memset(&info, 0, sizeof info);
  /* It fails where children are not collected, because SIGCHLD is ignored. Then one that has ended
   * is gone. */
  ended = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
  lua_pushboolean(L, !ended && kill(pid, SIGKILL) == 0);
  return 1;
}

void sc3l_open_process(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"now", process_now},
      {"time", process_time},
      {"sleep", process_sleep},
      {"isatty", process_isatty},
      {"random", process_random},
      {"glob", process_glob},
      {"file_identity", process_file_identity},
      {"file_kind", process_file_kind},
      {"copy_mode", process_copy_mode},
      {"link_target", process_link_target},
      {"make_folder", process_make_folder},
      {"working_folder", process_working_folder},
      {"states", process_states},
      {"catch_stop", process_catch_stop},
      {"stopped", process_stopped},
      {"end_child", process_end_child},
      {NULL, NULL},
  };
  static const sc3l_type type = {.name = TYPE_PATHS, .end = end_paths};
  atomic_fetch_add(&opened, 1);
  sc3l_setfuncs(L, functions);
  sc3l_new_type(L, &type);
}
