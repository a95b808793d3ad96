/* Growing bytes with a limit. Every buffer of the library is one of these, so nothing grows without
 * a bound. */
#ifndef SC3_BUFFER_H
#define SC3_BUFFER_H

#include "slice.h"
#include "status.h"

typedef struct sc3_buffer {
  char *p;
  size_t n;        /* bytes in use */
  size_t capacity; /* bytes allocated */
  size_t limit;    /* bytes that are never exceeded */
} sc3_buffer;

/* Makes an empty buffer that will never hold more than `limit` bytes. Allocates nothing. */
void sc3_buffer_init(sc3_buffer *b, size_t limit);

/* Frees the bytes; the buffer may be used again. Idempotent. */
void sc3_buffer_free(sc3_buffer *b);

/* What sc3_buffer_reserve() does where the room is not there yet. */
sc3_status sc3_buffer_grow(sc3_buffer *b, size_t more);

/* Room for `more` bytes after the ones in use, so that the next writes cannot fail.
   SC3_ELIMIT or SC3_ENOMEM leave the buffer as it was. Here and not in buffer.c, because a row asks
   several times and nearly always has the room. */
static inline sc3_status sc3_buffer_reserve(sc3_buffer *b, size_t more) {
  return b->capacity - b->n >= more ? SC3_OK : sc3_buffer_grow(b, more);
}

/* Appends without a check; only after sc3_buffer_reserve() made the room. */
static inline void sc3_buffer_put(sc3_buffer *b, const void *p, size_t n) {
  memcpy(b->p + b->n, p, n);
  b->n += n;
}

/* Appends `n` bytes. SC3_ELIMIT or SC3_ENOMEM leave the buffer as it was. */
static inline sc3_status sc3_buffer_append(sc3_buffer *b, const void *p, size_t n) {
  sc3_status st = sc3_buffer_reserve(b, n);
  if (st == SC3_OK && n > 0)
    sc3_buffer_put(b, p, n);
  return st;
}

/* A string literal, without its NUL; only after sc3_buffer_reserve(). */
#define SC3_PUT_LITERAL(b, s) sc3_buffer_put((b), (s), sizeof(s) - 1)

#endif
