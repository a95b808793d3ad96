#include "fingerprint.h"

#include <stdatomic.h>

#include "../bytes/bignum.h"
#include "../bytes/random.h"

static _Atomic uint64_t secrets[2]; /* 0 = not chosen yet */

SC3_COLD
static uint64_t choose(_Atomic uint64_t *secret) {
  uint64_t chosen = 0, fresh = sc3_random_bits() | 1;
  /* Another thread may have been first. */
  return atomic_compare_exchange_strong(secret, &chosen, fresh) ? fresh : chosen;
}

static uint64_t secret(size_t i) {
  const uint64_t chosen = atomic_load_explicit(&secrets[i], memory_order_relaxed);
  return chosen != 0 ? chosen : choose(&secrets[i]);
}

/* Both halves of the product, one over the other: bits of both factors reach all of it. */
static uint64_t fold(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__)
  __extension__ typedef unsigned __int128 wide;
  const wide product = (wide)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
  uint64_t high, low;
  sc3_multiply_64(a, b, &high, &low);
  return low ^ high;
#endif
}

static uint64_t eight_bytes(const char *p) {
  uint64_t w;
  memcpy(&w, p, sizeof w);
  return w;
}

static uint64_t four_bytes(const char *p) {
  uint32_t w;
  memcpy(&w, p, sizeof w);
  return w;
}

uint64_t sc3_fingerprint(sc3_slice id) {
  const uint64_t one = secret(0), other = secret(1);
  const char *p = id.p, *const end = p + id.n;
  uint64_t a = 0, b = 0, h = other;
  /* Bytes that are read twice do no harm, because the length goes in, too. */
  if (id.n > 16) {
    for (; end - p > 16; p += 16)
      h = fold(eight_bytes(p) ^ one, eight_bytes(p + 8) ^ h);
    a = eight_bytes(end - 16);
    b = eight_bytes(end - 8);
  } else if (id.n >= 8) {
    a = eight_bytes(p);
    b = eight_bytes(end - 8);
  } else if (id.n >= 4) {
    a = four_bytes(p);
    b = four_bytes(end - 4);
  } else if (id.n > 0) {
    a = (uint64_t)(unsigned char)p[0] << 16 | (uint64_t)(unsigned char)p[id.n / 2] << 8 |
        (unsigned char)end[-1];
  }
  h = fold(fold(a ^ one, b ^ h) ^ one, id.n ^ other);
  h >>= 64 - SC3_FINGERPRINT_BITS;
  return h != 0 ? h : 1;
}
