/* What the implementations for x86-64 share: blocks that are loaded without branches, and hex
 * digits. All in SSSE3, which processors with AVX2 or the SHA extensions have. */
#ifndef SC3_SHA256_X86_H
#define SC3_SHA256_X86_H

#include <immintrin.h>
#include <string.h>

#include "sha256_impl.h"

#define SC3_SSSE3 static inline __attribute__((always_inline, target("ssse3")))

/* Fewer than 16 bytes, with zeros after them, by loads that overlap. Nothing outside the message is
 * ever read. */
SC3_SSSE3 __m128i sc3_sha256_load_short(const uint8_t *p, size_t n) {
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

SC3_SSSE3 __m128i sc3_sha256_load_ending(ptrdiff_t left, int at) {
  return _mm_loadu_si128((const __m128i *)(const void *)(ending + 64 - left + at));
}

/* The 16 bytes at `at` of a block in which a message that ends at `end` has `left` bytes left, with
   the bit that ends it. The message has 16 bytes at the least, so its last 16 can be loaded and
   moved into place: no branch depends on the length. */
SC3_SSSE3 __m128i sc3_sha256_load_last(const uint8_t *end, ptrdiff_t left, int at) {
  static const uint8_t moves[32] = {0,    1,    2,    3,    4,    5,    6,    7,
                                    8,    9,    10,   11,   12,   13,   14,   15,
                                    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
                                    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
  ptrdiff_t before_end = left - at > 16 ? left - at : 16;
  ptrdiff_t by = before_end - (left - at) < 16 ? before_end - (left - at) : 16;
  __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(end - before_end));
  bytes = _mm_shuffle_epi8(bytes, _mm_loadu_si128((const __m128i *)(const void *)(moves + by)));
  return _mm_or_si128(bytes, sc3_sha256_load_ending(left, at));
}

/* The sixteen words of the block `index` of the `blocks` of a padded message, four in each of `w`.
 */
SC3_SSSE3 void sc3_sha256_load_block(const uint8_t *p, size_t n, size_t index, size_t blocks,
                                     __m128i w[4]) {
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  if (n < 16) {
    w[0] = _mm_shuffle_epi8(
        _mm_or_si128(sc3_sha256_load_short(p, n), sc3_sha256_load_ending((ptrdiff_t)n, 0)),
        big_endian);
    w[1] = w[2] = _mm_setzero_si128();
    w[3] = _mm_set_epi32((int)(n * 8), 0, 0, 0);
    return;
  }
  if (index < n / 64) {
    const __m128i *from = (const __m128i *)(const void *)(p + index * 64);
    w[0] = _mm_shuffle_epi8(_mm_loadu_si128(from), big_endian);
    w[1] = _mm_shuffle_epi8(_mm_loadu_si128(from + 1), big_endian);
    w[2] = _mm_shuffle_epi8(_mm_loadu_si128(from + 2), big_endian);
    w[3] = _mm_shuffle_epi8(_mm_loadu_si128(from + 3), big_endian);
  } else {
    ptrdiff_t left = (ptrdiff_t)(n - index * 64); /* -8 at the least: only the length was too long
                                                     for the block before */
    w[0] = _mm_shuffle_epi8(sc3_sha256_load_last(p + n, left, 0), big_endian);
    w[1] = _mm_shuffle_epi8(sc3_sha256_load_last(p + n, left, 16), big_endian);
    w[2] = _mm_shuffle_epi8(sc3_sha256_load_last(p + n, left, 32), big_endian);
    w[3] = _mm_shuffle_epi8(sc3_sha256_load_last(p + n, left, 48), big_endian);
    if (index + 1 == blocks) {
      uint64_t bits = (uint64_t)n * 8;
      w[3] = _mm_or_si128(w[3], _mm_set_epi64x((long long)(bits << 32 | bits >> 32), 0));
    }
  }
}

SC3_SSSE3 void sc3_sha256_put_hex(__m128i bytes, char *hex) {
  const __m128i digits =
      _mm_setr_epi8('0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f');
  const __m128i low_half = _mm_set1_epi8(15);
  __m128i high = _mm_shuffle_epi8(digits, _mm_and_si128(_mm_srli_epi16(bytes, 4), low_half));
  __m128i low = _mm_shuffle_epi8(digits, _mm_and_si128(bytes, low_half));
  _mm_storeu_si128((__m128i *)(void *)hex, _mm_unpacklo_epi8(high, low));
  _mm_storeu_si128((__m128i *)(void *)(hex + 16), _mm_unpackhi_epi8(high, low));
}

#endif
