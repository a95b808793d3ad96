#include "samples.h"

void sc3_samples_take(sc3_samples *s, const sc3_sample *sample) {
  unsigned at = s->count < SC3_SAMPLES ? s->count++ : SC3_SAMPLES - 1;
  for (; at > 0 && s->first[at - 1].order > sample->order; at--)
    s->first[at] = s->first[at - 1];
  s->first[at] = *sample;
}
