/* SHA-256 for x86-64 without the SHA extensions: AVX2 extends the words of two messages at once,
 * and BMI2 rotates without moving. Most servers of Intel from before Ice Lake have both. */
#include "sha256_impl.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)

#include "sha256_x86.h"

/* On a line of the cache, as those of sha256_x86.c are. */
#define TARGET __attribute__((target("avx2,bmi2"), aligned(64)))
#define INLINE static inline __attribute__((always_inline, target("avx2,bmi2")))

/* The sixteen words that come next, of one message in the lower halves and another in the upper. */
typedef struct words {
  __m256i w0, w1, w2, w3;
} words;

/* Words with their constants added: of each four rounds four of the one message, and four of the
 * other. */
typedef struct sums {
  _Alignas(32) uint32_t at[16][8];
} sums;

/* The working variables of a message. */
typedef struct state {
  uint32_t h[8];
} state;

INLINE void load(words *w, const __m128i one[4], const __m128i other[4]) {
  w->w0 = _mm256_set_m128i(other[0], one[0]);
  w->w1 = _mm256_set_m128i(other[1], one[1]);
  w->w2 = _mm256_set_m128i(other[2], one[2]);
  w->w3 = _mm256_set_m128i(other[3], one[3]);
}

INLINE __m256i rotr(__m256i v, int by) {
  return _mm256_or_si256(_mm256_srli_epi32(v, by), _mm256_slli_epi32(v, 32 - by));
}

INLINE __m256i sigma0(__m256i v) {
  return _mm256_xor_si256(_mm256_xor_si256(rotr(v, 7), rotr(v, 18)), _mm256_srli_epi32(v, 3));
}

/* Of words that stand twice, side by side: there a shift of 64 bits rotates the lower one. The
 * upper one of the result is of no use. */
INLINE __m256i sigma1(__m256i twice) {
  return _mm256_xor_si256(
      _mm256_xor_si256(_mm256_srli_epi64(twice, 17), _mm256_srli_epi64(twice, 19)),
      _mm256_srli_epi32(twice, 10));
}

/* Replaces the four words that were used by the four that follow the sixteen. The last two of these
 * need the first two. */
INLINE void extend(words *w) {
  const __m256i to_first =
      _mm256_set_epi8(-1, -1, -1, -1, -1, -1, -1, -1, 11, 10, 9, 8, 3, 2, 1, 0, -1, -1, -1, -1, -1,
                      -1, -1, -1, 11, 10, 9, 8, 3, 2, 1, 0);
  const __m256i to_last = _mm256_set_epi8(11, 10, 9, 8, 3, 2, 1, 0, -1, -1, -1, -1, -1, -1, -1, -1,
                                          11, 10, 9, 8, 3, 2, 1, 0, -1, -1, -1, -1, -1, -1, -1, -1);
  __m256i next = _mm256_add_epi32(_mm256_add_epi32(w->w0, _mm256_alignr_epi8(w->w3, w->w2, 4)),
                                  sigma0(_mm256_alignr_epi8(w->w1, w->w0, 4)));
  __m256i last_two = sigma1(_mm256_shuffle_epi32(w->w3, 0xfa)), first_two;
  next = _mm256_add_epi32(next, _mm256_shuffle_epi8(last_two, to_first));
  first_two = sigma1(_mm256_shuffle_epi32(next, 0x50));
  next = _mm256_add_epi32(next, _mm256_shuffle_epi8(first_two, to_last));
  w->w0 = w->w1;
  w->w1 = w->w2;
  w->w2 = w->w3;
  w->w3 = next;
}

