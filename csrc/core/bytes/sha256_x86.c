/* SHA-256 by the SHA extensions of x86-64. A message's rounds wait for each other; two messages
 * fill each other's waiting. */
#include "sha256_impl.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define TARGET __attribute__((target("ssse3,sse4.1,sha")))
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

/* Fewer than 16 bytes, with zeros after them, by loads that overlap. Nothing outside the message is
 * ever read. */
INLINE __m128i load_short(const uint8_t *p, size_t n) {
  uint64_t low = 0, high = 0;
  if (n >= 8) {
    memcpy(&low, p, 8);
    memcpy(&high, p + n - 8, 8);
    high = high >> (8 * (15 - n)) >> 8;
  } else if (n >= 4) {
    uint32_t first, last;
    memcpy(&first, p, 4);
    memcpy(&last, p + n - 4, 4);
    low = first | (uint64_t)last << (8 * (n - 4));
  } else if (n > 0) {
    low = p[0] | (uint64_t)p[n / 2] << (8 * (n / 2)) | (uint64_t)p[n - 1] << (8 * (n - 1));
  }
  return _mm_set_epi64x((long long)high, (long long)low);
}

/* The bit that ends a message, wherever that is: the 16 bytes at 64 - left + at are to be put at
   `at` into a block in which the message has `left` bytes left. */
static const uint8_t ending[64 + 8 + 64] = {[64] = 0x80};

INLINE __m128i load_ending(ptrdiff_t left, int at) {
  return _mm_loadu_si128((const __m128i *)(const void *)(ending + 64 - left + at));
}

/* The 16 bytes at `at` of a block in which a message that ends at `end` has `left` bytes left, with
   the bit that ends it. The message has 16 bytes at the least, so its last 16 can be loaded and
   moved into place: no branch depends on the length. */
INLINE __m128i load_last(const uint8_t *end, ptrdiff_t left, int at) {
  static const uint8_t moves[32] = {0,    1,    2,    3,    4,    5,    6,    7,
                                    8,    9,    10,   11,   12,   13,   14,   15,
                                    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
  ptrdiff_t before_end = left - at > 16 ? left - at : 16;
  ptrdiff_t by = before_end - (left - at) < 16 ? before_end - (left - at) : 16;
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(end - before_end));
  bytes = _mm_shuffle_epi8(bytes, _mm_loadu_si128((const __m128i *)(const void *)(moves + by)));
  return _mm_or_si128(bytes, load_ending(left, at));
}

/* Puts the block `index` of the padded message into the lane. */
INLINE void lane_load(lane *l, const uint8_t *p, size_t n, size_t index, size_t blocks) {
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  if (n < 16) {
    l->w0 =
        _mm_shuffle_epi8(_mm_or_si128(load_short(p, n), load_ending((ptrdiff_t)n, 0)), big_endian);
    l->w1 = l->w2 = _mm_setzero_si128();
    l->w3 = _mm_set_epi32((int)(n * 8), 0, 0, 0);
    return;
  }
  if (index < n / 64) {
    const __m128i *from = (const __m128i *)(const void *)(p + index * 64);
    l->w0 = _mm_shuffle_epi8(_mm_loadu_si128(from), big_endian);
    l->w1 = _mm_shuffle_epi8(_mm_loadu_si128(from + 1), big_endian);
    l->w2 = _mm_shuffle_epi8(_mm_loadu_si128(from + 2), big_endian);
    l->w3 = _mm_shuffle_epi8(_mm_loadu_si128(from + 3), big_endian);
  } else {
    ptrdiff_t left = (ptrdiff_t)(n - index * 64); /* -8 at the least: only the length was too long
                                                     for the block before */
    l->w0 = _mm_shuffle_epi8(load_last(p + n, left, 0), big_endian);
    l->w1 = _mm_shuffle_epi8(load_last(p + n, left, 16), big_endian);
    l->w2 = _mm_shuffle_epi8(load_last(p + n, left, 32), big_endian);
    l->w3 = _mm_shuffle_epi8(load_last(p + n, left, 48), big_endian);
    if (index + 1 == blocks) {
      uint64_t bits = (uint64_t)n * 8;
      l->w3 = _mm_or_si128(l->w3, _mm_set_epi64x((long long)(bits << 32 | bits >> 32), 0));
    }
  }
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

INLINE void put_hex(__m128i bytes, char *hex) {
  const __m128i digits =
      _mm_setr_epi8('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f');
  const __m128i low_half = _mm_set1_epi8(15);
  __m128i high = _mm_shuffle_epi8(digits, _mm_and_si128(_mm_srli_epi16(bytes, 4), low_half));
  __m128i low = _mm_shuffle_epi8(digits, _mm_and_si128(bytes, low_half));
  _mm_storeu_si128((__m128i *)(void *)hex, _mm_unpacklo_epi8(high, low));
  _mm_storeu_si128((__m128i *)(void *)(hex + 16), _mm_unpackhi_epi8(high, low));
}

INLINE void lane_end(const lane *l, char hex[SC3_SHA256_HEX]) {
  const __m128i big_endian = _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  put_hex(_mm_shuffle_epi8(_mm_unpackhi_epi64(l->abef, l->cdgh), big_endian), hex);
  put_hex(_mm_shuffle_epi8(_mm_unpacklo_epi64(l->abef, l->cdgh), big_endian), hex + 32);
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
  static const sc3_sha256_impl impl = {"sha-ni", hex_one, hex_pair};
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
