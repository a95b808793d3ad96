/* Preloaded: how many bytes a program writes into a state, which is the file STATE and those whose
 * names begin so. FILE gets their number when it ends:
 *   WRITTEN_OF=STATE WRITTEN_TO=FILE LD_PRELOAD=written.so PROGRAM */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static unsigned long long written;

static int is_of_state(int fd) {
  const char *state = getenv("WRITTEN_OF");
  char link[64], name[4096];
  ssize_t n;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  n = readlink(link, name, sizeof name - 1);
  if (state == NULL || n < 0)
    return 0;
  name[n] = '\0';
  return strncmp(name, state, strlen(state)) == 0;
}

static ssize_t count(int fd, ssize_t n) {
  if (n > 0 && is_of_state(fd))
    written += (unsigned long long)n;
  return n;
}

typedef ssize_t writer_at(int, const void *, size_t, off64_t);
typedef ssize_t writer(int, const void *, size_t);

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at) {
  writer_at *next;
  *(void **)&next = dlsym(RTLD_NEXT, "pwrite64");
  return count(fd, next(fd, p, n, at));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
  return pwrite64(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n) {
  writer *next;
  *(void **)&next = dlsym(RTLD_NEXT, "write");
  return count(fd, next(fd, p, n));
}

__attribute__((destructor)) static void tell(void) {
  const char *to = getenv("WRITTEN_TO");
  FILE *f = to != NULL ? fopen(to, "w") : NULL;
  if (f == NULL)
    return;
  fprintf(f, "%llu\n", written);
  fclose(f);
}
