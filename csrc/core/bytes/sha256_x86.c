/* SHA-256 by the SHA extensions of x86-64. A message's rounds wait for each other; two messages
 * fill each other's waiting. */
#include "sha256_impl.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)

#include <cpuid.h>

#include "sha256_x86.h"

/* On a line of the cache, because a row cost up to 8 % more where they happened to begin elsewhere.
 */
#define TARGET __attribute__((target("ssse3,sse4.1,sha"), aligned(64)))
#define INLINE static inline __attribute__((always_inline, target("ssse3,sse4.1,sha")))

/* A message under way: the working variables in the order of the instructions, and the sixteen
 * words that come next. */
typedef struct lane {
  __m128i abef, cdgh;
  __m128i w0, w1, w2, w3;
} lane;

INLINE void lane_begin(lane *l) {
  static const _Alignas(16) uint32_t h[8] = {SC3_SHA256_START};
  l->abef = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
  l->cdgh = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
}

INLINE void lane_load(lane *l, const uint8_t *p, size_t n, size_t index, size_t blocks) {
  __m128i w[4];
  sc3_sha256_load_block(p, n, index, blocks, w);
  l->w0 = w[0];
  l->w1 = w[1];
  l->w2 = w[2];
  l->w3 = w[3];
}

/* Four rounds. */
INLINE void lane_rounds(lane *l, __m128i k) {
  __m128i wk = _mm_add_epi32(l->w0, k);
  l->cdgh = _mm_sha256rnds2_epu32(l->cdgh, l->abef, wk);
  l->abef = _mm_sha256rnds2_epu32(l->abef, l->cdgh, _mm_shuffle_epi32(wk, 0x0e));
}

/* Replaces the four words that were used by the four that follow the sixteen. */
INLINE void lane_schedule(lane *l) {
  __m128i next =
      _mm_add_epi32(_mm_sha256msg1_epu32(l->w0, l->w1), _mm_alignr_epi8(l->w3, l->w2, 4));
  next = _mm_sha256msg2_epu32(next, l->w3);
  l->w0 = l->w1;
  l->w1 = l->w2;
  l->w2 = l->w3;
  l->w3 = next;
}

/* The same where no words follow. */
INLINE void lane_shift(lane *l) {
  l->w0 = l->w1;
  l->w1 = l->w2;
  l->w2 = l->w3;
}

INLINE void lane_add(lane *l, const lane *before) {
  l->abef = _mm_add_epi32(l->abef, before->abef);
  l->cdgh = _mm_add_epi32(l->cdgh, before->cdgh);
}

/* The constants of the four rounds from 4 * i. */
#define K(i) _mm_load_si128((const __m128i *)(const void *)(sc3_sha256_k + 4 * (i)))

INLINE void lane_step(lane *l, __m128i k) {
  lane_rounds(l, k);
  lane_schedule(l);
}

INLINE void compress(lane *l) {
  lane before = *l;
  int i;
  for (i = 0; i < 12; i += 4) {
    lane_step(l, K(i));
    lane_step(l, K(i + 1));
    lane_step(l, K(i + 2));
    lane_step(l, K(i + 3));
  }
  for (; i < 16; i++) {
    lane_rounds(l, K(i));
    lane_shift(l);
  }
  lane_add(l, &before);
}

INLINE void both_step(lane *a, lane *b, __m128i k) {
  lane_rounds(a, k);
  lane_rounds(b, k);
  lane_schedule(a);
  lane_schedule(b);
}

INLINE void compress_both(lane *a, lane *b) {
  lane before_a = *a, before_b = *b;
  int i;
  for (i = 0; i < 12; i += 4) {
    both_step(a, b, K(i));
    both_step(a, b, K(i + 1));
    both_step(a, b, K(i + 2));
    both_step(a, b, K(i + 3));
  }
  for (; i < 16; i++) {
    lane_rounds(a, K(i));
    lane_rounds(b, K(i));
    lane_shift(a);
    lane_shift(b);
  }
  lane_add(a, &before_a);
  lane_add(b, &before_b);
}

INLINE void lane_end(const lane *l, char hex[SC3_SHA256_HEX]) {
  const __m128i big_endian = _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  sc3_sha256_put_hex(_mm_shuffle_epi8(_mm_unpackhi_epi64(l->abef, l->cdgh), big_endian), hex);
  sc3_sha256_put_hex(_mm_shuffle_epi8(_mm_unpacklo_epi64(l->abef, l->cdgh), big_endian), hex + 32);
}

TARGET static void hex_one(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  size_t i, blocks = sc3_sha256_blocks(n);
  lane l;
  lane_begin(&l);
  for (i = 0; i < blocks; i++) {
    lane_load(&l, p, n, i, blocks);
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
    lane_load(&la, a->p, a->n, i, a_blocks);
    lane_load(&lb, b->p, b->n, i, b_blocks);
    compress_both(&la, &lb);
  }
  for (; i < a_blocks; i++) {
    lane_load(&la, a->p, a->n, i, a_blocks);
    compress(&la);
  }
  for (; i < b_blocks; i++) {
    lane_load(&lb, b->p, b->n, i, b_blocks);
    compress(&lb);
  }
  lane_end(&la, a->hex);
  lane_end(&lb, b->hex);
}

const sc3_sha256_impl *sc3_sha256_x86(void) {
  static const sc3_sha256_impl impl = {"sha-ni", hex_one, hex_pair, 0, NULL};
  const unsigned needed = bit_SSSE3 | bit_SSE4_1;
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & needed) != needed)
    return NULL;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) ? &impl : NULL;
}

#else

const sc3_sha256_impl *sc3_sha256_x86(void) {
  return NULL;
}

#endif
