/* Whole numbers of more than 64 bits, as far as reading and writing doubles needs them. */
#ifndef SC3_BIGNUM_H
#define SC3_BIGNUM_H

#include <stddef.h>
#include <stdint.h>

enum {
  SC3_BIG_DIGITS = 800, /* decimal digits that are kept of a number; 767 tell any decimal from the
                           middle of two doubles */
  SC3_BIG_LIMBS = 96    /* 3,072 bits; 800 digits times 2^64, and 5^1126 times 2^64, have fewer than
                           2,800 */
};

typedef struct sc3_big {
  size_t n;
  uint32_t limb[SC3_BIG_LIMBS]; /* the lowest first */
} sc3_big;

/* What is left of a division, as a part of the divisor. */
typedef enum sc3_big_rest {
  SC3_REST_NONE,
  SC3_REST_BELOW_HALF,
  SC3_REST_HALF,
  SC3_REST_ABOVE_HALF
} sc3_big_rest;

/* Zero bits before the first 1 of `x`, which is not 0. */
int sc3_leading_zeros(uint64_t x);

/* The 128 bits of a product. */
void sc3_multiply_64(uint64_t a, uint64_t b, uint64_t *high, uint64_t *low);

/* (high:low) / d, and its rest. The top bit of `d` is set, and high < d. */
uint64_t sc3_divide_128(uint64_t high, uint64_t low, uint64_t d, uint64_t *rest);

void sc3_big_set(sc3_big *b, uint64_t value);

/* b = b * factor + add */
void sc3_big_multiply(sc3_big *b, uint32_t factor, uint32_t add);

/* b = b * 5^power */
void sc3_big_multiply_5(sc3_big *b, int power);

/* b = b * 2^bits */
void sc3_big_shift(sc3_big *b, int bits);

/* Bits from the first 1 on; 0 for 0. */
int sc3_big_bits(const sc3_big *b);

/* a / b for a < b * 2^64. Destroys both. */
uint64_t sc3_big_divide(sc3_big *a, sc3_big *b, sc3_big_rest *left);

#endif
