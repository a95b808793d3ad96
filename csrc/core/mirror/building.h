/* Candidates of a night on their way into a payload and a chunk: one is under way at a time, and
   stays so while its payload or its chunk has no room. All of one audience, the first. */
#ifndef SC3_MIRROR_BUILDING_H
#define SC3_MIRROR_BUILDING_H

#include "../members/builder.h"
#include "chunk.h"
#include "night.h"

typedef struct sc3_building {
  sc3_candidate candidate;
  int has;   /* the candidate is under way, */
  int built; /* and was built: `entry` is to be written, with the id in `id` */
  int leaves;
  sc3_mirror_entry entry;
  sc3_buffer id;
  uint64_t written[SC3_ENTRY_REFUSED + 1]; /* entries of each operation */
} sc3_building;

void sc3_building_init(sc3_building *g);
void sc3_building_free(sc3_building *g);

/* The candidate under way, else the next; NULL in `*out` after the last. */
sc3_mirror_status sc3_building_next(sc3_building *g, sc3_night *n, const sc3_candidate **out);

/* Builds the member of the row that was begun in `b`. `*same` is 0 where the record is not the row
   that was surveyed: its file was changed meanwhile, and nothing of the night can be trusted.
   `next` as in sc3_builder_map(). SC3_MIRROR_MEMORY. */
sc3_mirror_status sc3_building_build(sc3_building *g, const sc3_night *n, sc3_builder *b,
                                     const sc3_payload *next, const sc3_record *record, int *same);

/* Writes what was built. `*added` is SC3_FULL where the payload or the chunk has no room, and
   neither took anything; SC3_ADDED when nothing is under way any more; else what is wrong with the
   payload, which took nothing. */
sc3_mirror_status sc3_building_write(sc3_building *g, sc3_night *n, sc3_builder *b, sc3_payload *p,
                                     sc3_chunk_writer *chunk, sc3_added *added);

#endif
