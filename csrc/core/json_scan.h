/* Tokens of JSON (RFC 8259), found and read. Each function that finds one takes a pointer to its first byte and gives the one behind its last, NULL where the
   text is no JSON. They are inline because they are the inner loop of JSON Lines. */
#ifndef SC3_JSON_SCAN_H
#define SC3_JSON_SCAN_H

#include <stdint.h>

#include "slice.h"
#include "utf8.h"

static inline int sc3_json_is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* From the opening quote. That its bytes are UTF-8 and its surrogates come in pairs is not looked at. */
static inline const char *sc3_json_string(const char *p, const char *end) {
  for (p++; p < end; p++) {
    if (*p == '"')
      return p + 1;
    if ((unsigned char)*p < 0x20)
      return NULL;
    if (*p != '\\')
      continue;
    if (++p == end)
      return NULL;
    if (*p == 'u') {
      if (end - p < 5 || !sc3_json_is_hex(p[1]) || !sc3_json_is_hex(p[2]) || !sc3_json_is_hex(p[3]) || !sc3_json_is_hex(p[4]))
        return NULL;
      p += 4;
    } else if (*p == '\0' || strchr("\"\\/bfnrt", *p) == NULL) {
      return NULL;
    }
  }
  return NULL;
}

static inline const char *sc3_json_digits(const char *p, const char *end) {
  const char *start = p;
  while (p < end && *p >= '0' && *p <= '9')
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

static inline uint32_t sc3_json_hex4(const char *p) {
  uint32_t v = 0;
  int i;
  for (i = 0; i < 4; i++) {
    char c = p[i];
    v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return v;
}

/* Unescapes in place: the text of the string whose quotes are at `p` and `end - 1`; {NULL, 0} for half a surrogate pair. */
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
        uint32_t cp = sc3_json_hex4(from);
        from += 4;
        if (cp >= 0xd800 && cp <= 0xdbff && last - from >= 6 && from[0] == '\\' && from[1] == 'u') {
          uint32_t low = sc3_json_hex4(from + 2);
          if (low >= 0xdc00 && low <= 0xdfff) {
            cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
            from += 6;
          }
        }
        if (cp >= 0xd800 && cp <= 0xdfff)
          return sc3_slice_of(NULL, 0);
        to += sc3_utf8_encode(cp, to); /* at most as long as the escape */
        break;
      }
      default: *to++ = escape[1];
    }
  }
  s.n = (size_t)(to - s.p);
  return s;
}

#endif
