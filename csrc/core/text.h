/* What emails, phones and hashes have in common before they part: white space round a value, and words that mean "none". */
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

/* Whether `s` begins with the ASCII text `prefix`, in any case. */
int sc3_text_begins(sc3_slice s, const char *prefix);

/* `s` without the white space at its two ends and without invisible characters among it; `*stripped` is set when there were any of these. */
sc3_slice sc3_text_strip(sc3_slice s, int *stripped);

static inline sc3_slice sc3_text_trim(sc3_slice s) {
  /* Most values begin and end with a character of ASCII that shows. */
  return s.n > 0 && (signed char)s.p[0] > 0x20 && (signed char)s.p[s.n - 1] > 0x20 ? s : sc3_text_trim_edges(s);
}

/* True for n/a, none, null, unknown and the like, in any case, where a value should stand. */
int sc3_text_placeholder(sc3_slice trimmed);

#endif
