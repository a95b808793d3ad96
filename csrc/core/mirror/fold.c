#include "fold.h"

#include <stdlib.h>

#include "pairs.h"

struct sc3_fold {
  sc3_unfolded chunks;
  sc3_members_writer writer;
};

sc3_mirror_status sc3_fold_open(sc3_fold **out, const sc3_unfolded_options *options) {
  sc3_fold *f = calloc(1, sizeof *f);
  sc3_mirror_status status;
  *out = NULL;
  if (f == NULL)
    return SC3_MIRROR_MEMORY;
  sc3_members_begin(&f->writer, options->audiences);
  status = sc3_unfolded_open(&f->chunks, options);
  if (status == SC3_MIRROR_OK)
    *out = f;
  else
    sc3_fold_close(f);
  return status;
}

void sc3_fold_close(sc3_fold *f) {
  if (f == NULL)
    return;
  sc3_members_free(&f->writer);
  sc3_unfolded_close(&f->chunks);
  free(f);
}

sc3_mirror_status sc3_fold_chunk(sc3_fold *f, sc3_slice blob, const sc3_outcome_range *ranges,
                                 size_t count) {
  size_t i;
  for (i = 0; i < count; i++) {
    if (ranges[i].became.outcome == SC3_OUTCOME_OPEN)
      return sc3_unfolded_keep(&f->chunks, SC3_MIRROR_OPEN);
  }
  return sc3_unfolded_chunk(&f->chunks, blob, ranges, count);
}

/* Writes what the current record has become. */
static sc3_mirror_status fold_one(sc3_fold *f, sc3_pairs *pairs) {
  if (pairs->item == NULL && pairs->base.audiences == f->chunks.audiences)
    return sc3_members_copy(&f->writer, &pairs->base);
  sc3_pairs_apply(pairs, NULL);
  return sc3_record_is_kept(&pairs->record) ? sc3_members_put(&f->writer, &pairs->record)
                                            : SC3_MIRROR_OK;
}

static sc3_mirror_status fold_part(sc3_fold *f, size_t part, sc3_slice base, sc3_slice *blob,
                                   uint32_t *records) {
  sc3_pairs pairs;
  sc3_mirror_status status = sc3_unfolded_read(&f->chunks, part);
  if (status != SC3_MIRROR_OK || f->chunks.gather.count == 0)
    return status;
  f->writer.out.n = 0;
  f->writer.count = 0;
  status =
      sc3_pairs_open(&pairs, &f->chunks.gather, base, part, f->chunks.bits, f->chunks.audiences);
  while (status == SC3_MIRROR_OK && sc3_pairs_next(&pairs))
    status = fold_one(f, &pairs);
  if (status == SC3_MIRROR_OK)
    status = pairs.status;
  if (status == SC3_MIRROR_OK)
    status = sc3_members_end(&f->writer, blob);
  *records = f->writer.count;
  return status;
}

sc3_mirror_status sc3_fold_part(sc3_fold *f, size_t part, sc3_slice base, sc3_slice *blob,
                                uint32_t *records) {
  *blob = sc3_slice_of(NULL, 0);
  *records = 0;
  return sc3_unfolded_keep(&f->chunks, fold_part(f, part, base, blob, records));
}
