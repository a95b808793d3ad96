#include "sort.h"

#include <string.h>

enum { DIGIT = 11, VALUES = 1 << DIGIT, FEW = 32, MOVES = 8 };

/* Each goes before those that are larger. 0 where that takes more than `moves`. */
static int insert_all(sc3_sort_key *keys, size_t n, size_t moves) {
  size_t i, to;
  for (i = 1; i < n; i++) {
    const sc3_sort_key key = keys[i];
    for (to = i; to > 0 && keys[to - 1].value > key.value; to--)
      keys[to] = keys[to - 1];
    keys[to] = key;
    if (i - to > moves)
      return 0;
    moves -= i - to;
  }
  return 1;
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

/* Sorts by the first `bits` of the values, from `least` on, that differ. */
static sc3_sort_key *sort_digits(sc3_sort_key *keys, sc3_sort_key *spare, size_t n, uint64_t least,
                                 unsigned width, unsigned bits) {
  unsigned shift;
  for (shift = width > bits ? width - bits : 0; shift < width; shift += DIGIT) {
    sc3_sort_key *sorted = spare;
    distribute(keys, spare, n, least, shift);
    spare = keys;
    keys = sorted;
  }
  return keys;
}

sc3_sort_key *sc3_sort(sc3_sort_key *keys, sc3_sort_key *spare, size_t n, unsigned bits) {
  uint64_t least = UINT64_MAX, most = 0;
  sc3_sort_key *sorted;
  unsigned width;
  size_t i;
  if (n <= FEW) {
    (void)insert_all(keys, n, (size_t)FEW * FEW);
    return keys;
  }
  for (i = 0; i < n; i++) {
    least = keys[i].value < least ? keys[i].value : least;
    most = keys[i].value > most ? keys[i].value : most;
  }
  width = width_of(most - least);
  sorted = sort_digits(keys, spare, n, least, width, bits);
  if (insert_all(sorted, n, MOVES * n))
    return sorted;
  /* A stranger chose these. */
  return sort_digits(sorted, sorted == keys ? spare : keys, n, least, width, SC3_SORT_ALL);
}
