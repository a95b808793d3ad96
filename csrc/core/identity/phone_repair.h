/* Repairs of phones that go beyond libphonenumber: what exports and people do to numbers, undone.
 * Each is a choice of the caller's. */
#ifndef SC3_PHONE_REPAIR_H
#define SC3_PHONE_REPAIR_H

#include "phone_parse.h"

/* A phone as it was read. */
typedef struct sc3_phone_reading {
  sc3_phone_text text; /* with its steps */
  sc3_phone_number number;
  sc3_repairs repairs; /* what led to the number */
} sc3_phone_reading;

/* Parses `raw` (valid UTF-8), as sc3_phone_parse() does, and tries the repairs that are `allowed`.
   The answer is that of sc3_phone_parse() where no repair helps. */
sc3_reason sc3_phone_repair(sc3_slice raw, int region, sc3_repairs allowed, sc3_phone_reading *out);

#endif
