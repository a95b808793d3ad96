/* A set of ids that grows, and now and then has no memory for that.   many_ids SEED
 * Prints what does not hold. The set is compiled with -Drealloc=scarce_realloc. */
#undef realloc /* but not here */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../csrc/core/members/id_set.h"

enum { IDS = 300000, LOOKED_AT_EVERY = 20011, FAILS_EVERY = 3 };

void *scarce_realloc(void *old, size_t bytes);

static unsigned calls;

void *scarce_realloc(void *old, size_t bytes) {
  return ++calls % FAILS_EVERY == 0 ? NULL : realloc(old, bytes);
}

/* The i-th: of any two one is inserted and the other, which is next to it, is not. */
static uint64_t one_of(uint64_t seed, uint64_t i) {
  uint64_t z = (i + 1) * UINT64_C(0x9e3779b97f4a7c15) + seed;
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return ((z ^ (z >> 31)) >> 8) | 1;
}

static int holds_the_first(const sc3_id_set *set, uint64_t seed, uint64_t count) {
  uint64_t i;
  for (i = 0; i < count; i++) {
    const uint64_t id = one_of(seed, i);
    if (!sc3_id_set_contains(set, id) || sc3_id_set_contains(set, id ^ 1))
      return 0;
  }
  return sc3_id_set_count(set) == count;
}

/* Inserts one, again where memory was out. */
static int insert(sc3_id_set *set, uint64_t id) {
  const size_t before = sc3_id_set_count(set);
  const int held = sc3_id_set_contains(set, id);
  if (sc3_id_set_insert(set, id) == SC3_OK)
    return 1;
  if (sc3_id_set_count(set) != before || sc3_id_set_contains(set, id) != held)
    return 0;
  return sc3_id_set_insert(set, id) == SC3_OK;
}

/* Inserts the i-th, and once more one from before. What does not hold then, or NULL. */
static const char *step(sc3_id_set *set, uint64_t seed, uint64_t i) {
  if (!insert(set, one_of(seed, i)) || !insert(set, one_of(seed, i / 2)))
    return "one is not inserted, or is in spite of its error";
  if (i >= 20000 && sc3_id_set_bytes(set) > 10 * sc3_id_set_count(set))
    return "there are more than 10 bytes an id";
  if ((i % LOOKED_AT_EVERY == 0 || i == IDS - 1) && !holds_the_first(set, seed, i + 1))
    return "they are not those that were inserted";
  return NULL;
}

int main(int argc, char **argv) {
  const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  sc3_id_set *set = sc3_id_set_new();
  uint64_t i;
  if (set == NULL)
    return 2;
  for (i = 0; i < IDS; i++) {
    const char *wrong = step(set, seed, i);
    if (wrong != NULL) {
      printf("at id %llu: %s\n", (unsigned long long)i, wrong);
      return 1;
    }
  }
  if (calls < 2 * FAILS_EVERY) {
    puts("it never had too little memory");
    return 1;
  }
  sc3_id_set_clear(set);
  if (sc3_id_set_count(set) != 0 || sc3_id_set_contains(set, one_of(seed, 0))) {
    puts("it is not empty after it was cleared");
    return 1;
  }
  sc3_id_set_free(set);
  return 0;
}
