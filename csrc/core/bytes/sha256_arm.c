/* SHA-256 by the cryptographic extension of ARMv8; two messages fill each other's waiting, as in
   sha256_x86.c. Run only under QEMU so far, so its digests are known to be right and its speed is
   not known. */
#include "ascii.h"
#include "sha256_impl.h"

/* The instructions are there for certain where the compiler says so, as for Apple's processors;
   Linux tells at run time. Before version 16, clang has the intrinsics only where the whole build
   is for such a processor. */
#if defined(__aarch64__) && !defined(__ARM_BIG_ENDIAN) && !defined(SC3_PORTABLE)
#if defined(__ARM_FEATURE_SHA2)
#define TARGET
#define HAS_SHA2() 1
#elif defined(__linux__) && (defined(__clang__) ? __clang_major__ >= 16 : defined(__GNUC__))
#include <sys/auxv.h>
#ifdef __clang__
#define TARGET __attribute__((target("sha2")))
#else
#define TARGET                                                                                     \
  __attribute__((target("+crypto"))) /* GCC 12 has the intrinsics under no narrower name */
#endif
#define HAS_SHA2() ((getauxval(AT_HWCAP) & HWCAP_SHA2) != 0)
#endif
#endif

#ifdef TARGET

#include <arm_neon.h>
#ifdef __linux__
#include <asm/hwcap.h>
#endif

#define INLINE static inline __attribute__((always_inline)) TARGET

typedef struct lane {
  uint32x4_t abcd, efgh;
  uint32x4_t w0, w1, w2, w3; /* the sixteen words that come next */
} lane;

INLINE void lane_begin(lane *l) {
  static const uint32_t h[8] = {SC3_SHA256_START};
  l->abcd = vld1q_u32(h);
  l->efgh = vld1q_u32(h + 4);
}

INLINE uint32x4_t load_be(const uint8_t *p) {
  return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p)));
}

INLINE void lane_load(lane *l, const uint8_t *p, size_t n, size_t index) {
  uint8_t room[64];
  const uint8_t *block = sc3_sha256_block(p, n, index, room);
  l->w0 = load_be(block);
  l->w1 = load_be(block + 16);
  l->w2 = load_be(block + 32);
  l->w3 = load_be(block + 48);
}

INLINE void lane_rounds(lane *l, uint32x4_t k) {
  uint32x4_t wk = vaddq_u32(l->w0, k), abcd = l->abcd;
  l->abcd = vsha256hq_u32(abcd, l->efgh, wk);
  l->efgh = vsha256h2q_u32(l->efgh, abcd, wk);
}

/* Replaces the four words that were used by the four that follow the sixteen. */
INLINE void lane_schedule(lane *l) {
  uint32x4_t next = vsha256su1q_u32(vsha256su0q_u32(l->w0, l->w1), l->w2, l->w3);
  l->w0 = l->w1;
  l->w1 = l->w2;
  l->w2 = l->w3;
  l->w3 = next;
}

INLINE void lane_add(lane *l, const lane *before) {
  l->abcd = vaddq_u32(l->abcd, before->abcd);
  l->efgh = vaddq_u32(l->efgh, before->efgh);
}

/* The last four schedules make words that nobody uses; a second loop without them was not worth
 * writing unmeasured. */
INLINE void compress(lane *l) {
  lane before = *l;
  int i;
  for (i = 0; i < 64; i += 4) {
    lane_rounds(l, vld1q_u32(sc3_sha256_k + i));
    lane_schedule(l);
  }
  lane_add(l, &before);
}

INLINE void compress_both(lane *a, lane *b) {
  lane before_a = *a, before_b = *b;
  int i;
  for (i = 0; i < 64; i += 4) {
    uint32x4_t k = vld1q_u32(sc3_sha256_k + i);
    lane_rounds(a, k);
    lane_rounds(b, k);
    lane_schedule(a);
    lane_schedule(b);
  }
  lane_add(a, &before_a);
  lane_add(b, &before_b);
}

INLINE void lane_end(const lane *l, char hex[SC3_SHA256_HEX]) {
  uint8_t digest[32];
  vst1q_u8(digest, vrev32q_u8(vreinterpretq_u8_u32(l->abcd)));
  vst1q_u8(digest + 16, vrev32q_u8(vreinterpretq_u8_u32(l->efgh)));
  sc3_ascii_write_hex(digest, sizeof digest, hex);
}

TARGET static void hex_one(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  size_t i, blocks = sc3_sha256_blocks(n);
  lane l;
  lane_begin(&l);
  for (i = 0; i < blocks; i++) {
    lane_load(&l, p, n, i);
    compress(&l);
  }
  lane_end(&l, hex);
}

TARGET static void hex_pair(const sc3_sha256_message *a, const sc3_sha256_message *b) {
  size_t i, a_blocks = sc3_sha256_blocks(a->n), b_blocks = sc3_sha256_blocks(b->n);
  lane la, lb;
  lane_begin(&la);
  lane_begin(&lb);
  for (i = 0; i < a_blocks && i < b_blocks; i++) {
    lane_load(&la, a->p, a->n, i);
    lane_load(&lb, b->p, b->n, i);
    compress_both(&la, &lb);
  }
  for (; i < a_blocks; i++) {
    lane_load(&la, a->p, a->n, i);
    compress(&la);
  }
  for (; i < b_blocks; i++) {
    lane_load(&lb, b->p, b->n, i);
    compress(&lb);
  }
  lane_end(&la, a->hex);
  lane_end(&lb, b->hex);
}

const sc3_sha256_impl *sc3_sha256_arm(void) {
  static const sc3_sha256_impl impl = {"armv8", hex_one, hex_pair, 0, NULL};
  return HAS_SHA2() ? &impl : NULL;
}

#else

const sc3_sha256_impl *sc3_sha256_arm(void) {
  return NULL;
}

#endif
