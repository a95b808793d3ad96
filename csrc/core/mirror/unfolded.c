#include "unfolded.h"

#include <errno.h>
#include <stdlib.h>

sc3_mirror_status sc3_unfolded_open(sc3_unfolded *u, const sc3_unfolded_options *options) {
  const size_t parts = (size_t)1 << options->bits;
  sc3_mirror_status status;
  u->bits = options->bits;
  u->audiences = options->audiences;
  sc3_gather_init(&u->gather);
  u->read = calloc(parts, 1);
  status = sc3_blocks_open(&u->blocks, options->folder);
  if (status == SC3_MIRROR_OK)
    status =
        u->read == NULL ? SC3_MIRROR_MEMORY : sc3_part_spool_open(&u->spool, &u->blocks, parts);
  return status;
}

void sc3_unfolded_close(sc3_unfolded *u) {
  const int error = errno;
  sc3_part_spool_close(&u->spool);
  sc3_blocks_close(&u->blocks);
  sc3_gather_free(&u->gather);
  free(u->read);
  errno = error;
}

sc3_mirror_status sc3_unfolded_keep(sc3_unfolded *u, sc3_mirror_status status) {
  if (status != SC3_MIRROR_OK && u->status == SC3_MIRROR_OK) {
    u->status = status;
    u->error = errno;
  }
  if (u->status != SC3_MIRROR_OK)
    errno = u->error;
  return u->status;
}

sc3_mirror_status sc3_unfolded_chunk(sc3_unfolded *u, sc3_slice blob,
                                     const sc3_outcome_range *ranges, size_t count) {
  sc3_chunk_reader reader;
  sc3_mirror_status status = u->status;
  if (status == SC3_MIRROR_OK && u->begun)
    status = SC3_MIRROR_ORDER;
  if (status == SC3_MIRROR_OK)
    status = sc3_chunk_open(&reader, blob, u->audiences);
  if (status == SC3_MIRROR_OK)
    status = sc3_stage_chunk(&u->spool, u->bits, &reader, ranges, count);
  return sc3_unfolded_keep(u, status);
}

sc3_mirror_status sc3_unfolded_read(sc3_unfolded *u, size_t part) {
  sc3_mirror_status status = u->status;
  u->begun = 1;
  if (status == SC3_MIRROR_OK && u->read[part])
    status = SC3_MIRROR_ORDER; /* its entries are gone, and would be missing */
  if (status == SC3_MIRROR_OK) {
    u->read[part] = 1;
    status = sc3_gather_read(&u->gather, &u->spool, part);
  }
  return sc3_unfolded_keep(u, status);
}
