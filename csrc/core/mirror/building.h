/* Candidates of a night on their way into a payload and two chunks: one is under way at a time, and
   stays so while there is no room for it. All of one audience, the first. */
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
  int differs; /* the member is none, or another one than that of the candidate */
  int excluded;
  sc3_mirror_entry entry;
  sc3_buffer id;
  sc3_buffer json;                         /* of a removal */
  uint64_t written[SC3_ENTRY_REFUSED + 1]; /* entries of each operation */
  uint64_t again[2];                       /* members whose entry goes again, of each sc3_op */
  uint64_t deferred;                       /* entries that do not, as their member differs */
} sc3_building;

/* Where what is built goes. Member i of the payload is entry i of `chunk`; what is not sent goes
   into `notes`. Entries that go again are in a chunk already: of them, member i is the i-th of
   `list`, and there is neither `chunk` nor `notes`. */
typedef struct sc3_building_to {
  sc3_payload *payload;
  sc3_chunk_writer *chunk, *notes;
  sc3_again_list *list;
} sc3_building_to;

void sc3_building_init(sc3_building *g);
void sc3_building_free(sc3_building *g);

/* Whether the candidate under way is not of those whose entry goes again, or not of the others. */
static inline int sc3_building_has_other(const sc3_building *g, int again) {
  return g->has && (g->candidate.again.chunk > 0) != again;
}

/* The candidate under way, else the next of those; NULL in `*out` after the last. */
sc3_mirror_status sc3_building_next(sc3_building *g, sc3_night *n, int again,
                                    const sc3_candidate **out);

/* Builds the member of the row that was begun in `b`. `*same` is 0 where the record is not the row
   that was surveyed: its file was changed meanwhile, and nothing of the night can be trusted.
   `next` as in sc3_builder_map(). SC3_MIRROR_MEMORY. */
sc3_mirror_status sc3_building_build(sc3_building *g, const sc3_night *n, sc3_builder *b,
                                     const sc3_payload *next, const sc3_record *record, int *same);

/* Writes what was built. `*added` is SC3_FULL where the payload has no room or the notes are large,
   and nothing was written; SC3_ADDED when nothing is under way any more; else what is wrong with
   the payload, which took nothing. */
sc3_mirror_status sc3_building_write(sc3_building *g, sc3_night *n, sc3_builder *b,
                                     const sc3_building_to *to, sc3_added *added);

#endif
