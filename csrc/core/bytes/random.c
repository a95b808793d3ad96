#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__) && !defined(SC3_PORTABLE)
#include <sys/random.h>
#endif

static int from_call(uint64_t *out) {
#if defined(__linux__) && !defined(SC3_PORTABLE)
  ssize_t n;
  do
    n = getrandom(out, sizeof *out, GRND_NONBLOCK); /* early in a boot it would wait */
  while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof *out;
#else
  (void)out;
  return 0;
#endif
}

static int from_device(uint64_t *out) {
  int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC | O_NOCTTY);
  ssize_t n;
  if (fd < 0)
    return 0;
  do
    n = read(fd, out, sizeof *out);
  while (n < 0 && errno == EINTR);
  (void)close(fd);
  return n == (ssize_t)sizeof *out;
}

/* The last step of SplitMix64: numbers that differ in a bit come out far apart. */
static uint64_t mix(uint64_t z) {
  z += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static uint64_t from_clocks(void) {
  struct timespec wall = {0, 0}, since_boot = {0, 0};
  (void)clock_gettime(CLOCK_REALTIME, &wall);
  (void)clock_gettime(CLOCK_MONOTONIC, &since_boot);
  return mix(mix(mix((uint64_t)getpid()) ^ (uint64_t)wall.tv_sec) ^ ((uint64_t)wall.tv_nsec << 32) ^
             (uint64_t)since_boot.tv_nsec);
}

uint64_t sc3_random_bits(void) {
  uint64_t bits = 0;
  if (!from_call(&bits) && !from_device(&bits))
    bits = from_clocks();
  return bits;
}

double sc3_random_fraction(void) {
  return (double)(sc3_random_bits() >> 11) * 0x1.0p-53;
}
