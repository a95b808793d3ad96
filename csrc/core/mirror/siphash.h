/* SipHash (Aumasson and Bernstein, 2012), the keyed hash of ids and cells. The mirror takes
 * SipHash-1-3; the rounds are parameters, so that the published vectors of 2-4 test the same code.
 */
#ifndef SC3_SIPHASH_H
#define SC3_SIPHASH_H

#include <stdint.h>

#include "../bytes/little.h"
#include "../bytes/slice.h"

enum { SC3_SIP_KEY = 16 }; /* bytes */

typedef struct sc3_sip {
  uint64_t v0, v1, v2, v3;
  uint64_t bytes; /* taken so far, whole words */
} sc3_sip;

typedef struct sc3_sip_key {
  uint64_t k0, k1;
} sc3_sip_key;

static inline sc3_sip_key sc3_sip_read_key(const unsigned char *p) {
  sc3_sip_key key;
  key.k0 = sc3_load64(p);
  key.k1 = sc3_load64(p + 8);
  return key;
}

static inline uint64_t sc3_sip_rotate(uint64_t x, int n) {
  return x << n | x >> (64 - n);
}

static inline void sc3_sip_rounds(sc3_sip *s, int rounds) {
  for (; rounds > 0; rounds--) {
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = sc3_sip_rotate(s->v1, 13) ^ s->v0;
    s->v3 = sc3_sip_rotate(s->v3, 16) ^ s->v2;
    s->v0 = sc3_sip_rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = sc3_sip_rotate(s->v1, 17) ^ s->v2;
    s->v3 = sc3_sip_rotate(s->v3, 21) ^ s->v0;
    s->v2 = sc3_sip_rotate(s->v2, 32);
  }
}

static inline sc3_sip sc3_sip_begin(sc3_sip_key key) {
  sc3_sip s;
  s.v0 = key.k0 ^ UINT64_C(0x736f6d6570736575);
  s.v1 = key.k1 ^ UINT64_C(0x646f72616e646f6d);
  s.v2 = key.k0 ^ UINT64_C(0x6c7967656e657261);
  s.v3 = key.k1 ^ UINT64_C(0x7465646279746573);
  s.bytes = 0;
  return s;
}

static inline void sc3_sip_compress(sc3_sip *s, uint64_t word, int rounds) {
  s->v3 ^= word;
  sc3_sip_rounds(s, rounds);
  s->v0 ^= word;
}

/* The last `n` bytes of a message, less than 8, as a word. */
static inline uint64_t sc3_sip_rest(const unsigned char *p, size_t n) {
  uint64_t word = 0;
  size_t i;
  for (i = 0; i < n; i++)
    word |= (uint64_t)p[i] << 8 * i;
  return word;
}

static inline uint64_t sc3_sip_end(sc3_sip s, uint64_t rest, size_t n, int rounds, int finals) {
  sc3_sip_compress(&s, rest | (s.bytes + n) << 56, rounds);
  s.v2 ^= 0xff;
  sc3_sip_rounds(&s, finals);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* SipHash-`rounds`-`finals` of one text. */
static inline uint64_t sc3_siphash(sc3_sip_key key, sc3_slice text, int rounds, int finals) {
  const unsigned char *p = (const unsigned char *)text.p;
  const size_t rest = text.n % 8;
  sc3_sip s = sc3_sip_begin(key);
  for (; s.bytes + rest < text.n; s.bytes += 8)
    sc3_sip_compress(&s, sc3_load64(p + s.bytes), rounds);
  return sc3_sip_end(s, sc3_sip_rest(p + s.bytes, rest), rest, rounds, finals);
}

/* SipHash-1-3 of an id, a member or another single text. */
uint64_t sc3_key_hash(sc3_sip_key key, sc3_slice text);

/* A list of cells, one after the other between sc3_sip_begin() and sc3_cells_hash(). The hash is
   that of a text in which each cell stands as its length in four bytes, its bytes, and zeros up to
   a multiple of 8. So no two lists share a text. A cell that is absent has the length 2^32 - 1. */
void sc3_sip_cell(sc3_sip *s, sc3_slice cell);
uint64_t sc3_cells_hash(const sc3_sip *s);

#endif
