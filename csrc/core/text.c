#include "text.h"

#include <stdint.h>

#include "utf8.h"

static int trims(uint32_t c) {
  if (c < 0x80)
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
  switch (c) {
    case 0x85: case 0xa0: case 0x1680: case 0x2028: case 0x2029: case 0x202f: case 0x205f: case 0x3000: case 0xfeff:
      return 1;
    default:
      return c >= 0x2000 && c <= 0x200a;
  }
}

/* The property Default_Ignorable_Code_Point of Unicode 17. */
int sc3_text_invisible(uint32_t c) {
  static const struct {
    uint32_t first, last;
  } ranges[] = {
    {0xad, 0xad}, {0x34f, 0x34f}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x202a, 0x202e},
    {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
  };
  size_t i;
  for (i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
    if (c <= ranges[i].last)
      return c >= ranges[i].first;
  }
  return 0;
}

static int keeps(uint32_t c) {
  return !trims(c);
}

static int shows(uint32_t c) {
  return !trims(c) && !sc3_text_invisible(c);
}

/* The part of `s` between the first and the last character that `stays`. */
static sc3_slice between(sc3_slice s, int (*stays)(uint32_t)) {
  uint32_t c;
  while (s.n > 0) {
    size_t used = sc3_utf8_decode(s.p, s.n, &c);
    if (used == 0 || stays(c))
      break;
    s.p += used;
    s.n -= used;
  }
  while (s.n > 0) {
    size_t back = 1;
    while (back < s.n && back < 4 && ((unsigned char)s.p[s.n - back] & 0xc0) == 0x80)
      back++;
    if (sc3_utf8_decode(s.p + s.n - back, back, &c) != back || stays(c))
      break;
    s.n -= back;
  }
  return s;
}

sc3_slice sc3_text_trim_edges(sc3_slice s) {
  return between(s, keeps);
}

sc3_slice sc3_text_strip(sc3_slice s, int *stripped) {
  sc3_slice bare = between(s, shows);
  if (bare.n != sc3_text_trim(s).n)
    *stripped = 1;
  return bare;
}

int sc3_text_begins(sc3_slice s, const char *prefix) {
  size_t i;
  for (i = 0; prefix[i] != '\0'; i++) {
    char c = i < s.n ? s.p[i] : '\0';
    if (c >= 'A' && c <= 'Z')
      c = (char)(c + ('a' - 'A'));
    if (c != prefix[i])
      return 0;
  }
  return 1;
}
