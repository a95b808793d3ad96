/* Preloaded under callgrind: the same seeds in every run. Lua takes the seed of its strings from
 * the time and from addresses, LuaJIT from random numbers of the kernel; by it they order their
 * tables. */
#include <dlfcn.h>
#include <string.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>

long syscall(long number, ...);

time_t time(time_t *t) {
  const time_t fixed = 1764547200; /* 2025-12-01 */
  if (t != NULL)
    *t = fixed;
  return fixed;
}

static long real_syscall(long number, const long a[6]) {
  static long (*real)(long, ...);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "syscall");
  return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long syscall(long number, ...) {
  long a[6];
  va_list arguments;
  va_start(arguments, number);
  for (int i = 0; i < 6; i++)
    a[i] = va_arg(arguments, long);
  va_end(arguments);
  if (number != SYS_getrandom)
    return real_syscall(number, a);
  memset((void *)a[0], 7, (size_t)a[1]);
  return a[1];
}
