#include "count_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../bytes/crc32c.h"
#include "fork_mark.h"
#include "../bytes/sha256.h"

enum {
  NAME = 16, /* bytes of a name's digest */
  WAYS = 16, /* cells that a name may lie in */
  SETS = 256,
  CELLS = WAYS * SETS,
  STALE = 600, /* seconds after which a cell that nobody wrote may be taken from its name */
  OPEN_TRIES = 100,
  LOCK_TRIES = 100 /* a tenth of a millisecond apart */
};

typedef struct cell {
  char name[NAME]; /* hex digits; all zero = empty */
  double value;
  uint32_t touched; /* seconds since 1970 */
  uint32_t crc;     /* of what stands before */
} cell;

typedef struct header {
  char magic[16];
  uint32_t order; /* of the bytes in a number */
  uint32_t cells;
  uint32_t unused;
  uint32_t crc;
} header;

/* What lies in the file. */
typedef struct image {
  header head;
  cell cells[CELLS];
} image;

_Static_assert(sizeof(cell) == 32 && sizeof(header) == 32 && sizeof(image) == 32 * (CELLS + 1),
               "no padding");

struct sc3_count_file {
  char *path; /* absolute */
  int fd;     /* -1 = not open */
  int locked, seen;
  dev_t device; /* these two of the file that was last seen */
  ino_t inode;
  sc3_fork_mark mark;
  unsigned char changed[CELLS];
  image at;
};

static const char magic[16] = {'s', 'c', 'o', 'p', 'e', '3', ' ', 'c',
                               'o', 'u', 'n', 't', 's', ' ', '1', '\n'};

static header fresh_header(void) {
  header h;
  memset(&h, 0, sizeof h);
  memcpy(h.magic, magic, sizeof magic);
  h.order = 0x01020304;
  h.cells = CELLS;
  h.crc = sc3_crc32c(0, &h, offsetof(header, crc));
  return h;
}

static uint32_t checksum(const cell *c) {
  return sc3_crc32c(0, c, offsetof(cell, crc));
}

static int is_zero(const void *bytes, size_t n) {
  const unsigned char *p = bytes;
  while (n > 0 && *p == 0)
    p++, n--;
  return n == 0;
}

static uint32_t wall_seconds(void) {
  return (uint32_t)time(NULL);
}

static void close_fd(sc3_count_file *f) {
  int error = errno;
  if (f->fd >= 0)
    (void)close(f->fd);
  f->fd = -1;
  f->locked = 0;
  errno = error;
}

/* `n` bytes at `offset`; fewer where the file ends. Negative = errno. */
static ssize_t read_at(int fd, void *out, size_t n, off_t offset) {
  char *to = out;
  size_t done = 0;
  while (done < n) {
    ssize_t some = pread(fd, to + done, n - done, offset + (off_t)done);
    if (some < 0 && errno == EINTR)
      continue;
    if (some < 0)
      return -1;
    if (some == 0)
      break;
    done += (size_t)some;
  }
  return (ssize_t)done;
}

static int write_at(int fd, const void *bytes, size_t n, off_t offset) {
  const char *from = bytes;
  size_t done = 0;
  while (done < n) {
    ssize_t some = pwrite(fd, from + done, n - done, offset + (off_t)done);
    if (some < 0 && errno == EINTR)
      continue;
    if (some < 0)
      return 0;
    done += (size_t)some;
  }
  return 1;
}

/* The lock, or errno EWOULDBLOCK when it was not given back for a while. Those who have it need
 * microseconds. */
static int take_lock(int fd) {
  const struct timespec pause = {0, 100000};
  int tries;
  for (tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
    if (errno != EINTR && errno != EWOULDBLOCK)
      return 0;
    if (tries >= LOCK_TRIES) {
      errno = EWOULDBLOCK;
      return 0;
    }
    (void)nanosleep(&pause, NULL);
  }
  return 1;
}

