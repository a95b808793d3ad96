/* Where a row stands, and who wants it. */
#ifndef SC3_ROW_PLACE_H
#define SC3_ROW_PLACE_H

#include <stdint.h>

/* In `offset`: it is not one of the input, but where the night keeps the row. No input is as long.
 */
#define SC3_KEPT_BIT (UINT64_C(1) << 47)

typedef struct sc3_row_place {
  uint64_t row, offset; /* below 2^48 */
  uint16_t file;
  uint16_t mask;   /* a bit for each audience */
  uint8_t further; /* it is a further member of a row that is counted already */
  int32_t beyond;  /* the number of its line less that of the row, which may share its line with
                      others; SC3_NO_LINE where that is not known */
} sc3_row_place;

#define SC3_NO_LINE INT32_MIN

/* `beyond` of a row that begins at a line, 0 = at none. */
static inline int32_t sc3_line_beyond(uint64_t row, uint64_t line) {
  const int64_t beyond = (int64_t)(line - row);
  return line > 0 && beyond > INT32_MIN && beyond <= INT32_MAX ? (int32_t)beyond : SC3_NO_LINE;
}

/* File and row as one number, in the order of reading. */
static inline uint64_t sc3_order_of(const sc3_row_place *place) {
  return (uint64_t)place->file << 48 | place->row;
}

#endif
