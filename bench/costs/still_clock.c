/* Preloaded under callgrind: clocks that stand still, for programs that wait for nothing. Rows are
 * read in slices of a millisecond, and under callgrind a slice has as few rows as the machine is
 * slow. */
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *t) {
  t->tv_sec = id == CLOCK_REALTIME ? 1764547200 : 1000; /* 2025-12-01 */
  t->tv_nsec = 0;
  return 0;
}
