#include "crc32c.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(SC3_PORTABLE)
#include <nmmintrin.h>
#include <string.h>
#define BY_SSE
#endif

/* Entry i of table k is the remainder of byte i with k zero bytes after it. Remainders add up by
   XOR, so the eight of a table's single bits give all its 256 at compile time. */
#define T0                                                                                         \
  0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu, 0x105ec76fu, 0x20bd8edeu, 0x417b1dbcu,       \
      0x82f63b78u
#define T1                                                                                         \
  0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u, 0x3fc5f181u, 0x7f8be302u, 0xff17c604u,       \
      0xfbc3faf9u
#define T2                                                                                         \
  0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u, 0x70a27d8au, 0xe144fb14u, 0xc76580d9u,       \
      0x8b277743u
#define T3                                                                                         \
  0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u, 0xe964b13du, 0xd725148bu, 0xaba65fe7u,       \
      0x52a0c93fu
#define T4                                                                                         \
  0x38116facu, 0x7022df58u, 0xe045beb0u, 0xc5670b91u, 0x8f2261d3u, 0x1ba8b557u, 0x37516aaeu,       \
      0x6ea2d55cu
#define T5                                                                                         \
  0xef306b19u, 0xdb8ca0c3u, 0xb2f53777u, 0x6006181fu, 0xc00c303eu, 0x85f4168du, 0x0e045bebu,       \
      0x1c08b7d6u
#define T6                                                                                         \
  0x68032cc8u, 0xd0065990u, 0xa5e0c5d1u, 0x4e2dfd53u, 0x9c5bfaa6u, 0x3d5b83bdu, 0x7ab7077au,       \
      0xf56e0ef4u
#define T7                                                                                         \
  0x493c7d27u, 0x9278fa4eu, 0x211d826du, 0x423b04dau, 0x847609b4u, 0x0d006599u, 0x1a00cb32u,       \
      0x34019664u

#define BIT(i, b, remainder) (((i) >> (b)&1) ? (remainder) : 0u)
#define ENTRY(i, a, b, c, d, e, f, g, h)                                                           \
  (BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^ BIT(i, 5, f) ^       \
   BIT(i, 6, g) ^ BIT(i, 7, h))
#define ENTRIES_1(i, ...) ENTRY(i, __VA_ARGS__)
#define ENTRIES_4(i, ...)                                                                          \
  ENTRIES_1(i, __VA_ARGS__), ENTRIES_1((i) + 1, __VA_ARGS__), ENTRIES_1((i) + 2, __VA_ARGS__),     \
      ENTRIES_1((i) + 3, __VA_ARGS__)
#define ENTRIES_16(i, ...)                                                                         \
  ENTRIES_4(i, __VA_ARGS__), ENTRIES_4((i) + 4, __VA_ARGS__), ENTRIES_4((i) + 8, __VA_ARGS__),     \
      ENTRIES_4((i) + 12, __VA_ARGS__)
#define ENTRIES_64(i, ...)                                                                         \
  ENTRIES_16(i, __VA_ARGS__), ENTRIES_16((i) + 16, __VA_ARGS__),                                   \
      ENTRIES_16((i) + 32, __VA_ARGS__), ENTRIES_16((i) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                 \
  {                                                                                                \
    ENTRIES_64(0, __VA_ARGS__), ENTRIES_64(64, __VA_ARGS__), ENTRIES_64(128, __VA_ARGS__),         \
        ENTRIES_64(192, __VA_ARGS__)                                                               \
  }

static const uint32_t TABLES[8][256] = {TABLE(T0), TABLE(T1), TABLE(T2), TABLE(T3),
                                        TABLE(T4), TABLE(T5), TABLE(T6), TABLE(T7)};

static uint32_t little_endian(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t by_tables(uint32_t crc, const unsigned char *p, size_t n) {
  for (; n >= 8; n -= 8, p += 8) {
    uint32_t a = crc ^ little_endian(p), b = little_endian(p + 4);
    crc = TABLES[7][a & 255] ^ TABLES[6][a >> 8 & 255] ^ TABLES[5][a >> 16 & 255] ^
          TABLES[4][a >> 24] ^ TABLES[3][b & 255] ^ TABLES[2][b >> 8 & 255] ^
          TABLES[1][b >> 16 & 255] ^ TABLES[0][b >> 24];
  }
  for (; n > 0; n--, p++)
    crc = crc >> 8 ^ TABLES[0][(crc ^ *p) & 255];
  return crc;
}

#ifdef BY_SSE
/* SSE 4.2 has an instruction for eight bytes of this very checksum. */
__attribute__((target("sse4.2"))) static uint32_t by_sse(uint32_t crc, const unsigned char *p,
                                                         size_t n) {
  uint64_t wide = crc, word;
  for (; n >= 8; n -= 8, p += 8) {
    memcpy(&word, p, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = (uint32_t)wide;
  if (n >= 4) {
    uint32_t half;
    memcpy(&half, p, sizeof half);
    crc = _mm_crc32_u32(crc, half);
    n -= 4;
    p += 4;
  }
  for (; n > 0; n--, p++)
    crc = _mm_crc32_u8(crc, *p);
  return crc;
}
#endif

uint32_t sc3_crc32c(uint32_t crc, const void *bytes, size_t n) {
#ifdef BY_SSE
  if (__builtin_cpu_supports("sse4.2"))
    return ~by_sse(~crc, bytes, n);
#endif
  return ~by_tables(~crc, bytes, n);
}
