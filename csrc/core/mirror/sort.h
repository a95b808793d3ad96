/* Sorts numbers that carry an index, and keeps the order of equal ones. */
#ifndef SC3_MIRROR_SORT_H
#define SC3_MIRROR_SORT_H

#include <stddef.h>
#include <stdint.h>

typedef struct sc3_sort_key {
  uint64_t value;
  uint32_t item;
} sc3_sort_key;

/* Bits of the values that are sorted digit by digit. Values that are alike in as many and differ in
   others are put right one by one: that is for hashes, of which hardly any are. Where many are, all
   bits are sorted after all. */
enum { SC3_SORT_HASHES = 22, SC3_SORT_ALL = 64 };

/* Sorts `n` keys with as many to spare. Answers which of the two arrays holds them. */
sc3_sort_key *sc3_sort(sc3_sort_key *keys, sc3_sort_key *spare, size_t n, unsigned bits);

#endif
