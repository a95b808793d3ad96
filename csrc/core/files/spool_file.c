#include "spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { OPEN_TRIES = 100 };

static int same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Maps `size` bytes of the file in place of what is mapped. */
static sc3_spool_status map(sc3_spool_file *f, size_t size) {
  void *bytes;
#ifdef MREMAP_MAYMOVE /* the pages that are there stay there */
  if (f->bytes != NULL)
    bytes = mremap(f->bytes, f->mapped, size, MREMAP_MAYMOVE);
  else
    bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
#else
  bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
  if (bytes != MAP_FAILED && f->bytes != NULL)
    (void)munmap(f->bytes, f->mapped);
#endif
  if (bytes == MAP_FAILED)
    return SC3_SPOOL_SYSTEM;
  f->bytes = bytes;
  f->size = f->mapped = size;
  return SC3_SPOOL_OK;
}

/* Fetches the pages from `from` on in one call, which costs less than a fault each. Where that goes
 * wrong, so may every write to them: 0 or an error. */
static int populate(const sc3_spool_file *f, size_t from) {
#if defined(MADV_POPULATE_WRITE) && !defined(SC3_PORTABLE) /* Linux 5.14 */
  from -= from % (size_t)sysconf(_SC_PAGESIZE);
  if (madvise(f->bytes + from, f->size - from, MADV_POPULATE_WRITE) != 0 && errno != EINVAL)
    return errno == EFAULT ? ENOSPC : errno;
#else
  (void)f;
  (void)from;
#endif
  return 0;
}

/* One attempt: SC3_SPOOL_REMOVED when the file lost its name before the lock was ours. */
static sc3_spool_status open_locked(sc3_spool_file *f, struct stat *info) {
  struct stat named;
  /* O_NONBLOCK: a FIFO of that name must not hold us. */
  f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
  if (f->fd < 0 || fstat(f->fd, info) != 0)
    return SC3_SPOOL_SYSTEM;
  if (!S_ISREG(info->st_mode))
    return SC3_SPOOL_FOREIGN;
  while (flock(f->fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR)
      return errno == EWOULDBLOCK ? SC3_SPOOL_LOCKED : SC3_SPOOL_SYSTEM;
  }
  if (fstat(f->fd, info) != 0) /* anew: the owner before us may have changed its size */
    return SC3_SPOOL_SYSTEM;
  if (lstat(f->path, &named) != 0)
    return errno == ENOENT ? SC3_SPOOL_REMOVED : SC3_SPOOL_SYSTEM;
  return same_file(info, &named) ? SC3_SPOOL_OK : SC3_SPOOL_REMOVED;
}

static void close_fd(sc3_spool_file *f) {
  int error = errno;
  if (f->fd >= 0)
    (void)close(f->fd);
  f->fd = -1;
  errno = error;
}

sc3_spool_status sc3_spool_file_open(sc3_spool_file *f, const char *path) {
  sc3_spool_status status = SC3_SPOOL_REMOVED;
  struct stat info;
  int tries;
  memset(f, 0, sizeof *f);
  f->fd = -1;
  f->path = strdup(path);
  if (f->path == NULL)
    return SC3_SPOOL_SYSTEM;
  for (tries = 0; status == SC3_SPOOL_REMOVED && tries < OPEN_TRIES; tries++) {
    close_fd(f);
    status = open_locked(f, &info);
  }
  if (status == SC3_SPOOL_REMOVED) /* another process removes it as often as it is made here */
    status = SC3_SPOOL_LOCKED;
  if (status == SC3_SPOOL_OK) {
    f->device = info.st_dev;
    f->inode = info.st_ino;
    if ((uintmax_t)info.st_size > SIZE_MAX / 2) {
      errno = EFBIG;
      status = SC3_SPOOL_SYSTEM;
    }
    f->size = (size_t)info.st_size;
  }
  if (status != SC3_SPOOL_OK) {
    int error = errno;
    sc3_spool_file_close(f);
    errno = error;
  }
  return status;
}

void sc3_spool_file_close(sc3_spool_file *f) {
  if (f->bytes != NULL)
    (void)munmap(f->bytes, f->mapped);
  f->bytes = NULL;
  f->size = f->mapped = 0;
  close_fd(f);
  free(f->path);
  f->path = NULL;
}

int sc3_spool_file_read(const sc3_spool_file *f, size_t at, void *out, size_t n) {
  char *to = out;
  while (n > 0) {
    ssize_t some = pread(f->fd, to, n, (off_t)at);
    if (some < 0 && errno == EINTR)
      continue;
    if (some <= 0)
      return 0;
    to += some;
    at += (size_t)some;
    n -= (size_t)some;
  }
  return 1;
}

sc3_spool_status sc3_spool_file_protect(const sc3_spool_file *f) {
  struct stat info;
  if (fstat(f->fd, &info) != 0)
    return SC3_SPOOL_SYSTEM;
  if ((info.st_mode & 07777) == 0600 || fchmod(f->fd, 0600) == 0)
    return SC3_SPOOL_OK;
  return SC3_SPOOL_SYSTEM;
}

sc3_spool_status sc3_spool_file_check(const sc3_spool_file *f) {
  struct stat info;
  if (fstat(f->fd, &info) != 0)
    return SC3_SPOOL_SYSTEM;
  if (info.st_nlink == 0)
    return SC3_SPOOL_REMOVED;
  return info.st_size < (off_t)f->size ? SC3_SPOOL_TRUNCATED : SC3_SPOOL_OK;
}

