/* Emails (docs/contract.md section 7): trimmed, lowercased, and nothing else. */
#ifndef SC3_EMAIL_H
#define SC3_EMAIL_H

#include "reason.h"
#include "slice.h"

enum { SC3_EMAIL_MAX = 254 }; /* bytes of an address, RFC 5321 section 4.5.3.1.3 */

/* Writes the form of `raw` that is hashed to `out` and its length to `*n`; SC3_R_NONE on success, else why `raw` is
   no usable address. `raw` must not be blank. Dots and plus tags are kept; characters outside ASCII are refused. */
sc3_reason sc3_email_normalize(sc3_slice raw, char out[SC3_EMAIL_MAX], size_t *n);

#endif
