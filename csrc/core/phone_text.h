/* From what people type to the digits of a phone: which part of a text is the number, and what its extension is. */
#ifndef SC3_PHONE_TEXT_H
#define SC3_PHONE_TEXT_H

#include "phone_plan.h"
#include "reason.h"
#include "slice.h"

typedef struct sc3_phone_text {
  char digits[SC3_DIGITS_MAX + 8]; /* ASCII; letters of a vanity number became digits */
  size_t n;
  int plus; /* a plus stood before them */
} sc3_phone_text;

/* Finds the number in `raw`, which must be valid UTF-8, as libphonenumber does: what stands before the first plus or digit is dropped, so is
   what trails behind and a second number; an extension is taken off. */
sc3_reason sc3_phone_read(sc3_slice raw, sc3_phone_text *text);

#endif
