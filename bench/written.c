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

/* What is known of a descriptor: whether it is one of the state. To ask costs as much as a small
 * write, which would count as the program's. */
enum { UNKNOWN, OF_STATE, OTHER, DESCRIPTORS = 1024 };
static char known[DESCRIPTORS];

static int look(int fd) {
  const char *state = getenv("WRITTEN_OF");
  char link[64], name[4096];
  ssize_t n;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  n = readlink(link, name, sizeof name - 1);
  if (state == NULL || n < 0)
    return OTHER;
  name[n] = '\0';
  return strncmp(name, state, strlen(state)) == 0 ? OF_STATE : OTHER;
}

static int is_of_state(int fd) {
  if (fd >= DESCRIPTORS)
    return look(fd) == OF_STATE;
  if (known[fd] == UNKNOWN)
    known[fd] = (char)look(fd);
  return known[fd] == OF_STATE;
}

static ssize_t count(int fd, ssize_t n) {
  if (n > 0 && is_of_state(fd))
    written += (unsigned long long)n;
  return n;
}

typedef ssize_t writer_at(int, const void *, size_t, off64_t);
typedef ssize_t writer(int, const void *, size_t);
typedef int closer(int);

static void find(void **next, const char *name) {
  if (*next == NULL)
    *next = dlsym(RTLD_NEXT, name);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at) {
  static writer_at *next;
  find((void **)&next, "pwrite64");
  return count(fd, next(fd, p, n, at));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at) {
  return pwrite64(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n) {
  static writer *next;
  find((void **)&next, "write");
  return count(fd, next(fd, p, n));
}

int close(int fd) {
  static closer *next;
  find((void **)&next, "close");
  if (fd >= 0 && fd < DESCRIPTORS)
    known[fd] = UNKNOWN;
  return next(fd);
}

__attribute__((destructor)) static void tell(void) {
  const char *to = getenv("WRITTEN_TO");
  FILE *f = to != NULL ? fopen(to, "w") : NULL;
  if (f == NULL)
    return;
  fprintf(f, "%llu\n", written);
  fclose(f);
}
