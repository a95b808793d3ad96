/* Random numbers of the system. Nothing is kept between two of them, so threads need no lock, and a
   child of fork has others than its parent. */
#ifndef SC3_RANDOM_H
#define SC3_RANDOM_H

#include <stdint.h>

/* Never fails: where the system has none to give, clocks and the process id stand in. Not for
   cryptographic secrets. */
uint64_t sc3_random_bits(void);

/* The same as a number of at least 0 and under 1. */
double sc3_random_fraction(void);

#endif
