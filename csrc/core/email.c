#include "email.h"

#include "text.h"
#include "utf8.h"

/* What an address may hold besides letters, digits and bytes outside ASCII: RFC 5322 section 3.2.3 before the @, names of hosts behind it. */
static int allowed(char c, int in_domain) {
  if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || ((unsigned char)c & 0x80) != 0)
    return 1;
  return strchr(in_domain ? "-_." : "!#$%&'*+-/=?^_`{|}~.", c) != NULL;
}

static sc3_reason check_domain(const char *p, size_t n) {
  size_t i, label = 0;
  int dots = 0;
  for (i = 0; i < n; i++) {
    if (p[i] != '.') {
      label++;
      continue;
    }
    if (label == 0)
      return SC3_R_EMAIL_DOMAIN;
    label = 0;
    dots++;
  }
  return dots > 0 && label > 0 ? SC3_R_NONE : SC3_R_EMAIL_DOMAIN;
}

sc3_reason sc3_email_normalize(sc3_slice raw, char out[SC3_EMAIL_MAX], size_t *n) {
  sc3_slice s;
  size_t i, at = 0;
  int ats = 0, wide = 0;
  if (!sc3_utf8_valid(raw.p, raw.n))
    return SC3_R_EMAIL_UTF8;
  s = sc3_text_trim(raw);
  if (sc3_text_placeholder(s))
    return SC3_R_EMAIL_PLACEHOLDER;
  if (s.n > SC3_EMAIL_MAX)
    return SC3_R_EMAIL_TOO_LONG;
  for (i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (c <= 0x20 || c == 0x7f)
      return SC3_R_EMAIL_SPACE;
    if (c >= 0x80) {
      wide = 1;
    } else if (c == '@') {
      if (ats++ == 0)
        at = i;
    } else if (c >= 'A' && c <= 'Z') {
      c = (unsigned char)(c + ('a' - 'A'));
    }
    out[i] = (char)c;
  }
  if (ats == 0)
    return SC3_R_EMAIL_NO_AT;
  if (ats > 1)
    return SC3_R_EMAIL_TWO_ATS;
  if (at == 0 || at + 1 == s.n)
    return SC3_R_EMAIL_EMPTY_SIDE;
  for (i = 0; i < s.n; i++) {
    if (i != at && !allowed(out[i], i > at))
      return SC3_R_EMAIL_CHARACTER;
  }
  if (wide)
    return SC3_R_EMAIL_NON_ASCII;
  *n = s.n;
  return check_domain(out + at + 1, s.n - at - 1);
}
