/* Characters of ASCII, without the C library: its answers depend on the locale of the process.
   A character outside ASCII belongs to none of these classes. */
#ifndef SC3_ASCII_H
#define SC3_ASCII_H

#include <stdint.h>

#include "slice.h"

static inline int sc3_ascii_is_digit(int c) {
  return c >= '0' && c <= '9';
}

static inline int sc3_ascii_is_upper(int c) {
  return c >= 'A' && c <= 'Z';
}

static inline int sc3_ascii_is_lower(int c) {
  return c >= 'a' && c <= 'z';
}

static inline int sc3_ascii_is_letter(int c) {
  return sc3_ascii_is_lower(c) || sc3_ascii_is_upper(c);
}

static inline int sc3_ascii_is_alphanumeric(int c) {
  return sc3_ascii_is_letter(c) || sc3_ascii_is_digit(c);
}

/* The value of a hexadecimal digit of either case, 0 to 15; -1 for any other character. */
static inline int sc3_ascii_hex_value(int c) {
  if (sc3_ascii_is_digit(c))
    return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline int sc3_ascii_is_hex(int c) {
  return sc3_ascii_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Writes `n` bytes as 2 * `n` lowercase hex digits, without a NUL. */
static inline void sc3_ascii_write_hex(const uint8_t *bytes, size_t n, char *hex) {
  static const char digits[] = "0123456789abcdef";
  size_t i;
  for (i = 0; i < n; i++) {
    hex[2 * i] = digits[bytes[i] >> 4];
    hex[2 * i + 1] = digits[bytes[i] & 15];
  }
}

/* The lowercase form of a letter; any other character is unchanged. */
static inline char sc3_ascii_to_lower(char c) {
  return sc3_ascii_is_upper(c) ? (char)(c + ('a' - 'A')) : c;
}

int sc3_ascii_begins_with_all(sc3_slice s, const char *prefix);

/* Whether `s` begins with `prefix`, which is lowercase ASCII and not empty, in any case. Most texts
 * are told by their first character, without a call. */
static inline int sc3_ascii_begins(sc3_slice s, const char *prefix) {
  return s.n > 0 && sc3_ascii_to_lower(s.p[0]) == prefix[0] && sc3_ascii_begins_with_all(s, prefix);
}

#endif
