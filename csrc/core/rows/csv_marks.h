/* Where the characters stand that CSV cares about: 64 bytes at a time, by whatever the processor
 * has for it. */
#ifndef SC3_CSV_MARKS_H
#define SC3_CSV_MARKS_H

#include <stdint.h>

enum { SC3_MARKS_BLOCK = 64 };

typedef struct sc3_csv_marked {
  uint64_t bits; /* one for each of 64 bytes that is the delimiter, the quote, LF, CR or NUL; bit 0
                    is the first */
  uint64_t high; /* not 0 where some byte is not ASCII */
} sc3_csv_marked;

/* Looks at 64 bytes. Every kind gives the same bits. Those that look for escapes as well mark
   `escape` too, the others leave it alone. */
typedef sc3_csv_marked (*sc3_csv_marks)(const char *block, char delimiter, char quote, char escape);

/* The fastest kind that this processor has, or the one of a name: "portable", "sse2", "avx2",
 * "neon". NULL when it has no such kind. */
sc3_csv_marks sc3_csv_marks_choose(const char *name, int escapes);

#endif
