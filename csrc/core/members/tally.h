/* The counts of a job's rows and members. Counts only, never a value. */
#ifndef SC3_TALLY_H
#define SC3_TALLY_H

#include "member.h"
#include "payload.h"
#include "region_tally.h"

/* Two sums hold: rows = skipped + rejected + used, but for rows that a night has and does not
 * build; built = what payloads took in. */
typedef struct sc3_tally {
  uint64_t rows;     /* rows seen */
  uint64_t skipped;  /* rows that a predicate or a script left out */
  uint64_t rejected; /* rows that gave no member though they should have */
  uint64_t used;     /* rows that gave members */
  uint64_t built;    /* members written to payloads */
  uint64_t built_op[2];
  uint64_t deferred; /* members that went to the payload of the next epoch */
  uint64_t replaced; /* members overwritten by one of a later row, of the same external id in the
                          same payload */
  uint64_t
      poorer; /* of them, those that had identifiers of a kind that the later one has fewer of */
  uint64_t untold; /* rejections that there was no room to keep; they are counted all the same */
  uint64_t emails, phones, uids, prehashed; /* of members built that were not replaced */
  uint64_t children;      /* of the rows skipped, those that name the row that they belong to */
  uint64_t excluded_rows; /* of the rows skipped, those whose members were all excluded */
  uint64_t excluded;      /* members that were excluded */
  uint64_t zero_ids; /* members whose external id is 0: shops give it to everybody who has none */
  uint64_t rejected_for[SC3_R_COUNT];
  uint64_t dropped_for[SC3_R_COUNT];
  uint64_t repaired_for[SC3_REPAIR_COUNT]; /* identifiers that were repaired and kept */
  uint64_t raw_in[SC3_ROLE_UID], hashed_in[SC3_ROLE_UID]; /* values used of a role for raw ones: as
                                                             they should be, and hashed already */
  sc3_region_tally
      *unknown_regions; /* of phones that were dropped for it; NULL where there are none */
} sc3_tally;

/* What one member adds to the counts. */
typedef struct sc3_member_counts {
  sc3_op op;
  sc3_identifiers had;
  sc3_repairs repairs;
  unsigned came_raw, came_hashed; /* sets of roles, see sc3_outcome */
} sc3_member_counts;

void sc3_member_counts_set(sc3_member_counts *counts, sc3_op op, const sc3_outcome *outcome);

/* Counts a member that was written to a payload. */
void sc3_tally_add_built(sc3_tally *t, const sc3_member_counts *member);

/* Counts a member that one of a later row took the place of: `before` by `member`. */
void sc3_tally_add_replaced(sc3_tally *t, const sc3_replaced *before,
                            const sc3_member_counts *member);

/* Counts a member that a later one of the same row took the place of: it was never built. */
void sc3_tally_add_repeated(sc3_tally *t, const sc3_replaced *before);

#endif
