#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../bytes/random.h"

enum { OPEN_TRIES = 100, FIRST_CAPACITY = 256 };

static const char PREFIX[] = "/scope3-";
enum { DIGITS = 16 };

static void write_name(char *to) {
  static const char digits[] = "0123456789abcdef";
  uint64_t bits = sc3_random_bits();
  int i;
  for (i = 0; i < DIGITS; i++, bits >>= 4)
    to[i] = digits[bits & 15];
  to[DIGITS] = '\0';
}

static int open_new(char *path, char *name) {
  int fd = -1, tries;
  for (tries = 0; tries < OPEN_TRIES && fd < 0; tries++) {
    write_name(name);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno != EEXIST && errno != EINTR)
      break;
  }
  return fd;
}

static sc3_mirror_status open_unnamed(sc3_blocks *b, const char *folder) {
  const size_t n = strlen(folder);
  char *path = malloc(n + sizeof PREFIX + DIGITS);
  int error = 0;
  if (path == NULL)
    return SC3_MIRROR_MEMORY;
  memcpy(path, folder, n);
  memcpy(path + n, PREFIX, sizeof PREFIX);
  b->fd = open_new(path, path + n + sizeof PREFIX - 1);
  if (b->fd < 0 || unlink(path) != 0)
    error = errno;
  free(path);
  errno = error;
  return error == 0 ? SC3_MIRROR_OK : SC3_MIRROR_SYSTEM;
}

sc3_mirror_status sc3_blocks_open(sc3_blocks *b, const char *folder) {
  struct rlimit limit;
  sc3_mirror_status status;
  memset(b, 0, sizeof *b);
  b->owner = getpid();
  b->free = SC3_NO_BLOCK;
  b->largest = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
                   ? limit.rlim_cur
                   : INT64_MAX;
  status = open_unnamed(b, folder);
  if (status != SC3_MIRROR_OK) {
    const int error = errno;
    sc3_blocks_close(b);
    errno = error;
  }
  return status;
}

void sc3_blocks_close(sc3_blocks *b) {
  if (b->fd >= 0)
    (void)close(b->fd);
  b->fd = -1;
  free(b->next);
  free(b->last);
  b->next = NULL;
  b->last = NULL;
  b->capacity = 0;
  b->last_count = 0;
}

/* Room in `next` for one block more than the file has. */
static sc3_mirror_status make_room(sc3_blocks *b) {
  const size_t capacity = b->capacity > 0 ? b->capacity * 2 : FIRST_CAPACITY;
  uint32_t *next;
  if (b->count < b->capacity)
    return SC3_MIRROR_OK;
  if (b->count >= SC3_NO_BLOCK - 1)
    return SC3_MIRROR_FULL;
  next = realloc(b->next, capacity * sizeof *next);
  if (next == NULL)
    return SC3_MIRROR_MEMORY;
  b->next = next;
  b->capacity = capacity;
  return SC3_MIRROR_OK;
}

/* Moves all bytes, whatever a call leaves over: 0 with errno. */
static int write_bytes(const sc3_blocks *b, off_t to, size_t size, const unsigned char *from) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = pwrite(b->fd, from + done, size - done, to + (off_t)done);
    if (n == 0)
      errno = EIO;
    if (n == 0 || (n < 0 && errno != EINTR))
      return 0;
    done += n > 0 ? (size_t)n : 0;
  }
  return 1;
}

static int read_bytes(const sc3_blocks *b, off_t from, size_t size, unsigned char *to) {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = pread(b->fd, to + done, size - done, from + (off_t)done);
    if (n == 0) /* somebody cut the file short */
      errno = EIO;
    if (n == 0 || (n < 0 && errno != EINTR))
      return 0;
    done += n > 0 ? (size_t)n : 0;
  }
  return 1;
}

/* Where a block lies that is not written yet; NULL for any other. */
static unsigned char *find_last(const sc3_blocks *b, uint32_t number) {
  if (number < b->last_first || number - b->last_first >= b->last_count)
    return NULL;
  return b->last + (size_t)(number - b->last_first) * SC3_BLOCK;
}

static int write_last(sc3_blocks *b) {
  if (!write_bytes(b, (off_t)b->last_first * SC3_BLOCK, (size_t)b->last_count * SC3_BLOCK, b->last))
    return 0;
  b->last_count = 0;
  return 1;
}

sc3_mirror_status sc3_blocks_append(sc3_blocks *b, uint32_t *number, unsigned char **room) {
  const sc3_mirror_status status = make_room(b);
  if (getpid() != b->owner)
    return SC3_MIRROR_FORKED;
  if (status != SC3_MIRROR_OK)
    return status;
  if (((uint64_t)b->count + 1) * SC3_BLOCK > b->largest) {
    errno = EFBIG;
    return SC3_MIRROR_SYSTEM;
  }
  if (b->last == NULL && (b->last = calloc(SC3_BLOCKS_AT_ONCE, SC3_BLOCK)) == NULL)
    return SC3_MIRROR_MEMORY;
  if (b->last_count == SC3_BLOCKS_AT_ONCE && !write_last(b))
    return SC3_MIRROR_SYSTEM;
  if (b->last_count == 0)
    b->last_first = b->count;
  *room = b->last + (size_t)b->last_count++ * SC3_BLOCK;
  *number = b->count++;
  b->next[*number] = SC3_NO_BLOCK;
  return SC3_MIRROR_OK;
}

/* Writes a block that was free. */
static sc3_mirror_status overwrite(const sc3_blocks *b, uint32_t number,
                                   const unsigned char *block) {
  unsigned char *const last = find_last(b, number);
  if (last != NULL)
    memcpy(last, block, SC3_BLOCK);
  else if (!write_bytes(b, (off_t)number * SC3_BLOCK, SC3_BLOCK, block))
    return SC3_MIRROR_SYSTEM;
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_blocks_put(sc3_blocks *b, sc3_chain *chain, const unsigned char *block) {
  uint32_t number = b->free;
  unsigned char *room;
  sc3_mirror_status status;
  if (number == SC3_NO_BLOCK) {
    status = sc3_blocks_append(b, &number, &room);
    if (status != SC3_MIRROR_OK)
      return status;
    memcpy(room, block, SC3_BLOCK);
  } else {
    status = getpid() != b->owner ? SC3_MIRROR_FORKED : overwrite(b, number, block);
    if (status != SC3_MIRROR_OK)
      return status;
    b->free = b->next[number];
    b->next[number] = SC3_NO_BLOCK;
  }
  if (chain->first == SC3_NO_BLOCK)
    chain->first = number;
  else
    b->next[chain->last] = number;
  chain->last = number;
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_blocks_read(const sc3_blocks *b, uint32_t number, size_t from, size_t n,
                                  unsigned char *to) {
  const unsigned char *const last = find_last(b, number);
  const off_t at = (off_t)number * SC3_BLOCK + (off_t)from;
  if (getpid() != b->owner)
    return SC3_MIRROR_FORKED;
  if (last != NULL)
    memcpy(to, last + from, n);
  return last != NULL || read_bytes(b, at, n, to) ? SC3_MIRROR_OK : SC3_MIRROR_SYSTEM;
}

sc3_mirror_status sc3_blocks_take(sc3_blocks *b, sc3_chain *chain, unsigned char *block) {
  const uint32_t number = chain->first;
  const sc3_mirror_status status = sc3_blocks_read(b, number, 0, SC3_BLOCK, block);
  if (status != SC3_MIRROR_OK)
    return status;
  chain->first = b->next[number];
  b->next[number] = b->free;
  b->free = number;
  return SC3_MIRROR_OK;
}
