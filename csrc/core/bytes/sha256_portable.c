/* SHA-256 in plain C, for every processor. */
#include "ascii.h"
#include "sha256_impl.h"

const _Alignas(16) uint32_t sc3_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

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

static void portable_hex(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  uint32_t state[8] = {SC3_SHA256_START};
  uint8_t room[64], digest[32];
  size_t i, blocks = sc3_sha256_blocks(n);
  for (i = 0; i < blocks; i++)
    compress(state, sc3_sha256_block(p, n, i, room));
  for (i = 0; i < 8; i++)
    store_be(digest + 4 * i, state[i]);
  sc3_ascii_write_hex(digest, sizeof digest, hex);
}

static void portable_hex_pair(const sc3_sha256_message *a, const sc3_sha256_message *b) {
  portable_hex(a->p, a->n, a->hex);
  portable_hex(b->p, b->n, b->hex);
}

const sc3_sha256_impl *sc3_sha256_portable(void) {
  static const sc3_sha256_impl impl = {"portable", portable_hex, portable_hex_pair, 0, NULL};
  return &impl;
}
