/* Decimal digits of every script (Unicode's General_Category Nd). */
#ifndef SC3_DIGIT_H
#define SC3_DIGIT_H

#include <stdint.h>

/* The value of a decimal digit, 0 to 9; -1 for any other character. */
int sc3_digit_value(uint32_t cp);

#endif
