#include "phone_repair.h"

#include "text.h"

enum { TEXT_MAX = 4 * SC3_DIGITS_MAX, ENOUGH_DIGITS = 7, MEXICO = 52, ITALY = 39 };

static int has(sc3_repairs set, sc3_repair r) {
  return (set >> r & 1) != 0;
}

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* --- repairs of digits -------------------------------------------------------------------------------------------------- */

/* A calling code without its plus: what stands there is a valid mobile of the region's own code, or nothing else makes a number of it. A mobile counts
   before what libphonenumber reads, because that takes the code for a part of the number. */
static sc3_reason put_plus(sc3_reason why, sc3_phone_text *text, int region, sc3_phone_number *number, sc3_repairs *repairs) {
  sc3_phone_text with_plus = *text;
  sc3_phone_number other;
  if (text->plus || region < 0)
    return why;
  with_plus.plus = 1;
  with_plus.steps &= (1u << SC3_PHONE_IDD) - 1; /* what was done to the text, and not to its digits */
  if (sc3_phone_parse(&with_plus, SC3_NO_REGION, &other) != SC3_R_NONE || other.calling_code != sc3_plan_calling_code(region))
    return why;
  if (why == SC3_R_NONE && (!sc3_plan_mobile(other.calling_code, sc3_slice_of(other.national, other.n)) ||
                            (other.n == number->n && memcmp(other.national, number->national, other.n) == 0)))
    return why;
  *text = with_plus;
  *number = other;
  *repairs |= 1u << SC3_FIX_PHONE_PLUS;
  return SC3_R_NONE;
}

/* Mexican mobiles were dialled with a 1 behind +52, and with 01, 044 or 045 at home, until 2019. */
static sc3_reason take_old_mexican(sc3_reason why, sc3_phone_number *number, sc3_repairs *repairs) {
  static const char *const prefixes[] = {"1", "01", "044", "045", NULL};
  const char *const *prefix;
  if (why == SC3_R_NONE || number->calling_code != MEXICO)
    return why;
  for (prefix = prefixes; *prefix != NULL; prefix++) {
    size_t n = strlen(*prefix);
    if (number->n != n + 10 || memcmp(number->national, *prefix, n) != 0 || !sc3_plan_valid(MEXICO, sc3_slice_of(number->national + n, 10)))
      continue;
    memmove(number->national, number->national + n, 10);
    number->n = 10;
    *repairs |= 1u << SC3_FIX_PHONE_MEXICO;
    return SC3_R_NONE;
  }
  return why;
}

static sc3_reason attempt(sc3_slice raw, int region, sc3_repairs allowed, sc3_phone_text *text, sc3_phone_number *number, sc3_repairs *repairs) {
  sc3_reason why;
  number->calling_code = 0;
  number->n = 0;
  why = sc3_phone_read(raw, text);
  if (why != SC3_R_NONE)
    return why;
  why = sc3_phone_parse(text, region, number);
  if (has(allowed, SC3_FIX_PHONE_PLUS))
    why = put_plus(why, text, region, number, repairs);
  return has(allowed, SC3_FIX_PHONE_MEXICO) ? take_old_mexican(why, number, repairs) : why;
}

/* --- repairs of texts --------------------------------------------------------------------------------------------------- */

/* 441632960123.0: digits, one point, zeros. A number with more points is one that is written with points. */
static sc3_slice cut_decimal(sc3_slice raw, sc3_repairs *repairs) {
  sc3_slice s = sc3_text_trim(raw);
  size_t i = s.n > 0 && s.p[0] == '+', start = i, point;
  while (i < s.n && is_digit(s.p[i]))
    i++;
  point = i;
  if (i - start < ENOUGH_DIGITS || i + 1 >= s.n || s.p[i] != '.')
    return raw;
  for (i++; i < s.n; i++) {
    if (s.p[i] != '0')
      return raw;
  }
  *repairs |= 1u << SC3_FIX_PHONE_DECIMAL;
  return sc3_slice_of(s.p, point);
}

