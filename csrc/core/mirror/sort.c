#include "sort.h"

#include <string.h>

enum { DIGIT = 11, VALUES = 1 << DIGIT, FEW = 32 };

/* Each goes before those that are larger. */
static void insert_all(sc3_sort_key *keys, size_t n) {
  size_t i, to;
  for (i = 1; i < n; i++) {
    const sc3_sort_key key = keys[i];
    for (to = i; to > 0 && keys[to - 1].value > key.value; to--)
      keys[to] = keys[to - 1];
    keys[to] = key;
  }
}

static void distribute(const sc3_sort_key *from, sc3_sort_key *to, size_t n, uint64_t least,
                       unsigned shift) {
  size_t starts[VALUES] = {0}, i, sum = 0;
  for (i = 0; i < n; i++)
    starts[(from[i].value - least) >> shift & (VALUES - 1)]++;
  for (i = 0; i < VALUES; i++) {
    const size_t some = starts[i];
    starts[i] = sum;
    sum += some;
  }
  for (i = 0; i < n; i++)
    to[starts[(from[i].value - least) >> shift & (VALUES - 1)]++] = from[i];
}

static unsigned width_of(uint64_t range) {
  unsigned width = 0;
  for (; range > 0; range >>= 1)
    width++;
  return width;
}

sc3_sort_key *sc3_sort(sc3_sort_key *keys, sc3_sort_key *spare, size_t n, unsigned bits) {
  uint64_t least = UINT64_MAX, most = 0;
  unsigned width, shift;
  size_t i;
  if (n <= FEW) {
    insert_all(keys, n);
    return keys;
  }
  for (i = 0; i < n; i++) {
    least = keys[i].value < least ? keys[i].value : least;
    most = keys[i].value > most ? keys[i].value : most;
  }
  width = width_of(most - least);
  for (shift = width > bits ? width - bits : 0; shift < width; shift += DIGIT) {
    sc3_sort_key *sorted = spare;
    distribute(keys, spare, n, least, shift);
    spare = keys;
    keys = sorted;
  }
  insert_all(keys, n);
  return keys;
}
