/* Rows, exclusions and entries on their way into partitions, as a spool has them one after the
 * other. */
#ifndef SC3_MIRROR_STAGE_H
#define SC3_MIRROR_STAGE_H

#include "again.h"
#include "chunk.h"
#include "part_spool.h"
#include "row_hash.h"

/* What became of the entries `first` to `last` of a chunk, counted from 1. */
typedef struct sc3_outcome_range {
  uint32_t first, last;
  sc3_became became;
} sc3_outcome_range;

sc3_mirror_status sc3_stage_row(sc3_part_spool *to, unsigned bits, const sc3_row_hash *hash,
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
  uint64_t cells; /* of a row, as `place` */
  const sc3_row_place *place;
  sc3_mirror_entry entry; /* its id is still to be read: `id_size` bytes */
  sc3_became became;
  sc3_again again; /* zeros but for SC3_OUTCOME_AGAIN */
  uint16_t id_size;
} sc3_staged;

/* The next of a partition; 0 at its end, or where r->status says what went wrong. */
int sc3_staged_next(sc3_part_reader *r, sc3_staged *out);

#endif
