#include "pii.h"

#include "../bytes/ascii.h"
#include "digit.h"
#include "phone.h"
#include "region.h"
#include "../bytes/text.h"
#include "../bytes/utf8.h"

static int is_wide(char c) {
  return ((unsigned char)c & 0x80) != 0;
}

/* The length of what begins at `s`, when it is one of the texts. */
static size_t one_of(sc3_slice s, const char *const *texts) {
  for (; *texts != NULL; texts++) {
    if (sc3_ascii_begins(s, *texts))
      return strlen(*texts);
  }
  return 0;
}

/* --- emails --- */

static size_t at_sign(sc3_slice s) {
  static const char *const escaped[] = {
      "%40",  "%2540", "=40",  "&#64;", "&#x40;", "&commat;", "\\u0040",
      "(at)", "[at]",  "{at}", "<at>",  "＠",     "﹫",       NULL,
  };
  if (s.p[0] == '@')
    return 1;
  return is_wide(s.p[0]) || strchr("%=&\\([{<", s.p[0]) != NULL ? one_of(s, escaped) : 0;
}

static size_t dot(sc3_slice s) {
  static const char *const dots[] = {".",     "．",      "。",      "｡",  "%2e", "(dot)",
                                     "[dot]", " (dot) ", " [dot] ", " .", NULL};
  size_t i = 1;
  if (s.n == 0 || s.p[0] != ',')
    return s.n > 0 ? one_of(s, dots) : 0;
  while (i < s.n &&
         sc3_ascii_is_letter(s.p[i])) /* x,org: mistyped, where a top-level domain ends the text */
    i++;
  return i == s.n && i > 2;
}

/* Whether `s` begins with a host's name: a label, and after a dot another that begins with a
   letter, as a top-level domain does. Where it does not, none begins before `*stop` either. */
static int begins_with_host(sc3_slice s, const char **stop) {
  size_t label = 0, labels = 0, letters = 0;
  for (*stop = s.p; s.n > 0; *stop = s.p) {
    size_t n = dot(s);
    if (n > 0) {
      if (label == 0 && labels == 0)
        return 0;
      labels += label > 0; /* x..org is mistyped */
      label = letters = 0;
    } else if (sc3_ascii_is_letter(s.p[0]) || sc3_ascii_is_digit(s.p[0]) || is_wide(s.p[0]) ||
               s.p[0] == '-') {
      letters += letters == label && (sc3_ascii_is_letter(s.p[0]) || is_wide(s.p[0]));
      label++;
      if (labels > 0 && letters > 0)
        return 1;
      n = 1;
    } else {
      return 0;
    }
    s = sc3_slice_of(s.p + n, s.n - n);
  }
  return 0;
}

static int holds_email(sc3_slice s) {
  const char *barren = s.p; /* no host begins before it */
  size_t i;
  for (i = 1; i < s.n; i++) {
    size_t n = at_sign(sc3_slice_of(s.p + i, s.n - i)), before = i, behind;
    if (n == 0)
      continue;
    while (before > 0 && s.p[before - 1] == ' ')
      before--;
    if (before == 0 ||
        strchr("/:,;@", s.p[before - 1]) != NULL) /* of a run of signs only the first goes on */
      continue;
    for (behind = i + n; behind < s.n && (s.p[behind] == ' ' || s.p[behind] == '@'); behind++)
      continue;
    if (s.p + behind >= barren &&
        begins_with_host(sc3_slice_of(s.p + behind, s.n - behind), &barren))
      return 1;
  }
  return 0;
}

/* --- phones --- */

enum { LOOKED_AT = 128, LEAST = 7, MOST = 17 }; /* characters, and digits of a number */

/* `s` in ASCII, as far as phones go: digits and punctuation of every script as those of ASCII, what
   shows nothing left out, and anything else a letter. */
static sc3_slice in_ascii(sc3_slice s, char out[LOOKED_AT]) {
  size_t n = 0;
  while (s.n > 0 && n < LOOKED_AT) {
    uint32_t c;
    size_t used = sc3_utf8_decode(s.p, s.n, &c);
    int digit = c < 0x80 ? -1 : sc3_digit_value(c);
    if (used == 0)
      break;
    if (c < 0x80)
      out[n++] = s.p[0];
    else if (digit >= 0)
      out[n++] = (char)('0' + digit);
    else if (c == 0xff0b || c == 0xfe62)
      out[n++] = '+';
    else if (c >= 0xff08 && c <= 0xff0f)
      out[n++] = (char)(c - 0xff08 + '(');
    else if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x30fc)
      out[n++] = '-';
    else if (sc3_text_trim(sc3_slice_of(s.p, used)).n == 0)
      out[n++] = ' ';
    else if (!sc3_text_is_invisible(c))
      out[n++] = 'x';
    s = sc3_slice_of(s.p + used, s.n - used);
  }
  return sc3_slice_of(out, n);
}