/* "030 2312 5123 office": the words behind a number of enough digits. */
static size_t cut_words(const char *p, size_t n) {
  size_t i, digits = 0;
  for (i = 0; i < n; i++) {
    char c = (char)(p[i] | 0x20);
    if (is_digit(p[i]))
      digits++;
    else if (c >= 'a' && c <= 'z' && digits >= ENOUGH_DIGITS)
      return i;
  }
  return n;
}

/* Without the "(0)" that is not dialled from abroad. */
static size_t cut_trunk_zero(char *p, size_t n) {
  size_t i;
  for (i = 0; i + 3 <= n; i++) {
    if (memcmp(p + i, "(0)", 3) == 0) {
      memmove(p + i, p + i + 3, n - i - 3);
      return n - 3;
    }
  }
  return n;
}

/* 00 for +, where the region dials something else abroad. */
static size_t put_plus_for_zeros(char *p, size_t n) {
  size_t i;
  for (i = 0; i < n && !is_digit(p[i]); i++) {
    if (p[i] == '+')
      return n;
  }
  if (i + 2 > n || memcmp(p + i, "00", 2) != 0)
    return n;
  p[i] = '+';
  memmove(p + i + 1, p + i + 2, n - i - 2);
  return n - 1;
}

/* Changes a text by each of the `edits`; 0 when one of them finds nothing to change. */
static int edit(char *p, size_t *n, sc3_repairs edits) {
  size_t before;
  if (has(edits, SC3_FIX_PHONE_WORDS)) {
    before = *n;
    *n = cut_words(p, *n);
    if (*n == before)
      return 0;
  }
  if (has(edits, SC3_FIX_PHONE_TRUNK_ZERO)) {
    before = *n;
    *n = cut_trunk_zero(p, *n);
    if (*n == before)
      return 0;
  }
  if (has(edits, SC3_FIX_PHONE_DOUBLE_ZERO)) {
    before = *n;
    *n = put_plus_for_zeros(p, *n);
    if (*n == before)
      return 0;
  }
  return 1;
}

sc3_reason sc3_phone_repair(sc3_slice raw, int region, sc3_repairs allowed, sc3_phone_text *text, sc3_phone_number *number, sc3_repairs *repairs) {
  enum { WORDS = 1u << SC3_FIX_PHONE_WORDS, ZERO = 1u << SC3_FIX_PHONE_TRUNK_ZERO, ZEROS = 1u << SC3_FIX_PHONE_DOUBLE_ZERO };
  /* The fewest edits first: what is not needed is not done. */
  static const sc3_repairs orders[] = {WORDS, ZERO, ZEROS, WORDS | ZERO, WORDS | ZEROS, ZERO | ZEROS, WORDS | ZERO | ZEROS};
  sc3_repairs base = 0, first = 0;
  sc3_reason why;
  size_t i;
  if (has(allowed, SC3_FIX_PHONE_DECIMAL))
    raw = cut_decimal(raw, &base);
  why = attempt(raw, region, allowed, text, number, &first);
  for (i = 0; i < sizeof orders / sizeof orders[0] && raw.n <= TEXT_MAX; i++) {
    char changed[TEXT_MAX];
    size_t n = raw.n;
    sc3_phone_text other_text;
    sc3_phone_number other;
    sc3_repairs more = orders[i];
    if (why == SC3_R_NONE && !(orders[i] == ZERO && number->calling_code == ITALY))
      continue;
    if ((orders[i] & ~allowed) != 0)
      continue;
    memcpy(changed, raw.p, raw.n);
    if (!edit(changed, &n, orders[i]) || attempt(sc3_slice_of(changed, n), region, allowed, &other_text, &other, &more) != SC3_R_NONE)
      continue;
    /* An Italian mobile behind "(0)" is valid with the zero too, as a landline that it is not. */
    if (why == SC3_R_NONE && !sc3_plan_mobile(ITALY, sc3_slice_of(other.national, other.n)))
      continue;
    *text = other_text;
    *number = other;
    *repairs |= base | more;
    return SC3_R_NONE;
  }
  if (why == SC3_R_NONE)
    *repairs |= base | first;
  return why;
}
