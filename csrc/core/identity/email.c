#include "email.h"

#include "../bytes/ascii.h"
#include "lowercase.h"
#include "placeholder.h"
#include "../bytes/text.h"
#include "../bytes/utf8.h"

/* What an address may hold besides letters, digits and characters outside ASCII: RFC 5322
   section 3.2.3 before the @, names of hosts after it. */
static int allowed(char c, int in_domain) {
  enum { LOCAL = 1, BOTH = 2 };
  static const unsigned char marks[128] = {
      ['!'] = LOCAL,  ['#'] = LOCAL, ['$'] = LOCAL, ['%'] = LOCAL, ['&'] = LOCAL,
      ['\''] = LOCAL, ['*'] = LOCAL, ['+'] = LOCAL, ['/'] = LOCAL, ['='] = LOCAL,
      ['?'] = LOCAL,  ['^'] = LOCAL, ['`'] = LOCAL, ['{'] = LOCAL, ['|'] = LOCAL,
      ['}'] = LOCAL,  ['~'] = LOCAL, ['-'] = BOTH,  ['_'] = BOTH,  ['.'] = BOTH,
  };
  if (sc3_ascii_is_alphanumeric(c) || ((unsigned char)c & 0x80) != 0)
    return 1;
  return marks[(unsigned char)c] > (in_domain ? LOCAL : 0);
}

/* Labels with a dot between, none empty or with a hyphen at an end, and the last not a number and
   not of a private network. */
static sc3_reason check_domain(const char *p, size_t n) {
  size_t i, label = 0;
  int dots = 0, digits_only = 1;
  for (i = 0; i < n; i++) {
    if (p[i] == '-' && (label == 0 || i + 1 == n || p[i + 1] == '.'))
      return SC3_R_EMAIL_DOMAIN;
    if (p[i] != '.') {
      label++;
      digits_only &= sc3_ascii_is_digit(p[i]);
      continue;
    }
    if (label == 0)
      return SC3_R_EMAIL_DOMAIN;
    label = 0;
    digits_only = 1;
    dots++;
  }
  if (dots == 0 || label == 0 || digits_only)
    return SC3_R_EMAIL_DOMAIN;
  return sc3_email_is_private(sc3_slice_of(p + n - label, label)) ? SC3_R_EMAIL_NOWHERE
                                                                  : SC3_R_NONE;
}

/* Marks that RFC 5322 allows, and that stand at an end of the part before the @ only because a
   spreadsheet, a query or Markdown left them there. */
static int is_mark(char c) {
  return c == '\'' || c == '`' || c == '=' || c == '*';
}

static int is_bracket(char c) {
  return c == '{' || c == '|' || c == '}' || c == '~';
}

/* An @ as links, pages and people write it who hide one. */
static int has_escaped_at(sc3_slice s) {
  for (; s.n > 0; s = sc3_slice_from(s, 1)) {
    if (sc3_ascii_begins(s, "%40") || sc3_ascii_begins(s, "&#64;") || sc3_ascii_begins(s, "(at)") ||
        sc3_ascii_begins(s, "[at]"))
      return 1;
  }
  return 0;
}

/* Why a text without exactly one @ is no address. */
static sc3_reason judge_ats(sc3_slice s, size_t ats) {
  const char *p = s.p, *end = s.p + s.n;
  if (ats == 0)
    return has_escaped_at(s) ? SC3_R_EMAIL_ESCAPED : SC3_R_EMAIL_NO_AT;
  while (p < end) { /* what people put between two addresses */
    uint32_t cp;
    size_t used = sc3_utf8_decode(p, (size_t)(end - p), &cp);
    if (cp == ';' || cp == ',' || cp == '/' || cp == '|' ||
        sc3_text_trim(sc3_slice_of(p, used)).n == 0)
      return SC3_R_EMAIL_SEVERAL;
    p += used;
  }
  return SC3_R_EMAIL_TWO_ATS;
}

/* %2B and its like: in a mailto: they stand for other characters (RFC 6068 section 2), and the
 * address is not what it looks like. */
static int has_percent_codes(sc3_slice s) {
  size_t i;
  for (i = 0; i + 2 < s.n; i++) {
    if (s.p[i] == '%' && sc3_ascii_is_hex(s.p[i + 1]) && sc3_ascii_is_hex(s.p[i + 2]))
      return 1;
  }
  return 0;
}

static int is_shown_ascii(char c) {
  return (unsigned char)c > 0x20 && (unsigned char)c < 0x7f;
}

/* White space, control and invisible characters inside, what lost ones left, and punctuation
   that the domain, from `at` on, cannot hold, nor the part before it begin or end with. */
static sc3_reason check_characters(sc3_slice s, size_t at) {
  const char *p = s.p, *end = s.p + s.n;
  while (p < end) {
    uint32_t cp;
    size_t used;
    if (is_shown_ascii(*p)) {
      p++;
      continue;
    }
    used = sc3_utf8_decode(p, (size_t)(end - p), &cp);
    if (cp == 0x20 || sc3_text_is_control(cp))
      return SC3_R_EMAIL_SPACE;
    if (sc3_text_trim(sc3_slice_of(p, used)).n == 0)
      return SC3_R_EMAIL_SPACE;
    if (sc3_text_is_invisible(cp))
      return SC3_R_EMAIL_INVISIBLE;
    if (cp == 0xfffd)
      return SC3_R_EMAIL_LOST;
    if (p == s.p && cp == 0xb7)
      return SC3_R_EMAIL_CHARACTER; /* a bullet; inside it is a letter of Catalan */
    if (((size_t)(p - s.p) > at || p == s.p || (size_t)(p - s.p) + used == at) &&
        sc3_text_is_punctuation(cp))
      return SC3_R_EMAIL_CHARACTER;
    p += used;
  }
  return SC3_R_NONE;
}

