/* The implementations of SHA-256, and what they share. */
#ifndef SC3_SHA256_IMPL_H
#define SC3_SHA256_IMPL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SC3_SHA256_HEX = 64 }; /* hex digits of a digest */

/* One message of a pair. */
typedef struct sc3_sha256_message {
  const void *p; /* may be NULL when `n` is 0 */
  size_t n;
  char *hex; /* room for SC3_SHA256_HEX digits, written in lowercase without a NUL */
} sc3_sha256_message;

/* One way to compute digests; all give the same ones. */
typedef struct sc3_sha256_impl {
  const char *name; /* "portable", "avx2", "sha-ni" or "armv8" */
  void (*hex)(const void *p, size_t n, char hex[SC3_SHA256_HEX]);
  void (*hex_pair)(const sc3_sha256_message *a, const sc3_sha256_message *b);
} sc3_sha256_impl;

const sc3_sha256_impl *sc3_sha256_portable(void);

/* NULL where the processor lacks the instructions, or the build is for another processor. */
const sc3_sha256_impl *sc3_sha256_x86(void);
const sc3_sha256_impl *sc3_sha256_avx2(void);
const sc3_sha256_impl *sc3_sha256_arm(void);

/* The blocks of a message of `n` bytes with its padding, which is at least one bit and the 64 bits
 * of the length. */
static inline size_t sc3_sha256_blocks(size_t n) {
  return n / 64 + (n % 64 < 56 ? 1 : 2);
}

/* The block `index` of the padded message. It stays in place where it holds no padding, and is
 * written to `room` otherwise. */
static inline const uint8_t *sc3_sha256_block(const uint8_t *p, size_t n, size_t index,
                                              uint8_t room[64]) {
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

/* FIPS 180-4, 5.3.3 and 4.2.2; aligned to be an operand of vector instructions as they stand. */
#define SC3_SHA256_START                                                                           \
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19

static const _Alignas(16) uint32_t sc3_sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#endif
