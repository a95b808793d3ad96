/* SHA-256 for aarch64 without the SHA extension, which is every Raspberry Pi before the fifth: four
 * messages at once by NEON, which every such processor has. One or two are done in plain C. Run
 * only under QEMU so far, so its digests are known to be right and its speed is not known. */
#include "sha256_impl.h"

#if defined(__aarch64__) && !defined(__ARM_BIG_ENDIAN) && defined(__GNUC__) &&                     \
    !defined(SC3_PORTABLE)

#include <arm_neon.h>

#define INLINE static inline __attribute__((always_inline))
#define LANES 4
/* By two instructions: the second one shifts and inserts. */
#define ROTR(v, by)                                                                                \
  (lanes) vsriq_n_u32(vshlq_n_u32((uint32x4_t)(v), 32 - (by)), (uint32x4_t)(v), by)

#include "sha256_lanes.h"

/* Four vectors of four words become those of the first words, of the second ones, and so on. */
INLINE void transpose(const uint32x4_t from[4], lanes to[4]) {
  const uint32x4x2_t a = vzipq_u32(from[0], from[2]), b = vzipq_u32(from[1], from[3]);
  const uint32x4x2_t c = vzipq_u32(a.val[0], b.val[0]), d = vzipq_u32(a.val[1], b.val[1]);
  to[0] = (lanes)c.val[0];
  to[1] = (lanes)c.val[1];
  to[2] = (lanes)d.val[0];
  to[3] = (lanes)d.val[1];
}

INLINE void put_hex(uint8x16_t bytes, char *hex) {
  const uint8x16_t digits = vld1q_u8((const uint8_t *)"0123456789abcdef");
  const uint8x16_t high = vqtbl1q_u8(digits, vshrq_n_u8(bytes, 4)),
                   low = vqtbl1q_u8(digits, vandq_u8(bytes, vdupq_n_u8(15)));
  vst1q_u8((uint8_t *)hex, vzip1q_u8(high, low));
  vst1q_u8((uint8_t *)hex + 16, vzip2q_u8(high, low));
}

static void hex_lanes(const sc3_sha256_message *messages, size_t count) {
  uint32x4_t blocks[4][LANES]; /* a quarter of each message's block */
  lanes w[64], digest[8], words[8];
  size_t i, j;
  for (i = 0; i < LANES; i++) {
    const sc3_sha256_message *m = &messages[i < count ? i : 0];
    uint8_t room[64];
    const uint8_t *block = sc3_sha256_block(m->p, m->n, 0, room);
    for (j = 0; j < 4; j++)
      blocks[j][i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(block + 16 * j)));
  }
  for (j = 0; j < 4; j++)
    transpose(blocks[j], w + 4 * j);
  lanes_digest(w, digest);
  transpose((const uint32x4_t *)digest, words);
  transpose((const uint32x4_t *)(digest + 4), words + 4);
  for (i = 0; i < count; i++) {
    put_hex(vrev32q_u8((uint8x16_t)words[i]), messages[i].hex);
    put_hex(vrev32q_u8((uint8x16_t)words[i + 4]), messages[i].hex + 32);
  }
}

static void hex_one(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  sc3_sha256_portable()->hex(p, n, hex);
}

static void hex_pair(const sc3_sha256_message *a, const sc3_sha256_message *b) {
  sc3_sha256_portable()->hex_pair(a, b);
}

const sc3_sha256_impl *sc3_sha256_neon(void) {
  static const sc3_sha256_impl impl = {"neon", hex_one, hex_pair, LANES, hex_lanes};
  return &impl;
}

#else

const sc3_sha256_impl *sc3_sha256_neon(void) {
  return NULL;
}

#endif
