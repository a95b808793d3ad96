/* A clock that goes a hundred times as fast, for a process that has this preloaded: minutes pass in
 * a second, and sleeps last as long as ever. */
#include <dlfcn.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *t) {
  static int (*real)(clockid_t, struct timespec *);
  static struct timespec first;
  long long passed;
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  if (id != CLOCK_MONOTONIC)
    return real(id, t);
  if (real(id, t) != 0)
    return -1;
  if (first.tv_sec == 0)
    first = *t;
  passed =
      ((long long)(t->tv_sec - first.tv_sec) * 1000000000 + (t->tv_nsec - first.tv_nsec)) * 100;
  t->tv_sec = first.tv_sec + (time_t)(passed / 1000000000);
  t->tv_nsec = (long)(passed % 1000000000);
  return 0;
}
