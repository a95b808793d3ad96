/* Nanoseconds a message, by implementation and length, hex digits included; each is the least of
   many runs. "after" begins a call when the digests of the call before are known, as among other
   work; "beside" lets the processor overlap calls. "eight" hashes so many at once, as rows of a
   file are. cc -O2 -std=c11 -D_GNU_SOURCE -o
   build/bench/sha256 bench/sha256.c csrc/core/bytes/sha256*.c && build/bench/sha256 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../csrc/core/bytes/sha256.h"

enum { MESSAGES = 1024, RUNS = 400, LENGTH_MAX = 120 };

static char texts[MESSAGES * 128], digests[MESSAGES][SC3_SHA256_HEX];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The lengths of two messages; `vary` takes up to so many bytes off each first one. */
typedef struct lengths {
  size_t n, m, vary;
  const char *what;
} lengths;

/* Messages lie one after the other, so that they begin at any alignment. A hex digit's highest bit
   is 0, which the compiler does not know: with `after` 1 it makes an address wait for a digest. */
static double measure(const sc3_sha256_impl *impl, const lengths *l, int pairs, int after) {
  double least = 1e9;
  int run;
  for (run = 0; run < RUNS; run++) {
    double start = now(), took;
    size_t i, wait = 0;
    for (i = 0; i < MESSAGES; i += 2) {
      const char *a = texts + i * LENGTH_MAX + i % 16 + wait, *b = a + LENGTH_MAX;
      size_t an = l->vary > 0 ? l->n - (i * 2654435761u >> 7) % l->vary : l->n;
      if (pairs) {
        const sc3_sha256_message one = {a, an, digests[i]}, other = {b, l->m, digests[i + 1]};
        impl->hex_pair(&one, &other);
      } else {
        impl->hex(a, an, digests[i]);
        impl->hex(after ? b + (digests[i][0] >> 7) : b, l->m, digests[i + 1]);
      }
      if (after)
        wait = (size_t)((digests[i][0] | digests[i + 1][0]) >> 7);
    }
    took = (now() - start) / MESSAGES;
    least = took < least ? took : least;
  }
  return least;
}

/* The same of eight messages at once, of one block each. */
static double measure_eight(const sc3_sha256_impl *impl, const lengths *l) {
  double least = 1e9;
  int run;
  for (run = 0; run < RUNS; run++) {
    double start = now(), took;
    size_t i, k, wait = 0;
    for (i = 0; i < MESSAGES; i += 8) {
      sc3_sha256_message eight[8];
      for (k = 0; k < 8; k++) {
        const size_t at = i + k, n = l->vary > 0 ? l->n - (at * 2654435761u >> 7) % l->vary : l->n;
        eight[k].p = texts + at * LENGTH_MAX + i % 16 + wait;
        eight[k].n = k % 2 == 0 ? n : l->m;
        eight[k].hex = digests[at];
      }
      sc3_sha256_hex_many(impl, eight, 8);
      for (k = 0, wait = 0; k < 8; k++)
        wait |= (size_t)(digests[i + k][0] >> 7);
    }
    took = (now() - start) / MESSAGES;
    least = took < least ? took : least;
  }
  return least;
}

int main(void) {
  static const char *names[] = {"portable", "neon", "avx2", "sha-ni", "armv8"};
  static const lengths cases[] = {
      {12, 12, 0, "12"},
      {25, 25, 0, "25"},
      {55, 55, 0, "55"},
      {56, 56, 0, "56"},
      {120, 120, 0, "120"},
      {25, 12, 0, "25 and 12"},
      {40, 12, 28, "13 to 40 and 12"},
  };
  size_t i, j;
  for (i = 0; i < sizeof texts; i++)
    texts[i] = (char)(i * 2654435761u >> 13);
  for (i = 0; i < sizeof names / sizeof *names; i++) {
    const sc3_sha256_impl *impl = sc3_sha256_find(names[i]);
    if (impl == NULL)
      continue;
    printf("%-16s %12s %12s %12s %12s %12s\n", impl->name, "one after", "pair after", "one beside",
           "pair beside", "eight after");
    for (j = 0; j < sizeof cases / sizeof *cases; j++) {
      const lengths *l = &cases[j];
      printf("%-16s %12.1f %12.1f %12.1f %12.1f", l->what, measure(impl, l, 0, 1),
             measure(impl, l, 1, 1), measure(impl, l, 0, 0), measure(impl, l, 1, 0));
      if (l->n <= SC3_SHA256_ONE_BLOCK && l->m <= SC3_SHA256_ONE_BLOCK)
        printf(" %12.1f", measure_eight(impl, l));
      printf("\n");
    }
  }
  return 0;
}
