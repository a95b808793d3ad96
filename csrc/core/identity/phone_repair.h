/* Repairs of phones that go beyond libphonenumber: what exports and people do to numbers, undone.
 * Each is a choice of the caller's. */
#ifndef SC3_PHONE_REPAIR_H
#define SC3_PHONE_REPAIR_H

#include "phone_parse.h"

/* Parses `raw` (valid UTF-8), as sc3_phone_parse() does, and tries what is `allowed`. Adds to
   `*repairs` what led to the number, and leaves its steps in `text`. The answer is
   sc3_phone_parse()'s where no repair helps. */
sc3_reason sc3_phone_repair(sc3_slice raw, int region, sc3_repairs allowed, sc3_phone_text *text,
                            sc3_phone_number *number, sc3_repairs *repairs);

#endif
