#include "amount.h"

#include <stdint.h>

#include "ascii.h"
#include "utf8.h"

enum { LONGEST = 64 }; /* of a number in plain digits */

/* ISO 4217, in order. */
static const char CODES[] =
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN "
    "BZD CAD CDF CHF "
    "CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF "
    "GTQ GYD HKD HNL "
    "HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP "
    "LKR LRD LSL LYD "
    "MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN "
    "PGK PHP PKR PLN "
    "PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS "
    "TMT TND TOP TRY "
    "TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ";

/* What else stands for a currency, in the case that it is written in; each with its NUL, and the
 * last is empty. */
static const char WORDS[] = "Euro\0"
                            "euro\0"
                            "Euros\0"
                            "euros\0"
                            "Eur\0"
                            "eur\0"
                            "usd\0"
                            "gbp\0"
                            "chf\0"
                            "kr.\0"
                            "kr\0"
                            "Kr.\0"
                            "Kr\0"
                            "z\xc5\x82\0"
                            "K\xc4\x8d\0"
                            "Ft\0"
                            "Fr.\0"
                            "Fr\0"
                            "SFr.\0"
                            "lei\0"
                            "\xd0\xbb\xd0\xb2.\0"
                            "\xd0\xbb\xd0\xb2\0"
                            "\xd1\x80\xd1\x83\xd0\xb1.\0"
                            "\xd1\x80\xd1\x83\xd0\xb1\0"
                            "Rs.\0"
                            "Rs\0"
                            "RM\0"
                            "TL\0"
                            "\xe5\x85\x83\0"
                            "\xe5\x86\x86\0";

/* Symbols of currencies (General_Category Sc), and the per cent sign. */
static int is_sign(uint32_t c) {
  static const uint32_t others[] = {'$',    '%',    0x58f,  0x60b,  0x9f2,  0x9f3,  0x9fb,
                                    0xaf1,  0xbf9,  0xe3f,  0x17db, 0xa838, 0xfdfc, 0xfe69,
                                    0xff04, 0xff05, 0xffe0, 0xffe1, 0xffe5, 0xffe6};
  size_t i;
  for (i = 0; i < sizeof others / sizeof others[0]; i++) {
    if (c == others[i])
      return 1;
  }
  return (c >= 0xa2 && c <= 0xa5) || (c >= 0x20a0 && c <= 0x20cf);
}

static int is_minus(uint32_t c) {
  return c == '-' || c == 0x2212 || c == 0x2012 || c == 0x2013;
}

static int is_space(uint32_t c) {
  return c == ' ' || c == 0xa0 || c == 0x2007 || c == 0x2009 || c == 0x202f;
}

static uint32_t first(sc3_slice s, size_t *used) {
  uint32_t c;
  *used = sc3_utf8_decode(s.p, s.n, &c);
  return *used > 0 ? c : 0;
}

static uint32_t last(sc3_slice s, size_t *used) {
  uint32_t c;
  size_t back = 1;
  while (back < s.n && back < 4 && ((unsigned char)s.p[s.n - back] & 0xc0) == 0x80)
    back++;
  *used = s.n > 0 && sc3_utf8_decode(s.p + s.n - back, back, &c) == back ? back : 0;
  return *used > 0 ? c : 0;
}

static int is_code(const char *p) {
  size_t i;
  for (i = 0; i + 4 < sizeof CODES; i += 4) {
    if (memcmp(CODES + i, p, 3) == 0)
      return 1;
  }
  return 0;
}

/* Bytes of the currency or the per cent sign at the head of `s`, or at its end. */
static size_t sign_length(sc3_slice s, int at_end) {
  size_t used, n = 0;
  const char *word;
  uint32_t c = at_end ? last(s, &used) : first(s, &used);
  if (sc3_ascii_is_digit((int)c)) /* as most amounts begin and end */
    return 0;
  if (is_sign(c)) {
    if (!at_end || c != '$')
      return used;
    while (n < 3 && n + 1 < s.n && sc3_ascii_is_upper(s.p[s.n - 2 - n])) /* 5 US$ */
      n++;
    return n + 1;
  }
  while (!at_end && n < 3 && n < s.n && sc3_ascii_is_upper(s.p[n])) /* US$ 5 */
    n++;
  if (n > 0 && n < s.n && s.p[n] == '$')
    return n + 1;
  for (word = WORDS; (n = strlen(word)) > 0; word += n + 1) {
    if (n < s.n && memcmp(at_end ? s.p + s.n - n : s.p, word, n) == 0)
      return n;
  }
  return s.n > 3 && is_code(at_end ? s.p + s.n - 3 : s.p) ? 3 : 0;
}

static sc3_slice without_end(sc3_slice s, size_t n) {
  return sc3_slice_of(s.p, s.n - n);
}

static sc3_slice skip_spaces(sc3_slice s) {
  size_t used;
  while (is_space(first(s, &used)))
    s = sc3_slice_from(s, used);
  while (is_space(last(s, &used)))
    s = without_end(s, used);
  return s;
}

