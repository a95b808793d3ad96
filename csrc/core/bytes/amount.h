/* Numbers as people and their programs write them: 1.234,50 € and $1,234.50 and (12). */
#ifndef SC3_AMOUNT_H
#define SC3_AMOUNT_H

#include "number.h"

/* Reads a number whose decimal mark is `decimal`, '.' or ',' (docs/scripts.md). It may stand
   with a currency or a per cent sign, its thousands may be parted, and it may be negative in the
   ways of accountants. 0 when it is none. `text` has no white space round it. */
int sc3_amount_read(sc3_slice text, char decimal, sc3_number *number);

/* What a text that is no plain number looks like. */
typedef enum sc3_notation {
  SC3_NOTATION_NONE,   /* no number in any notation */
  SC3_NOTATION_COMMA,  /* a number with a comma in it */
  SC3_NOTATION_SYMBOLS /* a number with a currency, a per cent sign, or parted thousands */
} sc3_notation;

sc3_notation sc3_amount_find_notation(sc3_slice text);

#endif
