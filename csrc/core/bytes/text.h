/* What emails, phones and hashes have in common: white space and invisible characters round a
 * value. */
#ifndef SC3_TEXT_H
#define SC3_TEXT_H

#include <stdint.h>

#include "slice.h"

/* `s` without the white space at its two ends: the union of what JavaScript's trim and Python's
   strip remove (docs/contract.md section 7). `s` must be valid UTF-8; bytes of only ASCII are
   always fine. */
static inline sc3_slice sc3_text_trim(sc3_slice s);
sc3_slice sc3_text_trim_edges(sc3_slice s); /* the same, where an edge may be white space */

/* True for characters that show nothing and that no value holds on purpose: zero-width ones, marks
 * of direction, soft hyphens. */
int sc3_text_is_invisible(uint32_t cp);

/* Control characters: C0, DEL and C1. Some of them are white space too. */
static inline int sc3_text_is_control(uint32_t cp) {
  return cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
}

/* Punctuation outside ASCII: quotes, dashes, bullets, the wide forms of CJK. No host's name holds
 * any (RFC 5892). */
int sc3_text_is_punctuation(uint32_t cp);

/* `s` without quotes of any script, and the marks of ASCII that are named, at its two ends, and
   without the white space that shows then, nor what Python and SQL write before such a text
   (b'4711'); `*taken` is set when there were any. `s` must be trimmed, valid UTF-8. */
sc3_slice sc3_text_unmark(sc3_slice s, const char *before, const char *behind, int *taken);

/* 4.4771E+11 and its like, with a point or a decimal comma, after a sign or a spreadsheet's
   apostrophe; without a sign in the exponent, as programs write it (4.4771E11), only where one
   digit stands before the point. Digits are lost, and what is left may still look valid. */
int sc3_text_is_exponent(sc3_slice s);

/* `s` without the white space, invisible and control characters at its two ends; `*stripped` is set
   when there was anything but white space. */
sc3_slice sc3_text_strip(sc3_slice s, int *stripped);

static inline sc3_slice sc3_text_trim(sc3_slice s) {
  /* Most values begin and end with a character of ASCII that shows. */
  return s.n > 0 && (signed char)s.p[0] > 0x20 && (signed char)s.p[s.n - 1] > 0x20
             ? s
             : sc3_text_trim_edges(s);
}

#endif
