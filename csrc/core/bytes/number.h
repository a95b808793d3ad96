/* Numbers, read and written without the C library, whose answers depend on the locale of the
   process. No floating-point arithmetic is done on the way, so the answers are the same where the
   processor computes with more bits than a double has. */
#ifndef SC3_NUMBER_H
#define SC3_NUMBER_H

#include <stdint.h>

#include "slice.h"

enum { SC3_NUMBER_TEXT = 32 }; /* room for any number written */

typedef struct sc3_number {
  double value;   /* the double that is nearest, the even one of two; an infinity where all doubles
                     are too small */
  int is_integer; /* it is written without a point and an exponent, and `integer` holds it */
  int64_t integer;
} sc3_number;

/* Reads a decimal number that takes the whole text: 12, +3, -3.5, .5, 5., 1e3. 0 when it is none.
   Takes time in proportion to the text. */
int sc3_number_read(sc3_slice text, sc3_number *number);

/* Writes the fewest digits that are read as the same double, of these the nearest, and returns its
   bytes: the text of ECMAScript's Number::toString, but for -0. Infinities are written as numbers
   that are read as such; what is no number is "nan". */
size_t sc3_number_write(double value, char out[SC3_NUMBER_TEXT]);

size_t sc3_number_write_integer(int64_t value, char out[SC3_NUMBER_TEXT]);

#endif
