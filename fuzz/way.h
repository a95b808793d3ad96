/* The whole way from bytes to the JSON of members, for programs that compare two builds of it:
 * way_simd() is what this processor is given, way_portable() plain C. Both are way.c over the core,
 * each with symbols of its own (see the Makefile). */
#ifndef WAY_H
#define WAY_H

#include <stddef.h>
#include <stdint.h>

/* How the rows are read: bits. */
enum {
  WAY_JSONL = 1,
  WAY_COMMA = 2, /* else the delimiter is found */
  WAY_NO_HEADER = 4,
  WAY_REMOVE = 8,
  WAY_CONDITIONS = 16,
  WAY_REPAIRS = 32,
  WAY_NO_REPAIR = 64,
  WAY_EPOCHS = 128,
  WAY_ALL_KEYS = 256, /* of JSON Lines, as a script has them; else those of the map */
  WAY_SLOWER = 512,   /* CSV is scanned, and hashed, by the second best that the processor has */
  WAY_NO_QUOTES = 1024,
  WAY_ESCAPES = 2048,  /* of CSV, by a backslash; then \N is no value */
  WAY_HASH_IDS = 4096, /* external ids that are emails or phones; else they are refused */
  WAY_IDS_AS_IS = 8192,
  WAY_UTF16 = 16384,      /* the text is said to be UTF-16LE, */
  WAY_BYTES = 32768,      /* or windows-1252; with both UTF-16, by a mark or the first line */
  WAY_SKIP_LINES = 65536, /* of CSV, two before the header */
  WAY_CONTROL = 131072    /* the delimiter of CSV is a control character */
};

/* The columns of the map: id, email, phone, region, email 2, phone 2, uid2, maid, and a hashed
   email, which CSV has in the first. In JSON Lines they are called "a" to "i". */
enum { WAY_COLUMNS = 8 };

typedef struct way_result {
  uint64_t digest; /* of every row, fault, place, count, rejection and byte that came of it,
                      the same on every machine */
  uint64_t rows, faults, built, replaced, deferred, dropped;
} way_result;

/* What is taken, and how. */
typedef struct way_input {
  const uint8_t *p;
  size_t n;
  size_t step;       /* bytes of a piece */
  unsigned mode;     /* a set of the modes above */
  uint64_t max_rows; /* rows after which it ends */
} way_input;

/* Takes bytes in pieces through a map. Aborts where something does not hold that must for any
   input: rows = skipped + rejected + used, every built member is alive in a payload or replaced,
   and what is written is JSON. */
void way_simd(const way_input *input, way_result *result);
void way_portable(const way_input *input, way_result *result);

#endif
