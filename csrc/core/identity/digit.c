#include "digit.h"

#include <stddef.h>

#include "digit_table.h"

int sc3_digit_value_outside_ascii(uint32_t cp) {
  size_t low = 0, high = sizeof SC3_DIGIT_ZEROS / sizeof SC3_DIGIT_ZEROS[0];
  while (high - low > 1) { /* the last zero that is not above it */
    size_t middle = low + (high - low) / 2;
    if (SC3_DIGIT_ZEROS[middle] <= cp)
      low = middle;
    else
      high = middle;
  }
  return cp - SC3_DIGIT_ZEROS[low] < 10 ? (int)(cp - SC3_DIGIT_ZEROS[low]) : -1;
}
