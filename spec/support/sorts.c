/* Sorts random and crowded values, and looks whether they are in order and equal ones as they were.
 *   sorts SEED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../csrc/core/mirror/sort.h"

enum { RUNS = 400, MOST = 5000 };

static uint64_t bits(void) {
  return (uint64_t)rand() << 62 ^ (uint64_t)rand() << 31 ^ (uint64_t)rand();
}

static uint64_t value_of(int run, size_t i, size_t n) {
  switch (run % 6) {
    case 0: return bits();
    case 1: return bits() >> 56;                                /* many are equal */
    case 2: return i == 0 ? 0 : i == 1 ? UINT64_MAX : n - i;    /* a crowd between two strangers */
    case 3: return (uint64_t)(rand() % 3) << 48 | bits() >> 50; /* rows of files */
    case 4: return UINT64_C(0xab) << 56 | bits() >> 8;          /* a partition */
    default: return i * 7;
  }
}

static int is_sorted(const sc3_sort_key *keys, size_t n, const uint64_t *values) {
  size_t i;
  for (i = 0; i < n; i++) {
    if (keys[i].value != values[keys[i].item])
      return 0;
    if (i > 0 && (keys[i - 1].value > keys[i].value ||
                  (keys[i - 1].value == keys[i].value && keys[i - 1].item >= keys[i].item)))
      return 0;
  }
  return 1;
}

int main(int argc, char **argv) {
  static sc3_sort_key keys[MOST], spare[MOST];
  static uint64_t values[MOST];
  int run;
  srand(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1);
  for (run = 0; run < RUNS; run++) {
    const size_t n = (size_t)rand() % (run / 6 % 2 == 0 ? 40 : MOST);
    size_t i;
    for (i = 0; i < n; i++) {
      values[i] = keys[i].value = value_of(run, i, n);
      keys[i].item = (uint32_t)i;
    }
    if (!is_sorted(sc3_sort(keys, spare, n, run / 12 % 2 == 0 ? SC3_SORT_HASHES : SC3_SORT_ALL), n,
                   values)) {
      printf("run %d of %zu values\n", run, n);
      return 1;
    }
  }
  printf("sorted\n");
  return 0;
}
