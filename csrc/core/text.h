/* What emails, phones and hashes have in common: white space and invisible characters round a value. */
#ifndef SC3_TEXT_H
#define SC3_TEXT_H

#include <stdint.h>

#include "slice.h"

/* `s` without the white space at its two ends: the union of what JavaScript's trim and Python's strip remove
   (docs/contract.md section 7). `s` must be valid UTF-8; bytes of ASCII alone are always fine. */
static inline sc3_slice sc3_text_trim(sc3_slice s);
sc3_slice sc3_text_trim_edges(sc3_slice s); /* the same, where an edge may be white space */

/* True for characters that show nothing and that no value holds on purpose: zero-width ones, marks of direction, soft hyphens. */
int sc3_text_invisible(uint32_t cp);

/* A hexadecimal digit of either case. */
static inline int sc3_text_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether `s` begins with the ASCII text `prefix`, which is in lowercase, in any case. */
int sc3_text_begins(sc3_slice s, const char *prefix);

/* `s` without the white space at its two ends and without invisible characters among it; `*stripped` is set when there were any of these. */
sc3_slice sc3_text_strip(sc3_slice s, int *stripped);

static inline sc3_slice sc3_text_trim(sc3_slice s) {
  /* Most values begin and end with a character of ASCII that shows. */
  return s.n > 0 && (signed char)s.p[0] > 0x20 && (signed char)s.p[s.n - 1] > 0x20 ? s : sc3_text_trim_edges(s);
}

#endif