/* Opens and locks the file of that name; errno ESTALE where it lost its name meanwhile. */
static sc3_count_status open_locked(sc3_count_file *f, struct stat *info) {
  struct stat named;
  memset(&named, 0, sizeof named);
  if (f->fd < 0) /* O_NONBLOCK: a FIFO of that name must not hold us */
    f->fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  if (f->fd < 0 || fstat(f->fd, info) != 0)
    return SC3_COUNT_SYSTEM;
  if (!S_ISREG(info->st_mode))
    return SC3_COUNT_FOREIGN;
  if (!take_lock(f->fd))
    return errno == EWOULDBLOCK ? SC3_COUNT_LOCKED : SC3_COUNT_SYSTEM;
  f->locked = 1;
  if (fstat(f->fd, info) != 0)
    return SC3_COUNT_SYSTEM;
  if (stat(f->path, &named) != 0 && errno != ENOENT)
    return SC3_COUNT_SYSTEM;
  /* It was removed, or another one has its name. */
  if (named.st_dev != info->st_dev || named.st_ino != info->st_ino || info->st_nlink == 0) {
    errno = ESTALE;
    return SC3_COUNT_SYSTEM;
  }
  return SC3_COUNT_OK;
}

/* Writes a file without numbers. All of it, so that there is room for them whatever else fills the
 * disk. */
static sc3_count_status make(sc3_count_file *f, sc3_count_status status) {
  memset(&f->at, 0, sizeof f->at);
  f->at.head = fresh_header();
  if (!write_at(f->fd, &f->at, sizeof f->at, 0)) {
    int error = errno;
    if (ftruncate(f->fd, 0) != 0) /* a part of one would be taken for damage */
      error = errno;
    errno = error;
    return SC3_COUNT_SYSTEM;
  }
  return status;
}

/* Reads the file that is locked. */
static sc3_count_status read_all(sc3_count_file *f) {
  const header right = fresh_header();
  ssize_t n = read_at(f->fd, &f->at, sizeof f->at, 0);
  sc3_count_status status = SC3_COUNT_OK;
  size_t i;
  if (n < 0)
    return SC3_COUNT_SYSTEM;
  if (n == 0)
    return make(f, f->seen ? SC3_COUNT_REMOVED : SC3_COUNT_OK);
  if ((size_t)n < sizeof magic || memcmp(f->at.head.magic, magic, sizeof magic) != 0) {
    /* A machine that lost its power may leave zeros of ours; anything else is not ours. */
    return (size_t)n == sizeof f->at && is_zero(&f->at, sizeof f->at) ? make(f, SC3_COUNT_DAMAGED)
                                                                      : SC3_COUNT_FOREIGN;
  }
  if ((size_t)n < sizeof f->at || memcmp(&f->at.head, &right, sizeof right) != 0)
    return make(f, SC3_COUNT_DAMAGED);
  for (i = 0; i < CELLS; i++) {
    cell *c = &f->at.cells[i];
    if (!is_zero(c, sizeof *c) && (c->crc != checksum(c) || c->value != c->value)) {
      memset(c, 0, sizeof *c);
      f->changed[i] = 1;
      status = SC3_COUNT_DAMAGED;
    }
  }
  return status;
}

sc3_count_status sc3_count_lock(sc3_count_file *f) {
  sc3_count_status status;
  struct stat info;
  int tries;
  if (!sc3_fork_mark_mine(&f->mark)) { /* the parent's lock is this descriptor's, too */
    close_fd(f);
    sc3_fork_mark_clear(&f->mark);
    sc3_fork_mark_set(&f->mark);
  }
  memset(f->changed, 0, sizeof f->changed);
  for (tries = 0;; tries++) {
    status = open_locked(f, &info);
    if (status != SC3_COUNT_SYSTEM || errno != ESTALE || tries >= OPEN_TRIES)
      break;
    close_fd(f);
  }
  if (status == SC3_COUNT_OK) {
    int another = f->seen && (info.st_dev != f->device || info.st_ino != f->inode);
    status = read_all(f);
    if (status == SC3_COUNT_OK && another)
      status = SC3_COUNT_REMOVED;
    f->device = info.st_dev;
    f->inode = info.st_ino;
  }
  if (status == SC3_COUNT_FOREIGN || status == SC3_COUNT_SYSTEM)
    close_fd(f);
  else if (status != SC3_COUNT_LOCKED)
    f->seen = 1;
  return status;
}

sc3_count_status sc3_count_unlock(sc3_count_file *f) {
  size_t i;
  int error = 0;
  for (i = 0; f->locked && i < CELLS; i++) {
    const off_t at = (off_t)(offsetof(image, cells) + i * sizeof(cell));
    if (f->changed[i] && !write_at(f->fd, &f->at.cells[i], sizeof(cell), at))
      error = errno;
  }
  if (f->locked)
    (void)flock(f->fd, LOCK_UN);
  f->locked = 0;
  errno = error;
  return error == 0 ? SC3_COUNT_OK : SC3_COUNT_SYSTEM;
}

