/* SHA-256 in plain C, and the choice among the implementations. */
#include "sha256_impl.h"

#include <stdatomic.h>
#include <string.h>

const uint8_t *sc3_sha256_block(const uint8_t *p, size_t n, size_t index, uint8_t room[64]) {
  size_t whole = n / 64;
  uint64_t bits = (uint64_t)n * 8;
  int i;
  if (index < whole)
    return p + index * 64;
  memset(room, 0, 64);
  if (index == whole) {
    if (n % 64 > 0)
      memcpy(room, p + index * 64, n % 64);
    room[n % 64] = 0x80;
  }
  if (index + 1 == sc3_sha256_blocks(n)) {
    for (i = 0; i < 8; i++)
      room[63 - i] = (uint8_t)(bits >> (8 * i));
  }
  return room;
}

static inline uint32_t rotr(uint32_t x, int by) {
  return (x >> by) | (x << (32 - by));
}

static inline uint32_t load_be(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline void store_be(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)(v >> 24);
  p[1] = (uint8_t)(v >> 16);
  p[2] = (uint8_t)(v >> 8);
  p[3] = (uint8_t)v;
}

/* Puts the word 16 further on in place of the word `i`. */
static inline void extend(uint32_t w[16], int i) {
  uint32_t w1 = w[(i + 1) & 15], w14 = w[(i + 14) & 15];
  w[i] += (rotr(w1, 7) ^ rotr(w1, 18) ^ (w1 >> 3)) + w[(i + 9) & 15] +
          (rotr(w14, 17) ^ rotr(w14, 19) ^ (w14 >> 10));
}

/* Sixteen rounds rename the variables instead of moving them, and come back to the names they began
 * with. */
#define ROUND(a, b, c, d, e, f, g, h, i)                                                           \
  do {                                                                                             \
    uint32_t t = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (g ^ (e & (f ^ g))) + k[i] + w[i]; \
    d += t;                                                                                        \
    h = t + (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) | (c & (a | b)));                  \
  } while (0)

#define ROUND_AND_EXTEND(a, b, c, d, e, f, g, h, i)                                                \
  do {                                                                                             \
    ROUND(a, b, c, d, e, f, g, h, i);                                                              \
    extend(w, i);                                                                                  \
  } while (0)

#define SIXTEEN(R)                                                                                 \
  R(a, b, c, d, e, f, g, h, 0);                                                                    \
  R(h, a, b, c, d, e, f, g, 1);                                                                    \
  R(g, h, a, b, c, d, e, f, 2);                                                                    \
  R(f, g, h, a, b, c, d, e, 3);                                                                    \
  R(e, f, g, h, a, b, c, d, 4);                                                                    \
  R(d, e, f, g, h, a, b, c, 5);                                                                    \
  R(c, d, e, f, g, h, a, b, 6);                                                                    \
  R(b, c, d, e, f, g, h, a, 7);                                                                    \
  R(a, b, c, d, e, f, g, h, 8);                                                                    \
  R(h, a, b, c, d, e, f, g, 9);                                                                    \
  R(g, h, a, b, c, d, e, f, 10);                                                                   \
  R(f, g, h, a, b, c, d, e, 11);                                                                   \
  R(e, f, g, h, a, b, c, d, 12);                                                                   \
  R(d, e, f, g, h, a, b, c, 13);                                                                   \
  R(c, d, e, f, g, h, a, b, 14);                                                                   \
  R(b, c, d, e, f, g, h, a, 15)

static void compress(uint32_t state[8], const uint8_t *block) {
  uint32_t w[16];
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5],
           g = state[6], h = state[7];
  const uint32_t *k = sc3_sha256_k;
  int i;
  for (i = 0; i < 16; i++)
    w[i] = load_be(block + 4 * i);
  for (; k < sc3_sha256_k + 48; k += 16) {
    SIXTEEN(ROUND_AND_EXTEND);
  }
  SIXTEEN(ROUND);
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

void sc3_hex(const uint8_t *bytes, size_t n, char *hex) {
  static const char digits[] = "0123456789abcdef";
  size_t i;
  for (i = 0; i < n; i++) {
    hex[2 * i] = digits[bytes[i] >> 4];
    hex[2 * i + 1] = digits[bytes[i] & 15];
  }
}

static void portable_hex(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  uint32_t state[8] = {SC3_SHA256_START};
  uint8_t room[64], digest[32];
  size_t i, blocks = sc3_sha256_blocks(n);
  for (i = 0; i < blocks; i++)
    compress(state, sc3_sha256_block(p, n, i, room));
  for (i = 0; i < 8; i++)
    store_be(digest + 4 * i, state[i]);
  sc3_hex(digest, sizeof digest, hex);
}

static void portable_hex_pair(const void *a, size_t an, char a_hex[SC3_SHA256_HEX], const void *b,
                              size_t bn, char b_hex[SC3_SHA256_HEX]) {
  portable_hex(a, an, a_hex);
  portable_hex(b, bn, b_hex);
}

static const sc3_sha256_impl portable = {"portable", portable_hex, portable_hex_pair};

/* NULL until first used. Two threads that come first at once both choose, and both store the same;
   what it points to is constant, so no order is needed. */
static const sc3_sha256_impl *_Atomic used;

static const sc3_sha256_impl *fastest(void) {
  const sc3_sha256_impl *impl = sc3_sha256_x86();
  if (impl == NULL)
    impl = sc3_sha256_arm();
  return impl != NULL ? impl : &portable;
}

const sc3_sha256_impl *sc3_sha256_find(const char *name) {
  const sc3_sha256_impl *impl = fastest();
  if (strcmp(name, portable.name) == 0)
    return &portable;
  return strcmp(name, impl->name) == 0 ? impl : NULL;
}

const sc3_sha256_impl *sc3_sha256_used(void) {
  const sc3_sha256_impl *impl = atomic_load_explicit(&used, memory_order_relaxed);
  if (impl == NULL) {
    impl = fastest();
    atomic_store_explicit(&used, impl, memory_order_relaxed);
  }
  return impl;
}

void sc3_sha256_use(const sc3_sha256_impl *impl) {
  atomic_store_explicit(&used, impl, memory_order_relaxed);
}

void sc3_sha256_hex(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  sc3_sha256_used()->hex(p, n, hex);
}

void sc3_sha256_hex_pair(const void *a, size_t an, char a_hex[SC3_SHA256_HEX], const void *b,
                         size_t bn, char b_hex[SC3_SHA256_HEX]) {
  sc3_sha256_used()->hex_pair(a, an, a_hex, b, bn, b_hex);
}
