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

int sc3_text_invisible(uint32_t c) {
  return c == 0xad || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x2064) || (c >= 0x2066 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff;
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
    if (i >= s.n || (s.p[i] | 0x20) != (prefix[i] | 0x20))
      return 0;
  }
  return 1;
}

int sc3_text_placeholder(sc3_slice s) {
  static const char *const words[] = {
    "n/a", "na", "#n/a", "n.a.", "none", "null", "nil", "nan", "unknown", "undefined", "test", "-", "--", ".", "0", "x",
    "(blank)", "blank", "empty", "tbd", "no email", "noemail", "no phone", "not available", "not provided", "no",
    "none@none", "none@none.com", "na@na.com", "n/a@n/a.com", "test@test.com", "noemail@noemail.com", NULL,
  };
  enum { LONGEST = sizeof "noemail@noemail.com" - 1 };
  const char *const *w;
  char first;
  if (s.n == 0 || s.n > LONGEST)
    return 0;
  first = s.p[0] >= 'A' && s.p[0] <= 'Z' ? (char)(s.p[0] + ('a' - 'A')) : s.p[0];
  for (w = words; *w != NULL; w++) {
    size_t i;
    if ((*w)[0] != first)
      continue;
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