/* Takes signs and currencies off both ends, one of each: 0 where there are more. */
static int unwrap(sc3_slice *s, int *negative) {
  int signs = 0, currencies = 0;
  size_t used;
  if (s->n > 2 && s->p[0] == '(' &&
      s->p[s->n - 1] == ')') { /* as accountants write what is negative */
    *s = sc3_slice_of(s->p + 1, s->n - 2);
    *negative = signs = 1;
  }
  for (;;) {
    uint32_t c;
    *s = skip_spaces(*s);
    c = first(*s, &used);
    if (is_minus(c) || c == '+') {
      *negative |= c != '+';
      *s = sc3_slice_from(*s, used);
      signs++;
    } else if ((used = sign_length(*s, 0)) > 0) {
      *s = sc3_slice_from(*s, used);
      currencies++;
      /* 12- */
    } else if (is_minus(last(*s, &used)) && s->n > used &&
               sc3_ascii_is_digit(s->p[s->n - used - 1])) {
      *s = without_end(*s, used);
      *negative = 1;
      signs++;
    } else if ((used = sign_length(*s, 1)) > 0) {
      *s = without_end(*s, used);
      currencies++;
    } else {
      return signs <= 1 && currencies <= 1;
    }
  }
}

/* The character that parts thousands at the head of `s`, 0 for none. */
static uint32_t separator(sc3_slice s, char decimal, size_t *used) {
  uint32_t c = first(s, used);
  return c == (decimal == ',' ? '.' : ',') || c == '\'' || c == 0x2019 || is_space(c) ? c : 0;
}

static size_t digits_at(sc3_slice s) {
  size_t n = 0;
  while (n < s.n && sc3_ascii_is_digit(s.p[n]))
    n++;
  return n;
}

/* An amount as it is made plain. */
typedef struct plain {
  char text[LONGEST];
  size_t n;
} plain;

static int put(plain *out, const char *p, size_t more) {
  if (more > LONGEST - out->n)
    return 0;
  memcpy(out->text + out->n, p, more);
  out->n += more;
  return 1;
}

/* The whole part of an amount, as it is read. */
typedef struct whole {
  size_t group;    /* digits of the last group */
  uint32_t parted; /* the separator between groups, 0 = none */
} whole;

/* Reads the whole part. 0 where its digits are not parted as thousands are. */
static int read_whole(sc3_slice *s, char decimal, plain *out, whole *w) {
  int lakhs = 0; /* 12,34,567 in India */
  w->parted = 0;
  w->group = digits_at(*s);
  if (!put(out, s->p, w->group))
    return 0;
  *s = sc3_slice_from(*s, w->group);
  while (s->n > 0) {
    size_t used, group;
    const uint32_t c = separator(*s, decimal, &used);
    if (c == 0)
      break;
    /* One separator throughout. The first group has one to three digits, and is no lone zero: 0.500
     * is no half thousand. */
    if (w->parted != 0 ? c != w->parted
                       : w->group == 0 || w->group > 3 || out->text[out->n - w->group] == '0')
      return 0;
    if (lakhs && w->group == 3)
      return 0;
    group = digits_at(sc3_slice_from(*s, used));
    if (group != 3 && !(group == 2 && c == ',' && (w->parted == 0 || lakhs)))
      return 0;
    lakhs |= group == 2;
    if (!put(out, s->p + used, group))
      return 0;
    w->group = group;
    w->parted = c;
    *s = sc3_slice_from(*s, used + group);
  }
  return !lakhs || w->group == 3;
}

/* Reads what follows a decimal mark. */
static int read_fraction(sc3_slice *s, const whole *w, plain *out) {
  size_t used, group;
  const uint32_t c = first(*s, &used);
  if (is_minus(c) || c == 0x2014) { /* 12,- and 12,-- are prices without cents */
    *s = sc3_slice_from(*s, used);
    if (s->n == 1 && s->p[0] == '-')
      s->n = 0;
    return s->n == 0 && w->group > 0;
  }
  group = digits_at(*s);
  if (!put(out, ".", 1) || !put(out, s->p, group))
    return 0;
  *s = sc3_slice_from(*s, group);
  return 1;
}

int sc3_amount_read(sc3_slice s, char decimal, sc3_number *number) {
  plain out;
  whole w;
  int negative = 0;
  out.n = 0;
  /* Most are plain. Where a comma is the decimal mark, a point may part thousands. */
  if ((decimal == '.' || memchr(s.p, '.', s.n) == NULL) && sc3_number_read(s, number))
    return 1;
  if (!unwrap(&s, &negative))
    return 0;
  if (negative)
    out.text[out.n++] = '-';
  if (!read_whole(&s, decimal, &out, &w))
    return 0;
  if (s.n > 0 && s.p[0] == decimal) {
    s = sc3_slice_from(s, 1);
    if (!read_fraction(&s, &w, &out))
      return 0;
  }
  if (s.n > 0 && w.parted == 0 && (s.p[0] == 'e' || s.p[0] == 'E')) {
    if (!put(&out, s.p, s.n))
      return 0;
    s.n = 0;
  }
  return s.n == 0 && sc3_number_read(sc3_slice_of(out.text, out.n), number);
}

sc3_notation sc3_amount_find_notation(sc3_slice text) {
  sc3_number ignored;
  int comma = memchr(text.p, ',', text.n) != NULL;
  if (sc3_amount_read(text, ',', &ignored))
    return comma ? SC3_NOTATION_COMMA : SC3_NOTATION_SYMBOLS;
  if (sc3_amount_read(text, '.', &ignored))
    return comma ? SC3_NOTATION_COMMA : SC3_NOTATION_SYMBOLS;
  return SC3_NOTATION_NONE;
}
