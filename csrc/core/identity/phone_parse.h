/* libphonenumber's parse and isValidNumber, for the digits of a text. */
#ifndef SC3_PHONE_PARSE_H
#define SC3_PHONE_PARSE_H

#include "phone_text.h"

typedef struct sc3_phone_number {
  unsigned calling_code;          /* 0 where none was found */
  char national[SC3_DIGITS_ROOM]; /* the national number, as far as it was understood */
  size_t n;
} sc3_phone_number;

/* Reads the digits of `text` in `region` (below 0 for none, which needs a plus). SC3_R_NONE when
   the number is valid; else why not, and `number` is what was understood of it. Adds to the steps
   of `text`. */
sc3_reason sc3_phone_parse(sc3_phone_text *text, int region, sc3_phone_number *number);

#endif