/* Lowercases to `out`: ASCII byte by byte, and the full mapping where there is anything else. */
static int lowercase(sc3_slice s, char out[SC3_EMAIL_MAX], size_t *n) {
  size_t i;
  for (i = 0; i < s.n && i < SC3_EMAIL_MAX; i++) {
    char c = s.p[i];
    if ((unsigned char)c & 0x80)
      return sc3_lowercase(s, out, SC3_EMAIL_MAX, n);
    out[i] = sc3_ascii_to_lower(c);
  }
  *n = i;
  return i == s.n ? 0 : -1;
}

int sc3_email_is_private(sc3_slice label) {
  static const char *const names[] = {"invalid", "localhost", "local", "internal", NULL};
  const char *const *name;
  for (name = names; *name != NULL; name++) {
    if (strlen(*name) == label.n && sc3_ascii_begins(label, *name))
      return 1;
  }
  return 0;
}

static sc3_reason read_one(sc3_slice s, int repair, int alone, sc3_email *email);

static sc3_reason read_part(void *what, sc3_slice address) {
  sc3_email *part = what;
  part->repairs = 0;
  if (address.n == 0 || sc3_is_placeholder(address))
    return SC3_R_EMAIL_PLACEHOLDER;
  return read_one(address, 1, 0, part);
}

/* Takes an address that was found among others. */
static void take_part(sc3_email *email, const sc3_email *part) {
  memcpy(email->text, part->text, part->n);
  email->n = part->n;
  email->repairs |= part->repairs | 1u << SC3_REPAIR_EMAIL_FIRST;
}

/* Of several addresses the first that can be used. */
static sc3_reason read_list(sc3_slice s, sc3_email *email) {
  sc3_email part;
  sc3_reason why = sc3_email_list(s, read_part, &part);
  if (why == SC3_R_NONE)
    take_part(email, &part);
  return why;
}

/* The one address that has no other address among the parts of its text. */
static sc3_reason read_only(sc3_slice s, sc3_email *email) {
  const sc3_slice only = sc3_email_only(s);
  sc3_email part;
  sc3_reason why = SC3_R_EMAIL_SEVERAL;
  part.repairs = 0;
  if (only.n > 0)
    why = read_one(only, 1, 0, &part);
  if (why == SC3_R_NONE)
    take_part(email, &part);
  return why;
}

/* Why a text with one @, which is at `at`, is no address. */
static sc3_reason check_one(sc3_slice s, size_t at, int escaped) {
  sc3_reason why = check_characters(s, at);
  size_t i;
  if (why != SC3_R_NONE)
    return why;
  if (escaped)
    return SC3_R_EMAIL_ESCAPED;
  if (at == 0 || at + 1 == s.n)
    return SC3_R_EMAIL_EMPTY_SIDE;
  for (i = 0; i < s.n; i++) {
    if (i != at && !allowed(s.p[i], i > at))
      return SC3_R_EMAIL_CHARACTER;
  }
  if (is_mark(s.p[0]) || is_bracket(s.p[0]) || is_mark(s.p[at - 1]))
    return SC3_R_EMAIL_CHARACTER;
  return check_domain(s.p + at + 1, s.n - at - 1);
}

/* Reads a text that is trimmed and valid UTF-8; `alone` where it may be a list. */
static sc3_reason read_one(sc3_slice s, int repair, int alone, sc3_email *email) {
  sc3_repairs repaired = 0;
  sc3_reason why;
  size_t i, at = 0, ats = 0;
  int escaped;
  if (repair) {
    s = sc3_email_unwrap(s, &repaired);
    email->repairs |= repaired;
    if (repaired != 0 && sc3_email_normalize_plain(s, email->text, &email->n))
      return SC3_R_NONE;
    if (s.n == 0 || sc3_is_placeholder(s))
      return SC3_R_EMAIL_PLACEHOLDER;
  }
  for (i = 0; i < s.n; i++) {
    if (s.p[i] == '@' && ats++ == 0)
      at = i;
  }
  escaped = (repaired >> SC3_REPAIR_EMAIL_MAILTO & 1) != 0 && has_percent_codes(s);
  why = ats == 1 ? check_one(s, at, escaped) : judge_ats(s, ats);
  if (why != SC3_R_NONE && ats > 0 && repair && alone && !escaped &&
      (ats == 1 ? read_only(s, email) : read_list(s, email)) == SC3_R_NONE)
    return SC3_R_NONE;
  if (why != SC3_R_NONE)
    return why;
  return lowercase(s, email->text, &email->n) == 0 ? SC3_R_NONE : SC3_R_EMAIL_TOO_LONG;
}

sc3_reason sc3_email_normalize(sc3_slice raw, int repair, sc3_email *email) {
  sc3_slice s;
  email->repairs = 0;
  if (sc3_email_normalize_plain(raw, email->text, &email->n))
    return SC3_R_NONE;
  if (!sc3_utf8_valid(raw.p, raw.n))
    return SC3_R_EMAIL_UTF8;
  s = sc3_text_trim(raw);
  return sc3_is_placeholder(s) ? SC3_R_EMAIL_PLACEHOLDER : read_one(s, repair, 1, email);
}