/* The sums of the rounds from 4 * i. */
INLINE void put_sums(sums *s, int i, __m256i w) {
  const __m128i k = _mm_load_si128((const __m128i *)(const void *)(sc3_sha256_k + 4 * i));
  _mm256_store_si256((__m256i *)(void *)s->at[i],
                     _mm256_add_epi32(w, _mm256_broadcastsi128_si256(k)));
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

/* The rounds of the one message, between which the words of both are extended: the processor does
 * both at once. */
INLINE void compress_first(state *one, words *w, sums *s) {
  uint32_t a = one->h[0], b = one->h[1], c = one->h[2], d = one->h[3], e = one->h[4], f = one->h[5],
           g = one->h[6], h = one->h[7], before = b ^ c;
  int i;
  put_sums(s, 0, w->w0);
  put_sums(s, 1, w->w1);
  put_sums(s, 2, w->w2);
  put_sums(s, 3, w->w3);
  for (i = 0; i < 12; i += 2) {
    extend(w);
    put_sums(s, i + 4, w->w3);
    FOUR(a, b, c, d, e, f, g, h, s->at[i]);
    extend(w);
    put_sums(s, i + 5, w->w3);
    FOUR(e, f, g, h, a, b, c, d, s->at[i + 1]);
  }
  for (; i < 16; i += 2) {
    FOUR(a, b, c, d, e, f, g, h, s->at[i]);
    FOUR(e, f, g, h, a, b, c, d, s->at[i + 1]);
  }
  ADD_TO(one->h);
}

/* The rounds of the other message. */
INLINE void compress_second(state *other, const sums *s) {
  uint32_t a = other->h[0], b = other->h[1], c = other->h[2], d = other->h[3], e = other->h[4],
           f = other->h[5], g = other->h[6], h = other->h[7], before = b ^ c;
  int i;
  for (i = 0; i < 16; i += 2) {
    FOUR(a, b, c, d, e, f, g, h, s->at[i] + 4);
    FOUR(e, f, g, h, a, b, c, d, s->at[i + 1] + 4);
  }
  ADD_TO(other->h);
}

INLINE void write_hex(const state *s, char hex[SC3_SHA256_HEX]) {
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  const __m128i *from = (const __m128i *)(const void *)s->h;
  sc3_sha256_put_hex(_mm_shuffle_epi8(_mm_loadu_si128(from), big_endian), hex);
  sc3_sha256_put_hex(_mm_shuffle_epi8(_mm_loadu_si128(from + 1), big_endian), hex + 32);
}

/* The blocks of a message from `i` on. Not inlined: it is 4 kB long. */
TARGET static __attribute__((noinline)) void finish(state *one, const uint8_t *p, size_t n,
                                                    size_t i) {
  const size_t blocks = sc3_sha256_blocks(n);
  for (; i < blocks; i++) {
    __m128i block[4];
    words w;
    sums s;
    sc3_sha256_load_block(p, n, i, blocks, block);
    load(&w, block, block);
    compress_first(one, &w, &s);
  }
}

TARGET static void hex_one(const void *p, size_t n, char hex[SC3_SHA256_HEX]) {
  state one = {{SC3_SHA256_START}};
  finish(&one, p, n, 0);
  write_hex(&one, hex);
}

TARGET static void hex_pair(const sc3_sha256_message *a, const sc3_sha256_message *b) {
  state one = {{SC3_SHA256_START}}, other = {{SC3_SHA256_START}};
  size_t i, one_blocks = sc3_sha256_blocks(a->n), other_blocks = sc3_sha256_blocks(b->n);
  for (i = 0; i < one_blocks && i < other_blocks; i++) {
    __m128i block[4], other_block[4];
    words w;
    sums s;
    sc3_sha256_load_block(a->p, a->n, i, one_blocks, block);
    sc3_sha256_load_block(b->p, b->n, i, other_blocks, other_block);
    load(&w, block, other_block);
    compress_first(&one, &w, &s);
    compress_second(&other, &s);
  }
  if (i < one_blocks)
    finish(&one, a->p, a->n, i);
  if (i < other_blocks)
    finish(&other, b->p, b->n, i);
  write_hex(&one, a->hex);
  write_hex(&other, b->hex);
}

const sc3_sha256_impl *sc3_sha256_avx2(void) {
  static const sc3_sha256_impl impl = {"avx2", hex_one, hex_pair};
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? &impl : NULL;
}

#else

const sc3_sha256_impl *sc3_sha256_avx2(void) {
  return NULL;
}

#endif
