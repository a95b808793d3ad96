#include "digit.h"

#include <stddef.h>

#include "../bytes/ascii.h"
#include "digit_table.h"

int sc3_digit_value(uint32_t cp) {
  size_t low = 0, high = sizeof SC3_DIGIT_ZEROS / sizeof SC3_DIGIT_ZEROS[0];
  if (cp < 0x80)
    return sc3_ascii_is_digit((int)cp) ? (int)(cp - '0') : -1;
  while (high - low > 1) { /* the last zero that is not above it */
    size_t middle = low + (high - low) / 2;
    if (SC3_DIGIT_ZEROS[middle] <= cp)
      low = middle;
    else
      high = middle;
  }
  return cp - SC3_DIGIT_ZEROS[low] < 10 ? (int)(cp - SC3_DIGIT_ZEROS[low]) : -1;
}
