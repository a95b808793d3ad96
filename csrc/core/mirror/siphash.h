/* SipHash (Aumasson and Bernstein, 2012), the keyed hash of ids. The mirror takes SipHash-1-3; the
 * rounds are parameters, so that the published vectors of 2-4 test the same code. */
#ifndef SC3_SIPHASH_H
#define SC3_SIPHASH_H

#include <stdint.h>

#include "../bytes/little.h"
#include "../bytes/slice.h"

enum { SC3_SIP_KEY = 16 }; /* bytes */
enum { SC3_SIP_ROUNDS = 1, SC3_SIP_FINALS = 3 };

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

/* `n` bytes, less than 8, as a word. Some are read twice, because a loop over so few costs more. */
static inline uint64_t sc3_sip_few(const unsigned char *p, size_t n) {
  if (n >= 4)
    return sc3_load32(p) | (uint64_t)sc3_load32(p + n - 4) << 8 * (n - 4);
  if (n == 0)
    return 0;
  return p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1);
}

/* The last bytes of a text of `n` bytes from `at` on, less than 8, as a word. Those before them are
   the text's own: eight are read at once where there are as many. */
static inline uint64_t sc3_sip_rest(const unsigned char *p, size_t n, size_t at) {
  return n >= 8 ? sc3_load64(p + n - 8) >> 7 >> (57 - 8 * (n - at)) : sc3_sip_few(p + at, n - at);
}

/* The hash of the text that was taken: its last word has its length. */
static inline uint64_t sc3_sip_finish(sc3_sip s, int finals) {
  s.v2 ^= 0xff;
  sc3_sip_rounds(&s, finals);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static inline uint64_t sc3_sip_end(sc3_sip s, uint64_t rest, size_t n, int rounds, int finals) {
  sc3_sip_compress(&s, rest | (s.bytes + n) << 56, rounds);
  return sc3_sip_finish(s, finals);
}

/* SipHash-`rounds`-`finals` of one text. */
static inline uint64_t sc3_siphash(sc3_sip_key key, sc3_slice text, int rounds, int finals) {
  const unsigned char *p = (const unsigned char *)text.p;
  const size_t rest = text.n % 8, whole = text.n - rest;
  sc3_sip s = sc3_sip_begin(key);
  for (; s.bytes < whole; s.bytes += 8)
    sc3_sip_compress(&s, sc3_load64(p + s.bytes), rounds);
  return sc3_sip_end(s, sc3_sip_rest(p, text.n, whole), rest, rounds, finals);
}

/* SipHash-1-3 of an id. */
uint64_t sc3_key_hash(sc3_sip_key key, sc3_slice text);

#endif
