/* SHA-256 for x86-64 without the SHA extensions: AVX extends the words while the rounds run, and
 * BMI2 rotates without moving. Most servers of Intel from before Ice Lake have both. Several
 * messages go through sha256_avx2_lanes.c. */
#include "sha256_impl.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)

#include "sha256_x86.h"

/* On a line of the cache, as those of sha256_x86.c are. */
#define TARGET __attribute__((target("avx2,bmi2"), aligned(64)))
#define INLINE static inline __attribute__((always_inline, target("avx2,bmi2")))

INLINE __m128i rotr(__m128i v, int by) {
  return _mm_or_si128(_mm_srli_epi32(v, by), _mm_slli_epi32(v, 32 - by));
}

INLINE __m128i sigma0(__m128i v) {
  return _mm_xor_si128(_mm_xor_si128(rotr(v, 7), rotr(v, 18)), _mm_srli_epi32(v, 3));
}

/* Of words that stand twice, side by side: there a shift of 64 bits rotates the lower one. The
 * upper one of the result is of no use. */
INLINE __m128i sigma1(__m128i twice) {
  return _mm_xor_si128(_mm_xor_si128(_mm_srli_epi64(twice, 17), _mm_srli_epi64(twice, 19)),
                       _mm_srli_epi32(twice, 10));
}

/* Replaces the four words that were used by the four that follow the sixteen. The last two of these
 * need the first two. */
INLINE void extend(__m128i w[4]) {
  /* Which byte goes where; a byte of ones makes a zero. By words, because char may be unsigned. */
  const __m128i to_first = _mm_set_epi32(-1, -1, 0x0b0a0908, 0x03020100);
  const __m128i to_last = _mm_set_epi32(0x0b0a0908, 0x03020100, -1, -1);
  __m128i next = _mm_add_epi32(_mm_add_epi32(w[0], _mm_alignr_epi8(w[3], w[2], 4)),
                               sigma0(_mm_alignr_epi8(w[1], w[0], 4)));
  __m128i last_two = sigma1(_mm_shuffle_epi32(w[3], 0xfa)), first_two;
  next = _mm_add_epi32(next, _mm_shuffle_epi8(last_two, to_first));
  first_two = sigma1(_mm_shuffle_epi32(next, 0x50));
  next = _mm_add_epi32(next, _mm_shuffle_epi8(first_two, to_last));
  w[0] = w[1];
  w[1] = w[2];
  w[2] = w[3];
  w[3] = next;
}

/* The words of the rounds from 4 * i, with their constants added. */
INLINE void put_sums(uint32_t sums[64], int i, __m128i w) {
  const __m128i k = _mm_load_si128((const __m128i *)(const void *)(sc3_sha256_k + 4 * i));
  _mm_store_si128((__m128i *)(void *)(sums + 4 * i), _mm_add_epi32(w, k));
}

INLINE uint32_t rotr_word(uint32_t x, int by) {
  return (x >> by) | (x << (32 - by));
}

/* A round renames the variables instead of moving them; eight come back to the names they began
 * with. Where a and b differ, b and c differ in the next round: it is kept in `before`. */
#define ROUND(a, b, c, d, e, f, g, h, sum)                                                         \
  do {                                                                                             \
    const uint32_t differ = a ^ b;                                                                 \
    h += (sum) + (((f ^ g) & e) ^ g) + (rotr_word(e, 6) ^ rotr_word(e, 11) ^ rotr_word(e, 25));    \
    d += h;                                                                                        \
    h += (b ^ (differ & before)) + (rotr_word(a, 2) ^ rotr_word(a, 13) ^ rotr_word(a, 22));        \
    before = differ;                                                                               \
  } while (0)

#define FOUR(a, b, c, d, e, f, g, h, sum)                                                          \
  ROUND(a, b, c, d, e, f, g, h, (sum)[0]);                                                         \
  ROUND(h, a, b, c, d, e, f, g, (sum)[1]);                                                         \
  ROUND(g, h, a, b, c, d, e, f, (sum)[2]);                                                         \
  ROUND(f, g, h, a, b, c, d, e, (sum)[3])

#define ADD_TO(state)                                                                              \
  do {                                                                                             \
    (state)[0] += a;                                                                               \
    (state)[1] += b;                                                                               \
    (state)[2] += c;                                                                               \
    (state)[3] += d;                                                                               \
    (state)[4] += e;                                                                               \
    (state)[5] += f;                                                                               \
    (state)[6] += g;                                                                               \
    (state)[7] += h;                                                                               \
  } while (0)

/* The processor does the rounds and the words of later ones at once. Not inlined, because GCC does
 * it 4 % better alone. */
TARGET static __attribute__((noinline)) void compress(uint32_t state[8], __m128i w[4]) {
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5],
           g = state[6], h = state[7], before = b ^ c;
  _Alignas(16) uint32_t sums[64];
  int i;
  for (i = 0; i < 4; i++)
    put_sums(sums, i, w[i]);
  for (i = 0; i < 12; i += 2) {
    extend(w);
    put_sums(sums, i + 4, w[3]);
    FOUR(a, b, c, d, e, f, g, h, sums + 4 * i);
    extend(w);
    put_sums(sums, i + 5, w[3]);
    FOUR(e, f, g, h, a, b, c, d, sums + 4 * i + 4);
  }
  for (; i < 16; i += 2) {
    FOUR(a, b, c, d, e, f, g, h, sums + 4 * i);
    FOUR(e, f, g, h, a, b, c, d, sums + 4 * i + 4);
  }
  ADD_TO(state);
}

INLINE void write_hex(const uint32_t state[8], char hex[SC3_SHA256_HEX]) {
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  const __m128i *from = (const __m128i *)(const void *)state;
  sc3_sha256_put_hex(_mm_shuffle_epi8(_mm_loadu_si128(from), big_endian), hex);
  sc3_sha256_put_hex(_mm_shuffle_epi8(_mm_loadu_si128(from + 1), big_endian), hex + 32);
}

TARGET static void hex_one(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  const size_t blocks = sc3_sha256_blocks(n);
  uint32_t state[8] = {SC3_SHA256_START};
  size_t i;
  for (i = 0; i < blocks; i++) {
    __m128i w[4];
    sc3_sha256_load_block(p, n, i, blocks, w);
    compress(state, w);
  }
  write_hex(state, hex);
}

/* Extending the words of both at once gained 5 % by gcc and nothing by clang. */
static void hex_pair(const sc3_sha256_message *a, const sc3_sha256_message *b) {
  hex_one(a->p, a->n, a->hex);
  hex_one(b->p, b->n, b->hex);
}

const sc3_sha256_impl *sc3_sha256_avx2(void) {
  static const sc3_sha256_impl impl = {"avx2", hex_one, hex_pair, 8, sc3_sha256_avx2_lanes};
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? &impl : NULL;
}

#else

const sc3_sha256_impl *sc3_sha256_avx2(void) {
  return NULL;
}

#endif
