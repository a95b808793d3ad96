#include "input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds for which bytes of a pipe are waited for, before Lua looks for cancellation and
 * moves its requests on. */
enum { MOMENT = 50 };

enum { FIRST_STEP = 1024 }; /* bytes that are read after a seek */

int sc3l_file_stat(const char *path, struct stat *info) {
  return (strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, info) : stat(path, info)) == 0 ? 0 : errno;
}

/* Whether this is what standard input reads, and can be read once. */
static int is_standard_input(const struct stat *info) {
  struct stat standard;
  return !S_ISREG(info->st_mode) && fstat(STDIN_FILENO, &standard) == 0 &&
         standard.st_dev == info->st_dev && standard.st_ino == info->st_ino;
}

static void take_standard_input(sc3l_input_file *f) {
  f->fd = STDIN_FILENO;
  f->owned = 0;
}

const char *sc3l_input_file_open(sc3l_input_file *f, const char *path) {
  struct stat info;
  f->fd = -1;
  f->owned = f->once = f->error = 0;
  f->size = -1;
  f->step = 0;
  if (strcmp(path, "-") == 0) {
    take_standard_input(f);
    f->once = fstat(f->fd, &info) != 0 || !S_ISREG(info.st_mode);
    return NULL;
  }
  if (stat(path, &info) == 0 && is_standard_input(&info)) {
    take_standard_input(
        f); /* a name of it cannot always be opened: a socket, the terminal of another user */
    f->once = 1;
    return S_ISDIR(info.st_mode) ? "it is a directory" : NULL;
  }
  /* O_NONBLOCK: opening a pipe without a writer would wait for one, and nothing could end that. */
  do
    f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (f->fd < 0 && errno == EINTR);
  if (f->fd < 0)
    return errno == ENXIO ? "it is a socket or a device that cannot be opened by its name; let "
                            "another program read it, and pipe that into standard input (-)"
                          : strerror(errno);
  f->owned = 1;
  if (fstat(f->fd, &info) != 0)
    return strerror(errno);
  if (S_ISDIR(info.st_mode))
    return "it is a directory";
  if (S_ISREG(info.st_mode))
    f->size = (double)info.st_size;
  f->once = !S_ISREG(info.st_mode);
  return NULL;
}

void sc3l_input_file_close(sc3l_input_file *f) {
  if (f->owned && f->fd >= 0)
    (void)close(f->fd);
  f->fd = -1;
  f->owned = 0;
}

/* As read(2), but waits a moment at most: then -1 with errno EAGAIN. */
static ssize_t read_some(const sc3l_input_file *f, void *to, size_t n) {
  if (f->once) {
    struct pollfd p = {f->fd, POLLIN, 0};
    const int ready = poll(&p, 1, MOMENT);
    if (ready == 0)
      errno = EAGAIN;
    if (ready <= 0)
      return -1;
  }
  return read(f->fd, to, n);
}

int sc3l_input_file_seek(sc3l_input_file *f, uint64_t at) {
  if (lseek(f->fd, (off_t)at, SEEK_SET) < 0) {
    f->error = errno;
    return 0;
  }
  f->step = FIRST_STEP;
  return 1;
}

/* How much is asked for: after a seek twice as much each time. */
static size_t next_step(sc3l_input_file *f) {
  const size_t step = f->step;
  if (step == 0)
    return SC3_CHUNK;
  f->step = 2 * step < SC3_CHUNK ? 2 * step : 0;
  return step;
}

sc3l_fill sc3l_input_file_fill(sc3l_input_file *f, sc3_input *in) {
  const size_t step = next_step(f);
  char *space = sc3_input_space(in, step);
  ssize_t n;
  if (space == NULL)
    return SC3L_FILL_NOMEM;
  n = read_some(f, space, step);
  if (n > 0) {
    sc3_input_commit(in, (size_t)n);
    return SC3L_FILL_DONE;
  }
  if (n == 0)
    return sc3_input_finish(in) == SC3_OK ? SC3L_FILL_DONE : SC3L_FILL_NOMEM;
  if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)
    return SC3L_FILL_LATER;
  f->error = errno;
  return SC3L_FILL_FAILED;
}

_Static_assert(sizeof(off_t) >= 8,
               "files may be larger than 2 GiB: compile with -D_FILE_OFFSET_BITS=64");

const char *sc3l_file_kind(const struct stat *info) {
  if (S_ISREG(info->st_mode))
    return "file";
  if (S_ISDIR(info->st_mode))
    return "directory";
  if (S_ISFIFO(info->st_mode))
    return "pipe";
  return S_ISSOCK(info->st_mode) ? "socket" : "device";
}

#ifdef __APPLE__
#define MODIFIED st_mtimespec
#else
#define MODIFIED st_mtim
#endif

void sc3l_file_stamp(const struct stat *info, char text[SC3L_FILE_STAMP]) {
  (void)snprintf(text, SC3L_FILE_STAMP, "%llu:%llu:%lld:%lld.%09ld",
                 (unsigned long long)info->st_dev, (unsigned long long)info->st_ino,
                 (long long)info->st_size, (long long)info->MODIFIED.tv_sec,
                 (long)info->MODIFIED.tv_nsec);
}
