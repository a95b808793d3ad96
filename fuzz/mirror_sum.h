/* What random nights of a mirror come to, for fuzz/sums.c. */
#ifndef SC3_MIRROR_SUM_H
#define SC3_MIRROR_SUM_H

#include <stdint.h>

/* A checksum of all blobs, candidates and leavers; ends the program where one cannot be made. */
uint32_t mirror_sum(uint64_t seed, unsigned nights);

#endif
