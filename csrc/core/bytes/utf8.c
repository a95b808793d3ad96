#include "utf8.h"

#include <string.h>

static int follows(unsigned char c) {
  return (c & 0xc0) == 0x80;
}

size_t sc3_utf8_decode(const char *text, size_t n, uint32_t *cp) {
  const unsigned char *p = (const unsigned char *)text;
  uint32_t c;
  *cp = 0;
  if (n == 0)
    return 0;
  if (p[0] < 0x80) {
    *cp = p[0];
    return 1;
  }
  if (p[0] >= 0xc2 && p[0] <= 0xdf && n >= 2 && follows(p[1])) {
    *cp = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    return 2;
  }
  if ((p[0] & 0xf0) == 0xe0 && n >= 3 && follows(p[1]) && follows(p[2])) {
    c = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    if (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))
      return 0;
    *cp = c;
    return 3;
  }
  if ((p[0] & 0xf8) == 0xf0 && n >= 4 && follows(p[1]) && follows(p[2]) && follows(p[3])) {
    c = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
        (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    if (c < 0x10000 || c > 0x10ffff)
      return 0;
    *cp = c;
    return 4;
  }
  return 0;
}

int sc3_utf8_valid(const char *p, size_t n) {
  const size_t whole = n;
  while (n > 0) {
    uint32_t cp;
    size_t used;
    while (n >= 8) { /* eight bytes of ASCII at a time */
      uint64_t w;
      memcpy(&w, p, 8);
      if (w & UINT64_C(0x8080808080808080))
        break;
      p += 8;
      n -= 8;
    }
    if (n == 0)
      return 1;
    if (n < 8 && whole >= 8) { /* the rest, as the last eight bytes */
      uint64_t w;
      memcpy(&w, p + n - 8, 8);
      if ((w & UINT64_C(0x8080808080808080)) == 0)
        return 1;
    }
    used = (unsigned char)*p < 0x80 ? 1 : sc3_utf8_decode(p, n, &cp);
    if (used == 0)
      return 0;
    p += used;
    n -= used;
  }
  return 1;
}

size_t sc3_utf8_encode(uint32_t cp, char out[4]) {
  if (cp < 0x80) {
    out[0] = (char)cp;
    return 1;
  }
  if (cp < 0x800) {
    out[0] = (char)(0xc0 | cp >> 6);
    out[1] = (char)(0x80 | (cp & 0x3f));
    return 2;
  }
  if (cp < 0x10000) {
    out[0] = (char)(0xe0 | cp >> 12);
    out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
    out[2] = (char)(0x80 | (cp & 0x3f));
    return 3;
  }
  out[0] = (char)(0xf0 | cp >> 18);
  out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
  out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
  out[3] = (char)(0x80 | (cp & 0x3f));
  return 4;
}
