/* Random rows through what the processor is given and through plain C: not a byte may differ.
 *
 *   paths ROWS [SEED]       prints the seed; where the two part, writes the text and says at which
 * row */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "random_rows.h"

static int differ(const way_input *in, way_result *a) {
  way_input whole = *in;
  way_result b;
  whole.step = 1 << 16;
  way_simd(in, a);
  way_portable(&whole, &b);
  return a->digest != b.digest;
}

/* The fewest rows that differ. */
static uint64_t first_row(way_input in) {
  uint64_t low = 0, high = 2 * RANDOM_ROWS;
  way_result a;
  while (low < high) {
    in.max_rows = low + (high - low) / 2;
    if (differ(&in, &a))
      high = in.max_rows;
    else
      low = in.max_rows + 1;
  }
  return low;
}

static void tell(const way_input *in) {
  FILE *f = fopen("paths-differ.txt", "wb");
  printf("the two differ: mode %u, pieces of %zu bytes, row %" PRIu64 " of paths-differ.txt\n",
         in->mode, in->step, first_row(*in));
  if (f != NULL) {
    (void)fwrite(in->p, 1, in->n, f);
    (void)fclose(f);
  }
}

int main(int argc, char **argv) {
  uint64_t wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000,
           seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
  way_result sum = {0, 0, 0, 0, 0, 0, 0};
  random_rows_seed(seed);
  printf("seed %" PRIu64 "\n", seed);
  (void)fflush(stdout);
  while (sum.rows < wanted) {
    way_input in;
    way_result r;
    random_rows_next(&in);
    if (differ(&in, &r)) {
      tell(&in);
      return 1;
    }
    random_rows_add(&sum, &r);
  }
  printf("%" PRIu64 " rows alike by SIMD and by plain C: %" PRIu64 " unreadable, %" PRIu64
         " members, %" PRIu64 " replaced, %" PRIu64 " deferred, %" PRIu64 " identifiers dropped\n",
         sum.rows, sum.faults, sum.built, sum.replaced, sum.deferred, sum.dropped);
  return !random_rows_prove(&sum);
}
