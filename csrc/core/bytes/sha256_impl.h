/* The implementations of SHA-256, and what they share. */
#ifndef SC3_SHA256_IMPL_H
#define SC3_SHA256_IMPL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
  SC3_SHA256_HEX = 64,       /* hex digits of a digest */
  SC3_SHA256_ONE_BLOCK = 55, /* bytes of the longest message that fits a block with its padding */
  SC3_SHA256_LANES_MAX = 8
};

/* One message of several. */
typedef struct sc3_sha256_message {
  const void *p; /* may be NULL when `n` is 0 */
  size_t n;
  char *hex; /* room for SC3_SHA256_HEX digits, written in lowercase without a NUL */
} sc3_sha256_message;

/* One way to compute digests; all give the same ones. */
typedef struct sc3_sha256_impl {
  const char *name; /* "portable", "avx2", "sha-ni", "neon" or "armv8" */
  void (*hex)(const void *p, size_t n, char hex[SC3_SHA256_HEX]);
  void (*hex_pair)(const sc3_sha256_message *a, const sc3_sha256_message *b);
  /* Of at most `lanes` messages of one block each, in a time that hardly depends on their number.
     0 and NULL where several take no less time than pairs. */
  size_t lanes;
  void (*hex_lanes)(const sc3_sha256_message *messages, size_t count);
} sc3_sha256_impl;

const sc3_sha256_impl *sc3_sha256_portable(void);

/* NULL where the processor lacks the instructions, or the build is for another processor. */
const sc3_sha256_impl *sc3_sha256_x86(void);
const sc3_sha256_impl *sc3_sha256_avx2(void);
const sc3_sha256_impl *sc3_sha256_arm(void);
const sc3_sha256_impl *sc3_sha256_neon(void);

/* The lanes of sc3_sha256_avx2(); only where that is compiled. */
void sc3_sha256_avx2_lanes(const sc3_sha256_message *messages, size_t count);

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

extern const _Alignas(16) uint32_t sc3_sha256_k[64];

#endif
