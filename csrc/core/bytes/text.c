#include "text.h"

#include <stdint.h>

#include "ascii.h"
#include "utf8.h"

static int trims(uint32_t c) {
  if (c < 0x80)
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
  switch (c) {
    case 0x85:
    case 0xa0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
    case 0xfeff: return 1;
    default: return c >= 0x2000 && c <= 0x200a;
  }
}

/* The property Default_Ignorable_Code_Point of Unicode 17. */
int sc3_text_is_invisible(uint32_t c) {
  static const struct {
    uint32_t first, last;
  } ranges[] = {
      {0xad, 0xad},       {0x34f, 0x34f},   {0x61c, 0x61c},     {0x115f, 0x1160},
      {0x17b4, 0x17b5},   {0x180b, 0x180f}, {0x200b, 0x200f},   {0x202a, 0x202e},
      {0x2060, 0x206f},   {0x3164, 0x3164}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
      {0xffa0, 0xffa0},   {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
      {0xe0000, 0xe0fff},
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
  return !trims(c) && !sc3_text_is_control(c) && !sc3_text_is_invisible(c);
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

int sc3_text_is_punctuation(uint32_t c) {
  if (c < 0xc0)
    return c >= 0x80 && c != 0xaa && c != 0xb5 && c != 0xb7 && c != 0xba;
  return c == 0xd7 || c == 0xf7 || (c >= 0x2000 && c <= 0x206f) || (c >= 0x2e00 && c <= 0x2e7f) ||
         (c >= 0x3000 && c <= 0x3004) || (c >= 0x3008 && c <= 0x3020) || c == 0x3030 ||
         (c >= 0xff01 && c <= 0xff0f) || (c >= 0xff1a && c <= 0xff20) ||
         (c >= 0xff3b && c <= 0xff40) || (c >= 0xff5b && c <= 0xff65);
}

/* The bytes of the quote, or of the mark of ASCII, that `s` begins or ends with; 0 where there is
 * none. */
static size_t mark_at(sc3_slice s, int end, const char *ascii) {
  static const char *const quotes[] = {
      "´", "“", "”", "„", "‟", "‘", "’", "‚", "‛", "«", "»", "‹", "›", "＂", "＇", "′", "″", NULL,
  };
  const char *const *q;
  if (s.n == 0)
    return 0;
  if (((unsigned char)s.p[end ? s.n - 1 : 0] & 0x80) == 0)
    return s.p[end ? s.n - 1 : 0] != '\0' && strchr(ascii, s.p[end ? s.n - 1 : 0]) != NULL;
  for (q = quotes; *q != NULL; q++) {
    size_t n = strlen(*q);
    if (s.n >= n && memcmp(end ? s.p + s.n - n : s.p, *q, n) == 0)
      return n;
  }
  return 0;
}

/* b'4711', u'4711' and N'4711' are texts as Python and SQL write them. */
static int is_literal(sc3_slice s) {
  return s.n > 3 && strchr("bBuUN", s.p[0]) != NULL && s.p[0] != '\0' &&
         (s.p[1] == '\'' || s.p[1] == '"') && s.p[s.n - 1] == s.p[1];
}

sc3_slice sc3_text_unmark(sc3_slice s, const char *before, const char *behind, int *taken) {
  size_t n;
  if (is_literal(s)) {
    s = sc3_text_trim(sc3_slice_of(s.p + 2, s.n - 3));
    *taken = 1;
  }
  while ((n = mark_at(s, 0, before)) > 0) {
    s = sc3_text_trim(sc3_slice_of(s.p + n, s.n - n));
    *taken = 1;
  }
  while ((n = mark_at(s, 1, behind)) > 0) {
    s = sc3_text_trim(sc3_slice_of(s.p, s.n - n));
    *taken = 1;
  }
  return s;
}

int sc3_text_is_exponent(sc3_slice s) {
  size_t i = s.n > 0 && strchr("+-'=", s.p[0]) != NULL, start = i, digits = 0, exponent;
  int scientific;
  for (; i < s.n && (sc3_ascii_is_digit(s.p[i]) || s.p[i] == '.' || s.p[i] == ','); i++)
    digits += (size_t)sc3_ascii_is_digit(s.p[i]);
  if (digits == 0 || i == s.n || (s.p[i] != 'E' && s.p[i] != 'e'))
    return 0;
  scientific = digits + 1 == i - start && digits > 1 && !sc3_ascii_is_digit(s.p[start + 1]);
  i++;
  if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
    i++;
  else if (!scientific)
    return 0;
  for (exponent = i; i < s.n && sc3_ascii_is_digit(s.p[i]); i++)
    continue;
  return i == s.n && i > exponent && i - exponent <= 3;
}
