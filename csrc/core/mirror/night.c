#include "night.h"

#include <errno.h>
#include <stdlib.h>

#include "../bytes/little.h"
#include "candidates.h"

enum { LEAVER_HEAD = 12, RANGES_LEAST = 16 };

typedef enum night_phase { GATHERING, MERGING, BUILDING, LEAVING } night_phase;

struct sc3_night {
  sc3_night_options options;
  sc3_row_key key;
  sc3_blocks blocks;
  sc3_part_spool staged;
  sc3_row_ranges ranges;
  sc3_gather gather;
  sc3_merge merge;
  sc3_candidates candidates;
  sc3_part_spool leavers; /* of one partition */
  sc3_part_reader leaving;
  sc3_buffer id; /* of the leaver that was read last */
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
  unsigned char bytes[LEAVER_HEAD];
  sc3_mirror_status status;
  sc3_store64(bytes, leaver->hash);
  sc3_store16(bytes + 8, leaver->mask);
  sc3_store16(bytes + 10, (uint16_t)leaver->id.n);
  status = sc3_part_put(&n->leavers, 0, bytes, LEAVER_HEAD);
  return status == SC3_MIRROR_OK ? sc3_part_put(&n->leavers, 0, leaver->id.p, leaver->id.n)
                                 : status;
}

static sc3_mirror_status put_candidate(void *to, const sc3_candidate *candidate) {
  sc3_night *n = to;
  return sc3_candidates_put(&n->candidates, candidate);
}

static sc3_mirror_status open_all(sc3_night *n) {
  const size_t some = parts(n) > RANGES_LEAST ? parts(n) : RANGES_LEAST;
  sc3_mirror_status status = sc3_blocks_open(&n->blocks, n->options.folder);
  if (status == SC3_MIRROR_OK)
    status = sc3_part_spool_open(&n->staged, &n->blocks, parts(n));
  if (status == SC3_MIRROR_OK)
    status = sc3_part_spool_open(&n->leavers, &n->blocks, 1);
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
  if (n == NULL)
    return SC3_MIRROR_MEMORY;
  n->options = *options;
  n->key.key = options->key;
  n->key.version = sc3_key_hash(options->key, options->version);
  sc3_gather_init(&n->gather);
  sc3_buffer_init(&n->id, SC3_MIRROR_ID_MAX);
  n->merge.bits = options->bits;
  n->merge.audiences = options->audiences;
  n->merge.refresh = options->refresh;
  n->merge.upsert = options->upsert;
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

void sc3_night_close(sc3_night *n) {
  if (n == NULL)
    return;
  sc3_part_end(&n->leaving);
  sc3_part_spool_close(&n->staged);
  sc3_part_spool_close(&n->leavers);
  sc3_candidates_close(&n->candidates);
  sc3_row_ranges_close(&n->ranges);
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

const sc3_row_key *sc3_night_key(const sc3_night *n) {
  return &n->key;
}

sc3_mirror_status sc3_night_row(sc3_night *n, const sc3_row_hash *hash,
                                const sc3_row_place *place) {
  sc3_mirror_status status = enter(n, GATHERING);
  if (status == SC3_MIRROR_OK && !sc3_row_ranges_note(&n->ranges, sc3_order_of(place)))
    status = SC3_MIRROR_ORDER;
  if (status == SC3_MIRROR_OK)
    status = sc3_stage_row(&n->staged, n->options.bits, hash, place);
  n->rows += status == SC3_MIRROR_OK;
  return keep(n, status);
}

sc3_mirror_status sc3_night_exclude(sc3_night *n, sc3_slice id) {
  sc3_mirror_status status = enter(n, GATHERING);
  if (status == SC3_MIRROR_OK)
    status = sc3_stage_exclusion(&n->staged, n->options.bits, sc3_night_hash(n, id));
  return keep(n, status);
}

sc3_mirror_status sc3_night_chunk(sc3_night *n, sc3_slice blob, const sc3_outcome_range *ranges,
                                  size_t count) {
  sc3_chunk_reader reader;
  sc3_mirror_status status = enter(n, GATHERING);
  if (status == SC3_MIRROR_OK)
    status = sc3_chunk_open(&reader, blob, n->options.audiences);
  if (status == SC3_MIRROR_OK)
    status = sc3_stage_chunk(&n->staged, n->options.bits, &reader, ranges, count);
  return keep(n, status);
}

/* --- merging --- */

static sc3_mirror_status begin_merging(sc3_night *n) {
  n->phase = MERGING;
  return sc3_candidates_open(&n->candidates, &n->ranges, &n->blocks);
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

sc3_mirror_status sc3_night_candidate(sc3_night *n, const sc3_candidate **out) {
  sc3_mirror_status status = enter(n, BUILDING);
  *out = NULL;
  if (status == SC3_MIRROR_OK)
    status = sc3_candidates_next(&n->candidates, out);
  return keep(n, status);
}

sc3_mirror_status sc3_night_leave(sc3_night *n, const sc3_leaver *leaver) {
  sc3_mirror_status status = enter(n, BUILDING);
  if (status == SC3_MIRROR_OK)
    status = put_leaver(n, leaver);
  return keep(n, status);
}

static sc3_mirror_status read_leaver(sc3_night *n, sc3_leaver *out) {
  unsigned char bytes[LEAVER_HEAD];
  size_t size;
  sc3_status st;
  if (!sc3_part_read(&n->leaving, bytes, LEAVER_HEAD))
    return n->leaving.status;
  out->hash = sc3_load64(bytes);
  out->mask = sc3_load16(bytes + 8);
  size = sc3_load16(bytes + 10);
  n->id.n = 0;
  st = sc3_buffer_reserve(&n->id, size);
  if (st != SC3_OK)
    return sc3_mirror_of(st);
  if (!sc3_part_read(&n->leaving, n->id.p, size))
    return n->leaving.status != SC3_MIRROR_OK ? n->leaving.status : SC3_MIRROR_DAMAGED;
  out->id = sc3_slice_of(n->id.p, size);
  return SC3_MIRROR_OK;
}

sc3_mirror_status sc3_night_leaver(sc3_night *n, sc3_leaver *out) {
  sc3_mirror_status status = n->status;
  out->id = sc3_slice_of(NULL, 0);
  if (status == SC3_MIRROR_OK && n->phase == BUILDING) {
    n->phase = LEAVING;
    sc3_candidates_close(&n->candidates);
    status = sc3_part_begin(&n->leaving, &n->leavers, 0);
  }
  if (status == SC3_MIRROR_OK)
    status = enter(n, LEAVING);
  if (status == SC3_MIRROR_OK)
    status = read_leaver(n, out);
  return keep(n, status);
}

void sc3_night_count(const sc3_night *n, sc3_night_counts *counts) {
  counts->rows = n->rows;
  counts->replaced = n->replaced;
  memcpy(counts->verdicts, n->merge.counts, sizeof counts->verdicts);
  memcpy(counts->leavers, n->merge.leavers, sizeof counts->leavers);
}
