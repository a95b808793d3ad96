#include "phone_repair.h"

#include "../bytes/ascii.h"
#include "../bytes/text.h"

enum { TEXT_MAX = 4 * SC3_DIGITS_MAX, ENOUGH_DIGITS = 7 };
enum { MEXICO = 52, ITALY = 39, BENIN = 229, IVORY_COAST = 225, BRAZIL = 55 };

static int has(sc3_repairs set, sc3_repair r) {
  return (set >> r & 1) != 0;
}

/* --- repairs of digits --- */

/* A calling code without its plus: what stands there is a valid mobile of the region's own code, or
   nothing else makes a number of it. A mobile counts before what libphonenumber reads, because that
   takes the code for a part of the number. */
static sc3_reason put_plus(sc3_reason why, int region, sc3_phone_reading *out) {
  sc3_phone_text with_plus = out->text;
  sc3_phone_number other;
  if (out->text.plus || region < 0)
    return why;
  with_plus.plus = 1;
  with_plus.steps &=
      (1u << SC3_PHONE_IDD) - 1; /* what was done to the text, and not to its digits */
  if (sc3_phone_parse(&with_plus, SC3_NO_REGION, &other) != SC3_R_NONE ||
      other.calling_code != sc3_plan_calling_code(region))
    return why;
  if (why == SC3_R_NONE &&
      (!sc3_plan_is_mobile(other.calling_code, sc3_slice_of(other.national, other.n)) ||
       (other.n == out->number.n && memcmp(other.national, out->number.national, other.n) == 0)))
    return why;
  out->text = with_plus;
  out->number = other;
  out->repairs |= 1u << SC3_REPAIR_PHONE_PLUS;
  return SC3_R_NONE;
}

/* Mexican mobiles were dialled with a 1 after +52, and with 01, 044 or 045 at home, until 2019. */
static sc3_reason take_old_mexican(sc3_reason why, sc3_phone_number *number, sc3_repairs *repairs) {
  static const char *const prefixes[] = {"1", "01", "044", "045", NULL};
  const char *const *prefix;
  if (why == SC3_R_NONE || number->calling_code != MEXICO)
    return why;
  for (prefix = prefixes; *prefix != NULL; prefix++) {
    size_t n = strlen(*prefix);
    if (number->n != n + 10 || memcmp(number->national, *prefix, n) != 0 ||
        !sc3_plan_is_valid(MEXICO, sc3_slice_of(number->national + n, 10)))
      continue;
    memmove(number->national, number->national + n, 10);
    number->n = 10;
    *repairs |= 1u << SC3_REPAIR_PHONE_MEXICO;
    return SC3_R_NONE;
  }
  return why;
}

/* What the Ivory Coast put before its numbers of eight digits on 31 January 2021, by the operator
   that had them: of mobiles the second digit tells it, where the block was in use. Of landlines
   what the plan knows as those of the first operator. NULL where nobody can tell. */
static const char *ivory_coast(const char *national) {
  const char first = national[0], second = national[1];
  if (first == '2' || first == '3')
    return "27";
  if (strchr("0456789", first) == NULL)
    return NULL;
  if (second >= '7')
    return "07";
  if (second >= '4')
    return "05";
  return strchr("0457", first) != NULL && (first != '0' || second != '0') ? "01" : NULL;
}

/* Numbers from before their country made them longer. */
static sc3_reason put_new_digits(sc3_reason why, sc3_repairs allowed, sc3_phone_number *number,
                                 sc3_repairs *repairs) {
  const char *digits = NULL;
  char longer[SC3_NSN_MAX + 2];
  size_t at = 0, n;
  sc3_repair repair = SC3_REPAIR_PHONE_BENIN;
  if (why == SC3_R_NONE || number->n < 8)
    return why;
  if (number->calling_code == BENIN && number->n == 8) { /* since 30 November 2024 */
    digits = "01";
  } else if (number->calling_code == IVORY_COAST && number->n == 8) {
    repair = SC3_REPAIR_PHONE_IVORY_COAST;
    digits = ivory_coast(number->national);
  } else if (number->calling_code == BRAZIL && number->n == 10 && number->national[2] >= '6') {
    /* of mobiles, after the area, by the end of 2016 */
    repair = SC3_REPAIR_PHONE_BRAZIL;
    digits = "9";
    at = 2;
  }
  if (digits == NULL || !has(allowed, repair))
    return why;
  n = strlen(digits);
  memcpy(longer, number->national, at);
  memcpy(longer + at, digits, n);
  memcpy(longer + at + n, number->national + at, number->n - at);
  n += number->n;
  if (!sc3_plan_is_valid(number->calling_code, sc3_slice_of(longer, n)) ||
      (repair == SC3_REPAIR_PHONE_BRAZIL && !sc3_plan_is_mobile(BRAZIL, sc3_slice_of(longer, n))))
    return why;
  memcpy(number->national, longer, n);
  number->n = n;
  *repairs |= 1u << repair;
  return SC3_R_NONE;
}

