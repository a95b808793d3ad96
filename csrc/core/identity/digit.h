/* Decimal digits of every script (Unicode's General_Category Nd). */
#ifndef SC3_DIGIT_H
#define SC3_DIGIT_H

#include <stdint.h>

int sc3_digit_value_outside_ascii(uint32_t cp);

/* The value of a decimal digit, 0 to 9; -1 for any other character. */
static inline int sc3_digit_value(uint32_t cp) {
  if (cp < 0x80)
    return cp - '0' < 10 ? (int)(cp - '0') : -1;
  return sc3_digit_value_outside_ascii(cp);
}

#endif
