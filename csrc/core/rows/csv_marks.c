#include "csv_marks.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(SC3_PORTABLE)
#include <arm_neon.h>
#endif

/* Eight bytes at a time: a byte's high bit is set where it is zero. Exact for every byte, unlike
 * the shorter test that borrows. */
static uint64_t zeros(uint64_t w) {
  const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
  return ~(((w & low) + low) | w | low);
}

/* Each kind is written once, and built with and without the test for the escape: a build without
 * escapes pays nothing for them. */
#define TWICE(kind, attributes)                                                                    \
  attributes static void kind(const char *stretch, char delimiter, char quote, char escape,        \
                              sc3_csv_marked *marked) {                                            \
    kind##_of(stretch, delimiter, quote, escape, 0, marked);                                       \
  }                                                                                                \
  attributes static void kind##_escaped(const char *stretch, char delimiter, char quote,           \
                                        char escape, sc3_csv_marked *marked) {                     \
    kind##_of(stretch, delimiter, quote, escape, 1, marked);                                       \
  }

#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* The high bits of eight bytes, side by side. */
static uint64_t gather(uint64_t w) {
  return (w >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

INLINE void marks_portable_of(const char *stretch, char delimiter, char quote, char escape,
                              int escapes, sc3_csv_marked *marked) {
  const uint64_t ones = UINT64_C(0x0101010101010101);
  const uint64_t d = ones * (unsigned char)delimiter, q = ones * (unsigned char)quote,
                 e = ones * (unsigned char)escape;
  int block, i;
  for (block = 0; block < SC3_MARKS_BLOCKS; block++) {
    uint64_t bits = 0, delimiters = 0, high = 0;
    for (i = 0; i < SC3_MARKS_BLOCK; i += 8) {
      const unsigned char *p = (const unsigned char *)stretch + block * SC3_MARKS_BLOCK + i;
      uint64_t w = (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 |
                   (uint64_t)p[3] << 24 | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 |
                   (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
      const uint64_t delimits = zeros(w ^ d);
      uint64_t found =
          zeros(w) | delimits | zeros(w ^ q) | zeros(w ^ ones * '\n') | zeros(w ^ ones * '\r');
      if (escapes)
        found |= zeros(w ^ e);
      high |= w & ones << 7;
      delimiters |= gather(delimits) << i;
      bits |= gather(found) << i;
    }
    marked->bits[block] = bits;
    marked->delimiters[block] = delimiters;
    marked->high[block] = high;
  }
}

TWICE(marks_portable, )

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)

INLINE void marks_sse2_of(const char *stretch, char delimiter, char quote, char escape, int escapes,
                          sc3_csv_marked *marked) {
  const __m128i d = _mm_set1_epi8(delimiter), q = _mm_set1_epi8(quote), e = _mm_set1_epi8(escape),
                lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');
  const __m128i nul = _mm_setzero_si128();
  int block, i;
  for (block = 0; block < SC3_MARKS_BLOCKS; block++) {
    uint64_t bits = 0, delimiters = 0, high = 0;
    for (i = 0; i < SC3_MARKS_BLOCK; i += 16) {
      const char *at = stretch + block * SC3_MARKS_BLOCK + i;
      __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
      __m128i delimits = _mm_cmpeq_epi8(v, d);
      __m128i found =
          _mm_or_si128(_mm_or_si128(delimits, _mm_cmpeq_epi8(v, q)),
                       _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr)),
                                    _mm_cmpeq_epi8(v, nul)));
      if (escapes)
        found = _mm_or_si128(found, _mm_cmpeq_epi8(v, e));
      high |= (uint64_t)(uint32_t)_mm_movemask_epi8(v);
      delimiters |= (uint64_t)(uint32_t)_mm_movemask_epi8(delimits) << i;
      bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(found) << i;
    }
    marked->bits[block] = bits;
    marked->delimiters[block] = delimiters;
    marked->high[block] = high;
  }
}

TWICE(marks_sse2, )

#define AVX2 __attribute__((target("avx2")))

/* The bits of two halves of a block. */
AVX2 INLINE uint64_t bits_of_halves(__m256i first, __m256i second) {
  return (uint32_t)_mm256_movemask_epi8(first) | (uint64_t)(uint32_t)_mm256_movemask_epi8(second)
                                                     << 32;
}