/* Reads one text, with the repairs that change digits. Adds these to out->repairs. */
static sc3_reason attempt(sc3_slice raw, int region, sc3_repairs allowed, sc3_phone_reading *out) {
  sc3_reason why;
  out->number.calling_code = 0;
  out->number.n = 0;
  why = sc3_phone_read(raw, &out->text);
  if (why != SC3_R_NONE)
    return why;
  why = sc3_phone_parse(&out->text, region, &out->number);
  if (has(allowed, SC3_REPAIR_PHONE_PLUS))
    why = put_plus(why, region, out);
  if (has(allowed, SC3_REPAIR_PHONE_MEXICO))
    why = take_old_mexican(why, &out->number, &out->repairs);
  return put_new_digits(why, allowed, &out->number, &out->repairs);
}

/* --- repairs of texts --- */

/* 441632960123.0: digits, one point, zeros. A number with more points is one that is written with
 * points. */
static sc3_slice cut_decimal(sc3_slice raw, sc3_repairs *repairs) {
  sc3_slice s = sc3_text_trim(raw);
  size_t i = s.n > 0 && s.p[0] == '+', start = i, point;
  while (i < s.n && sc3_ascii_is_digit(s.p[i]))
    i++;
  point = i;
  if (i - start < ENOUGH_DIGITS || i + 1 >= s.n || s.p[i] != '.')
    return raw;
  for (i++; i < s.n; i++) {
    if (s.p[i] != '0')
      return raw;
  }
  *repairs |= 1u << SC3_REPAIR_PHONE_DECIMAL;
  return sc3_slice_of(s.p, point);
}

