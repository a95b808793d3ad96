/* One night of a mirror in a process that has this preloaded: when it is, how fast time passes, and
 * at which point the process ends.
 *
 *   SEASON_AHEAD   seconds by which the clock of the day is ahead
 *   SEASON_SPEED   how many times as fast the other clock goes, and waits are over
 *   SEASON_AT      the number of a point, from 1: a write to a file, or a send to a socket
 *   SEASON_SIGNAL  the signal that comes before that point; 9 unless given
 *   SEASON_HALF    1: in the middle of that write
 *   SEASON_POINTS  a file for the number of points, and for the call at which a signal came
 *   SEASON_LOG     a file for the points: what is done to which file, or what is sent
 *
 * What was written before the process ends is seen by the next one, so nothing waits for the disk.
 */
#undef _FORTIFY_SOURCE /* it would define some of these in the headers */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static long ahead, speed = 1, at, points;
static int signal_number = SIGKILL, half;
static const char *report;
static int log_fd = -1;

/* What the C library has under that name. */
#define REAL(call) (__extension__(__typeof__(&call)) dlsym(RTLD_NEXT, #call))

static long number_of(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text != NULL ? strtol(text, NULL, 10) : otherwise;
}

__attribute__((constructor)) static void begin(void) {
  ahead = number_of("SEASON_AHEAD", 0);
  speed = number_of("SEASON_SPEED", 1);
  at = number_of("SEASON_AT", 0);
  signal_number = (int)number_of("SEASON_SIGNAL", SIGKILL);
  half = number_of("SEASON_HALF", 0) != 0;
  report = getenv("SEASON_POINTS");
  if (getenv("SEASON_LOG") != NULL)
    log_fd = open(getenv("SEASON_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void say(const char *call) {
  char line[64];
  const int fd = report != NULL ? open(report, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
  const int n = snprintf(line, sizeof line, "%ld %s\n", points, call);
  if (fd >= 0) {
    (void)!REAL(write)(fd, line, (size_t)n);
    (void)close(fd);
  }
}

__attribute__((destructor)) static void end(void) {
  if (at == 0 || points < at)
    say("-");
}

/* --- time --- */

int clock_gettime(clockid_t id, struct timespec *t) {
  static struct timespec first;
  long long passed;
  if (syscall(SYS_clock_gettime, id, t) !=
      0) /* allocators ask for the time: they bear no dlsym() */
    return -1;
  if (id == CLOCK_REALTIME) {
    t->tv_sec += ahead;
  } else if (id == CLOCK_MONOTONIC && speed > 1) {
    if (first.tv_sec == 0)
      first = *t;
    passed = ((long long)(t->tv_sec - first.tv_sec) * 1000000000 + (t->tv_nsec - first.tv_nsec)) *
                 speed +
             first.tv_nsec;
    t->tv_sec = first.tv_sec + (time_t)(passed / 1000000000);
    t->tv_nsec = (long)(passed % 1000000000);
  }
  return 0;
}

static int sooner(int ms) {
  return ms > 0 ? (int)((ms + speed - 1) / speed) : ms;
}

int epoll_wait(int fd, struct epoll_event *list, int n, int ms) {
  return REAL(epoll_wait)(fd, list, n, sooner(ms));
}

int poll(struct pollfd *list, nfds_t n, int ms) {
  return REAL(poll)(list, n, sooner(ms));
}

int nanosleep(const struct timespec *t, struct timespec *left) {
  const long long ns = ((long long)t->tv_sec * 1000000000 + t->tv_nsec) / speed;
  const struct timespec shorter = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
  return REAL(nanosleep)(&shorter, left);
}

/* --- points --- */

static int is_point(const char *call, int can_be_halved) {
  if (++points != at || (half && !can_be_halved))
    return 0;
  say(call);
  if (!half)
    (void)raise(signal_number);
  return half;
}

/* A line with the call, and the file or the first word that is sent. */
static void note(const char *call, int fd, const char *sent, size_t n) {
  char link[32], name[512], line[600];
  ssize_t length = (ssize_t)n;
  int size;
  if (log_fd < 0)
    return;
  if (sent == NULL) {
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, name, sizeof name);
    sent = name;
  } else {
    length = (ssize_t)strcspn(sent, " ") < length ? (ssize_t)strcspn(sent, " ") : length;
  }
  size = snprintf(line, sizeof line, "%s %.*s\n", call, length > 0 ? (int)length : 0, sent);
  (void)!REAL(write)(log_fd, line, (size_t)size);
}

static int is_file(int fd) {
  struct stat info;
  return fd > STDERR_FILENO && fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* One that writes `n` bytes. */
#define WRITES(type, call, counts, parameters, arguments)                                          \
  type call parameters {                                                                           \
    type moved;                                                                                    \
    const int ends = counts && is_point(#call, 1);                                                 \
    if (counts)                                                                                    \
      note(#call, fd, is_file(fd) ? NULL : from, n);                                               \
    n = ends && n > 1 ? n / 2 : n;                                                                 \
    moved = REAL(call) arguments;                                                                  \
    if (ends)                                                                                      \
      (void)raise(signal_number);                                                                  \
    return moved;                                                                                  \
  }

WRITES(ssize_t, write, is_file(fd), (int fd, const void *from, size_t n), (fd, from, n))
WRITES(ssize_t, pwrite, is_file(fd), (int fd, const void *from, size_t n, off_t to),
       (fd, from, n, to))
WRITES(ssize_t, pwrite64, is_file(fd), (int fd, const void *from, size_t n, off64_t to),
       (fd, from, n, to))
WRITES(ssize_t, send, 1, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))

int ftruncate64(int fd, off64_t size) {
  (void)is_point("ftruncate", 0);
  return REAL(ftruncate64)(fd, size);
}

int unlink(const char *path) {
  (void)is_point("unlink", 0);
  return REAL(unlink)(path);
}

int fsync(int fd) {
  note("fsync", fd, NULL, 0);
  (void)is_point("fsync", 0);
  return 0;
}

int fdatasync(int fd) {
  note("fdatasync", fd, NULL, 0);
  (void)is_point("fdatasync", 0);
  return 0;
}
