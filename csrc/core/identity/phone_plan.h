/* Numbering plans: what the generated tables of libphonenumber's metadata say. Digits are ASCII. No
 * heap, no locks. */
#ifndef SC3_PHONE_PLAN_H
#define SC3_PHONE_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "../bytes/slice.h"

enum {
  SC3_NO_REGION = -1,      /* a region that nobody knows, or none */
  SC3_REGION_NO_PLAN = -2, /* a country without a numbering plan of its own, such as Antarctica */
  SC3_NSN_MIN = 2,         /* digits of a national number */
  SC3_NSN_MAX = 17,
  SC3_DIGITS_MAX = 250 /* digits of anything that is looked at */
};

/* Room for digits that a region's rule rewrites: it puts at most 8 before them. */
enum { SC3_DIGITS_ROOM = SC3_DIGITS_MAX + 8 };

typedef enum sc3_length {
  SC3_LENGTH_POSSIBLE,
  SC3_LENGTH_TOO_SHORT,
  SC3_LENGTH_TOO_LONG,
  SC3_LENGTH_OTHER
} sc3_length;

/* The region of an ISO 3166 alpha-2 code in any case, SC3_NO_REGION for none. */
int sc3_plan_region(sc3_slice code);

/* The alpha-2 code of a region (not of SC3_NO_REGION), "001" for codes that belong to no country.
 */
const char *sc3_plan_region_code(int region);

/* The region's calling code, such as 44. */
unsigned sc3_plan_calling_code(int region);

/* The main region of a calling code, SC3_NO_REGION when there is no such code. */
int sc3_plan_main_region(unsigned calling_code);

/* Whether national digits are valid after a calling code: right for some type of number in the
 * region that they belong to. */
int sc3_plan_is_valid(unsigned calling_code, sc3_slice digits);

/* Whether they are valid, and a mobile's and nothing else. */
int sc3_plan_is_mobile(unsigned calling_code, sc3_slice digits);

/* Whether they have the region's general form, and how their length stands to the region's. */
int sc3_plan_is_general(int region, sc3_slice digits);
sc3_length sc3_plan_compare_length(int region, size_t n);

/* Bytes that the region's international prefix takes at the head of the digits, 0 when it does not
 * stand there. */
size_t sc3_plan_match_idd(int region, sc3_slice digits);

/* The digits without the region's national prefix, or rewritten by its rule to `room`, unless that
 * would spoil a number of the region's general form. */
sc3_slice sc3_plan_strip_national(int region, sc3_slice digits, char room[SC3_DIGITS_ROOM]);

/* The release of libphonenumber that the tables come from. */
const char *sc3_plan_version(void);

#endif