/* Gives blocks to a range: 0, an error, or EOPNOTSUPP where the system or the file system cannot.
 */
static int preallocate(int fd, size_t from, size_t to) {
#if defined(_POSIX_ADVISORY_INFO) && _POSIX_ADVISORY_INFO > 0 && !defined(SC3_PORTABLE)
  int error;
  do
    error = posix_fallocate(fd, (off_t)from, (off_t)(to - from));
  while (error == EINTR);
  return error == ENOSYS || error == EINVAL ? EOPNOTSUPP : error;
#else
  (void)fd;
  (void)from;
  (void)to;
  return EOPNOTSUPP; /* macOS */
#endif
}

static int write_zeros(int fd, size_t from, size_t to) {
  static const char zeros[4096];
  while (from < to) {
    ssize_t n = pwrite(fd, zeros, to - from < sizeof zeros ? to - from : sizeof zeros, (off_t)from);
    if (n < 0 && errno != EINTR)
      return errno;
    from += n > 0 ? (size_t)n : 0;
  }
  return 0;
}

/* Writes the zeros anew that are there: 0 or an error. */
static int rewrite_zeros(const sc3_spool_file *f) {
  char chunk[4096];
  size_t at, n;
  for (at = 0; at < f->size; at += n) {
    int error = 0;
    n = f->size - at < sizeof chunk ? f->size - at : sizeof chunk;
    if (!sc3_spool_file_read(f, at, chunk, n))
      return EIO;
    if (chunk[0] == 0 && memcmp(chunk, chunk + 1, n - 1) == 0)
      error = write_zeros(f->fd, at, at + n);
    if (error != 0)
      return error;
  }
  return 0;
}

sc3_spool_status sc3_spool_file_map(sc3_spool_file *f) {
  int error;
  if (f->size == 0)
    return SC3_SPOOL_OK;
  error = preallocate(f->fd, 0, f->size);
  if (error == EOPNOTSUPP)
    error = rewrite_zeros(f);
  if (error == 0)
    return map(f, f->size);
  errno = error;
  return SC3_SPOOL_SYSTEM;
}

/* Gives blocks to what comes after the end: 0 or an error. */
static int extend(int fd, size_t from, size_t to) {
  struct rlimit limit;
  int error;
  /* The system would answer a passed limit with SIGXFSZ, which ends the process. */
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      to > limit.rlim_cur)
    return EFBIG;
  error = preallocate(fd, from, to);
  return error == EOPNOTSUPP ? write_zeros(fd, from, to) : error;
}

sc3_spool_status sc3_spool_file_grow(sc3_spool_file *f, size_t size) {
  size_t before = f->size;
  int error = extend(f->fd, before, size);
  if (error == 0) {
    error = map(f, size) == SC3_SPOOL_OK ? populate(f, before) : errno;
    if (error == 0)
      return SC3_SPOOL_OK;
  }
  f->size = before;
  if (ftruncate(f->fd, (off_t)before) != 0) { /* then the file is longer than it has to be */
  }
  errno = error;
  return SC3_SPOOL_SYSTEM;
}

sc3_spool_status sc3_spool_file_shrink(sc3_spool_file *f, size_t size) {
  if (ftruncate(f->fd, (off_t)size) != 0)
    return SC3_SPOOL_SYSTEM;
  (void)munmap(f->bytes + size, f->mapped - size);
  f->size = f->mapped = size;
  return SC3_SPOOL_OK;
}

void sc3_spool_file_unload(const sc3_spool_file *f) {
#ifdef MADV_DONTNEED /* the mapping is shared, so nothing is lost */
  if (f->bytes != NULL)
    (void)madvise(f->bytes, f->mapped, MADV_DONTNEED);
#else
  (void)f;
#endif
}

/* SC3_SPOOL_REMOVED when its name is gone, or is another file's. */
static sc3_spool_status check_name(const sc3_spool_file *f) {
  struct stat named;
  if (lstat(f->path, &named) != 0)
    return errno == ENOENT ? SC3_SPOOL_REMOVED : SC3_SPOOL_SYSTEM;
  if (named.st_dev != f->device || named.st_ino != f->inode)
    return SC3_SPOOL_REMOVED;
  return SC3_SPOOL_OK;
}

sc3_spool_status sc3_spool_file_rename(sc3_spool_file *f, const char *path) {
  sc3_spool_status status = check_name(f);
  char *copy;
  if (status != SC3_SPOOL_OK)
    return status;
  copy = strdup(path);
  if (copy == NULL)
    return SC3_SPOOL_SYSTEM;
  if (rename(f->path, copy) != 0) {
    int error = errno;
    free(copy);
    errno = error;
    return SC3_SPOOL_SYSTEM;
  }
  free(f->path);
  f->path = copy;
  return SC3_SPOOL_OK;
}

sc3_spool_status sc3_spool_file_unlink(const sc3_spool_file *f) {
  sc3_spool_status status = check_name(f);
  if (status != SC3_SPOOL_OK)
    return status == SC3_SPOOL_REMOVED ? SC3_SPOOL_OK : status;
  return unlink(f->path) == 0 || errno == ENOENT ? SC3_SPOOL_OK : SC3_SPOOL_SYSTEM;
}
