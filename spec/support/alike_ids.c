/* Ids that are nearly alike, and their fingerprints.   alike_ids SEED [print]
 * Says which two are the same, or which have too often the same low half; or prints them all. The
 * secrets come from the seed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../csrc/core/bytes/random.h"
#include "../../csrc/core/members/fingerprint.h"

enum { MOST = 400000, LONGEST = 80 };

static uint64_t state;
static uint64_t found[MOST];
static size_t count;

/* In place of the system's, so that a failure can be had again. */
uint64_t sc3_random_bits(void) {
  uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static void take(const char *id, size_t n) {
  if (count < MOST)
    found[count++] = sc3_fingerprint(sc3_slice_of(id, n));
}

static void take_text(const char *id) {
  take(id, strlen(id));
}

/* Numbers in a row, as accounts have them. */
static void take_numbers(void) {
  char id[LONGEST];
  int i;
  for (i = 0; i < 100000; i++) {
    (void)snprintf(id, sizeof id, "%d", i);
    take_text(id);
    (void)snprintf(id, sizeof id, "%08d-customer", i);
    take_text(id);
    (void)snprintf(id, sizeof id, "https://shop.example.com/customers/%d/of/the/shop", i);
    take_text(id);
  }
}

/* One letter many times: of each length, and with each other letter at each place. */
static void take_runs(void) {
  char id[LONGEST];
  size_t n, at;
  char letter;
  for (n = 0; n <= LONGEST; n++) {
    memset(id, 'x', sizeof id);
    take(id, n);
    for (at = 0; at < n; at++) {
      for (letter = 'a'; letter < 'x'; letter++) {
        id[at] = letter;
        take(id, n);
      }
      id[at] = 'x';
    }
  }
}

/* Words of eight bytes in each order of three. */
static void take_orders(void) {
  static const char *const words[] = {"aaaaaaaa", "bbbbbbbb", "cccccccc"};
  char id[LONGEST];
  int i;
  for (i = 0; i < 243; i++) {
    (void)snprintf(id, sizeof id, "%s%s%s%s%s", words[i % 3], words[i / 3 % 3], words[i / 9 % 3],
                   words[i / 27 % 3], words[i / 81]);
    take_text(id);
  }
}

static int by_value(const void *a, const void *b) {
  const uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
  return (one > other) - (one < other);
}

static size_t repeats(void) {
  size_t i, n = 0;
  qsort(found, count, sizeof *found, by_value);
  for (i = 1; i < count; i++)
    n += found[i] == found[i - 1];
  return n;
}

int main(int argc, char **argv) {
  size_t i, same, same_low, outside = 0;
  if (argc < 2)
    return 2;
  state = strtoull(argv[1], NULL, 10);
  take_numbers();
  take_runs();
  take_orders();
  for (i = 0; argc > 2 && i < count; i++)
    printf("%" PRIx64 "\n", found[i]);
  for (i = 0; i < count; i++)
    outside += found[i] == 0 || found[i] >> SC3_FINGERPRINT_BITS != 0;
  same = repeats();
  for (i = 0; i < count; i++)
    found[i] &= UINT32_MAX;
  same_low = repeats();
  /* By chance 16 of 370,000 have the same low half. */
  if (count >= MOST || same > 0 || same_low > 64 || outside > 0) {
    printf("of %zu ids %zu have the fingerprint of another, %zu its low half, and %zu none\n",
           count, same, same_low, outside);
    return 1;
  }
  return 0;
}