/* "030 2312 5123 office": the words after a number of enough digits. */
static size_t cut_words(const char *p, size_t n) {
  size_t i, digits = 0;
  for (i = 0; i < n; i++) {
    if (sc3_ascii_is_digit(p[i]))
      digits++;
    else if (sc3_ascii_is_letter(p[i]) && digits >= ENOUGH_DIGITS)
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
  for (i = 0; i < n && !sc3_ascii_is_digit(p[i]); i++) {
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
  if (has(edits, SC3_REPAIR_PHONE_WORDS)) {
    before = *n;
    *n = cut_words(p, *n);
    if (*n == before)
      return 0;
  }
  if (has(edits, SC3_REPAIR_PHONE_TRUNK_ZERO)) {
    before = *n;
    *n = cut_trunk_zero(p, *n);
    if (*n == before)
      return 0;
  }
  if (has(edits, SC3_REPAIR_PHONE_DOUBLE_ZERO)) {
    before = *n;
    *n = put_plus_for_zeros(p, *n);
    if (*n == before)
      return 0;
  }
  return 1;
}

enum {
  WORDS = 1u << SC3_REPAIR_PHONE_WORDS,
  ZERO = 1u << SC3_REPAIR_PHONE_TRUNK_ZERO,
  ZEROS = 1u << SC3_REPAIR_PHONE_DOUBLE_ZERO
};

/* Reads the text again after some edits; 0 where they change nothing or the number is not valid. */
static int attempt_edited(sc3_slice raw, int region, sc3_repairs allowed, sc3_repairs edits,
                          sc3_phone_reading *out) {
  char changed[TEXT_MAX];
  size_t n = raw.n;
  memcpy(changed, raw.p, raw.n);
  out->repairs = edits;
  return edit(changed, &n, edits) &&
         attempt(sc3_slice_of(changed, n), region, allowed, out) == SC3_R_NONE;
}

/* Reads one number. The fewest edits come first: what is not needed is not done. */
static sc3_reason repair_one(sc3_slice raw, int region, sc3_repairs allowed,
                             sc3_phone_reading *out) {
  static const sc3_repairs orders[] = {
      WORDS, ZERO, ZEROS, WORDS | ZERO, WORDS | ZEROS, ZERO | ZEROS, WORDS | ZERO | ZEROS};
  sc3_repairs base = 0;
  sc3_reason why;
  size_t i;
  if (has(allowed, SC3_REPAIR_PHONE_DECIMAL))
    raw = cut_decimal(raw, &base);
  out->repairs = 0;
  why = attempt(raw, region, allowed, out);
  for (i = 0; i < sizeof orders / sizeof orders[0] && raw.n <= TEXT_MAX; i++) {
    sc3_phone_reading other;
    if (why == SC3_R_NONE && !(orders[i] == ZERO && out->number.calling_code == ITALY))
      continue;
    if ((orders[i] & ~allowed) != 0 || !attempt_edited(raw, region, allowed, orders[i], &other))
      continue;
    /* An Italian mobile after "(0)" is valid with the zero too, as a landline that it is not. */
    if (why == SC3_R_NONE &&
        !sc3_plan_is_mobile(ITALY, sc3_slice_of(other.number.national, other.number.n)))
      continue;
    *out = other;
    why = SC3_R_NONE;
    break;
  }
  out->repairs = why == SC3_R_NONE ? out->repairs | base : 0;
  return why;
}

/* The length of what parts two numbers at `p`. */
static size_t separator(const char *p, const char *end) {
  static const char *const words[] = {":::", " or ", " and ", NULL};
  const char *const *word;
  switch (*p) {
    case ';':
    case ',':
    case '|':
    case '&':
    case '/':
    case '\n': return 1;
    case ':':
    case ' ': break;
    default: return 0;
  }
  for (word = words; *word != NULL; word++) {
    if (sc3_ascii_begins(sc3_slice_of(p, (size_t)(end - p)), *word))
      return strlen(*word);
  }
  return 0;
}

/* Takes the next number of a list off `rest`: the next part with enough digits for one; 0 bytes
 * where there is none. */
static sc3_slice next_number(sc3_slice *rest) {
  const char *p = rest->p, *end = p + rest->n, *start = p;
  size_t digits = 0;
  for (;;) {
    size_t n = p < end ? separator(p, end) : 1;
    if (n == 0) {
      digits += (size_t)sc3_ascii_is_digit(*p++);
      continue;
    }
    if (digits >= ENOUGH_DIGITS || p == end) {
      sc3_slice part = sc3_slice_of(start, digits >= ENOUGH_DIGITS ? (size_t)(p - start) : 0);
      *rest = p < end ? sc3_slice_of(p + n, (size_t)(end - p) - n) : sc3_slice_of(end, 0);
      return part;
    }
    digits = 0;
    p += n;
    start = p;
  }
}

/* Of several numbers the first that is valid; `why` where none is. */
static sc3_reason take_first(sc3_reason why, sc3_slice raw, int region, sc3_repairs allowed,
                             sc3_phone_reading *out) {
  sc3_slice rest = raw, part = next_number(&rest), other = rest;
  if (part.n == 0 || next_number(&other).n == 0)
    return why;
  for (; part.n > 0; part = next_number(&rest)) {
    if (repair_one(part, region, allowed, out) == SC3_R_NONE) {
      out->repairs |= 1u << SC3_REPAIR_PHONE_FIRST;
      return SC3_R_NONE;
    }
  }
  return why;
}

sc3_reason sc3_phone_repair(sc3_slice raw, int region, sc3_repairs allowed,
                            sc3_phone_reading *out) {
  sc3_reason why = repair_one(raw, region, allowed, out);
  if (why == SC3_R_NONE || !has(allowed, SC3_REPAIR_PHONE_FIRST))
    return why;
  return take_first(why, raw, region, allowed, out);
}
