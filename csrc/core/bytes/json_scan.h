/* Tokens of JSON (RFC 8259), found and read. Each function that finds one takes a pointer to its
   first byte and gives the one after its last, NULL where the text is no JSON. They are inline
   because they are the inner loop of JSON Lines. */
#ifndef SC3_JSON_SCAN_H
#define SC3_JSON_SCAN_H

#include <stdint.h>
#include <string.h>

#include "ascii.h"
#include "slice.h"
#include "utf8.h"

/* Four hex digits; -1 when there are other characters among them. */
static inline int32_t sc3_json_hex4(const char *p) {
  int32_t v = 0;
  int i;
  for (i = 0; i < 4; i++) {
    int digit = sc3_ascii_hex_value(p[i]);
    if (digit < 0)
      return -1;
    v = v << 4 | digit;
  }
  return v;
}

static inline int sc3_json_is_high(int32_t c) {
  return c >= 0xd800 && c <= 0xdbff;
}

static inline int sc3_json_is_low(int32_t c) {
  return c >= 0xdc00 && c <= 0xdfff;
}

/* After the escape whose backslash is at `p`, both of them where two make one character. */
static inline const char *sc3_json_escape_end(const char *p, const char *end, int *half) {
  int32_t c;
  if (end - p < 2)
    return NULL;
  if (p[1] != 'u')
    return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL ? p + 2 : NULL;
  if (end - p < 6 || (c = sc3_json_hex4(p + 2)) < 0)
    return NULL;
  p += 6;
  if (sc3_json_is_high(c) && end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
      sc3_json_is_low(sc3_json_hex4(p + 2)))
    return p + 6;
  *half |= sc3_json_is_high(c) || sc3_json_is_low(c);
  return p;
}

/* The first byte that is a quote, a backslash or a control character; `end` when there is none.
 * Eight at a time, as in json.c. */
static inline const char *sc3_json_skip_plain(const char *p, const char *end) {
  const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
  for (; end - p >= 8; p += 8) {
    uint64_t w, quote, slash;
    memcpy(&w, p, 8);
    quote = w ^ ones * '"';
    slash = w ^ ones * '\\';
    if (((((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) &
         high) != 0)
      break;
  }
  while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
    p++;
  return p;
}

/* From the opening quote. `*half` is set where half a surrogate pair stands in it; that its bytes
 * are UTF-8 is not looked at. */
static inline const char *sc3_json_string(const char *p, const char *end, int *half) {
  p++;
  while (p != NULL) {
    p = sc3_json_skip_plain(p, end);
    if (p == end || (unsigned char)*p < 0x20)
      return NULL;
    if (*p == '"')
      return p + 1;
    p = sc3_json_escape_end(p, end, half);
  }
  return NULL;
}

static inline const char *sc3_json_digits(const char *p, const char *end) {
  const char *start = p;
  while (p < end && sc3_ascii_is_digit(*p))
    p++;
  return p > start ? p : NULL;
}

static inline const char *sc3_json_number(const char *p, const char *end) {
  if (p < end && *p == '-')
    p++;
  if (p < end && *p == '0')
    p++;
  else
    p = sc3_json_digits(p, end);
  if (p != NULL && p < end && *p == '.')
    p = sc3_json_digits(p + 1, end);
  if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
    p++;
    if (p < end && (*p == '+' || *p == '-'))
      p++;
    p = sc3_json_digits(p, end);
  }
  return p;
}

static inline const char *sc3_json_word(const char *p, const char *end, const char *word) {
  size_t n = strlen(word);
  return (size_t)(end - p) >= n && memcmp(p, word, n) == 0 ? p + n : NULL;
}

/* The text of the scanned string whose quotes are at `p` and `end - 1`, without half a surrogate
 * pair in it. */
static inline sc3_slice sc3_json_unescape(char *p, const char *end) {
  sc3_slice s;
  char *to;
  const char *from = p + 1, *last = end - 1;
  s.p = to = p + 1;
  while (from < last) {
    const char *escape = memchr(from, '\\', (size_t)(last - from));
    size_t n = (size_t)((escape != NULL ? escape : last) - from);
    memmove(to, from, n);
    to += n;
    from += n;
    if (escape == NULL)
      break;
    from += 2;
    switch (escape[1]) {
      case 'b': *to++ = '\b'; break;
      case 'f': *to++ = '\f'; break;
      case 'n': *to++ = '\n'; break;
      case 'r': *to++ = '\r'; break;
      case 't': *to++ = '\t'; break;
      case 'u': {
        int32_t cp = sc3_json_hex4(from);
        from += 4;
        if (sc3_json_is_high(cp)) {
          cp = 0x10000 + ((cp - 0xd800) << 10) + (sc3_json_hex4(from + 2) - 0xdc00);
          from += 6;
        }
        to += sc3_utf8_encode((uint32_t)cp, to); /* at most as long as the escape */
        break;
      }
      default: *to++ = escape[1];
    }
  }
  s.n = (size_t)(to - s.p);
  return s;
}

#endif
