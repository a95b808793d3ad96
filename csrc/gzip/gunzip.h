/* gzip (RFC 1952), streaming: compressed bytes in, a piece of text out at a time. Knows zlib and
 * nothing else. */
#ifndef SC3_GUNZIP_H
#define SC3_GUNZIP_H

#include <stddef.h>
#include <stdint.h>
#define ZLIB_CONST /* input is not written to */
#include <zlib.h>

typedef enum sc3_gunzip_state {
  SC3_GUNZIP_OUTPUT,   /* bytes were written; there may be more */
  SC3_GUNZIP_NEED,     /* the input is used up */
  SC3_GUNZIP_END,      /* the input is used up, was the last, and ended where a member does */
  SC3_GUNZIP_EARLY,    /* it ended inside a member */
  SC3_GUNZIP_BROKEN,   /* the data is damaged: a wrong check sum, or what no compressor wrote */
  SC3_GUNZIP_TRAILING, /* something else than another member follows one */
  SC3_GUNZIP_NOMEM
} sc3_gunzip_state;

typedef struct sc3_gunzip {
  z_stream stream;
  int open;       /* the stream holds memory */
  int between;    /* the last member is complete: another may follow */
  uint64_t taken; /* compressed bytes, all members together */
} sc3_gunzip;

/* SC3_GUNZIP_NEED, or SC3_GUNZIP_NOMEM. */
sc3_gunzip_state sc3_gunzip_open(sc3_gunzip *z);
void sc3_gunzip_close(sc3_gunzip *z);

/* Gives it the next `n` compressed bytes, which must stay where they are until SC3_GUNZIP_NEED.
 * Only then may more be given. */
void sc3_gunzip_feed(sc3_gunzip *z, const void *p, size_t n);

/* Writes up to `room` bytes to `out` and their number to `*n`. `last` says that no more input will
 * come. Members that follow one another are one text (RFC 1952 section 2.2). Zeros after the last
 * are padding of tapes and ignored. */
sc3_gunzip_state sc3_gunzip_next(sc3_gunzip *z, int last, void *out, size_t room, size_t *n);

#endif
