/* Values that arrive hashed already (docs/contract.md section 7): used as they are, never hashed a
 * second time. */
#ifndef SC3_HASHED_H
#define SC3_HASHED_H

#include "reason.h"
#include "../bytes/sha256.h"
#include "../bytes/slice.h"

typedef enum sc3_hashed {
  SC3_HASHED_NOT,    /* not a hash: a raw value */
  SC3_HASHED_SHA256, /* written to `hex` in lowercase */
  SC3_HASHED_REFUSED /* a hash that cannot match: see `why` */
} sc3_hashed;

enum { SC3_HEX_LEAST = 48 }; /* hex digits that can be nothing but a hash, good or bad */

/* Whether a value has the length of a hash: most have not, and need no closer look. */
static inline int sc3_hashed_is_possible(size_t n) {
  return n == 32 || n == 40 || n == 43 || n == 44 || n >= SC3_HEX_LEAST;
}

/* Looks at a trimmed value: 64 hex digits of either case are a SHA-256, and so is the base64 of 32
   bytes (added to
   `*repairs`). MD5, SHA-1, other lengths of hex digits, the base64 of hex digits, one digit over
   and over, and the hashes of the empty string and of words that stand for no value are refused
   with their reason. */
sc3_hashed sc3_hashed_recognize(sc3_slice trimmed, char hex[SC3_SHA256_HEX], sc3_reason *why,
                                sc3_repairs *repairs);

#endif
