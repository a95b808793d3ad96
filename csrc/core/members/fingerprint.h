/* What stands for an external id where many are compared: 56 bits, by a secret of the process.
 *
 * Two ids have the same one by chance in 1 of 2^56 pairs. Among n ids there are n^2 / 2 pairs. So
 * of ten million ids two are alike in 1 of 1400 jobs, of a hundred million in 1 of 15. The secret
 * keeps rows from being made so that they are alike. */
#ifndef SC3_FINGERPRINT_H
#define SC3_FINGERPRINT_H

#include <stdint.h>

#include "../bytes/slice.h"

enum { SC3_FINGERPRINT_BITS = 56 };

/* Never 0. The same for the whole life of a process, and of those that it forks. */
uint64_t sc3_fingerprint(sc3_slice id);

#endif
