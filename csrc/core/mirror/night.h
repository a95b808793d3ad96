/* One night of a mirror, with flat memory. First come the chunks that are not folded yet, the
   exclusions and all rows; then each partition is merged once; then candidates are taken out by
   row, and leavers. What waits lies in one temporary file without a name.

   After a failure nothing of the night may be used: every call gives it again. */
#ifndef SC3_MIRROR_NIGHT_H
#define SC3_MIRROR_NIGHT_H

#include "../bytes/buffer.h"
#include "../members/builder.h"
#include "cipher.h"
#include "merge.h"
#include "row_hash.h"

typedef struct sc3_night sc3_night;

typedef struct sc3_night_options {
  sc3_sip_key key;
  sc3_slice version;  /* changes the hash of all cells: rules and scripts that make members */
  unsigned bits;      /* 2^bits partitions, at most SC3_MIRROR_PARTS_BITS */
  unsigned audiences; /* 1 to SC3_MIRROR_AUDIENCES */
  unsigned members;   /* that a row may give, 1 to SC3_EACH_MAX */
  uint32_t refresh;   /* versions that were accepted in an earlier run are sent anew; 0 = none */
  sc3_night_mode mode;
  const char *folder; /* of the temporary file */
  sc3_cipher cipher;  /* of rows that are kept, zeros = none are; the night owns it from now on */
} sc3_night_options;

/* NULL in `*out` unless SC3_MIRROR_OK. */
sc3_mirror_status sc3_night_open(sc3_night **out, const sc3_night_options *options);

/* NULL does nothing. */
void sc3_night_close(sc3_night *n);

/* --- what comes in, in any order but chunks in theirs --- */

/* The hash of an id. */
uint64_t sc3_night_hash(const sc3_night *n, sc3_slice id);

/* The id of that member of a row, from 1, under the row's id. Borrowed until the next call; NULL
   when memory is out. */
sc3_slice sc3_night_id(sc3_night *n, sc3_slice id, unsigned member);

/* With what the rows of this night are hashed, see sc3_row_begin(). */
const sc3_row_key *sc3_night_key(const sc3_night *n);

/* Says that a row of this id will come soon: what it is written to is fetched meanwhile. */
void sc3_night_expect(const sc3_night *n, uint64_t id);

/* A row, after those before it in file and row. Of one id the last row counts: one with a mask of
   0, which no audience wants, takes the place of those before it. */
sc3_mirror_status sc3_night_row(sc3_night *n, const sc3_row_hash *hash, const sc3_row_place *place);

/* From now on rows are kept, where the night has a cipher, or not: their candidates are built of
   what is kept, and not of their input. */
sc3_mirror_status sc3_night_keep(sc3_night *n, int keep);
int sc3_night_keeps(const sc3_night *n);

/* The targets by which rows are kept, or given back, until others are. */
sc3_mirror_status sc3_night_look_by(sc3_night *n, const sc3_mapping *m);

/* Keeps what the row under way has of these, and sets the `offset` of its place. */
sc3_mirror_status sc3_night_keep_row(sc3_night *n, const sc3_record *record,
                                     const sc3_survey *survey, sc3_row_place *place);

/* Nobody with this id is in any audience, nor any further member of it. */
sc3_mirror_status sc3_night_exclude(sc3_night *n, sc3_slice id);

/* More may turn out to be excluded when their members are built: whoever stays as before is a
   candidate, too, SC3_ASKED. Before the first partition is merged. */
sc3_mirror_status sc3_night_look_at_all(sc3_night *n);

/* A chunk that is not folded, after those before it. Its number is 0 where nothing of it goes
   again. */
sc3_mirror_status sc3_night_chunk(sc3_night *n, uint32_t number, sc3_slice blob,
                                  const sc3_outcome_range *ranges, size_t count);

/* --- merging --- */

/* Each partition once, in any order. An empty `base` is one without records. */
sc3_mirror_status sc3_night_merge(sc3_night *n, size_t part, sc3_slice base);

/* --- what comes out, after the last partition --- */

/* The next candidate by row, or of those whose entry goes again; NULL in `*out` after the last.
   Borrowed until the next call. */
sc3_mirror_status sc3_night_candidate(sc3_night *n, int again, const sc3_candidate **out);

/* The row of a candidate that was kept, see sc3_kept_read(). Borrowed until the next call. */
sc3_mirror_status sc3_night_kept(sc3_night *n, const sc3_candidate *candidate, sc3_record *record,
                                 sc3_survey *survey, int *is_surveyed);

/* Bytes of all rows that are kept, and where the last one that was given back ends. */
uint64_t sc3_night_kept_size(const sc3_night *n, uint64_t *at);

/* One more who leaves, because the row was rejected when it was built; nobody but in
   SC3_NIGHT_MIRROR. Before the first leaver is read. */
sc3_mirror_status sc3_night_leave(sc3_night *n, const sc3_leaver *leaver);

/* What became of a candidate that was built: it is excluded, so that it leaves where it is, or not.
   Of a night that looks at all. */
sc3_mirror_status sc3_night_tell(sc3_night *n, const sc3_candidate *candidate, sc3_slice id,
                                 int excluded);

/* The next leaver, in no order; its id is NULL after the last. Borrowed until the next call. */
sc3_mirror_status sc3_night_leaver(sc3_night *n, sc3_leaver *out);

/* The same one at each call, until sc3_night_pass(). Those whose entry goes again come apart. */
sc3_mirror_status sc3_night_look(sc3_night *n, int again, sc3_leaver *out);
void sc3_night_pass(sc3_night *n, int again);

typedef struct sc3_night_counts {
  uint64_t rows, replaced; /* `replaced` is known after the last partition, and 0 before */
  uint64_t verdicts[SC3_MIRROR_AUDIENCES][SC3_VERDICTS];
  uint64_t before[SC3_MIRROR_AUDIENCES]; /* who is or may be in it, by what has ended */
  uint64_t known[SC3_MIRROR_AUDIENCES];  /* of them, who is */
  uint64_t leavers[SC3_MIRROR_AUDIENCES], leavers_rejected[SC3_MIRROR_AUDIENCES],
      leavers_excluded[SC3_MIRROR_AUDIENCES];
  uint64_t again[SC3_MIRROR_AUDIENCES], leavers_again[SC3_MIRROR_AUDIENCES];
} sc3_night_counts;

void sc3_night_count(const sc3_night *n, sc3_night_counts *counts);

/* The first rows of a verdict. */
const sc3_samples *sc3_night_samples(const sc3_night *n, unsigned audience, sc3_verdict verdict);

#endif
