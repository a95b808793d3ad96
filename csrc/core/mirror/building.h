/* Candidates of a night on their way into payloads and chunks, one of each for an audience: one is
   under way at a time, and stays so while there is no room for it. */
#ifndef SC3_MIRROR_BUILDING_H
#define SC3_MIRROR_BUILDING_H

#include "../members/builder.h"
#include "chunk.h"
#include "night.h"

/* Of one audience. */
typedef struct sc3_building_counts {
  uint64_t added, noted, removed;
  uint64_t again[2]; /* members whose entry goes again, of each sc3_op */
  uint64_t deferred; /* entries that do not, as their member differs */
} sc3_building_counts;

typedef struct sc3_building {
  sc3_candidate candidate;
  sc3_survey survey; /* of its row, */
  int is_surveyed;   /* which is kept and plain */
  int has;           /* the candidate is under way, */
  int built;         /* and was built: what follows is still to be written, with the id in `id` */
  uint32_t adds;     /* audiences that the member goes to */
  int notes;         /* an entry of which nothing is sent */
  int differs;       /* the member is none, or another one than that of the candidate */
  uint32_t noted, leaves; /* audiences that have the member; that lose whoever has none any more */
  int excluded;
  /* Of the row that was built last, where a row may give several members: a source cannot go back
     to it. All are staged in the builder, and the candidates of the row follow each other. */
  unsigned members;                  /* that it may give; 0 = none was built */
  sc3_row_hash hashes[SC3_EACH_MAX]; /* of each */
  uint64_t order;
  int again;        /* its candidates are those whose entry goes again */
  size_t id_length; /* of the row's id, which `id` begins with */
  int row_excluded, counted;
  sc3_mirror_entry entry;
  sc3_buffer id;
  uint32_t left[2]; /* audiences that the leaver under way still has to leave; [1]: again */
  sc3_buffer json;  /* of a removal */
  uint64_t rejected;
  sc3_building_counts counts[SC3_MIRROR_AUDIENCES];
} sc3_building;

/* Where what is built for an audience goes. Member i of the payload is entry i of `chunk`. Entries
   that go again are in a chunk already: of them, member i is the i-th of `list`. */
typedef struct sc3_building_part {
  sc3_payload *payload;
  sc3_chunk_writer *chunk;
  sc3_again_list *list;
} sc3_building_part;

/* What is not sent goes into `notes`. All payloads may go in one request: together they hold at
   most what one of them may hold. */
typedef struct sc3_building_to {
  sc3_building_part parts[SC3_MIRROR_AUDIENCES];
  unsigned audiences;
  int again; /* there are lists, and neither chunks nor notes */
  sc3_chunk_writer *notes;
  size_t members, bytes; /* in all payloads, see sc3_building_count() */
} sc3_building_to;

/* Counts what the payloads hold already. */
void sc3_building_count(sc3_building_to *to);

/* Whether so many bytes more of a member have their place in a payload beside the others. One that
   is alone has it, or fits nowhere. */
static inline int sc3_building_has_room(const sc3_building_to *to, const sc3_payload *p,
                                        size_t bytes) {
  return to->members == 0 || (to->members < sc3_payload_max_members(p) &&
                              to->bytes + bytes <= sc3_payload_max_bytes(p));
}

static inline void sc3_building_took(sc3_building_to *to, size_t bytes) {
  to->members++;
  to->bytes += bytes;
}

void sc3_building_init(sc3_building *g);
void sc3_building_free(sc3_building *g);

/* Whether the candidate under way is not of those whose entry goes again, or not of the others. */
static inline int sc3_building_has_other(const sc3_building *g, int again) {
  return g->has && (g->candidate.again.chunk > 0) != again;
}

/* The candidate under way, else the next of those; NULL in `*out` after the last. */
sc3_mirror_status sc3_building_next(sc3_building *g, sc3_night *n, int again,
                                    const sc3_candidate **out);

/* Reads the row of the candidate under way, which is kept, for sc3_building_build(). */
sc3_mirror_status sc3_building_take(sc3_building *g, sc3_night *n, sc3_record *record);

/* Builds the member of the row that was begun in `b`. `*same` is 0 where the record is not the row
   that was surveyed: its file was changed meanwhile, and nothing of the night can be trusted.
   `next` as in sc3_builder_map(). SC3_MIRROR_MEMORY. */
sc3_mirror_status sc3_building_build(sc3_building *g, sc3_night *n, sc3_builder *b,
                                     const sc3_payload *next, const sc3_record *record, int *same);

/* Whether the candidate under way is of the row that was built last: then its member is selected
   among those that are staged, in place of sc3_building_build(). `*same` likewise. */
static inline int sc3_building_has_row(const sc3_building *g) {
  return g->members > 0 && g->candidate.order == g->order &&
         (g->candidate.again.chunk > 0) == g->again;
}

sc3_mirror_status sc3_building_select(sc3_building *g, const sc3_night *n, sc3_builder *b,
                                      int *same);

/* Writes what was built. `*added` is SC3_FULL where payloads have no room or the notes are large:
   what was not written stays under way. SC3_ADDED when nothing does any more; else what is wrong
   with a payload, which took nothing. */
sc3_mirror_status sc3_building_write(sc3_building *g, sc3_night *n, sc3_builder *b,
                                     sc3_building_to *to, sc3_added *added);

#endif
