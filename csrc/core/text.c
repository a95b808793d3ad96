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

sc3_slice sc3_text_trim(sc3_slice s) {
  uint32_t c;
  while (s.n > 0) {
    size_t used = sc3_utf8_decode(s.p, s.n, &c);
    if (used == 0 || !trims(c))
      break;
    s.p += used;
    s.n -= used;
  }
  while (s.n > 0) {
    size_t back = 1;
    while (back < s.n && back < 4 && ((unsigned char)s.p[s.n - back] & 0xc0) == 0x80)
      back++;
    if (sc3_utf8_decode(s.p + s.n - back, back, &c) != back || !trims(c))
      break;
    s.n -= back;
  }
  return s;
}

int sc3_text_placeholder(sc3_slice s) {
  static const char *const words[] = {
    "n/a", "na", "#n/a", "n.a.", "none", "null", "nil", "nan", "unknown", "undefined", "test", "-", "--", ".", "0", "x",
    "(blank)", "blank", "empty", "tbd", "no email", "noemail", "no phone", "not available", "not provided", NULL,
  };
  const char *const *w;
  for (w = words; *w != NULL; w++) {
    size_t i;
    for (i = 0; i < s.n && (*w)[i] != '\0'; i++) {
      char c = s.p[i];
      if (c >= 'A' && c <= 'Z')
        c = (char)(c + ('a' - 'A'));
      if (c != (*w)[i])
        break;
    }
    if (i == s.n && (*w)[i] == '\0')
      return 1;
  }
  return 0;
}
