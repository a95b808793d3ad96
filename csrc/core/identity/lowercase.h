/* Lowercasing as Unicode has it (The Unicode Standard, section 3.13, toLowercase), without any
 * locale. */
#ifndef SC3_LOWERCASE_H
#define SC3_LOWERCASE_H

#include "../bytes/slice.h"

/* Writes the lowercase of `s`, which must be valid UTF-8, to `out` and its length to `*n`. 0, or -1
   when it is longer than `room` (it can be half as long again). */
int sc3_lowercase(sc3_slice s, char *out, size_t room, size_t *n);

/* The version of Unicode that it follows, such as "17.0.0". */
const char *sc3_unicode_version(void);

#endif
