/* Candidates, which come by hash and go by row: in ranges of rows of about one size. */
#ifndef SC3_MIRROR_CANDIDATES_H
#define SC3_MIRROR_CANDIDATES_H

#include "merge.h"

/* The first row of each range, while it is not known how many there will be: one row of
   2^every_bits. Where they are too many, every second goes. */
typedef struct sc3_row_ranges {
  uint64_t *starts;
  size_t count, capacity;
  unsigned every_bits; /* `every` as a power of 2 */
  uint64_t rows;       /* since the last start */
  uint64_t last;       /* the order of the last row */
} sc3_row_ranges;

sc3_mirror_status sc3_row_ranges_open(sc3_row_ranges *r, size_t capacity);
void sc3_row_ranges_close(sc3_row_ranges *r);

/* Notes a row that is not before the last one; 0 for one that is. */
int sc3_row_ranges_note(sc3_row_ranges *r, uint64_t order);

typedef struct sc3_candidates {
  sc3_part_spool spool; /* a partition for each range */
  int again;            /* they have the entry that goes again */
  const sc3_row_ranges *ranges;
  int has_usual;
  sc3_candidate usual; /* the first one: what others have in common with it is not written again */
  sc3_buffer bytes;    /* of the range that is being read */
  sc3_sort_key *keys, *spare, *sorted;
  size_t keys_capacity;
  size_t count, at; /* of `sorted` */
  size_t range, next_range;
  sc3_candidate current;
} sc3_candidates;

/* When the last row has been noted. Zeros may be closed, too. */
sc3_mirror_status sc3_candidates_open(sc3_candidates *c, const sc3_row_ranges *ranges,
                                      sc3_blocks *blocks, int again);
void sc3_candidates_close(sc3_candidates *c);

sc3_mirror_status sc3_candidates_put(sc3_candidates *c, const sc3_candidate *candidate);

/* The next by row; NULL in `*out` after the last. Borrowed until the next call. */
sc3_mirror_status sc3_candidates_next(sc3_candidates *c, const sc3_candidate **out);

#endif
