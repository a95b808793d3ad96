#include "view.h"

#include <stdlib.h>

#include "hash_list.h"
#include "pairs.h"

struct sc3_view {
  sc3_unfolded chunks;
  sc3_hash_list only;
  int is_part; /* one is being read */
  sc3_pairs pairs;
};

sc3_mirror_status sc3_view_open(sc3_view **out, const sc3_unfolded_options *options) {
  sc3_view *v = calloc(1, sizeof *v);
  sc3_mirror_status status;
  *out = NULL;
  if (v == NULL)
    return SC3_MIRROR_MEMORY;
  status = sc3_unfolded_open(&v->chunks, options);
  if (status == SC3_MIRROR_OK)
    *out = v;
  else
    sc3_view_close(v);
  return status;
}

void sc3_view_close(sc3_view *v) {
  if (v == NULL)
    return;
  sc3_hash_list_free(&v->only);
  sc3_unfolded_close(&v->chunks);
  free(v);
}

sc3_mirror_status sc3_view_only(sc3_view *v, sc3_slice hashes) {
  sc3_hash_list_free(&v->only);
  return sc3_unfolded_keep(&v->chunks, sc3_hash_list_read(&v->only, hashes));
}

sc3_mirror_status sc3_view_chunk(sc3_view *v, sc3_slice blob, const sc3_outcome_range *ranges,
                                 size_t count) {
  return sc3_unfolded_chunk(&v->chunks, blob, ranges, count);
}

sc3_mirror_status sc3_view_part(sc3_view *v, size_t part, sc3_slice base) {
  sc3_mirror_status status = sc3_unfolded_read(&v->chunks, part);
  v->is_part = 1;
  if (status == SC3_MIRROR_OK)
    status = sc3_pairs_open(&v->pairs, &v->chunks.gather, base, part, v->chunks.bits,
                            v->chunks.audiences);
  return sc3_unfolded_keep(&v->chunks, status);
}

/* Whether the current person is to be seen. */
static int is_seen(sc3_view *v, uint32_t *open) {
  sc3_open_entries entries;
  if (v->only.list != NULL && !sc3_hash_list_has(&v->only, v->pairs.record.hash))
    return 0;
  entries.mask = 0;
  sc3_pairs_apply(&v->pairs, &entries);
  *open = entries.mask;
  return entries.mask != 0 || sc3_record_is_kept(&v->pairs.record);
}

sc3_mirror_status sc3_view_next(sc3_view *v, sc3_viewed *out) {
  out->record = NULL;
  out->open = 0;
  if (v->chunks.status != SC3_MIRROR_OK || !v->is_part)
    return sc3_unfolded_keep(&v->chunks, SC3_MIRROR_OK);
  while (sc3_pairs_next(&v->pairs)) {
    if (is_seen(v, &out->open)) {
      out->record = &v->pairs.record;
      return SC3_MIRROR_OK;
    }
  }
  v->is_part = 0;
  return sc3_unfolded_keep(&v->chunks, v->pairs.status);
}
