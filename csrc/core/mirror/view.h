/* What a state says of its people, with the chunks that are not folded yet: nothing is written. */
#ifndef SC3_MIRROR_VIEW_H
#define SC3_MIRROR_VIEW_H

#include "unfolded.h"

typedef struct sc3_view sc3_view;

/* NULL in `*out` unless SC3_MIRROR_OK. */
sc3_mirror_status sc3_view_open(sc3_view **out, const sc3_unfolded_options *options);

/* NULL does nothing. */
void sc3_view_close(sc3_view *v);

/* Only people with these hashes of 8 bytes each are seen from here on. */
sc3_mirror_status sc3_view_only(sc3_view *v, sc3_slice hashes);

/* All chunks first, in order. After a failure, here or below, nothing of the view may be used:
   every call gives it again. */
sc3_mirror_status sc3_view_chunk(sc3_view *v, sc3_slice blob, const sc3_outcome_range *ranges,
                                 size_t count);

/* Begins a partition, each once. `base` is borrowed until the last of its people was read. */
sc3_mirror_status sc3_view_part(sc3_view *v, size_t part, sc3_slice base);

typedef struct sc3_viewed {
  const sc3_mirror_record *record; /* borrowed until the next call; NULL after the last */
  uint32_t open;                   /* a bit for each audience in which an entry is still open */
} sc3_viewed;

/* The next person of the partition, in no order that means anything. */
sc3_mirror_status sc3_view_next(sc3_view *v, sc3_viewed *out);

#endif