static int in_phones(char c) {
  return sc3_ascii_is_digit(c) || c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' ||
         c == '/';
}

/* How a text is laid out. */
typedef struct layout {
  size_t digits, gaps, groups; /* gaps: characters between digits; groups: of digits */
  int spaces_only;             /* as gaps */
} layout;

static layout measure(sc3_slice s) {
  layout l = {0, 0, 0, 1};
  size_t i;
  for (i = 0; i < s.n; i++) {
    l.digits += (size_t)sc3_ascii_is_digit(s.p[i]);
    l.gaps += (size_t)!sc3_ascii_is_digit(s.p[i]);
    l.groups += (size_t)(sc3_ascii_is_digit(s.p[i]) && (i == 0 || !sc3_ascii_is_digit(s.p[i - 1])));
    l.spaces_only &= sc3_ascii_is_digit(s.p[i]) || s.p[i] == ' ';
  }
  return l;
}

static int is_valid(sc3_slice s, int region) {
  sc3_phone phone;
  return sc3_phone_normalize(s, region, 0, &phone) == SC3_R_NONE;
}

/* As much of `s`, after its first character, as may be a phone. */
static sc3_slice phone_of(sc3_slice s) {
  size_t n = 1;
  while (n < s.n && in_phones(s.p[n]))
    n++;
  while (n > 1 && !sc3_ascii_is_digit(s.p[n - 1]))
    n--;
  return sc3_slice_of(s.p, n);
}

static int in_base64(char c) {
  return sc3_ascii_is_letter(c) || sc3_ascii_is_digit(c) || c == '/' || c == '+';
}

/* A plus and a number after it: at the start, or after what no base64 has before a plus. Alone,
   it need not be a valid number: half a phone is enough. */
static int holds_international(sc3_slice s) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    sc3_slice number;
    layout l;
    if (s.p[i] != '+' || (i > 0 && in_base64(s.p[i - 1]) && !(i == 1 && s.p[0] == '+')))
      continue;
    number = phone_of(sc3_slice_of(s.p + i, s.n - i));
    l = measure(sc3_slice_of(number.p + 1, number.n - 1));
    if (l.digits < LEAST || l.digits > MOST)
      continue;
    if ((i == 0 || (i == 1 && (s.p[0] == '(' || s.p[0] == '+'))) && i + number.n == s.n)
      return 1;
    if (is_valid(number, SC3_NO_REGION))
      return 1;
  }
  return 0;
}

/* tel:2065550142 */
static int has_scheme(sc3_slice s) {
  static const char *const schemes[] = {
      "tel:", "callto:", "sms:", "smsto:", "whatsapp:", "phone:", "mobile:", "fax:", NULL,
  };
  size_t n = one_of(s, schemes);
  while (n > 0 && n < s.n && strchr(" +(/", s.p[n]) != NULL)
    n++;
  return n > 0 && n < s.n && sc3_ascii_is_digit(s.p[n]) && measure(s).digits >= 5;
}

/* (206) 555-0142: brackets round one to five digits, and digits after them. */
static int has_brackets(sc3_slice s) {
  const char *open = memchr(s.p, '(', s.n);
  const char *close = open != NULL ? memchr(open, ')', (size_t)(s.p + s.n - open)) : NULL;
  size_t inside, behind;
  if (close == NULL)
    return 0;
  inside = measure(sc3_slice_of(open, (size_t)(close - open))).digits;
  behind = measure(sc3_slice_of(close, (size_t)(s.p + s.n - close))).digits;
  return inside >= 1 && inside <= 5 && behind >= 3;
}

/* 206-555-0142, perhaps with a 1 before it: three, three and four digits. */
static int has_american_groups(sc3_slice s) {
  static const char pattern[] = "ddd-ddd-dddd";
  char short_gaps[sizeof pattern + 2];
  size_t i, n = 0;
  for (i = 0; i < s.n; i++) { /* 206 - 555 - 0142 */
    const int gap = strchr("-. /", s.p[i]) != NULL && s.p[i] != '\0';
    if (gap && n > 0 && short_gaps[n - 1] == '-')
      continue;
    if (n == sizeof short_gaps)
      return 0;
    short_gaps[n++] = gap ? '-' : s.p[i];
  }
  s = sc3_slice_of(short_gaps, n);
  if (s.n == sizeof pattern - 1 + 2 && s.p[0] == '1' && !sc3_ascii_is_digit(s.p[1]))
    s = sc3_slice_of(s.p + 2, s.n - 2);
  if (s.n != sizeof pattern - 1)
    return 0;
  for (i = 0; i < s.n; i++) {
    if (pattern[i] == 'd' ? !sc3_ascii_is_digit(s.p[i]) : s.p[i] != '-')
      return 0;
  }
  return is_valid(s, sc3_region_find(sc3_slice_of("US", 2)));
}

