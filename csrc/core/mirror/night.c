#include "night.h"

#include <errno.h>
#include <stdlib.h>

#include "../members/member.h"
#include "candidates.h"
#include "kept.h"
#include "leavers.h"

enum { RANGES_LEAST = 16 };

typedef enum night_phase { GATHERING, MERGING, BUILDING, LEAVING } night_phase;

struct sc3_night {
  sc3_night_options options;
  sc3_row_key key;
  sc3_blocks blocks;
  sc3_part_spool staged;
  sc3_row_ranges ranges;
  sc3_gather gather;
  sc3_merge merge;
  sc3_candidates candidates, again;
  sc3_leavers leavers, leavers_again;
  sc3_kept kept;
  int keeps;     /* rows that come now */
  sc3_buffer id; /* of a further member */
  uint64_t rows;
  uint64_t replaced;     /* of all partitions, once they are merged */
  unsigned char *merged; /* of each partition */
  size_t merged_count;
  night_phase phase;
  sc3_mirror_status status;
  int error; /* the errno of `status` */
};

static size_t parts(const sc3_night *n) {
  return (size_t)1 << n->options.bits;
}

static sc3_mirror_status keep(sc3_night *n, sc3_mirror_status status) {
  if (status != SC3_MIRROR_OK && n->status == SC3_MIRROR_OK) {
    n->status = status;
    n->error = errno;
  }
  if (n->status != SC3_MIRROR_OK)
    errno = n->error;
  return n->status;
}

/* The status with which a call of that phase begins. */
static sc3_mirror_status enter(const sc3_night *n, night_phase phase) {
  return n->status != SC3_MIRROR_OK ? n->status
         : n->phase == phase        ? SC3_MIRROR_OK
                                    : SC3_MIRROR_ORDER;
}

/* --- */

static sc3_mirror_status put_leaver(void *to, const sc3_leaver *leaver) {
  sc3_night *n = to;
  return sc3_leavers_put(leaver->again.chunk > 0 ? &n->leavers_again : &n->leavers, leaver);
}

static sc3_mirror_status put_candidate(void *to, const sc3_candidate *candidate) {
  sc3_night *n = to;
  return sc3_candidates_put(candidate->again.chunk > 0 ? &n->again : &n->candidates, candidate);
}

static sc3_mirror_status open_all(sc3_night *n) {
  const size_t some = parts(n) > RANGES_LEAST ? parts(n) : RANGES_LEAST;
  sc3_mirror_status status = sc3_blocks_open(&n->blocks, n->options.folder);
  if (status == SC3_MIRROR_OK && n->options.cipher.of != NULL) {
    status = sc3_kept_open(&n->kept, &n->blocks, &n->options.cipher);
    n->options.cipher.of = NULL;
  }
  if (status == SC3_MIRROR_OK)
    status = sc3_part_spool_open(&n->staged, &n->blocks, parts(n));
  if (status == SC3_MIRROR_OK)
    status = sc3_leavers_open(&n->leavers, &n->blocks, 0);
  if (status == SC3_MIRROR_OK)
    status = sc3_leavers_open(&n->leavers_again, &n->blocks, 1);
  if (status == SC3_MIRROR_OK)
    status = sc3_row_ranges_open(&n->ranges, some);
  if (status == SC3_MIRROR_OK) {
    n->merged = calloc(parts(n), 1);
    status = n->merged == NULL ? SC3_MIRROR_MEMORY : SC3_MIRROR_OK;
  }
  return status;
}

sc3_mirror_status sc3_night_open(sc3_night **out, const sc3_night_options *options) {
  sc3_night *n = calloc(1, sizeof *n);
  sc3_mirror_status status;
  *out = NULL;
  if (n == NULL) {
    if (options->cipher.of != NULL)
      options->cipher.end(options->cipher.of);
    return SC3_MIRROR_MEMORY;
  }
  n->options = *options;
  sc3_row_key_init(&n->key, options->key, options->version);
  sc3_gather_init(&n->gather);
  sc3_buffer_init(&n->id, SC3_MIRROR_ID_MAX + sizeof(sc3_member_suffix));
  n->merge.bits = options->bits;
  n->merge.audiences = options->audiences;
  n->merge.refresh = options->refresh;
  n->merge.mode = options->mode;
  n->merge.to = n;
  n->merge.candidate = put_candidate;
  n->merge.leaver = put_leaver;
  status = open_all(n);
  if (status == SC3_MIRROR_OK) {
    *out = n;
  } else {
    const int error = errno;
    sc3_night_close(n);
    errno = error;
  }
  return status;
}

