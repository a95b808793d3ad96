/* The names of columns, found as people write them. */
#ifndef SC3_HEADER_H
#define SC3_HEADER_H

#include "../identity/pii.h"
#include "../bytes/slice.h"

typedef enum sc3_header_found {
  SC3_HEADER_ONE, /* at[0] is the column */
  SC3_HEADER_NONE,
  SC3_HEADER_TWICE, /* the very name stands at at[0] and at[1] */
  SC3_HEADER_ALIKE  /* the names at at[0] and at[1] are both the same as it but for case and spacing
                     */
} sc3_header_found;

/* Whether two names are the same but for the case of ASCII letters, white space, characters that
   nobody sees, dots, dashes and underscores. Names of nothing else are the same as none. */
int sc3_header_is_alike(sc3_slice a, sc3_slice b);

/* The column (counted from 0) of the `n` names that a name means: the very name, else the one that
   is the same but for the case of ASCII letters, white space, characters that nobody sees, dots,
   dashes and underscores, which exports put in as they please. */
sc3_header_found sc3_header_find(const sc3_slice *names, size_t n, sc3_slice name, size_t at[2]);

/* The number of the column that "#4" names where no column is called so; 0 for other texts. */
size_t sc3_header_number(sc3_slice name);

/* What to do about a header that is none, because its names look like a customer's data; NULL where
   they look like names. Never quote such a line: it may hold a person's data. */
const char *sc3_header_advice(const sc3_slice *names, size_t n);

/* What a column holds by its name: "E-Mail", "Customer Phone 1", "properties.mobile".
   SC3_PII_NONE for other names, and for those of hashes and numbers of these ("Phone ID"). */
sc3_pii sc3_header_detect_pii(sc3_slice name);

#endif
