/* Phones (docs/contract.md section 7): read and validated as Google's libphonenumber does, and written as E.164 with the leading +. */
#ifndef SC3_PHONE_H
#define SC3_PHONE_H

#include "phone_plan.h"
#include "reason.h"
#include "slice.h"

enum { SC3_PHONE_MAX = 1 + 3 + SC3_NSN_MAX }; /* +, the calling code, the national number */

/* Writes the E.164 form of `raw` to `out` and its length to `*n`; SC3_R_NONE on success, else why not. `region` reads numbers without a leading +;
   SC3_NO_REGION refuses them. The answer is that of libphonenumber's parse, isValidNumber and E164 format, but for two refusals: spreadsheet exponents, and
   the phone-context of tel: URIs. `raw` must not be blank. */
sc3_reason sc3_phone_normalize(sc3_slice raw, int region, char out[SC3_PHONE_MAX], size_t *n);

#endif