int sc3_count_locked(const sc3_count_file *f) {
  return f->locked;
}

/* The first of the cells that a name may lie in. */
static size_t set_of(const char *name, size_t n, char digest[SC3_SHA256_HEX]) {
  sc3_sha256_hex(name, n, digest);
  return (size_t)(sc3_crc32c(0, digest, NAME) % SETS) * WAYS;
}

static size_t find(const sc3_count_file *f, const char *name, size_t n) {
  char digest[SC3_SHA256_HEX];
  size_t i, first = set_of(name, n, digest);
  for (i = first; i < first + WAYS; i++) {
    if (memcmp(f->at.cells[i].name, digest, NAME) == 0)
      return i;
  }
  return CELLS;
}

int sc3_count_get(const sc3_count_file *f, const char *name, size_t n, double *value) {
  size_t i = find(f, name, n);
  if (i == CELLS)
    return 0;
  *value = f->at.cells[i].value;
  return 1;
}

/* A cell for a name that has none: an empty one, or the one that was not touched for longest, if
 * that is long. */
static size_t find_room(const sc3_count_file *f, size_t first, uint32_t now) {
  size_t i, best = CELLS;
  uint32_t oldest = STALE;
  for (i = first; i < first + WAYS; i++) {
    const cell *c = &f->at.cells[i];
    const uint32_t age = now >= c->touched
                             ? now - c->touched
                             : c->touched - now; /* in the future: a clock went back */
    if (is_zero(c, sizeof *c))
      return i;
    if (age > oldest) {
      oldest = age;
      best = i;
    }
  }
  return best;
}

int sc3_count_set(sc3_count_file *f, const char *name, size_t n, double value) {
  const uint32_t now = wall_seconds();
  size_t i = find(f, name, n);
  cell *c;
  if (i == CELLS) {
    char digest[SC3_SHA256_HEX];
    i = find_room(f, set_of(name, n, digest), now);
    if (i == CELLS)
      return 0;
    memcpy(f->at.cells[i].name, digest, NAME);
  }
  c = &f->at.cells[i];
  c->value = value;
  c->touched = now;
  c->crc = checksum(c);
  f->changed[i] = 1;
  return 1;
}

void sc3_count_delete(sc3_count_file *f, const char *name, size_t n) {
  size_t i = find(f, name, n);
  if (i < CELLS) {
    memset(&f->at.cells[i], 0, sizeof(cell));
    f->changed[i] = 1;
  }
}

/* An absolute form of a path whose file may not exist yet; NULL = errno. */
static char *absolute(const char *path) {
  char *whole, *folder;
  size_t n;
  if (path[0] == '/')
    return strdup(path);
  folder = getcwd(NULL, 0);
  if (folder == NULL)
    return NULL;
  n = strlen(folder) + strlen(path) + 2;
  whole = malloc(n);
  if (whole != NULL) {
    memcpy(whole, folder, strlen(folder));
    whole[strlen(folder)] = '/';
    memcpy(whole + strlen(folder) + 1, path, strlen(path) + 1);
  }
  free(folder);
  return whole;
}

sc3_count_status sc3_count_open(sc3_count_file **out, const char *path) {
  sc3_count_file *f = calloc(1, sizeof *f);
  sc3_count_status status;
  *out = NULL;
  if (f == NULL)
    return SC3_COUNT_SYSTEM;
  f->fd = -1;
  sc3_fork_mark_set(&f->mark);
  f->path = absolute(path);
  status = f->path == NULL ? SC3_COUNT_SYSTEM : sc3_count_lock(f);
  if (f->locked && sc3_count_unlock(f) != SC3_COUNT_OK)
    status = SC3_COUNT_SYSTEM;
  if (status == SC3_COUNT_LOCKED) /* it will be looked at when it is used */
    status = SC3_COUNT_OK;
  if (status == SC3_COUNT_OK || status == SC3_COUNT_DAMAGED) {
    *out = f;
  } else {
    int error = errno;
    sc3_count_close(f);
    errno = error;
  }
  return status;
}

void sc3_count_close(sc3_count_file *f) {
  close_fd(f);
  sc3_fork_mark_clear(&f->mark);
  free(f->path);
  free(f);
}
