/* The first rows of each verdict, for people to look at. */
#ifndef SC3_MIRROR_SAMPLES_H
#define SC3_MIRROR_SAMPLES_H

#include <stdint.h>

enum { SC3_SAMPLES = 3 };

typedef struct sc3_sample {
  uint64_t order; /* file << 48 | row */
  int32_t beyond; /* see sc3_row_place */
} sc3_sample;

/* By order. */
typedef struct sc3_samples {
  unsigned count;
  sc3_sample first[SC3_SAMPLES];
} sc3_samples;

void sc3_samples_take(sc3_samples *s, const sc3_sample *sample);

/* Rows come by hash, so nearly all are later than those that are there. */
static inline void sc3_samples_note(sc3_samples *s, uint64_t order, int32_t beyond) {
  const sc3_sample sample = {order, beyond};
  if (s->count < SC3_SAMPLES || order < s->first[SC3_SAMPLES - 1].order)
    sc3_samples_take(s, &sample);
}

#endif
