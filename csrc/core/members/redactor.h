/* What a text of the service says of the members of a request: their external ids and the values of
   their uids, found so that they can be hidden. */
#ifndef SC3_REDACTOR_H
#define SC3_REDACTOR_H

#include <stdint.h>

#include "payload.h"

/* Where each piece of up to four bytes stands in a text. The caller owns the memory:
   sc3_redactor_size() bytes for a text of `n`, aligned for pointers. */
typedef struct sc3_redactor sc3_redactor;

enum { SC3_REDACTOR_TEXT_MAX = 1 << 20 }; /* bytes of a text */

size_t sc3_redactor_size(size_t n);

/* Looks through a text of at most SC3_REDACTOR_TEXT_MAX bytes, which must stay as it is. A NUL is a
   border that nothing is found across. */
sc3_redactor *sc3_redactor_init(void *memory, const char *text, size_t n);

/* Marks in `hidden`, a byte for each of the text, what members `first` up to but without `last` of
   a payload are called. Upper and lower case count as the same. A value that is short, or has no
   digit, is found as a whole word only: an id such as "in" must not blank a part of every word.
   Returns 1 when anything was found. */
int sc3_redactor_mark(const sc3_redactor *m, const sc3_payload *p, size_t first, size_t last,
                      unsigned char *hidden);

#endif
