#include "phone_parse.h"

static sc3_slice behind(sc3_slice s, size_t n) {
  return sc3_slice_of(s.p + n, s.n - n);
}

/* Takes a calling code off the head of the digits; 0 where none stands there. */
static unsigned take_calling_code(sc3_slice *digits) {
  unsigned code = 0;
  size_t i;
  if (digits->n == 0 || digits->p[0] == '0')
    return 0;
  for (i = 0; i < 3 && i < digits->n; i++) {
    code = code * 10 + (unsigned)(digits->p[i] - '0');
    if (sc3_plan_main_region(code) != SC3_NO_REGION) {
      *digits = behind(*digits, i + 1);
      return code;
    }
  }
  return 0;
}

/* The bytes that the code takes at the head of the digits, 0 where it does not stand there. */
static size_t begins_with_code(sc3_slice digits, unsigned code) {
  char text[4];
  size_t n = 0, i;
  for (; code > 0; code /= 10)
    text[n++] = (char)('0' + code % 10);
  if (digits.n < n)
    return 0;
  for (i = 0; i < n; i++) {
    if (digits.p[i] != text[n - 1 - i])
      return 0;
  }
  return n;
}

/* The calling code that digits without a plus carry, taken off: after the region's international
   prefix, or the region's own where the number makes sense only without it, which takes its
   national prefix off too. 0 where they carry none, -1 where they must and do not. */
static int find_calling_code(sc3_slice *digits, int region, char room[SC3_DIGITS_ROOM],
                             unsigned *steps) {
  sc3_slice rest;
  size_t used;
  unsigned code;
  if (region < 0)
    return 0;
  used = sc3_plan_match_idd(region, *digits);
  if (used > 0 && !(used < digits->n && digits->p[used] == '0')) {
    *steps |= 1u << SC3_PHONE_IDD;
    *digits = behind(*digits, used);
    if (digits->n <= SC3_NSN_MIN || (code = take_calling_code(digits)) == 0)
      return -1;
    return (int)code;
  }
  code = sc3_plan_calling_code(region);
  used = begins_with_code(*digits, code);
  if (used == 0)
    return 0;
  rest = sc3_plan_strip_national(region, behind(*digits, used), room);
  if ((!sc3_plan_is_general(region, *digits) && sc3_plan_is_general(region, rest)) ||
      sc3_plan_compare_length(region, digits->n) == SC3_LENGTH_TOO_LONG) {
    *steps |= 1u << SC3_PHONE_OWN_CODE;
    *digits = rest;
    return (int)code;
  }
  return 0;
}

/* The fault of a number that is not valid, as its country's lengths tell it. */
static sc3_reason why_invalid(sc3_length length) {
  switch (length) {
    case SC3_LENGTH_TOO_SHORT: return SC3_R_PHONE_TOO_SHORT;
    case SC3_LENGTH_TOO_LONG: return SC3_R_PHONE_TOO_LONG;
    default: return SC3_R_PHONE_INVALID;
  }
}

static sc3_reason parse(sc3_phone_text *text, int region, sc3_phone_number *number) {
  char first_room[SC3_DIGITS_ROOM], second_room[SC3_DIGITS_ROOM];
  sc3_slice digits = sc3_slice_of(text->digits, text->n), stripped;
  sc3_reason why = SC3_R_NONE;
  int code = 0;
  number->calling_code = 0;
  number->n = 0;
  if (text->plus) {
    if (digits.n <= SC3_NSN_MIN)
      return SC3_R_PHONE_TOO_SHORT;
    code = (int)take_calling_code(&digits);
    if (code == 0) { /* a plus that leads nowhere is read as if it were not there */
      text->steps |= 1u << SC3_PHONE_NO_PLUS;
      code = find_calling_code(&digits, region, first_room, &text->steps);
      if (code <= 0)
        return SC3_R_PHONE_COUNTRY_CODE;
    }
  } else {
    code = find_calling_code(&digits, region, first_room, &text->steps);
    if (code < 0)
      return SC3_R_PHONE_COUNTRY_CODE;
  }
  number->calling_code = code > 0 ? (unsigned)code : sc3_plan_calling_code(region);
  if (code > 0)
    region = sc3_plan_main_region(number->calling_code);
  if (digits.n < SC3_NSN_MIN) {
    why = SC3_R_PHONE_TOO_SHORT;
  } else {
    stripped = sc3_plan_strip_national(region, digits, second_room);
    if (stripped.p != digits.p || stripped.n != digits.n) {
      sc3_length length = sc3_plan_compare_length(region, stripped.n);
      if (length == SC3_LENGTH_POSSIBLE || length == SC3_LENGTH_TOO_LONG) {
        text->steps |= 1u << SC3_PHONE_NATIONAL;
        digits = stripped;
      }
    }
    if (digits.n < SC3_NSN_MIN)
      why = SC3_R_PHONE_TOO_SHORT;
    else if (digits.n > SC3_NSN_MAX)
      why = SC3_R_PHONE_TOO_LONG;
    else if (!sc3_plan_is_valid(number->calling_code, digits))
      why = why_invalid(sc3_plan_compare_length(region, digits.n));
  }
  memcpy(number->national, digits.p, digits.n);
  number->n = digits.n;
  return why;
}

sc3_reason sc3_phone_parse(sc3_phone_text *text, int region, sc3_phone_number *number) {
  if (!text->plus && region < 0) {
    number->calling_code = 0;
    number->n = 0;
    return SC3_R_PHONE_NATIONAL;
  }
  return parse(text, region, number);
}
