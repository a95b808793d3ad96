/* What emails, phones and hashes have in common before they part: white space round a value, and words that mean "none". */
#ifndef SC3_TEXT_H
#define SC3_TEXT_H

#include <stdint.h>

#include "slice.h"

/* `s` without the white space at its two ends: the union of what JavaScript's trim and Python's strip remove
   (docs/contract.md section 7). `s` must be valid UTF-8; bytes of ASCII alone are always fine. */
sc3_slice sc3_text_trim(sc3_slice s);

/* True for characters that show nothing and that no value holds on purpose: zero-width ones, marks of direction, soft hyphens. */
int sc3_text_invisible(uint32_t cp);

/* Whether `s` begins with the ASCII text `prefix`, in any case. */
int sc3_text_begins(sc3_slice s, const char *prefix);

/* `s` without the white space at its two ends and without invisible characters among it; `*stripped` is set when there were any of these. */
sc3_slice sc3_text_strip(sc3_slice s, int *stripped);

/* True for n/a, none, null, unknown and the like, in any case, where a value should stand. */
int sc3_text_placeholder(sc3_slice trimmed);

#endif
