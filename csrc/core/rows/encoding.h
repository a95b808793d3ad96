/* Texts that are not UTF-8 made UTF-8, a piece at a time; and what is noticed of bytes that should
 * have been UTF-8. */
#ifndef SC3_ENCODING_H
#define SC3_ENCODING_H

#include <stddef.h>
#include <stdint.h>

#include "../bytes/slice.h"

typedef enum sc3_encoding {
  SC3_ENCODING_UNTOLD, /* UTF-8, or what a byte order mark says */
  SC3_ENCODING_UTF8,
  SC3_ENCODING_UTF16, /* in the order that a byte order mark or the first line says */
  SC3_ENCODING_UTF16LE,
  SC3_ENCODING_UTF16BE,
  SC3_ENCODING_LATIN1,
  SC3_ENCODING_TABLES /* the first of those that have a table */
} sc3_encoding;

/* The name of the encoding with that number; NULL after the last, and for SC3_ENCODING_UNTOLD. */
const char *sc3_encoding_name(sc3_encoding encoding);

/* The encoding of that very name; SC3_ENCODING_UNTOLD where there is none. */
sc3_encoding sc3_encoding_of(sc3_slice name);

/* What stands for bytes that are no character: no UTF-8 has it, so that no reader of values takes
 * what holds it. */
#define SC3_LOST '\xff'

typedef struct sc3_decoder {
  sc3_encoding encoding; /* UTF-16 in a known order, or one byte a character */
  unsigned char held[4]; /* UTF-16: what waits for the bytes after it */
  size_t held_count;
  uint64_t lost; /* places that are no character */
  uint64_t
      controls; /* one byte a character: control characters outside ASCII, which no export writes */
  int utf8_left; /* one byte a character: bytes that are missing to what would be a character of
                    UTF-8 */
  uint64_t utf8_like, utf8_unlike; /* what would be one, and what would not */
} sc3_decoder;

enum { SC3_DECODE_GROWTH = 3, SC3_DECODE_MORE = 8 };

void sc3_decoder_init(sc3_decoder *d, sc3_encoding encoding);

/* Writes the UTF-8 of `n` bytes to `to`: at most n * SC3_DECODE_GROWTH + SC3_DECODE_MORE bytes,
   whose number is returned. `to` may lie before `from` in one buffer, at least n *
   (SC3_DECODE_GROWTH - 1) + SC3_DECODE_MORE bytes. */
size_t sc3_decode(sc3_decoder *d, const char *from, size_t n, char *to);

/* At the end: writes what stands for bytes that waited in vain, at most SC3_DECODE_MORE. */
size_t sc3_decode_end(sc3_decoder *d, char *to);

/* What was noticed of rows that should be UTF-8. */
typedef struct sc3_utf8_stats {
  uint64_t rows;          /* that are not UTF-8 */
  uint64_t row, line;     /* the first of them, the header being row 0 */
  uint64_t good;          /* rows that have characters outside ASCII, in UTF-8 */
  int not_1250, not_1252; /* bytes of those rows stand for nothing in these */
} sc3_utf8_stats;

/* Looks at the bytes of a row. Whether they are UTF-8. */
int sc3_utf8_stats_add(sc3_utf8_stats *seen, const char *p, size_t n, uint64_t row, uint64_t line);

#endif