static void close_candidates(sc3_night *n) {
  sc3_candidates_close(&n->candidates);
  sc3_candidates_close(&n->again);
}

void sc3_night_close(sc3_night *n) {
  if (n == NULL)
    return;
  sc3_part_spool_close(&n->staged);
  sc3_leavers_close(&n->leavers);
  sc3_leavers_close(&n->leavers_again);
  close_candidates(n);
  sc3_row_ranges_close(&n->ranges);
  sc3_kept_close(&n->kept);
  if (n->options.cipher.of != NULL) /* it was not opened so far */
    n->options.cipher.end(n->options.cipher.of);
  sc3_blocks_close(&n->blocks);
  sc3_gather_free(&n->gather);
  sc3_buffer_free(&n->id);
  free(n->merged);
  free(n);
}

/* --- what comes in --- */

uint64_t sc3_night_hash(const sc3_night *n, sc3_slice id) {
  return sc3_key_hash(n->key.key, id);
}

sc3_slice sc3_night_id(sc3_night *n, sc3_slice id, unsigned member) {
  sc3_member_suffix suffix;
  const size_t more = sc3_member_suffix_write(member, &suffix);
  if (more == 0)
    return id;
  n->id.n = 0;
  if (sc3_buffer_append(&n->id, id.p, id.n) != SC3_OK ||
      sc3_buffer_append(&n->id, suffix.text, more) != SC3_OK)
    return sc3_slice_of(NULL, 0);
  return sc3_slice_of(n->id.p, n->id.n);
}

const sc3_row_key *sc3_night_key(const sc3_night *n) {
  return &n->key;
}

void sc3_night_expect(const sc3_night *n, uint64_t id) {
  if (n->phase == GATHERING)
    sc3_part_expect(&n->staged, sc3_part_of(id, n->options.bits));
}

sc3_mirror_status sc3_night_row(sc3_night *n, const sc3_row_hash *hash,
                                const sc3_row_place *place) {
  sc3_mirror_status status = enter(n, GATHERING);
  if (status == SC3_MIRROR_OK && !sc3_row_ranges_note(&n->ranges, sc3_order_of(place)))
    status = SC3_MIRROR_ORDER;
  if (status == SC3_MIRROR_OK)
    status = sc3_stage_row(&n->staged, n->options.bits, hash, place);
  n->rows += status == SC3_MIRROR_OK && !place->further;
  return keep(n, status);
}

sc3_mirror_status sc3_night_keep(sc3_night *n, int on) {
  const sc3_mirror_status status = enter(n, GATHERING);
  if (status == SC3_MIRROR_OK)
    n->keeps = on && sc3_kept_is_open(&n->kept);
  return keep(n, status);
}

int sc3_night_keeps(const sc3_night *n) {
  return n->keeps;
}

sc3_mirror_status sc3_night_look_by(sc3_night *n, const sc3_mapping *m) {
  if (n->status != SC3_MIRROR_OK || !sc3_kept_is_open(&n->kept))
    return keep(n, SC3_MIRROR_OK);
  return keep(n, sc3_kept_look(&n->kept, m));
}

sc3_mirror_status sc3_night_keep_row(sc3_night *n, const sc3_record *record,
                                     const sc3_survey *survey, sc3_row_place *place) {
  sc3_mirror_status status = enter(n, GATHERING);
  uint64_t at;
  if (status == SC3_MIRROR_OK) {
    status = sc3_kept_put(&n->kept, record, survey, &at);
    place->offset = at | SC3_KEPT_BIT;
  }
  return keep(n, status);
}

