/* NH, the universal hash of UMAC (Black, Halevi, Krawczyk, Krovetz and Rogaway, 1999), over words
 * of 64 bits: the sum of (a + k)(b + l) modulo 2^128, for each pair of words a and b and each pair
 * of words k and l of the key. Whoever does not know the key makes two texts of one sum with a
 * chance of 2^-64. Its products do not wait for each other, unlike the rounds of SipHash.
 *
 * Each sum is folded into a word: both halves of a product, one over the other. A text of many
 * pairs has a sum for each block of so many words as the key has. */
#ifndef SC3_NH_H
#define SC3_NH_H

#include <stddef.h>
#include <stdint.h>

#include "../bytes/little.h"
#include "../bytes/slice.h"
#include "siphash.h"
#if !defined(__SIZEOF_INT128__)
#include "../bytes/bignum.h"
#endif

enum { SC3_NH_WORDS = 128 };

typedef struct sc3_nh_key {
  uint64_t words[SC3_NH_WORDS];
  uint64_t fold;
} sc3_nh_key;

typedef struct sc3_nh {
  const sc3_nh_key *key;
  uint64_t low, high; /* the sum of this block */
  uint64_t folded;    /* those before it, and what it began with */
  size_t at;          /* in the key */
} sc3_nh;

typedef struct sc3_wide {
  uint64_t low, high;
} sc3_wide;

SC3_INLINE sc3_wide sc3_nh_multiply(uint64_t a, uint64_t b) {
  sc3_wide product;
#if defined(__SIZEOF_INT128__)
  __extension__ typedef unsigned __int128 wide;
  const wide whole = (wide)a * b;
  product.low = (uint64_t)whole;
  product.high = (uint64_t)(whole >> 64);
#else
  sc3_multiply_64(a, b, &product.high, &product.low);
#endif
  return product;
}

/* The text goes on from what `seed` stands for. */
static inline sc3_nh sc3_nh_begin(const sc3_nh_key *key, uint64_t seed) {
  sc3_nh h;
  h.key = key;
  h.low = h.high = 0;
  h.folded = seed;
  h.at = 0;
  return h;
}

SC3_INLINE void sc3_nh_fold(sc3_nh *h) {
  const sc3_wide product = sc3_nh_multiply(h->low ^ h->folded, h->high ^ h->key->fold);
  h->folded = product.low ^ product.high;
  h->low = h->high = 0;
  h->at = 0;
}

SC3_INLINE void sc3_nh_pair(sc3_nh *h, uint64_t a, uint64_t b) {
  sc3_wide product;
  if (h->at == SC3_NH_WORDS)
    sc3_nh_fold(h);
  product = sc3_nh_multiply(a + h->key->words[h->at], b + h->key->words[h->at + 1]);
  h->low += product.low;
  h->high += product.high + (h->low < product.low);
  h->at += 2;
}

/* Bytes: 16 at a time, and then the last 16, or what there is. Some are taken twice, so that few
   lengths need a way of their own. Whoever takes bytes has their number among the pairs, too. */
SC3_INLINE void sc3_nh_bytes(sc3_nh *h, sc3_slice bytes) {
  const unsigned char *p = (const unsigned char *)bytes.p;
  const size_t n = bytes.n;
  size_t at = 0;
  for (; at + 16 < n; at += 16)
    sc3_nh_pair(h, sc3_load64(p + at), sc3_load64(p + at + 8));
  if (n >= 16)
    sc3_nh_pair(h, sc3_load64(p + n - 16), sc3_load64(p + n - 8));
  else if (n >= 8)
    sc3_nh_pair(h, sc3_load64(p), sc3_load64(p + n - 8));
  else if (n > 0)
    sc3_nh_pair(h, sc3_sip_few(p, n), 0);
}

SC3_INLINE uint64_t sc3_nh_finish(sc3_nh h) {
  sc3_nh_fold(&h);
  return h.folded;
}

#endif
