/* Numbers as little-endian bytes at any address, whatever the machine's order: compilers make one
 * instruction of each. */
#ifndef SC3_LITTLE_H
#define SC3_LITTLE_H

#include <stdint.h>

static inline uint16_t sc3_load16(const unsigned char *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t sc3_load32(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t sc3_load64(const unsigned char *p) {
  return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
         (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline void sc3_store16(unsigned char *p, uint16_t n) {
  p[0] = (unsigned char)n;
  p[1] = (unsigned char)(n >> 8);
}

static inline void sc3_store32(unsigned char *p, uint32_t n) {
  p[0] = (unsigned char)n;
  p[1] = (unsigned char)(n >> 8);
  p[2] = (unsigned char)(n >> 16);
  p[3] = (unsigned char)(n >> 24);
}

static inline void sc3_store64(unsigned char *p, uint64_t n) {
  p[0] = (unsigned char)n;
  p[1] = (unsigned char)(n >> 8);
  p[2] = (unsigned char)(n >> 16);
  p[3] = (unsigned char)(n >> 24);
  p[4] = (unsigned char)(n >> 32);
  p[5] = (unsigned char)(n >> 40);
  p[6] = (unsigned char)(n >> 48);
  p[7] = (unsigned char)(n >> 56);
}

#endif