sc3_mirror_status sc3_night_exclude(sc3_night *n, sc3_slice id) {
  sc3_mirror_status status = enter(n, GATHERING);
  unsigned member;
  for (member = 1; member <= n->options.members && status == SC3_MIRROR_OK; member++) {
    const sc3_slice of_member = sc3_night_id(n, id, member);
    status = of_member.p == NULL
                 ? SC3_MIRROR_MEMORY
                 : sc3_stage_exclusion(&n->staged, n->options.bits, sc3_night_hash(n, of_member));
  }
  return keep(n, status);
}

sc3_mirror_status sc3_night_look_at_all(sc3_night *n) {
  const sc3_mirror_status status = enter(n, GATHERING);
  n->merge.all = status == SC3_MIRROR_OK && n->options.mode != SC3_NIGHT_REMOVE;
  return keep(n, status);
}

sc3_mirror_status sc3_night_chunk(sc3_night *n, uint32_t number, sc3_slice blob,
                                  const sc3_outcome_range *ranges, size_t count) {
  sc3_chunk_reader reader;
  sc3_mirror_status status = enter(n, GATHERING);
  if (status == SC3_MIRROR_OK)
    status = sc3_chunk_open(&reader, blob, n->options.audiences);
  reader.number = number;
  if (status == SC3_MIRROR_OK)
    status = sc3_stage_chunk(&n->staged, n->options.bits, &reader, ranges, count);
  return keep(n, status);
}

/* --- merging --- */

static sc3_mirror_status begin_merging(sc3_night *n) {
  sc3_mirror_status status = sc3_candidates_open(&n->candidates, &n->ranges, &n->blocks, 0);
  n->phase = MERGING;
  if (status == SC3_MIRROR_OK)
    status = sc3_candidates_open(&n->again, &n->ranges, &n->blocks, 1);
  return status;
}

sc3_mirror_status sc3_night_merge(sc3_night *n, size_t part, sc3_slice base) {
  sc3_mirror_status status = n->status;
  if (status == SC3_MIRROR_OK && n->phase == GATHERING)
    status = begin_merging(n);
  /* A second time, everybody in it would seem to have left. */
  if (status == SC3_MIRROR_OK && (n->phase != MERGING || n->merged[part]))
    status = SC3_MIRROR_ORDER;
  if (status == SC3_MIRROR_OK) {
    n->merged[part] = 1;
    status = sc3_gather_read(&n->gather, &n->staged, part);
  }
  if (status == SC3_MIRROR_OK)
    status = sc3_merge_part(&n->merge, &n->gather, base, part);
  if (status == SC3_MIRROR_OK && ++n->merged_count == parts(n)) {
    n->phase = BUILDING;
    n->replaced = n->gather.replaced;
    sc3_gather_free(&n->gather);
  }
  return keep(n, status);
}

/* --- what comes out --- */

sc3_mirror_status sc3_night_candidate(sc3_night *n, int again, const sc3_candidate **out) {
  sc3_mirror_status status = enter(n, BUILDING);
  *out = NULL;
  if (status == SC3_MIRROR_OK)
    status = sc3_candidates_next(again ? &n->again : &n->candidates, out);
  return keep(n, status);
}

sc3_mirror_status sc3_night_kept(sc3_night *n, const sc3_candidate *candidate, sc3_record *record,
                                 sc3_survey *survey, int *is_surveyed) {
  sc3_mirror_status status = enter(n, BUILDING);
  record->row = sc3_candidate_row(candidate);
  record->line = sc3_candidate_line(candidate);
  if (status == SC3_MIRROR_OK)
    status =
        sc3_kept_read(&n->kept, candidate->offset & ~SC3_KEPT_BIT, record, survey, is_surveyed);
  return keep(n, status);
}

uint64_t sc3_night_kept_size(const sc3_night *n, uint64_t *at) {
  *at = n->kept.at;
  return sc3_kept_is_open(&n->kept) ? sc3_kept_size(&n->kept) : 0;
}

