#include "fold.h"

#include <errno.h>
#include <stdlib.h>

#include "pairs.h"

struct sc3_fold {
  unsigned bits, audiences;
  sc3_blocks blocks;
  sc3_part_spool spool;
  sc3_gather gather;
  sc3_members_writer writer;
  unsigned char *folded; /* of each partition */
  int begun;             /* a partition was folded: no chunk comes any more */
  sc3_mirror_status status;
  int error; /* the errno of `status` */
};

static sc3_mirror_status keep(sc3_fold *f, sc3_mirror_status status) {
  if (status != SC3_MIRROR_OK && f->status == SC3_MIRROR_OK) {
    f->status = status;
    f->error = errno;
  }
  if (f->status != SC3_MIRROR_OK)
    errno = f->error;
  return f->status;
}

sc3_mirror_status sc3_fold_open(sc3_fold **out, const sc3_fold_options *options) {
  const size_t parts = (size_t)1 << options->bits;
  sc3_fold *f = calloc(1, sizeof *f);
  sc3_mirror_status status;
  *out = NULL;
  if (f == NULL)
    return SC3_MIRROR_MEMORY;
  f->bits = options->bits;
  f->audiences = options->audiences;
  sc3_gather_init(&f->gather);
  sc3_members_begin(&f->writer, f->audiences);
  f->folded = calloc(parts, 1);
  status = sc3_blocks_open(&f->blocks, options->folder);
  if (status == SC3_MIRROR_OK)
    status =
        f->folded == NULL ? SC3_MIRROR_MEMORY : sc3_part_spool_open(&f->spool, &f->blocks, parts);
  if (status == SC3_MIRROR_OK) {
    *out = f;
  } else {
    const int error = errno;
    sc3_fold_close(f);
    errno = error;
  }
  return status;
}

void sc3_fold_close(sc3_fold *f) {
  if (f == NULL)
    return;
  sc3_part_spool_close(&f->spool);
  sc3_blocks_close(&f->blocks);
  sc3_gather_free(&f->gather);
  sc3_members_free(&f->writer);
  free(f->folded);
  free(f);
}

sc3_mirror_status sc3_fold_chunk(sc3_fold *f, sc3_slice blob, const sc3_outcome_range *ranges,
                                 size_t count) {
  sc3_chunk_reader reader;
  sc3_mirror_status status = f->status;
  size_t i;
  if (status == SC3_MIRROR_OK && f->begun)
    status = SC3_MIRROR_ORDER;
  for (i = 0; i < count; i++) {
    if (status == SC3_MIRROR_OK && sc3_is_open(ranges[i].became.outcome))
      status = SC3_MIRROR_OPEN;
  }
  if (status == SC3_MIRROR_OK)
    status = sc3_chunk_open(&reader, blob, f->audiences);
  if (status == SC3_MIRROR_OK)
    status = sc3_stage_chunk(&f->spool, f->bits, &reader, ranges, count);
  return keep(f, status);
}

/* Writes what the current record has become. */
static sc3_mirror_status fold_one(sc3_fold *f, sc3_pairs *pairs) {
  if (pairs->item == NULL && pairs->base.audiences == f->audiences)
    return sc3_members_copy(&f->writer, &pairs->base);
  sc3_pairs_apply(pairs, NULL);
  return sc3_record_is_kept(&pairs->record) ? sc3_members_put(&f->writer, &pairs->record)
                                            : SC3_MIRROR_OK;
}

static sc3_mirror_status fold_part(sc3_fold *f, size_t part, sc3_slice base, sc3_slice *blob,
                                   uint32_t *records) {
  sc3_pairs pairs;
  sc3_mirror_status status = sc3_gather_read(&f->gather, &f->spool, part);
  if (status != SC3_MIRROR_OK || f->gather.count == 0)
    return status;
  f->writer.out.n = 0;
  f->writer.count = 0;
  status = sc3_pairs_open(&pairs, &f->gather, base, part, f->bits, f->audiences);
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
  sc3_mirror_status status = f->status;
  *blob = sc3_slice_of(NULL, 0);
  *records = 0;
  f->begun = 1;
  if (status == SC3_MIRROR_OK && f->folded[part])
    status = SC3_MIRROR_ORDER; /* its entries are gone, and would be missing */
  if (status == SC3_MIRROR_OK) {
    f->folded[part] = 1;
    status = fold_part(f, part, base, blob, records);
  }
  return keep(f, status);
}
