#include "buffer.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256, MAPPED_LEAST = 1 << 20 };

/* A large block is a mapping of its own where it can grow by moving pages: copying megabytes into
   fresh memory in the middle of a row would hold up the host's loop by many milliseconds.
   AddressSanitizer watches only the allocator's blocks. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SC3_WATCHED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SC3_WATCHED
#endif
#if defined(__linux__) && !defined(SC3_PORTABLE) && !defined(SC3_WATCHED)
#include <sys/mman.h> /* without _GNU_SOURCE it knows no mremap */
#endif
#ifdef MREMAP_MAYMOVE
#include <string.h>

static char *resize(char *p, size_t old, size_t size) {
  char *q;
  if (size < MAPPED_LEAST)
    return realloc(p, size);
  if (old >= MAPPED_LEAST) {
    q = mremap(p, old, size, MREMAP_MAYMOVE);
    return q != MAP_FAILED ? q : NULL;
  }
  q = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (q == MAP_FAILED)
    return NULL;
  if (old > 0)
    memcpy(q, p, old);
  free(p);
  return q;
}

static void release(char *p, size_t size) {
  if (size < MAPPED_LEAST)
    free(p);
  else
    (void)munmap(p, size);
}
#else
static char *resize(char *p, size_t old, size_t size) {
  (void)old;
  return realloc(p, size);
}

static void release(char *p, size_t size) {
  (void)size;
  free(p);
}
#endif

void sc3_buffer_init(sc3_buffer *b, size_t limit) {
  b->p = NULL;
  b->n = 0;
  b->capacity = 0;
  b->limit = limit;
}

void sc3_buffer_free(sc3_buffer *b) {
  release(b->p, b->capacity);
  b->p = NULL;
  b->n = 0;
  b->capacity = 0;
}

sc3_status sc3_buffer_grow(sc3_buffer *b, size_t more) {
  size_t need, capacity;
  char *p;
  if (more > b->limit || b->n > b->limit - more)
    return SC3_ELIMIT;
  need = b->n + more;
  capacity = b->capacity > 0 ? b->capacity : FIRST_CAPACITY;
  while (capacity < need)
    capacity =
        capacity <= b->limit / 4
            ? capacity * 4
            : b->limit; /* the limit is not below `need`, and a size_t may end soon after it */
  if (capacity > b->limit)
    capacity = b->limit; /* the first block */
  p = resize(b->p, b->capacity, capacity);
  if (p == NULL)
    return SC3_ENOMEM;
  b->p = p;
  b->capacity = capacity;
  return SC3_OK;
}
