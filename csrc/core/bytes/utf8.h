/* UTF-8 (RFC 3629), strictly: no overlong forms, no surrogates, nothing over U+10FFFF. */
#ifndef SC3_UTF8_H
#define SC3_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* 1 when all `n` bytes are valid UTF-8. */
int sc3_utf8_valid(const char *p, size_t n);

/* Reads one character: the bytes that it takes, and its code point in `*cp`; 0 where no valid one
 * begins (or n is 0), with `*cp` 0. */
size_t sc3_utf8_decode(const char *p, size_t n, uint32_t *cp);

/* Writes a code point (not a surrogate, at most U+10FFFF) and returns its bytes, 1 to 4. */
size_t sc3_utf8_encode(uint32_t cp, char out[4]);

#endif
