/* libFuzzer's target for the way from bytes to members: CSV or JSON Lines in pieces, a map with
 * fallbacks, conditions, every repair, payloads that fill up, epochs. Beside the sanitizers and
 * what way.c checks, all of it must come out the same from what the processor is given and from
 * plain C, and however the bytes come in.
 *
 *   make fuzz FUZZ_SECONDS=60 */
#include <stdlib.h>

#include "way.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  way_result a, b;
  way_input in;
  if (size < 5)
    return 0;
  in.p = data + 4;
  in.n = size - 4;
  in.step = (size_t)data[0] + 1;
  in.mode = (unsigned)data[1] | (unsigned)data[2] << 8 | (unsigned)data[3] << 16;
  in.max_rows = UINT64_MAX;
  way_simd(&in, &a);
  in.step = 1 << 16;
  way_portable(&in, &b);
  if (a.digest != b.digest)
    abort();
  return 0;
}
