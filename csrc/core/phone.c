#include "phone.h"

#include "text.h"
#include "utf8.h"

enum { DIGITS_MIN = 7, DIGITS_MAX = SC3_PHONE_MAX - 1 };

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 4.4771E+11 and its like, with a point or a decimal comma. */
static int is_spreadsheet(sc3_slice s) {
  size_t i = 0;
  while (i < s.n && (is_digit(s.p[i]) || s.p[i] == '.' || s.p[i] == ','))
    i++;
  if (i == 0 || i + 2 >= s.n || (s.p[i] != 'E' && s.p[i] != 'e') || (s.p[i + 1] != '+' && s.p[i + 1] != '-'))
    return 0;
  for (i += 2; i < s.n; i++) {
    if (!is_digit(s.p[i]))
      return 0;
  }
  return 1;
}

/* Why a value without a leading + cannot be used. */
static sc3_reason judge_national(sc3_slice s) {
  size_t i;
  if (is_spreadsheet(s))
    return SC3_R_PHONE_SPREADSHEET;
  for (i = 0; i < s.n; i++) {
    if (is_digit(s.p[i]))
      return SC3_R_PHONE_NATIONAL;
  }
  return SC3_R_PHONE_LETTERS;
}

/* The length in bytes of the punctuation at the head of `s`, 0 where there is none. */
static size_t punctuation(sc3_slice s) {
  uint32_t c;
  size_t used = sc3_utf8_decode(s.p, s.n, &c);
  if (c < 0x80)
    return strchr(" -.()/[]~", (int)c) != NULL && c != 0 ? used : 0;
  /* dashes, and the spaces that word processors put in */
  return (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0xa0 || c == 0x202f || c == 0x2009 ? used : 0;
}

sc3_reason sc3_phone_normalize(sc3_slice raw, char out[SC3_PHONE_MAX], size_t *n) {
  sc3_slice s;
  size_t digits = 0;
  if (!sc3_utf8_valid(raw.p, raw.n))
    return SC3_R_PHONE_UTF8;
  s = sc3_text_trim(raw);
  if (sc3_text_placeholder(s))
    return SC3_R_PHONE_PLACEHOLDER;
  if (s.n == 0 || s.p[0] != '+')
    return judge_national(s);
  out[0] = '+';
  s.p++;
  s.n--;
  while (s.n > 0) {
    size_t used = 1;
    if (is_digit(s.p[0])) {
      if (++digits > DIGITS_MAX)
        return SC3_R_PHONE_TOO_LONG;
      out[digits] = s.p[0];
    } else if (s.n >= 3 && memcmp(s.p, "(0)", 3) == 0 && digits > 0) {
      return SC3_R_PHONE_TRUNK_ZERO;
    } else if (is_letter(s.p[0]) || s.p[0] == '#') {
      return SC3_R_PHONE_LETTERS;
    } else {
      used = punctuation(s);
      if (used == 0)
        return SC3_R_PHONE_CHARACTER;
    }
    s.p += used;
    s.n -= used;
  }
  if (digits < DIGITS_MIN)
    return SC3_R_PHONE_TOO_SHORT;
  if (out[1] == '0')
    return SC3_R_PHONE_COUNTRY_CODE;
  *n = digits + 1;
  return SC3_R_NONE;
}
