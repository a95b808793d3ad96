/* What a night makes of each id and audience of a partition.

   What is under way by an entry that may be sent again is given besides: with the entry's number,
   as a candidate or a leaver of that audience alone. */
#ifndef SC3_MIRROR_MERGE_H
#define SC3_MIRROR_MERGE_H

#include "pairs.h"
#include "samples.h"

/* Each id of the night or the state is in one of these for each audience that wants it, or that has
   it; and in SC3_NOTHING for the others. */
typedef enum sc3_verdict {
  SC3_NOTHING,
  SC3_NEWCOMER,        /* a candidate that is not in the audience */
  SC3_CHANGED,         /* a candidate that is, or may be */
  SC3_UNCHANGED,       /* known, with the same cells */
  SC3_REMOVED,         /* a leaver */
  SC3_DEFERRED,        /* something else is still under way: another night */
  SC3_UNDER_WAY,       /* what is wanted is under way already */
  SC3_REJECTED_BEFORE, /* the row is the one that was rejected or refused */
  SC3_EXCLUDED,        /* wanted, not in the audience, and excluded */
  SC3_KEPT,            /* stays without being wanted: only a mirror has such people leave */
  SC3_NOT_THERE,       /* to be removed, and not in the audience */
  SC3_VERDICTS
} sc3_verdict;

/* A row that has to be built: for its member, or why it has none. */
typedef struct sc3_candidate {
  uint64_t order; /* file << 48 | row */
  uint64_t offset;
  uint64_t hash, cells;
  uint64_t member;   /* of the version before, where an audience is SC3_KNOWN in `standing` */
  uint32_t standing; /* SC3_UNSURE also where the version is to be sent anew, whatever it is */
  int32_t beyond;    /* see sc3_row_place */
  uint16_t mask;     /* the audiences that it is a candidate for */
  uint16_t refused;  /* those that refused the row before */
  sc3_again again;   /* the entry that it is to come to once more: then `member` is that entry's */
} sc3_candidate;

static inline uint64_t sc3_candidate_row(const sc3_candidate *c) {
  return c->order & UINT64_C(0xffffffffffff);
}

static inline uint64_t sc3_candidate_file(const sc3_candidate *c) {
  return c->order >> 48;
}

/* Whether its row is kept. */
static inline int sc3_candidate_is_kept(const sc3_candidate *c) {
  return (c->offset & SC3_KEPT_BIT) != 0;
}

/* The line where it begins; 0 where that is not known. */
static inline uint64_t sc3_candidate_line(const sc3_candidate *c) {
  return c->beyond != SC3_NO_LINE ? sc3_candidate_row(c) + (uint64_t)(int64_t)c->beyond : 0;
}

typedef struct sc3_leaver {
  uint64_t hash;
  uint16_t mask;
  sc3_slice id;
  sc3_again again; /* the entry that goes once more */
} sc3_leaver;

/* Who leaves. */
typedef enum sc3_night_mode {
  SC3_NIGHT_MIRROR, /* whoever no row wants */
  SC3_NIGHT_UPSERT, /* nobody */
  SC3_NIGHT_REMOVE  /* whoever a row names, and nobody is added */
} sc3_night_mode;

typedef struct sc3_merge {
  unsigned bits, audiences;
  uint32_t refresh; /* what was accepted in a run before this one is sent anew */
  sc3_night_mode mode;
  int all; /* whoever stays in an audience as before is a candidate, too: SC3_ASKED */
  uint64_t counts[SC3_MIRROR_AUDIENCES][SC3_VERDICTS];
  uint64_t before[SC3_MIRROR_AUDIENCES];  /* who is or may be in it, by what has ended */
  uint64_t known[SC3_MIRROR_AUDIENCES];   /* of them, who is */
  uint64_t leavers[SC3_MIRROR_AUDIENCES]; /* those who are removed, or were rejected before */
  uint64_t leavers_rejected[SC3_MIRROR_AUDIENCES]; /* of them, the latter */
  uint64_t leavers_excluded[SC3_MIRROR_AUDIENCES]; /* and those who are removed as excluded */
  uint64_t again[SC3_MIRROR_AUDIENCES], leavers_again[SC3_MIRROR_AUDIENCES];
  sc3_samples samples[SC3_MIRROR_AUDIENCES][SC3_VERDICTS]; /* of rows that want the audience */
  void *to;                                                /* of the two calls */
  sc3_mirror_status (*candidate)(void *to, const sc3_candidate *candidate);
  sc3_mirror_status (*leaver)(void *to, const sc3_leaver *leaver);
} sc3_merge;

/* What a candidate of an audience was counted as. */
sc3_verdict sc3_merge_verdict(const sc3_candidate *c, unsigned audience);

/* Counts a candidate that turned out to be excluded as that in all its audiences, and gives those
   that it leaves. */
uint32_t sc3_merge_exclude(sc3_merge *m, const sc3_candidate *c);

sc3_mirror_status sc3_merge_part(sc3_merge *m, const sc3_gather *gather, sc3_slice base,
                                 size_t part);

#endif
