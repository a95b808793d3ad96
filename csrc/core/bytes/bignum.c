#include "bignum.h"

#include <string.h>

int sc3_leading_zeros(uint64_t x) {
#if defined(__GNUC__)
  return __builtin_clzll(x);
#else
  int n = 0, step;
  for (step = 32; step > 0; step /= 2) {
    if (x >> (64 - step) == 0) {
      n += step;
      x <<= step;
    }
  }
  return n;
#endif
}

void sc3_multiply_64(uint64_t a, uint64_t b, uint64_t *high, uint64_t *low) {
  const uint64_t mask = UINT64_C(0xffffffff);
  uint64_t ll = (a & mask) * (b & mask), lh = (a & mask) * (b >> 32), hl = (a >> 32) * (b & mask),
           hh = (a >> 32) * (b >> 32);
  uint64_t middle = (ll >> 32) + (lh & mask) + (hl & mask);
  *low = middle << 32 | (ll & mask);
  *high = hh + (lh >> 32) + (hl >> 32) + (middle >> 32);
}

/* By halves of 32 bits: Knuth, volume 2, 4.3.1, algorithm D. */
uint64_t sc3_divide_128(uint64_t high, uint64_t low, uint64_t d, uint64_t *rest) {
  const uint64_t mask = UINT64_C(0xffffffff), dh = d >> 32, dl = d & mask;
  uint64_t q[2], part[2];
  int i;
  part[0] = low >> 32;
  part[1] = low & mask;
  for (i = 0; i < 2; i++) {
    uint64_t estimate = high / dh, left = high % dh;
    while (estimate > mask || estimate * dl > (left << 32 | part[i])) {
      estimate--;
      left += dh;
      if (left > mask)
        break;
    }
    q[i] = estimate;
    high = (high << 32) + part[i] - estimate * d; /* modulo 2^64, which the true rest is below */
  }
  *rest = high;
  return q[0] << 32 | q[1];
}

void sc3_big_set(sc3_big *b, uint64_t v) {
  b->limb[0] = (uint32_t)v;
  b->limb[1] = (uint32_t)(v >> 32);
  b->n = v >> 32 != 0 ? 2 : v != 0;
}

void sc3_big_multiply(sc3_big *b, uint32_t factor, uint32_t add) {
  uint64_t carry = add;
  size_t i;
  for (i = 0; i < b->n; i++) {
    carry += (uint64_t)b->limb[i] * factor;
    b->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (carry != 0 && b->n < SC3_BIG_LIMBS)
    b->limb[b->n++] = (uint32_t)carry;
}

void sc3_big_multiply_5(sc3_big *b, int power) {
  uint32_t rest = 1;
  for (; power >= 13; power -= 13)
    sc3_big_multiply(b, UINT32_C(1220703125), 0);
  for (; power > 0; power--)
    rest *= 5;
  sc3_big_multiply(b, rest, 0);
}

void sc3_big_shift(sc3_big *b, int bits) {
  size_t limbs = (size_t)bits / 32, i;
  if (b->n == 0 || bits == 0)
    return;
  sc3_big_multiply(b, UINT32_C(1) << (bits % 32), 0);
  if (limbs > SC3_BIG_LIMBS - b->n)
    limbs = SC3_BIG_LIMBS - b->n; /* never: see SC3_BIG_LIMBS */
  memmove(b->limb + limbs, b->limb, b->n * sizeof b->limb[0]);
  for (i = 0; i < limbs; i++)
    b->limb[i] = 0;
  b->n += limbs;
}

int sc3_big_bits(const sc3_big *b) {
  return b->n == 0 ? 0 : (int)b->n * 32 - (sc3_leading_zeros(b->limb[b->n - 1]) - 32);
}

uint64_t sc3_big_divide(sc3_big *a, sc3_big *b, sc3_big_rest *left) {
  const int shift = sc3_leading_zeros(b->limb[b->n - 1]) - 32;
  size_t n, i, j;
  uint64_t quotient = 0;
  uint32_t above = 0, twice;
  int order = 0;
  sc3_big_shift(a, shift);
  sc3_big_shift(b, shift);
  n = b->n;
  while (a->n < n + 2 && a->n < SC3_BIG_LIMBS)
    a->limb[a->n++] = 0;
  for (j = 2; j-- > 0;) {
    uint64_t head = (uint64_t)a->limb[n + j] << 32 | a->limb[n + j - 1],
             estimate = head / b->limb[n - 1], carry = 0;
    int64_t borrow = 0;
    if (estimate > UINT32_MAX)
      estimate = UINT32_MAX;
    for (i = 0; i <= n; i++) {
      int64_t digit;
      carry += i < n ? estimate * b->limb[i] : 0;
      digit = (int64_t)a->limb[i + j] - (int64_t)(carry & UINT32_MAX) + borrow;
      a->limb[i + j] = (uint32_t)digit;
      borrow = digit < 0 ? -1 : 0;
      carry >>= 32;
    }
    while (borrow != 0) { /* the estimate was too high, by two at the most */
      estimate--;
      carry = 0;
      for (i = 0; i <= n; i++) {
        carry += (uint64_t)a->limb[i + j] + (i < n ? b->limb[i] : 0);
        a->limb[i + j] = (uint32_t)carry;
        carry >>= 32;
      }
      borrow += (int64_t)carry;
    }
    quotient = quotient << 32 | estimate;
  }
  /* Compares twice the rest with b, from the top. */
  *left = SC3_REST_NONE;
  for (i = 0; i < n; i++)
    above |= a->limb[i];
  if (above == 0)
    return quotient;
  if (a->limb[n - 1] >> 31)
    order = 1;
  for (i = n; i-- > 0 && order == 0;) {
    twice = a->limb[i] << 1 | (i > 0 ? a->limb[i - 1] >> 31 : 0);
    order = (twice > b->limb[i]) - (twice < b->limb[i]);
  }
  *left = order < 0 ? SC3_REST_BELOW_HALF : order == 0 ? SC3_REST_HALF : SC3_REST_ABOVE_HALF;
  return quotient;
}
