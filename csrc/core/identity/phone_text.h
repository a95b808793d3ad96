/* From what people type to the digits of a phone: which part of a text is the number, and what its
 * extension is. */
#ifndef SC3_PHONE_TEXT_H
#define SC3_PHONE_TEXT_H

#include "phone_plan.h"
#include "reason.h"
#include "../bytes/slice.h"

/* What was done to a text on the way to its number, as libphonenumber does it: X(NAME, text for
 * people). */
#define SC3_PHONE_STEPS(X)                                                                         \
  X(CONTEXT, "its phone-context (RFC 3966) was put before it")                                     \
  X(LEADING, "text before the number was left out")                                                \
  X(TRAILING, "text behind the number was left out")                                               \
  X(SECOND, "a second number, behind a slash, was left out")                                       \
  X(SUBADDRESS, "an ISDN subaddress was left out")                                                 \
  X(EXTENSION, "an extension was left out")                                                        \
  X(DIGITS, "digits that are not ASCII were read by their value")                                  \
  X(KEYPAD, "letters were read as the keys of a telephone")                                        \
  X(LETTERS, "one or two letters among the digits were left out")                                  \
  X(NO_PLUS, "no country has the code behind the plus, so it was read without the plus")           \
  X(IDD, "the region's international prefix was taken off")                                        \
  X(OWN_CODE, "the region's calling code stood there without a plus, and was taken off")           \
  X(NATIONAL, "a national prefix was taken off, or the number rewritten by its country's rule")

typedef enum sc3_phone_step {
#define X(name, text) SC3_PHONE_##name,
  SC3_PHONE_STEPS(X)
#undef X
      SC3_PHONE_STEP_COUNT
} sc3_phone_step;

typedef struct sc3_phone_text {
  char digits[SC3_DIGITS_MAX]; /* ASCII; letters of a vanity number became digits */
  size_t n;
  int plus;       /* a plus stood before them */
  unsigned steps; /* a bit a step */
} sc3_phone_text;

/* Finds the number in `raw`, which must be valid UTF-8, as libphonenumber does: what stands before
   the first plus or digit is dropped, and so are trailing text and a second number; an extension is
   taken off. */
sc3_reason sc3_phone_read(sc3_slice raw, sc3_phone_text *text);

/* The same for texts of only ASCII digits and the commonest punctuation; 0 when it is another,
 * which sc3_phone_read() must look at. */
int sc3_phone_read_plain(sc3_slice raw, sc3_phone_text *text);

#endif
