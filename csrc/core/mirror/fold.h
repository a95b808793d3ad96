/* Applies ended chunks to the partitions of a state. */
#ifndef SC3_MIRROR_FOLD_H
#define SC3_MIRROR_FOLD_H

#include "unfolded.h"

typedef struct sc3_fold sc3_fold;

/* NULL in `*out` unless SC3_MIRROR_OK. */
sc3_mirror_status sc3_fold_open(sc3_fold **out, const sc3_unfolded_options *options);

/* NULL does nothing. */
void sc3_fold_close(sc3_fold *f);

/* All chunks first, in order. After a failure, here or below, nothing of the fold may be used:
   every call gives it again. */
sc3_mirror_status sc3_fold_chunk(sc3_fold *f, sc3_slice blob, const sc3_outcome_range *ranges,
                                 size_t count);

/* The partition's new blob, borrowed until the next call; `blob->p` is NULL where no entry is of
   this partition, so that the old one stays. `*records` is how many it holds then. Each once. */
sc3_mirror_status sc3_fold_part(sc3_fold *f, size_t part, sc3_slice base, sc3_slice *blob,
                                uint32_t *records);

#endif