AVX2 INLINE __m256i or_avx2(__m256i a, __m256i b, __m256i c) {
  return _mm256_or_si256(_mm256_or_si256(a, b), c);
}

AVX2 INLINE void marks_avx2_of(const char *stretch, char delimiter, char quote, char escape,
                               int escapes, sc3_csv_marked *marked) {
  const __m256i d = _mm256_set1_epi8(delimiter), q = _mm256_set1_epi8(quote),
                e = _mm256_set1_epi8(escape);
  const __m256i lf = _mm256_set1_epi8('\n'), cr = _mm256_set1_epi8('\r'),
                nul = _mm256_setzero_si256();
  int block;
#define IS(half, c) _mm256_cmpeq_epi8(half, c)
#define OTHERS(half)                                                                               \
  or_avx2(or_avx2(IS(half, q), IS(half, lf), IS(half, cr)), IS(half, nul),                         \
          escapes ? IS(half, e) : nul)
  for (block = 0; block < SC3_MARKS_BLOCKS; block++) {
    const __m256i *at = (const __m256i *)(const void *)(stretch + block * SC3_MARKS_BLOCK);
    const __m256i v = _mm256_loadu_si256(at), w = _mm256_loadu_si256(at + 1);
    const uint64_t delimiters = bits_of_halves(IS(v, d), IS(w, d));
    marked->delimiters[block] = delimiters;
    marked->bits[block] = delimiters | bits_of_halves(OTHERS(v), OTHERS(w));
    marked->high[block] = (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_or_si256(v, w));
  }
#undef OTHERS
#undef IS
}

TWICE(marks_avx2, AVX2)

#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(SC3_PORTABLE)

/* One bit for each byte of `found` that is all ones. */
INLINE uint64_t gather_neon(uint8x16_t found) {
  static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t weighed = vandq_u8(found, vld1q_u8(weights));
  return (uint64_t)vaddv_u8(vget_low_u8(weighed)) | (uint64_t)vaddv_u8(vget_high_u8(weighed)) << 8;
}

INLINE void marks_neon_of(const char *stretch, char delimiter, char quote, char escape, int escapes,
                          sc3_csv_marked *marked) {
  const uint8x16_t d = vdupq_n_u8((uint8_t)delimiter), q = vdupq_n_u8((uint8_t)quote),
                   e = vdupq_n_u8((uint8_t)escape);
  const uint8x16_t lf = vdupq_n_u8('\n'), cr = vdupq_n_u8('\r');
  int block, i;
  for (block = 0; block < SC3_MARKS_BLOCKS; block++) {
    uint64_t bits = 0, delimiters = 0, high = 0;
    for (i = 0; i < SC3_MARKS_BLOCK; i += 16) {
      uint8x16_t v = vld1q_u8((const uint8_t *)stretch + block * SC3_MARKS_BLOCK + i);
      uint8x16_t delimits = vceqq_u8(v, d);
      uint8x16_t found =
          vorrq_u8(vorrq_u8(delimits, vceqq_u8(v, q)),
                   vorrq_u8(vorrq_u8(vceqq_u8(v, lf), vceqq_u8(v, cr)), vceqzq_u8(v)));
      if (escapes)
        found = vorrq_u8(found, vceqq_u8(v, e));
      high |= vmaxvq_u8(v) >> 7;
      delimiters |= gather_neon(delimits) << i;
      bits |= gather_neon(found) << i;
    }
    marked->bits[block] = bits;
    marked->delimiters[block] = delimiters;
    marked->high[block] = high;
  }
}

TWICE(marks_neon, )

#endif

sc3_csv_marks sc3_csv_marks_choose(const char *name, int escapes) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)
  if ((name == NULL || strcmp(name, "avx2") == 0) && __builtin_cpu_supports("avx2"))
    return escapes ? marks_avx2_escaped : marks_avx2;
  if (name == NULL || strcmp(name, "sse2") == 0)
    return escapes ? marks_sse2_escaped : marks_sse2;
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(SC3_PORTABLE)
  if (name == NULL || strcmp(name, "neon") == 0)
    return escapes ? marks_neon_escaped : marks_neon;
#endif
  if (name != NULL && strcmp(name, "portable") != 0)
    return NULL;
  return escapes ? marks_portable_escaped : marks_portable;
}
