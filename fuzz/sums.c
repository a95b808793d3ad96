/* What random rows come to, as one line that must be the same by every compiler and on every
 * machine.
 *
 *   sums ROWS SEED          first says what it runs on, then the line
 *
 * Built of this, mirror_sum.c, random_rows.c, way.c with -DWAY=way_simd, and all of csrc/core. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../csrc/core/bytes/sha256.h"
#include "mirror_sum.h"
#include "random_rows.h"

enum { NIGHTS = 5 };

static void write_le(uint8_t *p, uint64_t v) {
  int i;
  for (i = 0; i < 8; i++)
    p[i] = (uint8_t)(v >> 8 * i);
}

/* The sum so far and what came of the next text make the next sum. */
static void chain(char sum[SC3_SHA256_HEX], const way_result *r) {
  const uint64_t values[] = {r->digest,   r->rows,     r->faults, r->built,
                             r->replaced, r->deferred, r->dropped};
  uint8_t message[SC3_SHA256_HEX + sizeof values];
  size_t i;
  memcpy(message, sum, SC3_SHA256_HEX);
  for (i = 0; i < sizeof values / sizeof values[0]; i++)
    write_le(message + SC3_SHA256_HEX + 8 * i, values[i]);
  sc3_sha256_hex(message, sizeof message, sum);
}

static const char *byte_order(void) {
  const uint16_t one = 1;
  uint8_t first;
  memcpy(&first, &one, 1);
  return first == 1 ? "little" : "big";
}

int main(int argc, char **argv) {
  way_result total = {0, 0, 0, 0, 0, 0, 0};
  char sum[SC3_SHA256_HEX];
  uint64_t wanted, seed;
  if (argc != 3) {
    fputs("sums ROWS SEED\n", stderr);
    return 2;
  }
  wanted = strtoull(argv[1], NULL, 10);
  seed = strtoull(argv[2], NULL, 10);
  printf("%zu bits, %s endian, SHA-256 %s\n", 8 * sizeof(void *), byte_order(),
         sc3_sha256_used()->name);
  memset(sum, '0', sizeof sum);
  random_rows_seed(seed);
  while (total.rows < wanted) {
    way_input in;
    way_result r;
    random_rows_next(&in);
    way_simd(&in, &r);
    random_rows_add(&total, &r);
    chain(sum, &r);
  }
  printf("%" PRIu64 " rows of seed %" PRIu64 ": %" PRIu64 " unreadable, %" PRIu64
         " members, %" PRIu64 " replaced, %" PRIu64 " deferred, %" PRIu64
         " identifiers dropped, mirror %08" PRIx32 ", %.*s\n",
         total.rows, seed, total.faults, total.built, total.replaced, total.deferred, total.dropped,
         mirror_sum(seed, NIGHTS), (int)sizeof sum, sum);
  return !random_rows_prove(&total);
}
