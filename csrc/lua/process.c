/* What the command line and the blocking loop ask of the process: clocks, sleep, terminals, and the stop flag. */
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "binding.h"

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

/* isatty(descriptor) -> boolean */
static int process_isatty(lua_State *L) {
  lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
  return 1;
}

static volatile sig_atomic_t stop_signal;

static void on_signal(int number) {
  if (stop_signal != 0) { /* asked twice: the next one ends the process at once */
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    return;
  }
  stop_signal = number;
}

/* catch_stop(): from now on SIGINT and SIGTERM set a flag. Only the command calls it; a library must leave signals alone. */
static int process_catch_stop(lua_State *L) {
  struct sigaction action;
  (void)L;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  (void)sigemptyset(&action.sa_mask);
  (void)sigaction(SIGINT, &action, NULL); /* no SA_RESTART: a read of stdin must end too */
  (void)sigaction(SIGTERM, &action, NULL);
  return 0;
}

/* stopped() -> the signal's number, or nil */
static int process_stopped(lua_State *L) {
  if (stop_signal == 0)
    return 0;
  lua_pushinteger(L, stop_signal);
  return 1;
}

void sc3_open_process(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"now", process_now}, {"time", process_time}, {"sleep", process_sleep}, {"isatty", process_isatty},
    {"catch_stop", process_catch_stop}, {"stopped", process_stopped}, {NULL, NULL},
  };
  sc3_setfuncs(L, functions);
}
