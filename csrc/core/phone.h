/* Phones (docs/contract.md section 7): the ASCII E.164 form with its leading +. */
#ifndef SC3_PHONE_H
#define SC3_PHONE_H

#include "reason.h"
#include "slice.h"

enum { SC3_PHONE_MAX = 16 }; /* + and the 15 digits of ITU-T E.164 */

/* Writes the E.164 form of `raw` to `out` and its length to `*n`; SC3_R_NONE on success, else why not. Only
   international forms (a leading +; punctuation is dropped) are read: a national form is never guessed at. `raw` must not be blank. */
sc3_reason sc3_phone_normalize(sc3_slice raw, char out[SC3_PHONE_MAX], size_t *n);

#endif
