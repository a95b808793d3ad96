/* Eight messages at once by AVX2. */
#include "sha256_impl.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)

#include "sha256_x86.h"

#define TARGET __attribute__((target("avx2"), aligned(64)))
#define INLINE static inline __attribute__((always_inline, target("avx2")))
#define LANES 8
#define ROTR(v, by) (((v) >> (by)) | ((v) << (32 - (by))))

#include "sha256_lanes.h"

/* Eight vectors of eight words become those of the first words, of the second ones, and so on. */
INLINE void transpose(const __m256i from[8], __m256i to[8]) {
  __m256i pairs[8], fours[8];
  int i;
  for (i = 0; i < 4; i++) {
    pairs[2 * i] = _mm256_unpacklo_epi32(from[2 * i], from[2 * i + 1]);
    pairs[2 * i + 1] = _mm256_unpackhi_epi32(from[2 * i], from[2 * i + 1]);
  }
  for (i = 0; i < 8; i += 4) {
    fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
    fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
    fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
    fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
  }
  for (i = 0; i < 4; i++) {
    to[i] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20);
    to[i + 4] = _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31);
  }
}

TARGET void sc3_sha256_avx2_lanes(const sc3_sha256_message *messages, size_t count) {
  const __m256i big_endian = _mm256_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3,
                                             12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  __m256i first[LANES], second[LANES];
  lanes w[64], digest[8];
  size_t i;
  for (i = 0; i < LANES; i++) {
    const sc3_sha256_message *m = &messages[i < count ? i : 0];
    __m128i block[4];
    sc3_sha256_load_block(m->p, m->n, 0, 1, block);
    first[i] = _mm256_set_m128i(block[1], block[0]);
    second[i] = _mm256_set_m128i(block[3], block[2]);
  }
  transpose(first, (__m256i *)w);
  transpose(second, (__m256i *)(w + 8));
  lanes_digest(w, digest);
  transpose((const __m256i *)digest, first);
  for (i = 0; i < count; i++) {
    const __m256i bytes = _mm256_shuffle_epi8(first[i], big_endian);
    sc3_sha256_put_hex(_mm256_castsi256_si128(bytes), messages[i].hex);
    sc3_sha256_put_hex(_mm256_extracti128_si256(bytes, 1), messages[i].hex + 32);
  }
}

#endif
