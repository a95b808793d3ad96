/* Where the characters stand that CSV cares about: 256 bytes at a time, by whatever the processor
 * has for it. */
#ifndef SC3_CSV_MARKS_H
#define SC3_CSV_MARKS_H

#include <stdint.h>

enum {
  SC3_MARKS_BLOCK = 64, /* bytes that have their bits in one number */
  SC3_MARKS_BLOCKS = 4,
  SC3_MARKS_STRETCH = SC3_MARKS_BLOCK * SC3_MARKS_BLOCKS
};

/* Of each block one bit for each of its bytes; bit 0 is the first. */
typedef struct sc3_csv_marked {
  uint64_t bits[SC3_MARKS_BLOCKS];       /* the delimiter, the quote, LF, CR or NUL */
  uint64_t delimiters[SC3_MARKS_BLOCKS]; /* those of them that are the delimiter */
  uint64_t high[SC3_MARKS_BLOCKS];       /* not 0 where some byte is not ASCII: no more is said */
} sc3_csv_marked;

/* Looks at 256 bytes. Every kind gives the same bits. Those that look for escapes as well mark
   `escape` too, the others leave it alone. */
typedef void (*sc3_csv_marks)(const char *stretch, char delimiter, char quote, char escape,
                              sc3_csv_marked *marked);

/* The fastest kind that this processor has, or the one of a name: "portable", "sse2", "avx2",
 * "neon". NULL when it has no such kind. */
sc3_csv_marks sc3_csv_marks_choose(const char *name, int escapes);

#endif