/* 0049 171 1234567, 011 49 171 1234567: what is dialled before a number of another country. */
static int has_prefix(sc3_slice s) {
  char number[LOOKED_AT];
  size_t n = sc3_ascii_begins(s, "011") ? 3 : sc3_ascii_begins(s, "00") ? 2 : 0;
  if (n == 0 || s.n >= sizeof number)
    return 0;
  number[0] = '+';
  memcpy(number + 1, s.p + n, s.n - n);
  return is_valid(sc3_slice_of(number, s.n - n + 1), SC3_NO_REGION);
}

/* A number without what is written round it: a label that ends in a colon or a point, and what
   follows its digits from the first letter on, such as an extension. */
static sc3_slice bare_number(sc3_slice s) {
  size_t n = 0, digits = 0;
  while (n < s.n && sc3_ascii_is_letter(s.p[n]))
    n++;
  if (n > 0 && n < s.n && (s.p[n] == ':' || s.p[n] == '.')) {
    while (n < s.n && (s.p[n] == ':' || s.p[n] == '.' || s.p[n] == ' '))
      n++;
    s = sc3_slice_of(s.p + n, s.n - n);
  }
  for (n = 0; n < s.n && in_phones(s.p[n]); n++)
    digits += (size_t)sc3_ascii_is_digit(s.p[n]);
  if (n < s.n && !sc3_ascii_is_letter(s.p[n]) && s.p[n] != '#')
    return s;
  while (n > 0 && digits >= LEAST && !sc3_ascii_is_digit(s.p[n - 1]))
    n--;
  return digits >= LEAST ? sc3_slice_of(s.p, n) : s;
}

sc3_pii sc3_pii_detect(sc3_slice s) {
  char ascii[LOOKED_AT], plus[LOOKED_AT];
  size_t i;
  layout l;
  int wide = 0;
  if (s.n == 0)
    return SC3_PII_NONE;
  for (i = 0; i < s.n; i++)
    wide |= is_wide(s.p[i]);
  if (holds_email(s))
    return SC3_PII_EMAIL;
  if (wide)
    s = in_ascii(s, ascii);
  if (sc3_ascii_begins(s, "%2b") && s.n < sizeof plus) { /* a plus as links write it */
    plus[0] = '+';
    memcpy(plus + 1, s.p + 3, s.n - 3);
    s = sc3_slice_of(plus, s.n - 2);
  }
  if (holds_international(s) || has_scheme(s))
    return SC3_PII_PHONE;
  s = bare_number(s);
  for (i = 0; i < s.n; i++) {
    if (!in_phones(s.p[i]))
      return SC3_PII_NONE;
  }
  l = measure(s);
  if (l.gaps == 0 || l.digits < LEAST || l.digits > MOST)
    return SC3_PII_NONE;
  if (has_brackets(s) || has_american_groups(s) || has_prefix(s))
    return SC3_PII_PHONE;
  return s.p[0] == '0' || (l.spaces_only && l.groups >= 3) ? SC3_PII_NATIONAL : SC3_PII_NONE;
}

int sc3_pii_is_phone_in(sc3_slice s, int region) {
  return region >= 0 && is_valid(s, region);
}

sc3_pii sc3_pii_detect_as(sc3_slice s, sc3_pii meant) {
  const sc3_pii contact = sc3_pii_detect(s);
  size_t i, hex = 0;
  if (meant == SC3_PII_NONE || contact == SC3_PII_EMAIL || contact == SC3_PII_PHONE)
    return contact;
  for (i = 0; i < s.n; i++)
    hex += (size_t)sc3_ascii_is_hex(s.p[i]);
  if (hex == s.n && hex >= 32)
    return contact;
  return meant == SC3_PII_PHONE && measure(s).digits < 5 ? contact : meant;
}

/* The digits of `s` without the zeros before them, the last of them at the end of `out`; how many
 * there are. */
static size_t digits_of(sc3_slice s, char out[LOOKED_AT]) {
  size_t n = 0, i;
  for (i = s.n; i > 0 && n < LOOKED_AT; i--) {
    if (sc3_ascii_is_digit(s.p[i - 1]))
      out[LOOKED_AT - ++n] = s.p[i - 1];
  }
  while (n > 0 && out[LOOKED_AT - n] == '0')
    n--;
  return n;
}

int sc3_pii_is_same_number(sc3_slice id, sc3_slice phone) {
  enum {
    CODE = 4,
    WHOLE = 9
  }; /* digits of a country's code, and of a number that no other happens to end with */
  char a[LOOKED_AT], b[LOOKED_AT];
  size_t i, n, m, both;
  for (i = 0; i < id.n; i++) {
    if (!in_phones(id.p[i]))
      return 0;
  }
  n = digits_of(id, a);
  m = digits_of(phone, b);
  both = n < m ? n : m;
  if (n == m ? n < LEAST : both < WHOLE || n + m - 2 * both > CODE)
    return 0;
  return memcmp(a + LOOKED_AT - both, b + LOOKED_AT - both, both) == 0;
}
