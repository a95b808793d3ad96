/* Rows, exclusions and entries on their way into partitions, as a spool has them one after the
 * other. */
#ifndef SC3_MIRROR_STAGE_H
#define SC3_MIRROR_STAGE_H

#include "again.h"
#include "chunk.h"
#include "part_spool.h"

/* Where a row stands, and who wants it. */
typedef struct sc3_row_place {
  uint64_t row, offset; /* below 2^48 */
  uint16_t file;
  uint16_t mask;  /* a bit for each audience */
  int32_t beyond; /* the number of its line less that of the row, which may share its line with
                     others; SC3_NO_LINE where that is not known */
} sc3_row_place;

#define SC3_NO_LINE INT32_MIN

/* `beyond` of a row that begins at a line, 0 = at none. */
static inline int32_t sc3_line_beyond(uint64_t row, uint64_t line) {
  const int64_t beyond = (int64_t)(line - row);
  return line > 0 && beyond > INT32_MIN && beyond <= INT32_MAX ? (int32_t)beyond : SC3_NO_LINE;
}

/* What became of the entries `first` to `last` of a chunk, counted from 1. */
typedef struct sc3_outcome_range {
  uint32_t first, last;
  sc3_became became;
} sc3_outcome_range;

/* File and row as one number, in the order of reading. */
static inline uint64_t sc3_order_of(const sc3_row_place *place) {
  return (uint64_t)place->file << 48 | place->row;
}

sc3_mirror_status sc3_stage_row(sc3_part_spool *to, unsigned bits, uint64_t hash, uint64_t cells,
                                const sc3_row_place *place);
sc3_mirror_status sc3_stage_exclusion(sc3_part_spool *to, unsigned bits, uint64_t hash);

/* All entries of a chunk that change anything. `ranges` ascend; what they leave out had no try. Of
   a chunk with a range of SC3_OUTCOME_AGAIN the reader knows the number. */
sc3_mirror_status sc3_stage_chunk(sc3_part_spool *to, unsigned bits, sc3_chunk_reader *chunk,
                                  const sc3_outcome_range *ranges, size_t count);

/* --- taken out again --- */

typedef enum sc3_stage_kind {
  SC3_STAGE_ROW = 1,
  SC3_STAGE_EXCLUSION,
  SC3_STAGE_ENTRY
} sc3_stage_kind;

typedef struct sc3_staged {
  sc3_stage_kind kind;
  uint64_t hash;
  uint64_t cells, order, offset; /* of a row, as all until `entry` */
  uint16_t mask;
  int32_t beyond;
  sc3_mirror_entry entry; /* its id is still to be read: `id_size` bytes */
  sc3_became became;
  sc3_again again; /* zeros but for SC3_OUTCOME_AGAIN */
  uint16_t id_size;
} sc3_staged;

/* The next of a partition; 0 at its end, or where r->status says what went wrong. */
int sc3_staged_next(sc3_part_reader *r, sc3_staged *out);

#endif
