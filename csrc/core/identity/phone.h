/* Phones (docs/contract.md section 7): read and validated as Google's libphonenumber does, and
 * written as E.164 with the leading +. */
#ifndef SC3_PHONE_H
#define SC3_PHONE_H

#include "phone_plan.h"
#include "reason.h"
#include "../bytes/slice.h"

enum { SC3_PHONE_MAX = 1 + 3 + SC3_NSN_MAX }; /* +, the calling code, the national number */

/* Every repair of phones: what sc3_phone_normalize() may be allowed. */
#define SC3_PHONE_REPAIRS                                                                          \
  (1u << SC3_REPAIR_PHONE_DECIMAL | 1u << SC3_REPAIR_PHONE_PLUS | 1u << SC3_REPAIR_PHONE_MEXICO |  \
   1u << SC3_REPAIR_PHONE_WORDS | 1u << SC3_REPAIR_PHONE_TRUNK_ZERO |                              \
   1u << SC3_REPAIR_PHONE_DOUBLE_ZERO | 1u << SC3_REPAIR_PHONE_FIRST |                             \
   1u << SC3_REPAIR_PHONE_BENIN | 1u << SC3_REPAIR_PHONE_IVORY_COAST |                             \
   1u << SC3_REPAIR_PHONE_BRAZIL)

typedef struct sc3_phone {
  char text[SC3_PHONE_MAX]; /* E.164 */
  size_t n;
  sc3_repairs repairs; /* what went beyond libphonenumber to get there */
  unsigned steps;      /* what libphonenumber itself did: bits of sc3_phone_step */
} sc3_phone;

/* Reads `raw` into `*phone`; SC3_R_NONE on success, else why not. `region` reads numbers without a
   leading +; below 0 (SC3_NO_REGION, SC3_REGION_NO_PLAN) refuses them. The answer is that of
   libphonenumber's parse, isValidNumber and E164 format, but for spreadsheet exponents, which are
   refused, and digits of every script, which are read. `allowed` is a set of phone repairs: none
   changes a valid number, but for SC3_REPAIR_PHONE_DECIMAL, SC3_REPAIR_PHONE_PLUS and, in Italy,
   SC3_REPAIR_PHONE_TRUNK_ZERO, which are for numbers that are valid and wrong. `raw` must not be
   blank. */
sc3_reason sc3_phone_normalize(sc3_slice raw, int region, sc3_repairs allowed, sc3_phone *phone);

#endif