sc3_mirror_status sc3_night_leave(sc3_night *n, const sc3_leaver *leaver) {
  unsigned audience = 0;
  sc3_mirror_status status = enter(n, BUILDING);
  if (status == SC3_MIRROR_OK && n->options.mode != SC3_NIGHT_MIRROR)
    return SC3_MIRROR_OK;
  if (status == SC3_MIRROR_OK)
    status = sc3_leavers_put(&n->leavers, leaver);
  for (; status == SC3_MIRROR_OK && audience < n->options.audiences; audience++) {
    n->merge.leavers[audience] += leaver->mask >> audience & 1;
    n->merge.leavers_rejected[audience] += leaver->mask >> audience & 1;
  }
  return keep(n, status);
}

/* Notes the rows that the merge did not, because they might have been excluded. */
static void note_samples(sc3_night *n, const sc3_candidate *c) {
  unsigned audience;
  for (audience = 0; audience < n->options.audiences; audience++) {
    if ((c->mask >> audience & 1) != 0)
      sc3_samples_note(&n->merge.samples[audience][sc3_merge_verdict(c, audience)], c->order,
                       c->beyond);
  }
}

sc3_mirror_status sc3_night_tell(sc3_night *n, const sc3_candidate *candidate, sc3_slice id,
                                 int excluded) {
  sc3_mirror_status status = enter(n, BUILDING);
  if (status == SC3_MIRROR_OK && excluded) {
    sc3_leaver leaver;
    leaver.hash = candidate->hash;
    leaver.mask = (uint16_t)sc3_merge_exclude(&n->merge, candidate);
    leaver.id = id;
    leaver.again.chunk = leaver.again.entry = 0;
    if (leaver.mask != 0)
      status = sc3_leavers_put(&n->leavers, &leaver);
  } else if (status == SC3_MIRROR_OK && n->merge.all) {
    note_samples(n, candidate);
  }
  return keep(n, status);
}

static sc3_leavers *leavers_of(sc3_night *n, int again) {
  return again ? &n->leavers_again : &n->leavers;
}

sc3_mirror_status sc3_night_look(sc3_night *n, int again, sc3_leaver *out) {
  sc3_mirror_status status = n->status;
  out->id = sc3_slice_of(NULL, 0);
  if (status == SC3_MIRROR_OK && n->phase == BUILDING) {
    n->phase = LEAVING;
    close_candidates(n);
  }
  if (status == SC3_MIRROR_OK)
    status = enter(n, LEAVING);
  if (status == SC3_MIRROR_OK)
    status = sc3_leavers_look(leavers_of(n, again), out);
  return keep(n, status);
}

void sc3_night_pass(sc3_night *n, int again) {
  sc3_leavers_pass(leavers_of(n, again));
}

sc3_mirror_status sc3_night_leaver(sc3_night *n, sc3_leaver *out) {
  const sc3_mirror_status status = sc3_night_look(n, 0, out);
  sc3_night_pass(n, 0);
  return status;
}

void sc3_night_count(const sc3_night *n, sc3_night_counts *counts) {
  counts->rows = n->rows;
  counts->replaced = n->replaced;
  memcpy(counts->verdicts, n->merge.counts, sizeof counts->verdicts);
  memcpy(counts->before, n->merge.before, sizeof counts->before);
  memcpy(counts->known, n->merge.known, sizeof counts->known);
  memcpy(counts->leavers, n->merge.leavers, sizeof counts->leavers);
  memcpy(counts->leavers_rejected, n->merge.leavers_rejected, sizeof counts->leavers_rejected);
  memcpy(counts->leavers_excluded, n->merge.leavers_excluded, sizeof counts->leavers_excluded);
  memcpy(counts->again, n->merge.again, sizeof counts->again);
  memcpy(counts->leavers_again, n->merge.leavers_again, sizeof counts->leavers_again);
}

const sc3_samples *sc3_night_samples(const sc3_night *n, unsigned audience, sc3_verdict verdict) {
  return &n->merge.samples[audience][verdict];
}
